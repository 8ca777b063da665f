//! Whether an answer is the answer to what was asked.

use mlfetch_http::header::{CONTENT_ENCODING, HeaderName};
use mlfetch_http::{HttpResponse, StatusCode};
use mlfetch_store::{ErrorKind, Key, ObjectInfo, Result};

use crate::checksum;
use crate::error::ENDPOINT;

const GENERATION: HeaderName = HeaderName::from_static("x-goog-generation");
const STORED_ENCODING: HeaderName = HeaderName::from_static("x-goog-stored-content-encoding");
const STORED_LENGTH: HeaderName = HeaderName::from_static("x-goog-stored-content-length");

/// Refuses what Cloud Storage never sends for an object's bytes: a page for people with status 200,
/// or the bytes of something else than is stored.
pub(crate) fn check_object(answer: &HttpResponse) -> Result<()> {
    if answer.header(GENERATION).is_none() {
        let what = if answer.is_html() { "an HTML page" } else { "something else" };
        return Err(answer
            .error(ErrorKind::Protocol)
            .with_message(format!("{what} came where Cloud Storage sends an object"))
            .with_hint(ENDPOINT));
    }
    let stored = answer.header(STORED_ENCODING).unwrap_or("identity");
    let sent = answer.header(CONTENT_ENCODING).unwrap_or("identity");
    // Checksum and size are those of the stored bytes; ranges of others would not fit together.
    if stored != sent && (stored == "gzip" || sent == "gzip") {
        return Err(answer.error(ErrorKind::Protocol).with_message(format!(
            "it is stored with the encoding {stored} and was sent with {sent}"
        )));
    }
    Ok(())
}

/// Compares generations: an emulator passes over conditions and answers with what it has.
pub(crate) fn check_generation(answer: &HttpResponse, if_match: Option<&str>) -> Result<()> {
    match if_match {
        Some(wanted) if answer.header(GENERATION) != Some(wanted) => {
            Err(answer.error(ErrorKind::Changed))
        }
        _ => Ok(()),
    }
}

/// What an answer with bytes says of an object: never the size of a range for that of the whole.
pub(crate) fn info(answer: &HttpResponse, key: &Key) -> ObjectInfo {
    let generation = answer.header(GENERATION).map(str::to_owned);
    let size = match answer.status() {
        StatusCode::PARTIAL_CONTENT => answer.content_range().and_then(|(_, size)| size),
        _ => answer.content_length().or_else(|| answer.header(STORED_LENGTH)?.parse().ok()),
    };
    ObjectInfo::new(key.clone())
        .with_size(size)
        .with_etag(generation.clone())
        .with_version(generation)
        .with_modified(answer.last_modified())
        .with_checksums(checksum::of_headers(answer.headers()))
}
