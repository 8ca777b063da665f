//! What fuzz targets assert of this crate. No part of the interface: it is there only in builds for
//! fuzzing.

use mlfetch_store::fuzzing::assert_harmless_error;
use mlfetch_store::{Entry, Key, Location};
use percent_encoding::percent_decode_str;

use crate::checksum::{FileSum, sizes_of};
use crate::location::{Place, key_of};
use crate::site::Site;
use crate::store::entry;
use crate::wire;

pub use crate::token::fuzzing::tokens;

/// A URI, and a path as HDFS takes it.
pub fn location(text: &str) {
    for text in [text.to_owned(), format!("hdfs://cluster/{text}")] {
        let Ok(location) = Location::parse(text) else { continue };
        match Place::parse(&location) {
            Ok(place) => sent(&place.key),
            Err(error) => assert_harmless_error(&error),
        }
    }
    let key = key_of(text);
    let text = key.to_str().expect("of text");
    assert!(!text.contains("//") && !text.starts_with('/'));
    assert_eq!(key_of(text), key);
}

/// A name reaches the server as it is, or not at all.
fn sent(key: &Key) {
    match crate::encode::path("read", key) {
        Ok(path) => {
            let decoded: Vec<u8> = percent_decode_str(&path).collect();
            let whole = [b"/", key.as_bytes()].concat();
            assert_eq!(
                decoded,
                whole.strip_suffix(b"/").filter(|rest| !rest.is_empty()).unwrap_or(&whole)
            );
            assert!(path.is_ascii() && !path.contains(['?', '#', ';']));
        }
        Err(error) => assert_harmless_error(&error),
    }
}

/// Any bytes as each answer.
pub fn wire(data: &[u8]) {
    let rows = [wire::listing(data), wire::whole_listing(data)].into_iter().flatten();
    let prefix = Key::from("a/");
    for row in rows.flat_map(|page| page.rows) {
        match entry(&prefix, row) {
            Entry::Object(info) => is_below(&prefix, &info.key),
            Entry::Directory(key) => {
                is_below(&prefix, &Key::new(key.as_bytes().strip_suffix(b"/").expect("its end")));
            }
            Entry::Refused(refused) => assert_harmless_error(&refused.error),
            _ => {}
        }
    }
    let _ = wire::remote_exception(data);
    let _ = wire::file_status(data).map(|status| status.has_plain_checksum());
    let _ = wire::token(data);
    if let Some(sum) = wire::file_checksum(data)
        && let Some(sum) = FileSum::parse(&sum)
    {
        let sum = sum.over(vec![1, 2]);
        assert_eq!(sum.value.len(), sum.algorithm.value_bytes());
    }
    if let Some(blocks) = wire::block_locations(data) {
        let whole = blocks.iter().fold(0, |sum, block| block.length.wrapping_add(sum));
        if let Some(sizes) = sizes_of(&blocks, whole) {
            assert_eq!(
                sizes.iter().try_fold(0_u64, |sum, size| sum.checked_add(*size)),
                Some(whole)
            );
        }
    }
}

fn is_below(prefix: &Key, key: &Key) {
    let name = key.strip_prefix(prefix).expect("below");
    assert!(!name.is_empty() && !name.contains(&b'/') && name != b"." && name != b"..");
}

/// Hadoop's configuration.
pub fn site(text: &str) {
    let mut site = Site::default();
    if site.add(text).is_err() {
        return;
    }
    for (name, value) in site.below("") {
        assert_eq!(site.get(name).as_ref(), Some(&value));
        assert!(!value.is_empty());
    }
}
