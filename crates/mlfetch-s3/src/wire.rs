//! What S3 writes in XML.

use std::time::SystemTime;

use mlfetch_store::Secret;
use roxmltree::{Document, Node, ParsingOptions};

use crate::clock::parse_iso;
use crate::credentials::Keys;
use crate::encode;

/// The most elements of a document that are read (`docs/concepts/limits.md`): a page of a thousand
/// rows has about ten thousand.
const MAX_ELEMENTS: u32 = 200_000;

/// One page of a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ListPage {
    pub(crate) objects: Vec<ListedObject>,
    pub(crate) prefixes: Vec<Vec<u8>>,
    pub(crate) truncated: bool,
    pub(crate) next: Option<String>,
}

/// One object of a listing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListedObject {
    pub(crate) key: Vec<u8>,
    pub(crate) size: Option<u64>,
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<SystemTime>,
}

/// What stands in the body of an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) region: Option<String>,
    pub(crate) storage_class: Option<String>,
    pub(crate) server_time: Option<SystemTime>,
}

/// One page of the parts an object was uploaded in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PartsPage {
    pub(crate) etag: Option<String>,
    /// Sizes in bytes, in order.
    pub(crate) sizes: Vec<u64>,
    pub(crate) next: Option<String>,
}

/// Reads a page of `ListObjectsV2`; `None` if it is none.
pub(crate) fn list_page(xml: &[u8]) -> Option<ListPage> {
    read(xml, "ListBucketResult", |root| {
        // A server that does not know the encoding does not name it, and its names are as they are.
        let encoded =
            text(root, "EncodingType").is_some_and(|kind| kind.eq_ignore_ascii_case("url"));
        let name = |text: &str| if encoded { encode::decode(text) } else { text.into() };
        let objects = children(root, "Contents").map(|row| {
            Some(ListedObject {
                key: name(text(row, "Key")?),
                size: text(row, "Size").and_then(|size| size.parse().ok()),
                etag: text(row, "ETag").map(quoted),
                modified: text(row, "LastModified").and_then(parse_iso),
            })
        });
        let prefixes = children(root, "CommonPrefixes").map(|row| text(row, "Prefix").map(name));
        Some(ListPage {
            objects: objects.collect::<Option<_>>()?,
            prefixes: prefixes.collect::<Option<_>>()?,
            truncated: text(root, "IsTruncated") == Some("true"),
            next: text(root, "NextContinuationToken").map(str::to_owned),
        })
    })
}

/// Reads the body of an error; `None` if it is none.
pub(crate) fn error_body(xml: &[u8]) -> Option<ErrorBody> {
    read(xml, "Error", |root| {
        Some(ErrorBody {
            code: text(root, "Code")?.to_owned(),
            message: text(root, "Message").unwrap_or_default().to_owned(),
            region: text(root, "Region").map(str::to_owned),
            storage_class: text(root, "StorageClass").map(str::to_owned),
            server_time: text(root, "ServerTime").and_then(parse_iso),
        })
    })
}

/// Reads a page of `GetObjectAttributes`; `None` if it is none.
pub(crate) fn parts_page(xml: &[u8]) -> Option<PartsPage> {
    read(xml, "GetObjectAttributesResponse", |root| {
        let etag = text(root, "ETag").map(quoted);
        let Some(parts) = children(root, "ObjectParts").next() else {
            return Some(PartsPage { etag, ..PartsPage::default() });
        };
        let sizes = children(parts, "Part").map(|part| text(part, "Size")?.parse().ok());
        let truncated = text(parts, "IsTruncated") == Some("true");
        let next = text(parts, "NextPartNumberMarker").filter(|_| truncated);
        Some(PartsPage {
            etag,
            sizes: sizes.collect::<Option<_>>()?,
            next: next.map(str::to_owned),
        })
    })
}

/// Reads the answer of `CreateSession`; `None` if it is none.
pub(crate) fn session(xml: &[u8]) -> Option<Keys> {
    read(xml, "CreateSessionResult", |root| {
        let keys = children(root, "Credentials").next()?;
        Some(Keys {
            id: text(keys, "AccessKeyId")?.to_owned(),
            secret: Secret::new(text(keys, "SecretAccessKey")?),
            token: Some(Secret::new(text(keys, "SessionToken")?)),
            expires: text(keys, "Expiration").and_then(parse_iso),
        })
    })
}

