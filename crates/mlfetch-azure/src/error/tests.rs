use super::*;
use crate::sas::Sas;
use crate::sign::SharedKey;

fn key() -> Auth {
    Auth::Key(SharedKey::new("acc", Secret::new("a2V5")).expect("a key"))
}

fn sas(text: &str) -> Auth {
    Auth::Sas(Sas::parse(&format!("{text}&sig=s3cret")).expect("a signature"))
}

fn refusal(status: u16, code: &str, detail: &str) -> Refusal {
    let body = ErrorBody {
        code: code.to_owned(),
        message: "their words.".to_owned(),
        detail: detail.to_owned(),
    };
    let status = StatusCode::from_u16(status).expect("a status");
    Refusal { status, code: Some(code.to_owned()), body: Some(body) }
}

fn explain(operation: &'static str, auth: &Auth, refusal: &Refusal) -> Error {
    let status = mlfetch_http::error_kind_of_status(refusal.status).unwrap_or(ErrorKind::Other);
    let asked = Asked {
        operation,
        subject: "a/b",
        root: "https://acc.blob.core.windows.net/c/",
        auth,
        is_somebody: !matches!(auth, Auth::Anonymous),
        passed: "",
        secrets: &[Secret::new("s3cret")],
    };
    refusal.explain(Error::new(status, operation, "a/b"), &asked)
}

#[test]
fn each_code_has_its_kind() {
    for (status, code, kind) in [
        (404, "ContainerNotFound", ErrorKind::NotFound),
        (409, "ContainerBeingDeleted", ErrorKind::NotFound),
        (404, "BlobNotFound", ErrorKind::NotFound),
        (404, "ResourceNotFound", ErrorKind::NotFound),
        (400, "InvalidVersionId", ErrorKind::InvalidInput),
        (403, "AccountIsDisabled", ErrorKind::PermissionDenied),
        (403, "KeyBasedAuthenticationNotPermitted", ErrorKind::PermissionDenied),
        (409, "PublicAccessNotPermitted", ErrorKind::PermissionDenied),
        (403, "AuthorizationProtocolMismatch", ErrorKind::PermissionDenied),
        (403, "AuthorizationSourceIPMismatch", ErrorKind::PermissionDenied),
        (403, "AuthorizationServiceMismatch", ErrorKind::PermissionDenied),
        (403, "AuthorizationFailure", ErrorKind::PermissionDenied),
        (403, "AuthorizationPermissionMismatch", ErrorKind::PermissionDenied),
        (403, "AuthorizationResourceTypeMismatch", ErrorKind::PermissionDenied),
        (403, "InsufficientAccountPermissions", ErrorKind::PermissionDenied),
        (403, "AuthenticationFailed", ErrorKind::Unauthenticated),
        (401, "NoAuthenticationInformation", ErrorKind::Unauthenticated),
        (401, "InvalidAuthenticationInfo", ErrorKind::Unauthenticated),
        (400, "AccountRequiresHttps", ErrorKind::InvalidInput),
        (400, "InvalidResourceName", ErrorKind::InvalidInput),
        (400, "OutOfRangeInput", ErrorKind::InvalidInput),
        (400, "InvalidUri", ErrorKind::InvalidKey),
        (409, "BlobArchived", ErrorKind::Unsupported),
        (409, "BlobBeingRehydrated", ErrorKind::Unsupported),
        (409, "BlobUsesCustomerSpecifiedEncryption", ErrorKind::Unsupported),
        (500, "FeatureNotSupported", ErrorKind::Unsupported),
        (400, "UnsupportedHeader", ErrorKind::Unsupported),
        (412, "ConditionNotMet", ErrorKind::Changed),
        (416, "InvalidRange", ErrorKind::InvalidInput),
        (503, "ServerBusy", ErrorKind::Unavailable),
        (500, "OperationTimedOut", ErrorKind::Unavailable),
        (500, "InternalError", ErrorKind::Unavailable),
        (429, "SomethingElse", ErrorKind::Unavailable),
        (418, "SomethingElse", ErrorKind::Other),
    ] {
        let error = explain("read", &key(), &refusal(status, code, ""));
        assert_eq!(error.kind(), kind, "{code}");
    }
}

