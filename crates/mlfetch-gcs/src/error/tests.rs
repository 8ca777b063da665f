//! One test for each row: a status and a reason, and what becomes of them.

use super::*;

fn refuse(status: u16, reason: &str, message: &str) -> Refusal {
    let status = StatusCode::from_u16(status).expect("a status");
    let body = ErrorBody { reason: reason.to_owned(), message: message.to_owned() };
    Refusal { status, body, server_time: None }
}

fn explain(refusal: &Refusal, operation: &'static str) -> Error {
    let kind = mlfetch_http::error_kind_of_status(refusal.status).expect("an error");
    let asked = Asked {
        operation,
        root: "gs://bucket/",
        secrets: vec![Secret::new("s3cr3t")],
        identity: &Identity::Nobody { looked: None },
    };
    refusal.explain(&Error::new(kind, operation, "a/b"), &asked)
}

#[test]
fn each_status_and_reason_has_its_kind() {
    use ErrorKind::{
        Changed, InvalidInput, NotFound, Other, PermissionDenied, Refused, Unauthenticated,
        Unavailable, Unsupported,
    };
    let rows = [
        (302, "", Refused),
        (304, "", Changed),
        (400, "invalid", InvalidInput),
        (401, "authError", Unauthenticated),
        (401, "required", Unauthenticated),
        (403, "forbidden", PermissionDenied),
        (403, "insufficientPermissions", PermissionDenied),
        (403, "accessNotConfigured", PermissionDenied),
        (403, "accountDisabled", PermissionDenied),
        (403, "rateLimitExceeded", Unavailable),
        (403, "userRateLimitExceeded", Unavailable),
        (404, "notFound", NotFound),
        (405, "", Unsupported),
        (408, "", Unavailable),
        (410, "", NotFound),
        (412, "conditionNotMet", Changed),
        (416, "requestedRangeNotSatisfiable", InvalidInput),
        (418, "", Other),
        (429, "rateLimitExceeded", Unavailable),
        (429, "", Unavailable),
        (500, "internalError", Unavailable),
        (502, "", Unavailable),
        (503, "backendError", Unavailable),
        (504, "", Unavailable),
    ];
    for (status, reason, kind) in rows {
        let error = explain(&refuse(status, reason, ""), "read");
        assert_eq!(error.kind(), kind, "{status} {reason}: {error}");
        let passes = if kind == Unavailable { Retry::Later } else { Retry::Never };
        assert_eq!(error.retry(), passes, "{status} {reason}");
    }
}

#[test]
fn our_words_come_first_and_the_server_s_in_brackets() {
    let text = explain(&refuse(404, "notFound", "No such object: bucket/a/b."), "read").to_string();
    let expected = "cannot read `a/b`: it does not exist (404: No such object: bucket/a/b)";
    assert_eq!(text, expected);
    let text = explain(&refuse(404, "", ""), "read").to_string();
    assert_eq!(text, "cannot read `a/b`: it does not exist (404 Not Found)");
}

#[test]
fn what_is_secret_and_echoed_is_not_shown() {
    let error = explain(&refuse(400, "invalid", "what is s3cr3t?"), "read");
    assert!(error.to_string().contains("[secret]"), "{error}");
}

#[test]
fn what_may_not_be_done_is_said_with_the_right_that_is_missing() {
    for (operation, right) in
        [("list", "storage.objects.list"), ("read", "storage.objects.get"), ("stat", "objects.get")]
    {
        let error = explain(&refuse(403, "forbidden", ""), operation);
        assert!(error.to_string().contains("gs://bucket/"), "{error}");
        let hint = error.hint().expect("a hint");
        assert!(hint.contains(right) && hint.contains("gcs-anonymous"), "{hint}");
    }
}

#[test]
fn clocks_are_told_when_they_are_apart_and_only_then() {
    let at = |time| Refusal { server_time: Some(time), ..refuse(401, "authError", "") };
    let minutes = |minutes| Duration::from_mins(minutes);
    let now = SystemTime::now();
    assert_eq!(at(now).clock(), None);
    assert_eq!(at(now - minutes(4)).clock(), None);
    assert_eq!(at(now - minutes(60)).clock().as_deref(), Some("ours is 60 min ahead"));
    let behind = at(now + minutes(60) + Duration::from_secs(30)).clock();
    assert_eq!(behind.as_deref(), Some("ours is 60 min behind"));
}

#[test]
fn a_page_for_people_says_nothing() {
    assert_eq!(ErrorBody::of_text(b" <html>Sign in</html>"), ErrorBody::default());
    assert_eq!(ErrorBody::of_text(b"No such object: b/o\n").message, "No such object: b/o");
}