/// An entity tag as headers have it; some servers leave the quotes out of XML.
pub(crate) fn quoted(etag: &str) -> String {
    let complete = etag.starts_with('"') || etag.starts_with("W/");
    if complete { etag.to_owned() } else { format!("\"{etag}\"") }
}

fn read<T>(xml: &[u8], name: &str, take: impl FnOnce(Node<'_, '_>) -> Option<T>) -> Option<T> {
    let options = ParsingOptions { nodes_limit: MAX_ELEMENTS, ..ParsingOptions::default() };
    let document = Document::parse_with_options(std::str::from_utf8(xml).ok()?, options).ok()?;
    let root = document.root_element();
    // Names are compared without their namespace: servers differ in it.
    (root.tag_name().name() == name).then(|| take(root))?
}

fn children<'a>(node: Node<'a, 'a>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

/// The text of a child element; `None` if there is none or it is empty.
fn text<'a>(node: Node<'a, 'a>, name: &'a str) -> Option<&'a str> {
    children(node, name).next()?.text()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_page_of_amazon_s3_is_read() {
        let page = list_page(include_bytes!("../tests/data/list.xml")).expect("a page");
        let keys: Vec<_> = page.objects.iter().map(|object| object.key.as_slice()).collect();
        assert_eq!(keys, [&b"dir/a b+c%41.txt"[..], b"dir/ctrl\x01\n", "dir/größe".as_bytes()]);
        assert_eq!(page.objects[0].size, Some(4096));
        assert_eq!(page.objects[0].etag.as_deref(), Some("\"6805f2cfc46c0f04559748bb039d69ae\""));
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_475_343_005);
        assert_eq!(page.objects[0].modified, Some(modified));
        assert_eq!(page.prefixes, [b"dir/sub dir/"]);
        assert_eq!(
            (page.truncated, page.next.as_deref()),
            (true, Some("1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM="))
        );
    }

    #[test]
    fn names_of_a_server_that_does_not_encode_are_as_they_are() {
        let xml = "<ListBucketResult><Contents><Key> a+b%41 &amp; c </Key><ETag>ab</ETag></Contents>\
                   <IsTruncated>false</IsTruncated></ListBucketResult>";
        let page = list_page(xml.as_bytes()).expect("a page");
        assert_eq!(page.objects[0].key, b" a+b%41 & c ");
        assert_eq!(page.objects[0].etag.as_deref(), Some("\"ab\""));
        assert!(!page.truncated);
    }

    #[test]
    fn an_error_is_read_with_what_helps() {
        let error = error_body(include_bytes!("../tests/data/wrong_region.xml")).expect("an error");
        assert_eq!(error.code, "AuthorizationHeaderMalformed");
        assert_eq!(error.region.as_deref(), Some("eu-north-1"));
        assert!(error.message.contains("us-east-1"));
        let error = error_body(include_bytes!("../tests/data/archived.xml")).expect("an error");
        assert_eq!(error.storage_class.as_deref(), Some("GLACIER"));
    }

    #[test]
    fn the_parts_of_an_object_are_read_in_order() {
        let page = parts_page(include_bytes!("../tests/data/attributes.xml")).expect("parts");
        assert_eq!(page.sizes, [8_388_608, 8_388_608, 1000]);
        assert_eq!(page.etag.as_deref(), Some("\"3858f62230ac3c915f300c664312c11f-3\""));
        assert_eq!(page.next, None);
    }

    #[test]
    fn a_session_is_read_and_shows_nothing() {
        let session = session(include_bytes!("../tests/data/session.xml")).expect("a session");
        assert_eq!(session.id, "ASIAEXAMPLE");
        let token = session.token.as_ref().map(Secret::expose);
        assert_eq!(token, Some("token/of+session=="));
        assert!(session.expires.is_some());
        assert!(!format!("{session:?}").contains("token/of"));
    }

    #[test]
    fn what_is_something_else_is_none() {
        for xml in [
            "",
            "<html><title>Sign in</title></html>",
            "<!DOCTYPE html><html>",
            "<ListBucketResult>",
            "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult/>",
            "<Other/>",
        ] {
            assert_eq!(list_page(xml.as_bytes()), None, "{xml}");
            assert_eq!(error_body(xml.as_bytes()), None, "{xml}");
        }
        assert_eq!(list_page(b"\xff"), None);
    }

    #[test]
    fn a_document_without_end_of_depth_is_none() {
        let deep = "<a>".repeat(1 << 20);
        assert_eq!(list_page(deep.as_bytes()), None);
    }
}
