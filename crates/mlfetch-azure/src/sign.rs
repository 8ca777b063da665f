//! Shared Key: the signature of Azure Storage, as pure functions.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_store::{Error, ErrorKind, Result, Secret};

/// The headers whose values stand in the text by their place, in this order (Authorize with Shared
/// Key, "Blob, Queue, and File Services"). Ours have no body, so the length is empty.
const STANDARD_HEADERS: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// What a signature covers.
#[derive(Debug)]
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'a str,
    /// The URL's path as it is sent, escapes included.
    pub(crate) path: &'a str,
    /// Names in lower case with values as they were before they were escaped.
    pub(crate) query: &'a [(&'a str, &'a str)],
    /// Names in lower case with values.
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

/// Signs with the key of an account.
#[derive(Clone)]
pub(crate) struct SharedKey {
    account: String,
    text: Secret,
    /// Shared, because it is large and every request needs it.
    key: Arc<hmac::Key>,
}

impl SharedKey {
    /// Takes an account's key as the portal shows it: base64.
    ///
    /// # Errors
    /// `InvalidInput` for another text.
    pub(crate) fn new(account: &str, key: Secret) -> Result<Self> {
        let bytes = STANDARD.decode(key.expose().trim()).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, "use", "the access key")
                .with_message("it is not base64")
                .with_hint("copy the key of the account as it is, to its last `=`")
        })?;
        let prepared = Arc::new(hmac::Key::new(HMAC_SHA256, &bytes));
        Ok(Self { account: account.to_owned(), text: key, key: prepared })
    }

    /// The account's name.
    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    /// The key as it was given, for what must not be shown.
    pub(crate) fn text(&self) -> &Secret {
        &self.text
    }

    /// The value of the header `authorization`.
    pub(crate) fn authorization(&self, request: &Unsigned<'_>) -> String {
        let text = string_to_sign(&self.account, request);
        let signature = hmac::sign(&self.key, text.as_bytes());
        format!("SharedKey {}:{}", self.account, STANDARD.encode(signature))
    }
}

/// The text that is signed.
fn string_to_sign(account: &str, request: &Unsigned<'_>) -> String {
    let mut text = String::with_capacity(512);
    text.extend([request.method, "\n"]);
    for name in STANDARD_HEADERS {
        let value = request.headers.iter().find(|(found, _)| *found == name);
        text.extend([value.map_or("", |(_, value)| value), "\n"]);
    }
    push_sorted(
        &mut text,
        request.headers,
        |name| name.starts_with("x-ms-"),
        |text, pair| {
            text.extend([pair.0, ":", pair.1.trim(), "\n"]);
        },
    );
    text.extend(["/", account, request.path]);
    push_sorted(
        &mut text,
        request.query,
        |_| true,
        |text, pair| {
            text.extend(["\n", pair.0, ":", pair.1]);
        },
    );
    text
}

fn push_sorted(
    text: &mut String,
    pairs: &[(&str, &str)],
    counts: impl Fn(&str) -> bool,
    push: impl Fn(&mut String, &(&str, &str)),
) {
    let mut sorted: Vec<_> = pairs.iter().filter(|(name, _)| counts(name)).collect();
    sorted.sort_unstable();
    for pair in sorted {
        push(text, pair);
    }
}

/// Without the key.
impl fmt::Debug for SharedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SharedKey").field("account", &self.account).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the emulator's account, which Microsoft publishes.
    const KEY: &str =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// The examples of "Authorize with Shared Key".
    #[test]
    fn the_text_is_that_of_the_documentation() {
        let metadata = Unsigned {
            method: "GET",
            path: "/mycontainer",
            query: &[("restype", "container"), ("comp", "metadata"), ("timeout", "20")],
            headers: &[
                ("x-ms-version", "2015-02-21"),
                ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"),
            ],
        };
        assert_eq!(
            string_to_sign("myaccount", &metadata),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n\
             x-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\nrestype:container\n\
             timeout:20"
        );
    }

    /// Of a server in the path, as the emulator has it, the account stands there twice.
    #[test]
    fn conditions_and_ranges_stand_in_their_places() {
        let read = Unsigned {
            method: "GET",
            path: "/devstoreaccount1/c/a%2Fb",
            query: &[],
            headers: &[("if-match", "\"t\""), ("range", "bytes=0-1"), ("x-ms-version", "v")],
        };
        assert_eq!(
            string_to_sign("devstoreaccount1", &read),
            "GET\n\n\n\n\n\n\n\n\"t\"\n\n\nbytes=0-1\nx-ms-version:v\n\
             /devstoreaccount1/devstoreaccount1/c/a%2Fb"
        );
    }

    /// Computed by `azure-storage-blob` 12.31.1 for the same request.
    #[test]
    fn the_signature_is_that_of_microsoft_s_library() {
        let signer = SharedKey::new("devstoreaccount1", Secret::new(KEY)).expect("a key");
        let request = Unsigned {
            method: "GET",
            path: "/c",
            query: &[("restype", "container"), ("comp", "list"), ("prefix", "a b/ü")],
            headers: &[
                ("x-ms-date", "Tue, 24 Nov 2026 12:00:00 GMT"),
                ("x-ms-version", "2023-11-03"),
            ],
        };
        assert_eq!(
            signer.authorization(&request),
            "SharedKey devstoreaccount1:RiOlSqpuiJEtYtA0wA25wgfvUzd9eowNSkmSRjw0RwQ="
        );
        assert!(!format!("{signer:?}").contains("Eby8"));
    }

    #[test]
    fn a_key_that_is_no_base64_is_refused_without_being_shown() {
        let error = SharedKey::new("a", Secret::new("not a key!")).expect_err("no base64");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!format!("{error:?}").contains("not a key"));
    }
}
