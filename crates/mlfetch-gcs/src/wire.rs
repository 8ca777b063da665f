//! What the JSON API writes.

use std::time::SystemTime;

use mlfetch_store::{Key, ObjectInfo};
use serde::Deserialize;

use crate::checksum;

/// What is asked for of each object: what a listing has to say so that nobody asks again.
macro_rules! object_fields {
    () => {
        "name,size,generation,timeCreated,crc32c,md5Hash"
    };
}

/// The fields of a stat.
pub(crate) const OBJECT_FIELDS: &str = object_fields!();

/// The fields of a listing.
pub(crate) const PAGE_FIELDS: &str =
    concat!("items(", object_fields!(), "),prefixes,nextPageToken,kind");

/// One page of `objects.list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListPage {
    /// `storage#objects`: what tells an empty page from any other JSON.
    kind: String,
    #[serde(default)]
    pub(crate) items: Vec<Resource>,
    #[serde(default)]
    pub(crate) prefixes: Vec<String>,
    pub(crate) next_page_token: Option<String>,
}

/// One object, as `objects.get` and a listing describe it. Numbers come as text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resource {
    name: String,
    size: Option<String>,
    generation: Option<String>,
    time_created: Option<String>,
    crc32c: Option<String>,
    md5_hash: Option<String>,
}

/// What stands in the body of an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    /// Google's own word for what happened: `notFound`.
    pub(crate) reason: String,
    pub(crate) message: String,
}

#[derive(Deserialize)]
struct WireError {
    error: WireErrorInner,
}

#[derive(Deserialize)]
struct WireErrorInner {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<WireReason>,
}

#[derive(Deserialize)]
struct WireReason {
    #[serde(default)]
    reason: String,
}

/// Reads a page of a listing; `None` if it is none.
pub(crate) fn list_page(json: &[u8]) -> Option<ListPage> {
    let page: ListPage = serde_json::from_slice(json).ok()?;
    (page.kind == "storage#objects").then_some(page)
}

/// Reads the description of an object; `None` if it is none.
pub(crate) fn resource(json: &[u8]) -> Option<Resource> {
    serde_json::from_slice(json).ok()
}

/// Reads the body of an error; `None` if it is not JSON.
pub(crate) fn error_body(json: &[u8]) -> Option<ErrorBody> {
    let WireErrorInner { message, errors } = serde_json::from_slice::<WireError>(json).ok()?.error;
    let reason = errors.into_iter().next().map_or_else(String::new, |first| first.reason);
    Some(ErrorBody { reason, message })
}

impl Resource {
    /// What is known of it. The generation is both: the tag that ties a read, and the version.
    pub(crate) fn into_info(self) -> ObjectInfo {
        ObjectInfo::new(Key::from(self.name))
            .with_size(self.size.and_then(|size| size.parse().ok()))
            .with_etag(self.generation.clone())
            .with_version(self.generation)
            .with_modified(self.time_created.as_deref().and_then(parse_time))
            .with_checksums(checksum::chosen(self.crc32c.as_deref(), self.md5_hash.as_deref()))
    }
}

fn parse_time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

#[cfg(test)]
mod tests {
    use mlfetch_store::Algorithm;

    use super::*;

    #[test]
    fn a_page_gives_names_as_they_are_and_all_that_is_told_of_them() {
        let page = list_page(include_bytes!("../tests/data/list.json")).expect("a page");
        assert_eq!(page.prefixes, ["models/fraud/", "models//"]);
        assert_eq!(page.next_page_token.as_deref(), Some("CgZtb2RlbHM="));
        let mut items = page.items.into_iter().map(Resource::into_info);
        let info = items.next().expect("an object");
        assert_eq!(info.key, Key::from("models/MLmodel"));
        assert_eq!(info.size, Some(9));
        assert_eq!(info.etag.as_deref(), Some("1764000000123456"));
        assert_eq!(info.version, info.etag);
        let seconds = info.modified.expect("a time").duration_since(SystemTime::UNIX_EPOCH);
        assert_eq!(seconds.expect("after 1970").as_millis(), 1_764_000_000_123);
        let [checksum] = &info.checksums[..] else { panic!("{info:?}") };
        assert_eq!((checksum.algorithm, checksum.hex().as_str()), (Algorithm::Crc32c, "e3069283"));
        let odd = items.next().expect("another");
        assert_eq!(odd.key, Key::from("models/a \"b\"\\\u{1}%41+ü🦀"));
        assert_eq!(odd.checksums, []);
    }

    #[test]
    fn an_empty_listing_is_a_page_and_other_json_is_not() {
        let empty = list_page(br#"{"kind":"storage#objects"}"#).expect("a page");
        assert!(empty.items.is_empty() && empty.next_page_token.is_none());
        for other in ["{}", r#"{"kind":"storage#bucket"}"#, "[]", "", "<html>", "{\"kind\":"] {
            assert!(list_page(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn an_error_gives_its_reason_and_its_words() {
        let body = error_body(include_bytes!("../tests/data/denied.json")).expect("an error");
        assert_eq!(body.reason, "forbidden");
        assert!(body.message.contains("storage.objects.list"), "{body:?}");
        let body = error_body(br#"{"error":{"code":404}}"#).expect("an error");
        assert_eq!(body, ErrorBody::default());
        assert_eq!(error_body(b"No such object: b/o"), None);
    }
}
