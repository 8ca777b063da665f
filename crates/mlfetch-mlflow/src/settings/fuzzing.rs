//! What fuzz targets assert of the files that credentials lie in.

use mlfetch_store::fuzzing::lines;

use super::{ini, netrc};

/// Any text as `.netrc` and as a file of sections, and a login of ours in both.
pub fn settings(text: &str) {
    let _ = (netrc::login(text, "host"), ini::value(text, "section", "key"));
    let [user, password, more] = lines(text);
    let is_word = |word: &str| !word.is_empty() && !word.contains(char::is_whitespace);
    let keywords = ["machine", "default", "login", "user", "password", "account", "macdef"];
    let are_plain =
        [user, password].into_iter().all(|word| is_word(word) && !keywords.contains(&word));
    if are_plain && !user.starts_with('#') {
        let file = format!("machine host login {user} password {password}\n{more}\n");
        // A later line may go on with the same machine, and take back what stood before.
        let goes_on = more.contains("login") || more.contains("user") || more.contains("password");
        let expected = Some(netrc::Login { username: user.into(), password: password.into() });
        assert!(goes_on || netrc::login(&file, "host") == expected, "{file:?}");
    }
    let value = password.trim();
    if is_word(value) {
        let file = format!("[section]\nkey = {value}\n");
        assert_eq!(ini::value(&file, "section", "key"), Some(value));
        assert_eq!(ini::value(&file, "other", "key"), None);
    }
}
