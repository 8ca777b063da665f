//! How bytes are written in a URL.

use std::fmt::Write as _;

/// A segment with every byte percent-encoded but the unreserved ones (RFC 3986, 2.3): what is
/// reserved means something else to one server or another, `+` a space, `;` a parameter.
pub(super) fn unreserved(segment: &[u8]) -> String {
    let mut text = String::with_capacity(segment.len());
    for byte in segment {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            encode(&mut text, *byte);
        }
    }
    text
}

/// Text that somebody wrote as part of a URL, changed only where no URL may look like it: what is
/// not allowed in a path is encoded, and so is a `%` that encodes nothing.
pub(super) fn legal(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut legal = String::with_capacity(text.len());
    for (at, byte) in bytes.iter().enumerate() {
        let encodes =
            || bytes.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        match byte {
            b'%' if encodes() => legal.push('%'),
            // The characters of a path (RFC 3986, 3.3), and its separator.
            byte if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(byte) => {
                legal.push(char::from(*byte));
            }
            byte => encode(&mut legal, *byte),
        }
    }
    legal
}

fn encode(text: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "%{byte:02X}");
}
