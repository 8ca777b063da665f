//! Values that flags take.

use std::num::NonZeroU64;

use mlfetch::{Layout, Overwrite, Verify, Via};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ProgressStyle {
    /// A bar at a terminal, plain lines elsewhere
    Auto,
    /// A bar
    Bar,
    /// A line every ten seconds
    Plain,
    /// Nothing
    None,
}

/// A word that a flag takes, and what it means.
macro_rules! words {
    ($name:ident for $target:ident: $($word:ident, $help:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
        pub(crate) enum $name {
            $(#[doc = $help] $word,)+
        }

        impl From<$name> for $target {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => Self::$word,)+
                }
            }
        }
    };
}

words! { LayoutWord for Layout:
    Mlflow, "As MLflow 3: the last segment of the path is kept, a trailing / means the contents";
    Contents, "The contents of what was asked for, straight in the destination";
    Run, "The path from the root of the run or model is kept, as by MLflow 2";
}

words! { OverwriteWord for Overwrite:
    IfChanged, "Replace files that may differ";
    Always, "Replace them";
    Never, "Leave them alone";
    Error, "Fail";
}

words! { VerifyWord for Verify:
    Off, "The size only";
    IfPresent, "The strongest checksum that the store gives, if it gives one";
    Required, "A checksum; a file without one fails";
}

words! { ViaWord for Via:
    Auto, "Direct where a rewrite rule says so, else presigned where offered, else proxy";
    Direct, "Straight from where the bytes lie; the server is asked for none";
    Presigned, "By URLs that the tracking server signs";
    Proxy, "Through the tracking server";
}

/// Bytes: `1500000`, `512K`, `10M`, `1G`.
pub(super) fn bytes(text: &str) -> Result<NonZeroU64, String> {
    let (number, shift) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let number: Option<u64> = number.parse().ok();
    let bytes = number.and_then(|number| number.checked_mul(1 << shift));
    bytes.and_then(NonZeroU64::new).ok_or_else(|| "it is to be like 500K, 10M or 1G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_powers_of_1024() {
        let number = |text| bytes(text).map(NonZeroU64::get);
        assert_eq!(number("1500"), Ok(1500));
        assert_eq!(number("2k"), Ok(2048));
        assert_eq!(number("10M"), Ok(10 << 20));
        assert_eq!(number("1G"), Ok(1 << 30));
        for wrong in ["", "0", "M", "-1", "1.5M", "1T", "1é", "99999999999G", "10 M"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
