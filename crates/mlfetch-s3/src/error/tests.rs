//! One test for each row: a status and a code, and what becomes of them.

use http::HeaderValue;

use super::*;

fn refuse(status: u16, code: &str, headers: &[(&'static str, &str)]) -> Refusal {
    let body = match code {
        "" => String::new(),
        code => {
            format!("<Error><Code>{code}</Code><Message>The words of the server.</Message></Error>")
        }
    };
    refuse_with(status, headers, &body)
}

fn refuse_with(status: u16, headers: &[(&'static str, &str)], body: &str) -> Refusal {
    let headers = headers.iter().map(|(name, value)| {
        let value = HeaderValue::try_from(*value).expect("a value");
        (http::HeaderName::from_static(name), value)
    });
    let status = StatusCode::from_u16(status).expect("a status");
    Refusal::read(status, &headers.collect(), body.as_bytes())
}

fn asked(operation: &'static str) -> Asked<'static> {
    Asked { operation, subject: "a/b", root: "s3://bucket/", secrets: &["s3cr3t"], signed: true }
}

fn read_error(refusal: Refusal) -> Error {
    refusal.into_error(&asked("read"))
}

#[test]
fn each_status_and_code_has_its_kind() {
    use ErrorKind::{
        Changed, InvalidInput, InvalidKey, NotFound, PermissionDenied, Protocol, Refused,
        Unauthenticated, Unavailable, Unsupported,
    };
    let rows = [
        (404, "NoSuchBucket", NotFound),
        (404, "NoSuchKey", NotFound),
        (404, "NoSuchVersion", NotFound),
        (404, "", NotFound),
        (403, "AccessDenied", PermissionDenied),
        (403, "AllAccessDisabled", PermissionDenied),
        (403, "", PermissionDenied),
        (403, "InvalidAccessKeyId", Unauthenticated),
        (403, "SignatureDoesNotMatch", Unauthenticated),
        (403, "RequestTimeTooSkewed", Unauthenticated),
        (400, "ExpiredToken", Unauthenticated),
        (400, "InvalidToken", Unauthenticated),
        (401, "", Unauthenticated),
        (403, "InvalidObjectState", Unsupported),
        (301, "PermanentRedirect", InvalidInput),
        (307, "TemporaryRedirect", InvalidInput),
        (302, "", Refused),
        (400, "AuthorizationHeaderMalformed", InvalidInput),
        (400, "KeyTooLongError", InvalidKey),
        (400, "XMinioInvalidObjectName", InvalidKey),
        (400, "InvalidArgument", InvalidInput),
        (412, "PreconditionFailed", Changed),
        (412, "", Changed),
        (416, "InvalidRange", InvalidInput),
        (503, "SlowDown", Unavailable),
        (503, "ServiceUnavailable", Unavailable),
        (503, "", Unavailable),
        (500, "InternalError", Unavailable),
        (400, "RequestTimeout", Unavailable),
        (429, "TooManyRequests", Unavailable),
        (405, "MethodNotAllowed", Unsupported),
        (501, "NotImplemented", Unsupported),
        (200, "SomethingWentWrong", Protocol),
    ];
    for (status, code, kind) in rows {
        let error = read_error(refuse(status, code, &[]));
        assert_eq!(error.kind(), kind, "{status} {code}: {error}");
        let passes = if kind == Unavailable { Retry::Later } else { Retry::Never };
        assert_eq!(error.retry(), passes, "{status} {code}");
        let text = error.to_string();
        assert!(text.contains(if code.is_empty() { "(" } else { code }), "{text}");
    }
}

#[test]
fn our_words_come_first_and_the_server_s_in_brackets() {
    let text = read_error(refuse(404, "NoSuchBucket", &[])).to_string();
    let expected =
        "cannot read `a/b`: there is no such bucket (NoSuchBucket: The words of the server)";
    assert_eq!(text, expected);
    let text = read_error(refuse(404, "", &[])).to_string();
    assert_eq!(text, "cannot read `a/b`: it does not exist (404 Not Found)");
}

#[test]
fn what_may_not_be_done_is_said_with_the_right_that_is_missing() {
    let hint = |operation, signed| {
        let asked = Asked { signed, ..asked(operation) };
        let error = refuse(403, "AccessDenied", &[]).into_error(&asked);
        assert!(error.to_string().contains("s3://bucket/"), "{error}");
        error.hint().expect("a hint").to_owned()
    };
    assert!(
        hint("list", true).contains("s3:ListBucket") && hint("list", true).contains("full name")
    );
    assert!(hint("read", true).contains("s3:GetObject"));
    assert!(hint("stat", true).contains("s3:GetObject"));
    assert!(hint("read", false).starts_with("nobody is signed in"));
}

#[test]
fn the_server_s_time_to_wait_is_passed_on() {
    let busy =
        |headers: &[(&'static str, &str)]| read_error(refuse(503, "SlowDown", headers)).retry();
    assert_eq!(busy(&[]), Retry::Later);
    assert_eq!(busy(&[("retry-after", "7")]), Retry::After(Duration::from_secs(7)));
    let missing = read_error(refuse(404, "NoSuchKey", &[("retry-after", "7")]));
    assert_eq!(missing.retry(), Retry::Never);
}

#[test]
fn retry_after_is_read_as_a_date_too() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let date = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:47 GMT");
    let headers = HeaderMap::from_iter([(RETRY_AFTER, date)]);
    assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(10)));
}

#[test]
fn an_archived_object_is_named_with_its_storage_class() {
    let body = include_str!("../../tests/data/archived.xml");
    let error = read_error(refuse_with(403, &[], body));
    assert!(error.to_string().contains("archived") && error.to_string().contains("GLACIER"));
    assert!(error.hint().is_some_and(|hint| hint.contains("restore-object")));
}

#[test]
fn a_clock_that_is_wrong_is_said_by_how_much() {
    let hour = Duration::from_hours(1);
    let ours = SystemTime::UNIX_EPOCH + 2 * hour;
    assert_eq!(apart(ours - hour, ours), "ours is 60 min 0 s ahead");
    assert_eq!(apart(ours + Duration::from_secs(90), ours), "ours is 1 min 30 s behind");
}

#[test]
fn a_region_is_believed_only_if_it_can_be_one() {
    let region = |header: &str| refuse(301, "", &[("x-amz-bucket-region", header)]).region;
    assert_eq!(region("eu-north-1").as_deref(), Some("eu-north-1"));
    for header in ["", "evil.example/", "EU", "a@b", &"x".repeat(33)] {
        assert_eq!(region(header), None, "{header}");
    }
    let body = include_str!("../../tests/data/wrong_region.xml");
    let refusal = refuse_with(400, &[], body);
    assert_eq!(refusal.region.as_deref(), Some("eu-north-1"));
    assert!(read_error(refusal).hint().is_some_and(|hint| hint.contains("eu-north-1")));
}

#[test]
fn a_page_for_people_is_said_to_be_one() {
    let page = "<!DOCTYPE html><html><title>Console</title>";
    for (status, headers, kind) in [
        (200, &[][..], ErrorKind::Protocol),
        (404, &[], ErrorKind::Protocol),
        (403, &[("content-type", "text/html; charset=utf-8")], ErrorKind::Protocol),
        (503, &[], ErrorKind::Unavailable),
    ] {
        let error = read_error(refuse_with(status, headers, page));
        assert_eq!(error.kind(), kind, "{status}");
        assert!(error.to_string().contains("HTML"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("endpoint-url")));
    }
}

#[test]
fn a_deleted_object_is_said_to_be_deleted() {
    let marker = ("x-amz-delete-marker", "true");
    for (status, code) in [(404, "NoSuchKey"), (405, "MethodNotAllowed")] {
        let error = read_error(refuse(status, code, &[marker]));
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("deleted"), "{error}");
    }
}

#[test]
fn the_server_s_words_are_made_safe() {
    let body =
        "<Error><Code>AccessDenied</Code><Message>key s3cr3t &#xA; red \u{9b}31m</Message></Error>";
    let text = read_error(refuse_with(403, &[], body)).to_string();
    assert!(text.contains("[secret]") && !text.contains("s3cr3t"), "{text}");
    assert!(!text.contains(char::is_control), "{text:?}");
}
