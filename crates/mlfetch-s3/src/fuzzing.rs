//! What fuzz targets assert of this crate. No part of the interface: it is there only in builds for
//! fuzzing.

use mlfetch_store::fuzzing::assert_harmless_error;
use mlfetch_store::{Key, Location};

use crate::location::Place;
use crate::{encode, wire};

/// A URI, and a key in one.
pub fn location(text: &str) {
    if let Ok(location) = Location::parse(text)
        && let Err(error) = Place::parse(&location)
    {
        assert_harmless_error(&error);
    }
    if let Ok(location) = Location::parse(format!("s3://bucket/{text}")) {
        let place = Place::parse(&location).expect("it names a bucket");
        assert_eq!((place.bucket.as_str(), place.key), ("bucket", Key::from(text)));
    }
    assert_eq!(encode::decode(&encode::path(text).to_string()), text.as_bytes());
    assert_eq!(encode::decode(&encode::query(text).to_string()), text.as_bytes());
}

/// Any bytes as each answer, and names in a listing of ours.
pub fn wire(data: &[u8]) {
    let page = wire::list_page(data);
    if let Some(page) = page {
        let tagged = |etag: &String| etag.starts_with('"') || etag.starts_with("W/");
        assert!(page.objects.iter().all(|row| row.etag.iter().all(tagged)));
        assert!(page.objects.len() + page.prefixes.len() <= data.len() / 8);
    }
    if let Some(parts) = wire::parts_page(data) {
        assert!(parts.sizes.len() <= data.len() / 8);
    }
    let _ = wire::error_body(data);
    let session = wire::session(data);
    let shown = format!("{session:?}");
    let secrets = session.iter().map(|keys| keys.secret.expose());
    assert!(secrets.filter(|secret| secret.len() > 40).all(|secret| !shown.contains(secret)));
    let Ok(names) = std::str::from_utf8(data) else { return };
    let names: Vec<&str> = names.split('\n').filter(|name| !name.is_empty()).collect();
    let rows = names.iter().map(|name| {
        format!("<Contents><Key>{}</Key><Size>1</Size></Contents>", encode::query(name))
    });
    let xml = format!(
        "<ListBucketResult><EncodingType>url</EncodingType>{}</ListBucketResult>",
        rows.collect::<String>()
    );
    let page = wire::list_page(xml.as_bytes()).expect("a listing");
    let found = page.objects.iter().map(|row| row.key.as_slice());
    assert!(found.eq(names.iter().map(|name| name.as_bytes())));
}
