//! What fuzz targets assert of this crate. No part of the interface: it is there only in builds for
//! fuzzing.

use mlfetch_store::Location;
use mlfetch_store::fuzzing::assert_harmless_error;
use serde_json::json;

use crate::location::Place;
use crate::wire::{self, Resource};

/// A URI: bucket, key and generation are all of it.
pub fn location(text: &str) {
    for text in [text.to_owned(), format!("gs://bucket/{text}")] {
        let Ok(location) = Location::parse(text) else { continue };
        match Place::parse(&location) {
            Ok(place) => {
                let key = place.key.to_str().expect("of text");
                let generation = place.generation.map(|digits| format!("#{digits}"));
                let whole = format!("{key}{}", generation.unwrap_or_default());
                let path = location.path();
                assert_eq!(path.strip_prefix('/').unwrap_or(path), whole);
                assert_eq!(location.authority(), Some(place.bucket.as_str()));
            }
            Err(error) => assert_harmless_error(&error),
        }
    }
}

/// Any bytes as each answer, and names in a listing of ours.
pub fn wire(data: &[u8]) {
    let _ = wire::error_body(data);
    let _ = wire::resource(data).map(Resource::into_info);
    if let Some(page) = wire::list_page(data) {
        for info in page.items.into_iter().map(Resource::into_info) {
            assert_eq!(info.etag, info.version);
            let sums = info.checksums.iter();
            assert!(
                sums.map(|sum| sum.value.len() == sum.algorithm.value_bytes()).all(|fits| fits)
            );
        }
    }
    let Ok(names) = std::str::from_utf8(data) else { return };
    let rows: Vec<_> = names.split('\n').map(|name| json!({ "name": name, "size": "1" })).collect();
    let json = json!({ "kind": "storage#objects", "items": rows, "prefixes": [names] });
    let page = wire::list_page(json.to_string().as_bytes()).expect("a listing");
    assert_eq!(page.prefixes, [names]);
    let keys = page.items.into_iter().map(|item| item.into_info().key);
    assert!(keys.eq(names.split('\n').map(mlfetch_store::Key::from)));
}
