//! Text that came from outside, made harmless before anybody sees it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// The longest text from a server that is ever shown, in bytes (`docs/concepts/limits.md`).
const MAX_SHOWN_BYTES: usize = 1024;

/// Makes bytes readable on a terminal: control characters, the characters that reorder text, and
/// bytes that are not UTF-8 are written as escapes; all other text stays as it is.
///
/// ```
/// assert_eq!(mlfetch_store::escape(b"tab\there"), "tab\\there");
/// assert_eq!(mlfetch_store::escape("größe".as_bytes()), "größe");
/// ```
pub fn escape(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_escaped(&mut shown, character);
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

fn push_escaped(shown: &mut String, character: char) {
    if character.is_control() || reorders_text(character) {
        shown.extend(character.escape_default());
    } else {
        shown.push(character);
    }
}

/// The bidirectional controls of Unicode: they can make one name look like another.
fn reorders_text(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A server's own words, fit to be shown: secrets removed, escaped, and cut at 1 kB.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeText(String);

impl SafeText {
    /// Makes `raw` safe. Each of `secrets` that occurs in it is replaced; very short ones (under
    /// four bytes) are left, because removing them would shred the text and hide nothing.
    pub fn new<'a>(raw: &[u8], secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::from_utf8_lossy(raw);
        for secret in secrets {
            for form in echoed_forms(secret) {
                if form.len() >= 4 && text.contains(&form) {
                    text = Cow::Owned(text.replace(&form, "[secret]"));
                }
            }
        }
        let mut shown = escape(text.trim().as_bytes());
        if shown.len() > MAX_SHOWN_BYTES {
            let cut = shown.floor_char_boundary(MAX_SHOWN_BYTES);
            shown.truncate(cut);
            shown.push('…');
        }
        Self(shown)
    }

    /// The safe text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The forms in which servers echo a credential: as it was sent, and percent-encoded.
fn echoed_forms(secret: &str) -> [String; 2] {
    let mut encoded = String::with_capacity(secret.len());
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    [secret.to_owned(), encoded]
}

impl fmt::Display for SafeText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for SafeText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_text_hides_a_secret_also_when_it_is_percent_encoded() {
        let text = SafeText::new(b"bad token s3cr/et and s3cr%2Fet", ["s3cr/et"]);
        assert_eq!(text.as_str(), "bad token [secret] and [secret]");
    }

    #[test]
    fn safe_text_is_cut_at_a_character() {
        let text = SafeText::new("ö".repeat(2000).as_bytes(), []);
        assert!(text.as_str().len() <= MAX_SHOWN_BYTES + '…'.len_utf8());
    }

    #[test]
    fn escape_writes_reordering_characters_as_escapes() {
        assert_eq!(escape("a\u{202e}b".as_bytes()), "a\\u{202e}b");
    }
}
