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

/// An address that cannot be read as one, safe to show: what stands before `@` may be a password, and
/// what follows `?` a signature.
///
/// ```
/// assert_eq!(mlfetch_store::bare_address("me:hunter2@host:port?sig=x"), "host:port");
/// ```
pub fn bare_address(text: &str) -> String {
    let behind_login = text.rsplit('@').next().unwrap_or_default();
    escape(behind_login.split('?').next().unwrap_or_default().as_bytes())
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
        let mut forms: Vec<String> = secrets.into_iter().flat_map(echoed_forms).collect();
        // A secret may be part of another one, of which a rest would be left.
        forms.sort_unstable_by_key(|form| std::cmp::Reverse(form.len()));
        for form in forms.iter().filter(|form| form.len() >= 4) {
            if text.contains(form) {
                text = Cow::Owned(text.replace(form, "[secret]"));
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

/// The forms in which servers echo a credential: as it was sent, percent-encoded in both cases, and
/// as it stands in HTML and in JSON.
fn echoed_forms(secret: &str) -> [String; 5] {
    let encoded = |escape: fn(u8) -> String| -> String {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let one = |byte| if is_plain(byte) { char::from(byte).into() } else { escape(byte) };
        secret.bytes().map(one).collect()
    };
    [
        secret.to_owned(),
        encoded(|byte| format!("%{byte:02X}")),
        encoded(|byte| format!("%{byte:02x}")),
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        secret.replace('\\', "\\\\").replace('"', "\\\""),
    ]
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
        let text = SafeText::new(b"bad token s3cr/et, s3cr%2Fet and s3cr%2fet", ["s3cr/et"]);
        assert_eq!(text.as_str(), "bad token [secret], [secret] and [secret]");
    }

    #[test]
    fn safe_text_hides_a_secret_as_html_and_json_have_it() {
        let text = SafeText::new(b"sv=1&amp;sig=x; \"pa\\\"ss\\\\\"", ["sv=1&sig=x", "pa\"ss\\"]);
        assert_eq!(text.as_str(), "[secret]; \"[secret]\"");
    }

    #[test]
    fn safe_text_leaves_nothing_of_a_secret_that_holds_another() {
        let text = SafeText::new(b"key=prefix-token-rest", ["token", "prefix-token-rest"]);
        assert_eq!(text.as_str(), "key=[secret]");
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
