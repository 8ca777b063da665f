//! What fuzz targets assert of this crate, and what they share. No part of the interface: it is
//! there only in builds for fuzzing.

use crate::{Error, Location, SafeText, escape};

/// What a test can look for, wherever a credential stood.
pub const MARK: &str = "S3CR3T";

/// Parts of an input, so that seeds can be written by hand: its lines, and nothing for what is not
/// there.
pub fn lines<const COUNT: usize>(text: &str) -> [&str; COUNT] {
    let mut lines = text.split('\n');
    std::array::from_fn(|_| lines.next().unwrap_or_default())
}

/// Text that is shown moves no terminal, and does not look like other text.
pub fn assert_harmless(shown: &str) {
    assert_eq!(escape(shown.as_bytes()), shown);
}

/// The same for all of an error that is shown.
pub fn assert_harmless_error(error: &Error) {
    assert_harmless(&error.to_string());
    assert_harmless(error.hint().unwrap_or_default());
}

/// Any text as a location.
pub fn location(text: &str) {
    let location = match Location::parse(text) {
        Ok(location) => location,
        Err(error) => return assert_harmless_error(&error),
    };
    assert_eq!(location.as_str(), text);
    let scheme = location.scheme();
    let before = &text[..text.len() - location.rest().len()];
    assert!(scheme.is_empty() == before.is_empty());
    assert!(before.is_empty() || before.eq_ignore_ascii_case(&format!("{scheme}:")));
    match location.authority() {
        Some(host) => assert_eq!(location.rest(), format!("//{host}{}", location.path())),
        None => assert_eq!(location.rest(), location.path()),
    }
    let (path, query) = location.path_and_query();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    assert!(location.path().starts_with(&format!("{path}{query}")));
    let shown = location.to_string();
    assert_harmless(&shown);
    let again = Location::parse(shown.as_str()).expect("what is shown is a location");
    assert_eq!(again.to_string(), shown);
}

/// A location with a password and a signature in it, of any scheme.
pub fn credentials(text: &str) {
    let [scheme, user, password, host, path, more] = lines(text);
    let without = |text: &str, letters: &str| {
        let kept = text.chars().filter(|letter| !letters.contains(*letter) && *letter != '\0');
        kept.collect::<String>().replace(MARK, "")
    };
    let [user, password, host] = [user, password, host].map(|part| without(part, "/?#@:\\"));
    let (path, more) = (without(path, ""), without(more, ""));
    let text = format!("{scheme}://{user}:{MARK}{password}@{host}/{path}?sig={MARK}{more}");
    let Ok(location) = Location::parse(text.as_str()) else { return };
    if location.scheme().is_empty() {
        return;
    }
    assert!(!location.to_string().contains(MARK), "{location} of {text:?}");
    assert!(!format!("{location:?}").contains(MARK));
}

/// Words of a server that hold a secret.
pub fn safe_text(before: &[u8], secret: &str, after: &[u8]) {
    assert_harmless(&escape(before));
    let raw = [before, secret.as_bytes(), after].concat();
    let safe = SafeText::new(&raw, [secret]);
    assert_harmless(safe.as_str());
    assert!(safe.as_str().len() <= 1024 + '…'.len_utf8());
    // What replaces a secret may itself be looked for, and escapes make words of what was none.
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte);
    if secret.len() >= 8 && secret.bytes().all(is_word) && !"[secret]".contains(secret) {
        assert!(!safe.as_str().contains(secret), "{secret} in {safe}");
        for escape in [|byte| format!("%{byte:02X}"), |byte| format!("%{byte:02x}")] {
            let encoded = percent_encoded(secret, escape);
            let echoed = SafeText::new(encoded.as_bytes(), [secret]);
            assert!(!echoed.as_str().contains(&encoded), "{echoed}");
        }
    }
}

fn percent_encoded(text: &str, escape: fn(u8) -> String) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).into() } else { escape(byte) })
        .collect()
}
