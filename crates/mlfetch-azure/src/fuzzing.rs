//! What fuzz targets assert of this crate. No part of the interface: it is there only in builds for
//! fuzzing.

use std::fmt::Write as _;

use mlfetch_store::fuzzing::{MARK, assert_harmless_error, lines};
use mlfetch_store::{Key, Location, Secret};

use crate::connection_string::{ConnectionString, Given};
use crate::location::Place;
use crate::sas::{Query, Sas};
use crate::wire;

const HOST: &str = "account.blob.core.windows.net";

/// A URI, and a name in the ways to write one.
pub fn location(text: &str) {
    if let Ok(location) = Location::parse(text) {
        let _ = Place::claims(&location);
        if let Err(error) = Place::parse(&location) {
            assert_harmless_error(&error);
        }
    }
    let escaped = text.bytes().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "%{byte:02x}");
        all
    });
    assert_eq!(key_of(&format!("https://{HOST}/container/{escaped}")), Some(Key::from(text)));
    if !text.contains(['?', '\0']) {
        assert_eq!(key_of(&format!("wasbs://container@{HOST}/{text}")), Some(Key::from(text)));
        assert_eq!(key_of(&format!("az://container/{text}")), Some(Key::from(text)));
    }
}

fn key_of(uri: &str) -> Option<Key> {
    let place = Place::parse(&Location::parse(uri).ok()?).ok()?;
    (place.container == "container").then_some(place.key)
}

/// Any bytes as each answer, and names in a listing of ours.
pub fn wire(data: &[u8]) {
    if let Some(page) = wire::list_page(data) {
        let tagged = |etag: &String| etag.starts_with('"') || etag.starts_with("W/");
        assert!(page.blobs.iter().all(|row| row.etag.iter().all(tagged)));
        assert!(page.blobs.len() + page.prefixes.len() <= data.len() / 8);
    }
    if let Some(body) = wire::error_body(data) {
        assert!(!body.message.contains('\n'));
    }
    let names = data.split(|byte| *byte == b'\n').filter(|name| !name.is_empty());
    let rows = names.clone().map(|name| {
        let name = name.iter().fold(String::new(), |mut all, byte| {
            let _ = write!(all, "%{byte:02X}");
            all
        });
        format!("<Blob><Name Encoded=\"true\">{name}</Name><Properties/></Blob>")
    });
    let rows: String = rows.collect();
    let xml = format!("<EnumerationResults><Blobs>{rows}</Blobs></EnumerationResults>");
    let page = wire::list_page(xml.as_bytes()).expect("a listing");
    assert!(page.blobs.iter().map(|row| row.key.as_slice()).eq(names));
}

/// Connection strings and signatures: the two that a portal gives out.
pub fn credentials(text: &str) {
    if let Err(error) = ConnectionString::parse(&Secret::new(text)) {
        assert_harmless_error(&error);
    }
    let _ = Query::parse(text);
    match Sas::parse(text) {
        Ok(sas) => {
            assert!(sas.pairs().any(|(name, _)| name == "sig") && sas.get("sig").is_none());
        }
        Err(error) => assert_harmless_error(&error),
    }
    if text.contains(MARK) {
        // Then it may stand where a name does, and names are shown.
        return;
    }
    let [name, key, more] = lines(text);
    let whole = format!("AccountName={name};AccountKey={MARK}{key};{more}");
    shows_nothing(&ConnectionString::parse(&Secret::new(whole)));
    let whole = format!("AccountName={name};SharedAccessSignature=sv={key}&sig={MARK};{more}");
    let parsed = ConnectionString::parse(&Secret::new(whole));
    if let Ok(ConnectionString { credential: Some(Given::Sas(sas)), .. }) = &parsed {
        assert!(!format!("{sas:?}").contains(MARK));
    }
    shows_nothing(&parsed);
}

fn shows_nothing(parsed: &mlfetch_store::Result<ConnectionString>) {
    let shown = format!("{parsed:?}");
    // Names and endpoints are no secrets; who writes a key there has written it there.
    let elsewhere = |parsed: &ConnectionString| {
        parsed.endpoint.contains(MARK) || parsed.account.iter().any(|name| name.contains(MARK))
    };
    assert!(!shown.contains(MARK) || parsed.as_ref().is_ok_and(elsewhere), "{shown}");
}
