//! Looking for a secret in all the forms that it may have.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// As it is, as URLs have it, and in base64, wherever in a longer text it stands.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let encoded = |escape: &dyn Fn(u8) -> String| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let byte = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { escape(byte) };
        secret.bytes().map(byte).collect()
    };
    let mut forms = vec![
        secret.to_owned(),
        encoded(&|byte| format!("%{byte:02X}")),
        encoded(&|byte| format!("%{byte:02x}")),
    ];
    for before in 0..3 {
        let bytes = [&b"..."[..before], secret.as_bytes()].concat();
        for text in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            // Letters that hold bits of what stands before or behind are others there.
            let start = (before * 8).div_ceil(6);
            forms.push(text[start..bytes.len() * 8 / 6].to_owned());
        }
    }
    forms
}

/// Fails where a text holds one of these secrets.
#[track_caller]
pub(crate) fn assert_clean(text: &str, secrets: &[String], what: &str) {
    for secret in secrets {
        for form in forms(secret) {
            assert!(!text.contains(&form), "{what}: `{secret}` as `{form}` in:\n{text}");
        }
    }
}

/// All files below a directory, as text, but for some.
pub(crate) fn files(directory: &Path, except: &[&str]) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            all.push_str(&files(&path, except));
        } else if !except.contains(&name.as_str()) {
            let bytes = std::fs::read(&path).expect("a file");
            let _ = writeln!(all, "{}: {}", path.display(), String::from_utf8_lossy(&bytes));
        }
    }
    all
}

#[test]
fn a_secret_is_found_in_each_form() {
    let secret = "pa/ss+w=rd".to_owned();
    let found = |text: &str| forms(&secret).iter().any(|form| text.contains(form));
    for text in [
        "x pa/ss+w=rd y",
        "x=pa%2Fss%2Bw%3Drd&",
        "x=pa%2fss%2bw%3drd&",
        &STANDARD_NO_PAD.encode("pa/ss+w=rd"),
        &STANDARD_NO_PAD.encode("me:pa/ss+w=rd"),
        &STANDARD_NO_PAD.encode("user:pa/ss+w=rd and more"),
        &URL_SAFE_NO_PAD.encode("u:pa/ss+w=rd\u{ff}"),
    ] {
        assert!(found(text), "{text}");
    }
    assert!(!found("pa/ss") && !found(&STANDARD_NO_PAD.encode("pa/ss+w=re")));
}
