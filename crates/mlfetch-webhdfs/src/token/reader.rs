//! The two ways in which Hadoop writes bytes with their lengths.

/// Reads from the front of bytes; `None` when they end too early.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// `WritableUtils.readVInt`: one byte up to 127; above that a byte that says how many follow,
    /// big-endian. Negative numbers are of no use here.
    pub(super) fn vint(&mut self) -> Option<usize> {
        let first = self.byte()?.cast_signed();
        if first >= 0 {
            return usize::try_from(first).ok();
        }
        let follow = (-112_i8).checked_sub(first).filter(|count| (1..=8).contains(count))?;
        let bytes = self.take(usize::try_from(follow).ok()?)?;
        let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number).ok()
    }

    /// Bytes after their length as a [`vint`](Self::vint).
    pub(super) fn vint_bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.vint()?;
        self.take(length)
    }

    /// A number as protocol buffers write it: seven bits in a byte, the lowest first.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Bytes after their length as a number of protocol buffers.
    pub(super) fn varint_bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        self.take(length)
    }
}

/// The fields of a message that hold bytes, by their numbers; others are passed over.
pub(super) fn fields(message: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut reader = Reader::new(message);
    let mut fields = Vec::new();
    while !reader.rest.is_empty() {
        let tag = reader.varint()?;
        match tag & 7 {
            0 => drop(reader.varint()?),
            1 => drop(reader.take(8)?),
            2 => fields.push((tag >> 3, reader.varint_bytes()?)),
            5 => drop(reader.take(4)?),
            _ => return None,
        }
    }
    Some(fields)
}

/// Writes a length as [`Reader::vint`] reads it.
pub(super) fn push_vint(bytes: &mut Vec<u8>, number: usize) {
    if let Ok(small @ 0..=127) = u8::try_from(number) {
        bytes.push(small);
        return;
    }
    let big = (number as u64).to_be_bytes();
    let skip = big.iter().take_while(|byte| **byte == 0).count();
    let follow = big.len() - skip;
    let marker = -112_i8 - i8::try_from(follow).expect("at most eight bytes");
    bytes.push(marker.cast_unsigned());
    bytes.extend_from_slice(&big[skip..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_comes_back_as_it_was_written() {
        for number in [0, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 30] {
            let mut bytes = Vec::new();
            push_vint(&mut bytes, number);
            assert_eq!(Reader::new(&bytes).vint(), Some(number));
        }
    }

    #[test]
    fn lengths_are_written_as_hadoop_does() {
        let written = |number| {
            let mut bytes = Vec::new();
            push_vint(&mut bytes, number);
            bytes
        };
        assert_eq!(written(127), [127]);
        assert_eq!(written(128), [0x8f, 128]);
        assert_eq!(written(300), [0x8e, 1, 44]);
    }

    #[test]
    fn a_length_beyond_the_end_is_no_length() {
        assert!(Reader::new(&[5, 1, 2]).vint_bytes().is_none());
        assert!(Reader::new(&[0x88]).vint().is_none());
        assert!(fields(&[0x0a, 0xff, 0xff]).is_none());
    }
}
