//! Character references, as directory indexes use them.

/// The longest reference that is looked at, in bytes; what is longer is text.
const MAX_REFERENCE_BYTES: usize = 32;

/// Replaces each character reference by its character. A `&` that begins none stays.
///
/// `None` if there is a reference that is not known here: of HTML's two thousand names servers write
/// five, and a name that was guessed could be another file's.
pub(crate) fn decode_entities(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'&') {
        decoded.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(reference) = reference(rest) else {
            decoded.push(b'&');
            continue;
        };
        let character = character(reference)?;
        decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[reference.len() + 1..];
    }
    decoded.extend_from_slice(rest);
    Some(decoded)
}

/// What stands before the `;` if it has the shape of a reference. Without `;` it is text: that is
/// the standard's rule for most names in an attribute, and what sloppy servers mean.
fn reference(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().take(MAX_REFERENCE_BYTES).position(|byte| *byte == b';')?;
    let name = &text[..end];
    let digits = name.strip_prefix(b"#").unwrap_or(name);
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_alphanumeric)).then_some(name)
}

fn character(reference: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(reference).ok()?;
    if let Some(number) = text.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        // The standard turns these into other characters, for the sake of old pages.
        return char::from_u32(code).filter(|_| code != 0 && !(0x80..0xa0).contains(&code));
    }
    Some(match text {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_exactly_once() {
        let rows: [(&str, &str); 6] = [
            ("a&amp;b", "a&b"),
            ("a&amp;amp;b", "a&amp;b"),
            ("&#39;&#x27;&#43;", "''+"),
            ("&lt;&gt;&quot;&apos;", "<>\"'"),
            ("a&b=c", "a&b=c"),
            ("&", "&"),
        ];
        for (text, decoded) in rows {
            assert_eq!(decode_entities(text.as_bytes()), Some(decoded.into()), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_stay() {
        assert_eq!(decode_entities(b"\xff&lt;"), Some(b"\xff<".into()));
    }

    #[test]
    fn a_reference_that_is_not_known_is_not_guessed() {
        for text in ["&eacute;", "&#0;", "&#150;", "&#xd800;", "&#99999999999;"] {
            assert_eq!(decode_entities(text.as_bytes()), None, "{text}");
        }
    }
}
