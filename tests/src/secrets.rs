//! Looking for secrets in all the forms that they may have.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter ones are words of the tests' own, and stand in other words.
const SHORTEST: usize = 8;

/// As it is, as URLs have it, and in base64, wherever in a longer text it stands.
pub fn forms(secret: &str) -> Vec<String> {
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
///
/// # Panics
/// There.
#[track_caller]
pub fn assert_clean<'a>(text: &str, secrets: impl IntoIterator<Item = &'a String>, what: &str) {
    for secret in secrets {
        for form in forms(secret) {
            assert!(!text.contains(&form), "{what}: `{secret}` as `{form}` in:\n{text}");
        }
    }
}

/// What a command is told in confidence: in variables whose names say so, and in logins and
/// signatures of whatever is a URI or a connection string.
pub(crate) fn told(command: &Command) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    let variables = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?)));
    for (name, value) in variables {
        let value = value.to_string_lossy();
        if names_a_secret(name) && !value.contains([':', ';', '&']) {
            secrets.insert(value.clone().into_owned());
        }
        secrets.extend(within(&value));
    }
    secrets.extend(command.get_args().map(OsStr::to_string_lossy).flat_map(|text| within(&text)));
    secrets.retain(|secret| secret.len() >= SHORTEST);
    secrets
}

fn names_a_secret(name: &str) -> bool {
    let is_one = ["PASSWORD", "SECRET", "TOKEN", "ACCESS_KEY"].iter().any(|w| name.contains(w));
    is_one && !["_FILE", "_ID", "_URL"].iter().any(|end| name.ends_with(end))
}

/// Passwords between `://` and `@`, signatures and keys.
fn within(text: &str) -> Vec<String> {
    let mut secrets = Vec::new();
    for after in text.split("://").skip(1) {
        let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
        let login = authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':'));
        secrets.extend(login.map(|(_, password)| password.to_owned()));
    }
    for name in ["sig=", "Signature=", "AccountKey=", "delegation=", "token="] {
        let values = text.split(name).skip(1);
        secrets.extend(values.filter_map(|rest| rest.split(['&', ';']).next()).map(str::to_owned));
    }
    let decode = |secret: &String| {
        let decoded = percent_encoding::percent_decode_str(secret).decode_utf8().ok()?;
        (*decoded != **secret).then(|| decoded.into_owned())
    };
    let decoded: Vec<String> = secrets.iter().filter_map(decode).collect();
    secrets.extend(decoded);
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_each_form() {
        let secret = "pa/ss+w=rd";
        let found = |text: &str| forms(secret).iter().any(|form| text.contains(form));
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
        assert!(!found("pa/ss") && !found(&STANDARD_NO_PAD.encode("pa/ss+w=XX")));
    }

    #[test]
    fn what_a_command_is_told_in_confidence_is_known() {
        let mut command = Command::new("x");
        command
            .args(["get", "https://me:pass%2Fword@h/x?sig=sign%2Bature&sp=r"])
            .env("AWS_SECRET_ACCESS_KEY", "secret-key")
            .env("AWS_ACCESS_KEY_ID", "no-secret-at-all")
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", "/a/file/of/a/token")
            .env("AZURE_STORAGE_CONNECTION_STRING", "AccountName=a;AccountKey=account-key==;")
            .env("MLFLOW_TRACKING_PASSWORD", "short");
        let secrets: Vec<String> = told(&command).into_iter().collect();
        let expected = [
            "account-key==",
            "pass%2Fword",
            "pass/word",
            "secret-key",
            "sign%2Bature",
            "sign+ature",
        ];
        assert_eq!(secrets, expected);
    }

    #[test]
    #[should_panic(expected = "standard error")]
    fn a_secret_that_is_shown_is_not_overlooked() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $TEST_PASSWORD >&2"]).env("TEST_PASSWORD", "a-secret-word");
        crate::Running::start(&mut command).wait(std::time::Duration::from_secs(10));
    }
}
