//! What fuzz targets assert of this crate. No part of the interface: it is there only in builds for
//! fuzzing.

use mlfetch_store::fuzzing::assert_harmless_error;
use mlfetch_store::{Entry, Key, Location};
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::address::Address;
use crate::html::{decode_entities, title};
use crate::index::Index;

/// A URL, and a key behind one.
pub fn location(text: &str) {
    if let Ok(location) = Location::parse(text)
        && matches!(location.scheme(), "http" | "https")
    {
        match Address::parse(&location) {
            Ok(parsed) => {
                let root = Url::parse(parsed.address.root()).expect("a URL");
                assert!(root.path().ends_with('/') && root.query().is_none());
                assert!(root.username().is_empty() && root.password().is_none(), "{root}");
                sent(&parsed.address, &parsed.key);
            }
            Err(error) => assert_harmless_error(&error),
        }
    }
    let root = Url::parse("https://host/root/?a=b").expect("a URL");
    sent(&Address::new(&root).expect("a root"), &Key::from(text));
}

/// A name reaches the server as it is, or not at all.
fn sent(address: &Address, key: &Key) {
    match address.url_of("read", key) {
        Ok(url) => {
            let root = Url::parse(address.root()).expect("a URL");
            let path = url.path().strip_prefix(root.path()).expect("below its root");
            assert!(percent_decode_str(path).eq(key.as_bytes().iter().copied()), "{url} {key}");
            assert_eq!((url.origin(), url.fragment()), (root.origin(), None));
        }
        Err(error) => assert_harmless_error(&error),
    }
}

/// Any bytes as the index of a directory: nothing in it leads elsewhere.
pub fn index(page: &[u8]) {
    let directory = Url::parse("http://host/a%20b/").expect("a URL");
    let _ = (title(page), decode_entities(page));
    let Ok(index) = Index::parse(page, &directory) else { return };
    let prefix = Key::from("a b/");
    for row in &index.rows {
        match row.to_entry(&prefix) {
            Entry::Object(info) => is_below(&prefix, info.key.as_bytes()),
            Entry::Directory(key) => {
                is_below(&prefix, key.as_bytes().strip_suffix(b"/").expect("its end"))
            }
            Entry::Refused(refused) => assert_harmless_error(&refused.error),
            _ => {}
        }
    }
    let names: std::collections::HashSet<_> = index.rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), index.rows.len(), "each name is there once");
}

fn is_below(prefix: &Key, key: &[u8]) {
    let name = key.strip_prefix(prefix.as_bytes()).expect("below");
    assert!(!name.is_empty() && name != b"." && name != b"..");
    assert!(!name.contains(&b'/') && !name.contains(&0));
}
