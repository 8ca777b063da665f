//! What Azure writes in XML.

use std::time::SystemTime;

use percent_encoding::percent_decode_str;
use roxmltree::{Document, Node, ParsingOptions};

/// The most elements of a document that are read (`docs/concepts/limits.md`): a page of two thousand
/// rows has less than a tenth of them.
const MAX_ELEMENTS: u32 = 1_000_000;

/// One page of a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ListPage {
    pub(crate) blobs: Vec<ListedBlob>,
    pub(crate) prefixes: Vec<Vec<u8>>,
    pub(crate) next: Option<String>,
}

/// One blob of a listing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListedBlob {
    pub(crate) key: Vec<u8>,
    pub(crate) size: Option<u64>,
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<SystemTime>,
    /// In base64, as it stands there.
    pub(crate) md5: Option<String>,
    /// Whether it stands for a directory: an account with a hierarchical namespace says so, and so
    /// do the drivers that make directories in one without.
    pub(crate) is_directory: bool,
}

/// What stands in the body of an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: String,
}

/// Reads a page of `List Blobs`; `None` if it is none.
pub(crate) fn list_page(xml: &[u8]) -> Option<ListPage> {
    read(xml, "EnumerationResults", |root| {
        let rows = children(root, "Blobs").next()?;
        let mut page =
            ListPage { next: text(root, "NextMarker").map(str::to_owned), ..ListPage::default() };
        for row in rows.children().filter(Node::is_element) {
            match row.tag_name().name() {
                "Blob" => page.blobs.push(listed(row)?),
                "BlobPrefix" => page.prefixes.push(name(row)?),
                _ => {}
            }
        }
        Some(page)
    })
}

fn listed(row: Node<'_, '_>) -> Option<ListedBlob> {
    let properties = children(row, "Properties").next()?;
    let of_resource = text(properties, "ResourceType") == Some("directory");
    Some(ListedBlob {
        key: name(row)?,
        size: text(properties, "Content-Length").and_then(|size| size.parse().ok()),
        etag: text(properties, "Etag").map(quoted),
        modified: text(properties, "Last-Modified")
            .and_then(|text| httpdate::parse_http_date(text).ok()),
        md5: text(properties, "Content-MD5").map(str::to_owned),
        is_directory: of_resource || children(row, "Metadata").any(is_folder),
    })
}

/// Names of metadata come in any case.
fn is_folder(metadata: Node<'_, '_>) -> bool {
    metadata.children().any(|entry| {
        entry.tag_name().name().eq_ignore_ascii_case("hdi_isfolder")
            && entry.text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    })
}

/// A name that XML cannot hold is escaped, and says so (version 2021-02-12 and later).
fn name(row: Node<'_, '_>) -> Option<Vec<u8>> {
    let name = children(row, "Name").next()?;
    let text = name.text()?;
    let is_escaped = name.attribute("Encoded").is_some_and(|yes| yes.eq_ignore_ascii_case("true"));
    Some(if is_escaped { percent_decode_str(text).collect() } else { text.into() })
}

/// Reads the body of an error; `None` if it is none.
pub(crate) fn error_body(xml: &[u8]) -> Option<ErrorBody> {
    read(xml, "Error", |root| {
        let part = |name| text(root, name).unwrap_or_default().to_owned();
        Some(ErrorBody {
            code: text(root, "Code")?.to_owned(),
            // The number of the request and the time follow on lines of their own.
            message: part("Message").lines().next().unwrap_or_default().to_owned(),
            detail: part("AuthenticationErrorDetail"),
        })
    })
}

/// An entity tag as headers have it; listings leave the quotes out.
pub(crate) fn quoted(etag: &str) -> String {
    let complete = etag.starts_with('"') || etag.starts_with("W/");
    if complete { etag.to_owned() } else { format!("\"{etag}\"") }
}

fn read<T>(xml: &[u8], name: &str, take: impl FnOnce(Node<'_, '_>) -> Option<T>) -> Option<T> {
    let options = ParsingOptions { nodes_limit: MAX_ELEMENTS, ..ParsingOptions::default() };
    // The service puts a byte order mark before its answers.
    let text = std::str::from_utf8(xml).ok()?.trim_start_matches('\u{feff}');
    let document = Document::parse_with_options(text, options).ok()?;
    let root = document.root_element();
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
    fn a_page_of_the_service_is_read() {
        let page = list_page(include_bytes!("../tests/data/list.xml")).expect("a page");
        let keys: Vec<_> = page.blobs.iter().map(|blob| blob.key.as_slice()).collect();
        assert_eq!(keys, [&b"dir/a b+c%41.txt"[..], "dir/\u{ffff}%".as_bytes(), b"dir/folder"]);
        assert_eq!(page.blobs[0].size, Some(4096));
        assert_eq!(page.blobs[0].etag.as_deref(), Some("\"0x8DA1234567890AB\""));
        assert_eq!(page.blobs[0].md5.as_deref(), Some("sQqNsWTgdUEFt6mb5y4/5Q=="));
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(page.blobs[0].modified, Some(modified));
        assert_eq!(page.prefixes, [b"dir/sub dir/"]);
        assert_eq!(page.next.as_deref(), Some("2!92!MDAwMDE2IWRpci9zdWI-"));
        let directories: Vec<bool> = page.blobs.iter().map(|blob| blob.is_directory).collect();
        assert_eq!(directories, [false, false, true]);
    }

    #[test]
    fn a_directory_says_so_in_one_of_two_ways() {
        let row = |more: &str| {
            format!(
                "<EnumerationResults><Blobs><Blob><Name>d</Name>{more}</Blob></Blobs>\
                 </EnumerationResults>"
            )
        };
        for (more, expected) in [
            ("<Properties><ResourceType>directory</ResourceType></Properties>", true),
            ("<Properties/><Metadata><Hdi_IsFolder>TRUE</Hdi_IsFolder></Metadata>", true),
            ("<Properties/><Metadata><hdi_isfolder>false</hdi_isfolder></Metadata>", false),
            ("<Properties><ResourceType>file</ResourceType></Properties>", false),
        ] {
            let page = list_page(row(more).as_bytes()).expect("a page");
            assert_eq!(page.blobs[0].is_directory, expected, "{more}");
        }
    }

    #[test]
    fn an_error_is_read_with_its_detail() {
        let error = error_body(include_bytes!("../tests/data/expired.xml")).expect("an error");
        assert_eq!(error.code, "AuthenticationFailed");
        assert!(error.detail.contains("Signature not valid in the specified time frame"));
        assert!(error.message.ends_with("including the signature."), "{}", error.message);
    }

    #[test]
    fn what_is_something_else_is_none() {
        for xml in [
            "",
            "<html><title>Sign in</title></html>",
            "<!DOCTYPE html><html>",
            "<EnumerationResults>",
            "<EnumerationResults><Blobs><Blob><Properties/></Blob></Blobs></EnumerationResults>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><EnumerationResults/>",
            "<Other/>",
        ] {
            assert_eq!(list_page(xml.as_bytes()), None, "{xml}");
            assert_eq!(error_body(xml.as_bytes()), None, "{xml}");
        }
        assert_eq!(list_page(b"\xff"), None);
    }

    #[test]
    fn a_document_without_end_of_depth_is_none() {
        assert_eq!(list_page("<a>".repeat(1 << 20).as_bytes()), None);
    }
}