#[test]
fn every_row_of_the_table_is_one_of_a_test() {
    let tests = include_str!("tests.rs");
    for Row(code, ..) in ROWS {
        assert!(tests.contains(&format!("\"{code}\"")), "{code}");
    }
}

#[test]
fn our_words_come_first_and_theirs_in_brackets() {
    let error = explain("read", &key(), &refusal(404, "ContainerNotFound", ""));
    assert_eq!(
        error.to_string(),
        "cannot read `a/b`: there is no such container (ContainerNotFound: their words)"
    );
    let head = Refusal { body: None, ..refusal(404, "BlobNotFound", "") };
    let error = explain("stat", &key(), &head);
    assert_eq!(error.to_string(), "cannot stat `a/b`: it does not exist (BlobNotFound)");
}

#[test]
fn what_is_not_accepted_depends_on_what_was_presented() {
    let fails = |auth: &Auth, detail: &str| {
        explain("read", auth, &refusal(403, "AuthenticationFailed", detail)).to_string()
    };
    let late = "Request date header too old: 'Tue, 24 Nov 2026 12:00:00 GMT'";
    assert!(fails(&key(), late).contains("the clock here"));
    assert!(fails(&key(), "").contains("the access key is not the one"));
    assert!(fails(&sas("sp=r&se=2020-01-01T00:00:00Z"), "").contains("has expired"));
    let frame = "Signature not valid in the specified time frame: Start [] - Expiry []";
    assert!(fails(&sas("sp=r"), frame).contains("has expired"));
    assert!(fails(&sas("sp=r&se=2999-01-01"), "").contains("signature is not accepted"));
}

#[test]
fn a_signature_that_lacks_a_permission_is_told_which() {
    let denied = |operation, text: &str| {
        let refused = refusal(403, "AuthorizationPermissionMismatch", "");
        explain(operation, &sas(text), &refused).hint().unwrap_or_default().to_owned()
    };
    assert!(denied("list", "sp=r&sr=c").contains("permission to list (`l`"));
    assert!(denied("read", "sp=l&sr=c").contains("permission to read (`r`"));
    assert!(denied("list", "si=policy&sr=b").contains("`sr=c`"));
    assert!(denied("list", "sp=rl&ss=b&srt=o").contains("`srt=co`"));
    assert!(denied("list", "si=policy&sr=c").contains("stored policy"));
    let error = explain("list", &key(), &refusal(403, "AuthorizationFailure", ""));
    assert!(error.to_string().contains("listing the container is not allowed in https://acc."));
    assert!(error.hint().is_some_and(|hint| hint.contains("firewall")));
}

#[test]
fn whoever_asks_as_nobody_is_told_so() {
    for (status, code) in
        [(401, "NoAuthenticationInformation"), (404, "ResourceNotFound"), (401, "")]
    {
        let error = explain("read", &Auth::Anonymous, &refusal(status, code, ""));
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{code}");
        assert!(error.to_string().contains("azure-anonymous"), "{error}");
    }
}

#[test]
fn what_was_signed_and_what_is_secret_is_not_shown() {
    let detail = "The MAC signature found is not the same.\nServer used: GET\n\n s3cret";
    let error = explain("read", &key(), &refusal(403, "AuthenticationFailed", detail));
    assert!(!error.to_string().contains("Server used"), "{error}");
    let echoed = refusal(403, "AuthorizationFailure", "s3cret");
    let error = explain("read", &sas("sp=r"), &echoed);
    assert!(error.to_string().contains("[secret]") && !format!("{error:?}").contains("s3cret"));
}

#[test]
fn what_may_pass_is_asked_again() {
    let busy = explain("read", &key(), &refusal(503, "ServerBusy", ""));
    assert_eq!(busy.retry(), Retry::Later);
    let gone = explain("read", &key(), &refusal(404, "BlobNotFound", ""));
    assert_eq!(gone.retry(), Retry::Never);
}

#[test]
fn an_answer_of_another_server_is_what_its_status_says() {
    let status = StatusCode::BAD_GATEWAY;
    let other = Refusal::read(status, None, b"<html>");
    let error = explain("read", &key(), &other);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
