//! Files of credentials.

use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, Read as _};
use std::path::Path;

use google_cloud_auth::build_errors;
use google_cloud_auth::credentials::{
    external_account, impersonated, service_account, user_account,
};
use mlfetch_store::{Error, ErrorKind, Result, Secret, escape};
use serde_json::Value;

use super::adc::Found;

/// The longest file of credentials that is read, in bytes (`docs/concepts/limits.md`).
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What is asked for where the file lets us choose: to read.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_only";

/// Fields of such a file that are secret, wherever they stand in it.
const SECRET_FIELDS: [&str; 4] =
    ["private_key", "private_key_id", "client_secret", "refresh_token"];

/// A file's text; `None` if there is none.
///
/// # Errors
/// `InvalidInput` for one that cannot be read, or is too long to be one.
pub(super) fn read(path: &Path) -> Result<Option<String>> {
    let mut text = String::new();
    let read =
        File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text));
    match read {
        Ok(length) if length as u64 > MAX_FILE_BYTES => {
            Err(wrong(path, format!("it is longer than {MAX_FILE_BYTES} bytes")))
        }
        Ok(_) => Ok(Some(text)),
        Err(cause) if cause.kind() == IoErrorKind::NotFound => Ok(None),
        Err(cause) => {
            let message = cause.to_string();
            Err(wrong(path, message).with_source(cause))
        }
    }
}

/// The credentials that a file holds.
///
/// # Errors
/// `InvalidInput`, with what is wrong with it.
pub(super) fn parse(path: &Path, text: &str) -> Result<Found> {
    // What serde says of a text shows pieces of it.
    let json: Value = serde_json::from_str(text).map_err(|_| wrong(path, "it is not JSON"))?;
    let mut secrets = Vec::new();
    collect_secrets(&json, &mut secrets);
    let name = name_of(&json);
    let kind = json.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let scopes = || [SCOPE];
    let built = match kind.as_str() {
        "service_account" => {
            let access = service_account::AccessSpecifier::from_scopes(scopes());
            service_account::Builder::new(json).with_access_specifier(access).build()
        }
        // What a user may do was said when they signed in.
        "authorized_user" => user_account::Builder::new(json).build(),
        "external_account" => external_account::Builder::new(json).with_scopes(scopes()).build(),
        "impersonated_service_account" => {
            impersonated::Builder::new(json).with_scopes(scopes()).build()
        }
        "" => return Err(wrong(path, "it does not say its `type`")),
        other => {
            let kind = escape(other.as_bytes());
            return Err(wrong(
                path,
                format!("credentials of the type `{kind}` are not known here"),
            )
            .with_hint(
                "there are service_account, authorized_user, external_account and \
                     impersonated_service_account",
            ));
        }
    };
    let credentials = built.map_err(|cause| incomplete(path, &kind, &cause))?;
    Ok(Found::Credentials { credentials, secrets, name })
}

/// Whom Google sees: a service account by its address, also one that is impersonated; else the pool
/// of a workload, or a user where the file names one.
fn name_of(json: &Value) -> Option<String> {
    let text = |name: &str| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let impersonated = text("service_account_impersonation_url")
        .and_then(|url| url.split_once("/serviceAccounts/")?.1.split(':').next());
    let name = impersonated.or_else(|| text("client_email"));
    let name = name.or_else(|| text("account")).or_else(|| text("audience"))?;
    Some(escape(name.as_bytes()))
}

/// An error about a file of credentials.
pub(super) fn wrong(path: &Path, why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    let path = path.display().to_string();
    Error::new(ErrorKind::InvalidInput, "use the credentials in", escape(path.as_bytes()))
        .with_message(why)
}

/// The library's own text may quote the file.
fn incomplete(path: &Path, kind: &str, cause: &build_errors::Error) -> Error {
    let why = if cause.is_missing_field() {
        "a field is missing"
    } else if cause.is_not_supported() {
        "it asks for something that is not supported"
    } else {
        "a field is missing or has another shape"
    };
    wrong(path, format!("it is no {kind}: {why}"))
}

fn collect_secrets(json: &Value, secrets: &mut Vec<Secret>) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if SECRET_FIELDS.contains(&name.as_str()) => {
                        secrets.push(Secret::new(text.as_str()));
                    }
                    other => collect_secrets(other, secrets),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_secrets(value, secrets)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let Err(error) = parse(Path::new("/keys/a.json"), text) else { panic!("{text}") };
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        format!("{error} {error:?} {}", error.hint().unwrap_or_default())
    }

    #[tokio::test]
    async fn a_file_that_holds_no_credentials_is_named_and_not_shown() {
        for (text, words) in [
            ("s3cret", "not JSON"),
            (r#"{"private_key":"s3cret"}"#, "`type`"),
            (r#"{"type":"api_key","key":"s3cret"}"#, "`api_key`"),
            (r#"{"type":"service_account","private_key":"s3cret"}"#, "no service_account"),
            (r#"{"type":"authorized_user","refresh_token":7}"#, "no authorized_user"),
            (r#"{"type":"external_account","audience":"s3cret"}"#, "no external_account"),
            (r#"{"type":"impersonated_service_account"}"#, "no impersonated_service_account"),
        ] {
            let shown = error(text);
            assert!(shown.contains("/keys/a.json") && shown.contains(words), "{shown}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }

    #[test]
    fn a_file_that_is_no_file_of_credentials_is_not_read() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(read(&directory.path().join("missing")).expect("no file is fine").is_none());
        let long = directory.path().join("long.json");
        std::fs::write(&long, " ".repeat(1024 * 1024 + 1)).expect("written");
        for path in [long, directory.path().to_owned()] {
            let error = read(&path).expect_err("not read");
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        }
    }

    #[test]
    fn a_file_says_whose_it_is() {
        let url = "https://iam.example/v1/projects/-/serviceAccounts/b@example:generateAccessToken";
        for (json, name) in [
            (serde_json::json!({ "client_email": "a@example" }), Some("a@example")),
            (serde_json::json!({ "service_account_impersonation_url": url }), Some("b@example")),
            (serde_json::json!({ "audience": "//iam/pool" }), Some("//iam/pool")),
            (serde_json::json!({ "account": "", "client_id": "x" }), None),
        ] {
            assert_eq!(name_of(&json).as_deref(), name);
        }
    }

    #[test]
    fn secrets_are_found_at_any_depth() {
        let json = serde_json::json!({
            "type": "impersonated_service_account",
            "source_credentials": { "refresh_token": "one", "client_id": "public" },
            "more": [{ "private_key": "two" }],
        });
        let mut secrets = Vec::new();
        collect_secrets(&json, &mut secrets);
        let found: Vec<&str> = secrets.iter().map(Secret::expose).collect();
        assert_eq!(found, ["two", "one"]);
    }
}
