//! What an answer says of a blob, and whether it is the blob service that answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_http::{HttpResponse, StatusCode};
use mlfetch_store::{Algorithm, Checksum, ErrorKind, Key, ObjectInfo, Result};

use crate::wire::quoted;

/// Refuses an answer that is not one about a blob: a login page with status 200, a directory.
///
/// # Errors
/// `Protocol` if another server answered, `IsDirectory` for a blob that stands for a directory.
pub(crate) fn check_blob(answer: &HttpResponse) -> Result<()> {
    if text(answer, "x-ms-blob-type").is_none() {
        let why = if answer.is_html() {
            "an HTML page came where Azure sends a blob"
        } else {
            "the answer is not one of Azure's blob service"
        };
        return Err(answer
            .error(ErrorKind::Protocol)
            .with_message(why)
            .with_hint("check the endpoint: this may be a login, a proxy or another server"));
    }
    if is_directory(answer) {
        return Err(answer.error(ErrorKind::IsDirectory));
    }
    Ok(())
}

/// Accounts with a hierarchical namespace say it in one header, drivers for the others in another.
fn is_directory(answer: &HttpResponse) -> bool {
    let is = |name, wanted: &str| {
        text(answer, name).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    };
    is("x-ms-resource-type", "directory") || is("x-ms-meta-hdi_isfolder", "true")
}

/// What an answer says of a blob: never the size of a range for that of the whole.
pub(crate) fn info_of(answer: &HttpResponse, key: &Key) -> ObjectInfo {
    let size = match answer.status() {
        StatusCode::PARTIAL_CONTENT => answer.content_range().and_then(|(_, size)| size),
        _ => answer.content_length(),
    };
    ObjectInfo::new(key.clone())
        .with_size(size)
        .with_etag(answer.etag().map(|etag| quoted(&etag)))
        .with_modified(answer.last_modified())
        .with_checksums(md5_of_answer(answer).into_iter().collect())
}

/// `x-ms-blob-content-md5` covers the blob in every answer, `Content-MD5` what is sent.
fn md5_of_answer(answer: &HttpResponse) -> Option<Checksum> {
    let of_blob = text(answer, "x-ms-blob-content-md5");
    let of_body = || text(answer, "content-md5").filter(|_| answer.status() == StatusCode::OK);
    md5(of_blob.or_else(of_body)?)
}

/// An MD5 in base64; `None` if it is none.
pub(crate) fn md5(text: &str) -> Option<Checksum> {
    Some(Checksum::new(Algorithm::Md5, value(Algorithm::Md5, text)?))
}

/// The value of a checksum in base64.
pub(crate) fn value(algorithm: Algorithm, text: &str) -> Option<Vec<u8>> {
    let value = STANDARD.decode(text.trim()).ok()?;
    (value.len() == algorithm.value_bytes()).then_some(value)
}

pub(crate) fn text<'a>(answer: &'a HttpResponse, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}
