//! The SHA-256 of a file.

use std::fmt;
use std::str::FromStr;

use mlfetch_store::{Error, ErrorKind, escape};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a file or a tree, shown and read as 64 hexadecimal digits.
///
/// ```
/// use mlfetch_core::manifest::Sha256Sum;
/// let sum = Sha256Sum::of(b"123456789");
/// assert!(sum.to_string().starts_with("15e2b0d3"));
/// assert_eq!(sum.to_string().to_uppercase().parse::<Sha256Sum>().unwrap(), sum);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Sum([u8; 32]);

impl Sha256Sum {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// What a digest that took all bytes came to.
    pub(crate) fn finish(digest: Sha256) -> Self {
        Self(digest.finalize().into())
    }

    /// A digest that a store gave; `None` if it is none of this length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl FromStr for Sha256Sum {
    type Err = Error;

    /// Reads hexadecimal digits, lower or upper case.
    fn from_str(text: &str) -> Result<Self, Error> {
        read_hex(text.as_bytes()).map(Self).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "read the digest", escape(text.as_bytes()))
                .with_message("a SHA-256 is 64 hexadecimal digits")
                .with_hint("`sha256sum` prints one, and so does `mlfetch get --manifest`")
        })
    }
}

fn read_hex(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut sum = [0; 32];
    if text.len() != 2 * sum.len() {
        return None;
    }
    for (byte, pair) in sum.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(sum)
}

impl fmt::Display for Sha256Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sha256Sum({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_hexadecimal_digits_are_a_digest() {
        for text in ["", "15e2", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)]
        {
            assert!(text.parse::<Sha256Sum>().is_err(), "{text}");
        }
    }
}
