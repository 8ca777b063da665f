//! What fuzz targets assert of the artifact proxy's answers.

use mlfetch_http::Url;
use mlfetch_store::fuzzing::{MARK, assert_harmless_error};
use mlfetch_store::{Entry, Key};
use percent_encoding::percent_decode_str;

use super::listing::page;
use super::names::{Carried, carried, encode_path, not_carried};
use super::signed_url::SignedUrl;
use super::wire::{Capabilities, Files, Presigned, error_code};

/// Any bytes as each answer.
pub fn listing(data: &[u8]) {
    let _ = (error_code(data), serde_json::from_slice::<Capabilities>(data).is_ok());
    let prefix = Key::from("a/");
    if let Ok(Files { files }) = serde_json::from_slice(data) {
        let carry = |key: &Key| match carried(key) {
            Carried::Never => Err(not_carried("list", key)),
            _ => Ok(()),
        };
        let page = page(&prefix, &files, 0, usize::MAX, carry);
        assert!(page.next.is_none() && page.entries.len() == files.len());
        page.entries.iter().for_each(|entry| is_below(&prefix, entry));
    }
    if let Ok(answer) = serde_json::from_slice::<Presigned>(data) {
        signed(&answer);
    }
    let key = Key::new(data);
    if carried(&key) != Carried::Never {
        assert!(percent_decode_str(&encode_path(&key)).eq(data.iter().copied()));
        let segments = data.strip_suffix(b"/").unwrap_or(data).split(|byte| *byte == b'/');
        assert!(segments.into_iter().all(|part| part != b".." && part != b"."));
    }
}

fn signed(answer: &Presigned) {
    let https = Url::parse("https://host/").expect("a URL");
    match SignedUrl::new(&https, &Key::from("a"), answer) {
        Ok(signed) => {
            assert_eq!(signed.url.scheme(), "https");
            assert!(
                !["authorization", "cookie", "host"]
                    .iter()
                    .any(|name| signed.headers.contains_key(*name))
            );
        }
        Err(error) => assert_harmless_error(&error),
    }
    assert!(!answer.url.contains(MARK) || !format!("{answer:?}").contains(MARK));
}

fn is_below(prefix: &Key, entry: &Entry) {
    let key = match entry {
        Entry::Object(info) => &info.key,
        Entry::Directory(key) => key,
        Entry::Refused(refused) => return assert_harmless_error(&refused.error),
        _ => return,
    };
    let name = key.strip_prefix(prefix).expect("below");
    let name = name.strip_suffix(b"/").unwrap_or(name);
    assert!(!name.is_empty() && !name.contains(&b'/') && name != b"." && name != b"..");
}
