//! Whether an answer is the answer to what was asked: for stores over HTTP, whatever their protocol.

use std::ops::Range;

use futures_util::{StreamExt as _, stream};
use mlfetch_store::{Error, ErrorKind, Key, ObjectBody, ObjectInfo, Result, Retry};
use reqwest::header::CONTENT_RANGE;
use reqwest::{StatusCode, Url};

use crate::{HttpResponse, digest};

/// Refuses an answer that stands for something else than the object at `asked`: the index of a
/// directory, or the page that a server sends instead of "not signed in".
pub(crate) fn check_place(answer: &HttpResponse, asked: &Url) -> Result<()> {
    let (from, to) = (asked.path(), answer.url().path());
    // Servers send the name of a directory on to the same name with a `/`.
    let to_directory = to.strip_suffix('/') == Some(from);
    if from.ends_with('/') || to_directory {
        return Err(answer.error(ErrorKind::IsDirectory));
    }
    let last = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let login = |what: &str| {
        Err(answer
            .error(ErrorKind::Unauthenticated)
            .with_message(format!("{what} an HTML page, which looks like a login"))
            .with_hint("sign in with user and password, a token, or a client certificate"))
    };
    if last(from) != last(to) && answer.is_html() {
        return login("the server sends us on to");
    }
    if answer.is_html() && is_no_page(last(from).as_deref().unwrap_or_default()) {
        return login("the server sends instead of the file");
    }
    Ok(())
}

/// Endings of names under which pages for people lie.
const PAGES: [&str; 9] = ["html", "htm", "xhtml", "shtml", "php", "asp", "aspx", "jsp", "cgi"];

/// Whether a name has an ending that no page has.
fn is_no_page(name: &str) -> bool {
    let ending = name.rsplit_once('.').filter(|(before, _)| !before.is_empty());
    ending.is_some_and(|(_, ending)| !PAGES.iter().any(|page| ending.eq_ignore_ascii_case(page)))
}

/// What an answer says of an object: never the size of a range for that of the whole.
pub(crate) fn info_of(answer: &HttpResponse, key: &Key) -> ObjectInfo {
    let size = match answer.status() {
        StatusCode::PARTIAL_CONTENT => answer.content_range().and_then(|(_, size)| size),
        _ => answer.content_length(),
    };
    ObjectInfo::new(key.clone())
        .with_size(size)
        .with_etag(answer.etag())
        .with_modified(answer.last_modified())
        .with_checksums(digest::checksums(answer.status(), answer.headers()))
}

/// Compares entity tags: many servers pass over `If-Match` and answer with what they have.
///
/// # Errors
/// `Changed` for another tag than the one that was asked for, and for none.
pub fn check_etag(answer: &HttpResponse, if_match: Option<&str>) -> Result<()> {
    let Some(wanted) = if_match else { return Ok(()) };
    match answer.etag() {
        Some(etag) if etag == wanted => Ok(()),
        Some(_) => Err(answer.error(ErrorKind::Changed)),
        None => Err(answer
            .error(ErrorKind::Changed)
            .with_message("the answer has no entity tag that shows it to be the same as before")),
    }
}

/// The range that an answer holds, if it is what was asked: `None` for the whole.
///
/// # Errors
/// `Unsupported` for the whole instead of a range, `Protocol` for another range or status.
pub fn check_range(
    answer: &HttpResponse,
    asked: Option<&Range<u64>>,
) -> Result<Option<Range<u64>>> {
    match (answer.status(), asked) {
        (StatusCode::OK, None) => Ok(None),
        (StatusCode::OK, Some(asked)) if is_whole(answer, asked) => Ok(None),
        (StatusCode::OK, Some(_)) => Err(answer
            .error(ErrorKind::Unsupported)
            .with_message("the server gives no ranges: it answered with the whole object")),
        (StatusCode::PARTIAL_CONTENT, Some(asked)) => check_partial(answer, asked).map(Some),
        (status, _) => Err(answer
            .error(ErrorKind::Protocol)
            .with_message(format!("the server answered {status} to a request for bytes"))),
    }
}

/// A range that is the whole object may be answered with the whole (RFC 9110, 14.2).
fn is_whole(answer: &HttpResponse, asked: &Range<u64>) -> bool {
    asked.start == 0 && answer.content_length() == Some(asked.end)
}

/// The range of a `206`. A server cuts a range that goes beyond the end (RFC 9110, 14.1.2), and may
/// do nothing else to it.
fn check_partial(answer: &HttpResponse, asked: &Range<u64>) -> Result<Range<u64>> {
    let protocol = |message: String| answer.error(ErrorKind::Protocol).with_message(message);
    let Some((given, size)) = answer.content_range() else {
        return Err(protocol("the server sent a part and does not say which".to_owned()));
    };
    let end = size.map_or(asked.end, |size| asked.end.min(size));
    if given != (asked.start..end) {
        return Err(protocol(format!(
            "bytes {} to {} were asked for and {} to {} were sent",
            asked.start, end, given.start, given.end
        )));
    }
    let length = given.end - given.start;
    match answer.content_length() {
        Some(announced) if announced != length => Err(protocol(format!(
            "the part has {length} bytes by its range and {announced} by its length"
        ))),
        _ => Ok(given),
    }
}

/// Says of a `416` how long the object is (RFC 9110, 15.5.17), on top of the error it is anyway.
pub fn beyond_the_end(error: Error, size: Option<u64>, asked: &Range<u64>) -> Error {
    let Some(size) = size else { return error };
    error.with_message(format!(
        "the range begins at byte {} and the object has {size} bytes",
        asked.start
    ))
}

/// The size in the `Content-Range: bytes */N` of a `416`.
pub fn unsatisfied_size(answer: &HttpResponse) -> Option<u64> {
    answer.header(CONTENT_RANGE)?.trim().strip_prefix("bytes */")?.parse().ok()
}

/// The same body, which ends with an error if it is not `length` bytes long. A chunked body has no
/// length of its own that the transport could hold it to.
pub fn exactly(body: ObjectBody, length: u64, key: &Key) -> ObjectBody {
    let wrong = {
        let subject = key.to_string();
        move |arrived: u64| {
            Error::new(ErrorKind::Integrity, "read", subject.clone())
                .with_message(format!("{length} bytes were announced and {arrived} arrived"))
        }
    };
    let state = (body, 0, wrong);
    let checked = stream::try_unfold(state, move |(mut body, mut arrived, wrong)| async move {
        match body.next().await.transpose()? {
            Some(chunk) => {
                arrived += chunk.len() as u64;
                if arrived > length {
                    return Err(wrong(arrived));
                }
                Ok(Some((chunk, (body, arrived, wrong))))
            }
            None if arrived == length => Ok(None),
            None => Err(wrong(arrived).with_retry(Retry::Later)),
        }
    });
    checked.boxed()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::TryStreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_body_must_have_exactly_its_length() {
        for (length, right) in [(2, false), (3, true), (4, false)] {
            let body = stream::iter([Ok(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"c"))]);
            let checked = exactly(body.boxed(), length, &Key::from("k"));
            let result: Result<Vec<Bytes>> = checked.try_collect().await;
            assert_eq!(result.is_ok(), right, "{length}");
        }
    }
}
