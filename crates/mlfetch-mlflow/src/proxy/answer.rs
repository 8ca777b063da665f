//! From an answer with bytes to an object.

use std::ops::Range;

use futures_util::{StreamExt as _, stream};
use mlfetch_http::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, HeaderValue, IF_MATCH, IF_RANGE, RANGE,
};
use mlfetch_http::{HttpRequest, HttpResponse, StatusCode};
use mlfetch_store::{Error, ErrorKind, Key, Object, ObjectInfo, ReadRequest, Result};

use super::checksums;

/// How a read is tied to a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tie {
    /// By the bucket, which reads `If-Match`.
    ByServer,
    /// By the tag of the answer. MLflow 3.17 ignores `If-Match` under uvicorn, and answers 412 to
    /// the tag of a passing copy elsewhere; `If-Range` it reads everywhere.
    ByAnswer,
}

/// A request for these bytes, as they are stored, tied to the tag that was given.
pub(super) fn asking(request: HttpRequest, read: &ReadRequest, tie: Tie) -> Result<HttpRequest> {
    let mut request = request.with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(range) = &read.range {
        let text = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let value = header(&text, &request.subject)?;
        request = request.with_header(RANGE, value);
    }
    if let Some(etag) = &read.if_match {
        let value = header(etag, &request.subject)?;
        if tie == Tie::ByServer {
            request = request.with_header(IF_MATCH, value);
        } else if read.range.is_some() {
            request = request.with_header(IF_RANGE, value);
        }
    }
    Ok(request)
}

fn header(text: &str, subject: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(text).map_err(|cause| {
        Error::new(ErrorKind::InvalidInput, "read", subject)
            .with_message("the entity tag holds characters that a header cannot carry")
            .with_source(cause)
    })
}

/// What a successful answer, or a `416`, says of the object, with its bytes; `size` is the size as
/// it is known from elsewhere. Never other bytes than
/// were asked for, and never those of another version.
///
/// # Errors
/// `Changed` for another tag than asked for; `Unsupported` where the server gives the whole for a
/// range, or no tag where one was asked for; `Protocol` for a range that nobody asked for.
pub(super) fn object(
    key: &Key,
    read: &ReadRequest,
    response: HttpResponse,
    known: Option<u64>,
) -> Result<Object> {
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        return behind_the_end(key, read, &response, known);
    }
    check_tag(read, &response)?;
    let (start, size) = match (&read.range, response.status()) {
        (Some(asked), StatusCode::PARTIAL_CONTENT) => (asked.start, exact_range(asked, &response)?),
        (None, StatusCode::OK) => (0, response.content_length()),
        (Some(_), StatusCode::OK) => return Err(no_ranges(&response)),
        (_, status) => {
            let message = format!("the server answered {status} to a request for bytes");
            return Err(response.error(ErrorKind::Protocol).with_message(message));
        }
    };
    let info = ObjectInfo::new(key.clone())
        .with_size(size.or(known))
        .with_etag(response.etag())
        .with_modified(response.last_modified())
        .with_checksums(checksums::of(response.headers()));
    Ok(Object::new(info, start, response.body()))
}

/// `416` should say how long the object is (RFC 9110, 15.5.17; MinIO does not): there is nothing
/// behind its end.
fn behind_the_end(
    key: &Key,
    read: &ReadRequest,
    response: &HttpResponse,
    known: Option<u64>,
) -> Result<Object> {
    let size = response
        .header(CONTENT_RANGE)
        .and_then(|text| text.trim().strip_prefix("bytes */")?.parse::<u64>().ok())
        .or(known);
    match (size, &read.range) {
        (Some(size), Some(asked)) if asked.start >= size => {
            let info = ObjectInfo::new(key.clone()).with_size(size);
            Ok(Object::new(info, size, stream::empty().boxed()))
        }
        _ => Err(response
            .error(ErrorKind::Protocol)
            .with_message("the server refuses a range that lies within the object")),
    }
}

/// The size of the whole, if the range that came is the one asked for, cut at the object's end.
fn exact_range(asked: &Range<u64>, response: &HttpResponse) -> Result<Option<u64>> {
    let wrong = || {
        response
            .error(ErrorKind::Protocol)
            .with_message("the server gave another range than was asked for")
    };
    let (given, size) = response.content_range().ok_or_else(wrong)?;
    let end = size.map_or(asked.end, |size| asked.end.min(size));
    let length = response.content_length();
    let whole = length.is_none_or(|length| length == given.end - given.start);
    if given.start == asked.start && given.end == end && whole { Ok(size) } else { Err(wrong()) }
}

fn check_tag(read: &ReadRequest, response: &HttpResponse) -> Result<()> {
    let Some(asked) = &read.if_match else { return Ok(()) };
    match response.etag() {
        Some(tag) if tag == *asked => Ok(()),
        Some(tag) if copied_twice(asked, &tag) => Err(no_ties(response)),
        Some(_) => Err(response.error(ErrorKind::Changed)),
        None => Err(no_ties(response)),
    }
}

/// The parts of a file's tag as Flask makes it: `"<time>-<size>-<checksum of its path>"`.
fn file_tag(tag: &str) -> Option<[&str; 3]> {
    let mut parts = tag.strip_prefix('"')?.strip_suffix('"')?.split('-');
    let (time, size, path) = (parts.next()?, parts.next()?, parts.next()?);
    let numbers =
        time.parse::<f64>().is_ok() && size.parse::<u64>().is_ok() && path.parse::<u64>().is_ok();
    (parts.next().is_none() && numbers).then_some([time, size, path])
}

/// Whether a tag is that of a file on the server's disk, which may be a temporary copy.
pub(super) fn is_file_tag(tag: &str) -> bool {
    file_tag(tag).is_some()
}

/// Whether two tags are of two temporary copies of one object.
///
/// MLflow 3.17 under gunicorn or waitress copies an object of a bucket to a new temporary file for
/// each request, and gives that file's tag. The same path with another time or size is a file on
/// the server's disk that changed.
pub(super) fn copied_twice(one: &str, other: &str) -> bool {
    match (file_tag(one), file_tag(other)) {
        (Some([_, one_size, one_path]), Some([_, size, path])) => {
            one_size == size && one_path != path
        }
        _ => false,
    }
}

fn no_ties(response: &HttpResponse) -> Error {
    response
        .error(ErrorKind::Unsupported)
        .with_message("the server cannot tie a read to a version of this object")
}

fn no_ranges(response: &HttpResponse) -> Error {
    response
        .error(ErrorKind::Unsupported)
        .with_message("the server gives this object only as a whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_temporary_copies_differ_in_their_path() {
        let first = "\"1795479453.9-10-2085292359\"";
        assert!(copied_twice(first, "\"1795479460.1-10-7\""));
        assert!(!copied_twice(first, "\"1795479460.1-10-2085292359\""));
        assert!(!copied_twice(first, "\"1795479460.1-11-7\""));
        assert!(!copied_twice("\"5a1233f4\"", "\"259bebe2\""));
    }
}
