//! Refusals of the blob service, as kinds: a table.

use std::time::SystemTime;

use mlfetch_http::StatusCode;
use mlfetch_store::{Error, ErrorKind, Retry, SafeText, Secret};

use crate::auth::Auth;
use crate::wire::{self, ErrorBody};

/// What the service said instead of an answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// In a header, which answers to HEAD have too.
    pub(crate) code: Option<String>,
    pub(crate) body: Option<ErrorBody>,
}

/// On what and by whom something was asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'static str,
    pub(crate) subject: &'a str,
    /// The container, safe to show.
    pub(crate) root: &'a str,
    pub(crate) auth: &'a Auth,
    /// Whether anybody is signed in at all.
    pub(crate) is_somebody: bool,
    /// What was passed over before, and why.
    pub(crate) passed: &'a str,
    /// What may not be in any message.
    pub(crate) secrets: &'a [Secret],
}

/// What a code means: its kind, what happened, what helps.
struct Row(&'static str, ErrorKind, &'static str, &'static str);

const NOTHING: &str = "";
const READ_ROLE: &str = "the role to read is `Storage Blob Data Reader`; an owner of the account \
                         does not have it by that";

const ROWS: &[Row] = &[
    Row(
        "ContainerNotFound",
        ErrorKind::NotFound,
        "there is no such container",
        "check the name, and that the account is the one the container is in",
    ),
    Row("ContainerBeingDeleted", ErrorKind::NotFound, "the container is being deleted", NOTHING),
    Row("BlobNotFound", ErrorKind::NotFound, "it does not exist", NOTHING),
    Row("InvalidVersionId", ErrorKind::InvalidInput, "that is no version", NOTHING),
    Row(
        "AccountIsDisabled",
        ErrorKind::PermissionDenied,
        "the storage account is disabled",
        "ask its owner",
    ),
    Row(
        "KeyBasedAuthenticationNotPermitted",
        ErrorKind::PermissionDenied,
        "the storage account takes no keys, nor what is signed with them",
        "sign in with Entra ID: `az login`, or AZURE_CLIENT_ID with what proves it",
    ),
    Row(
        "PublicAccessNotPermitted",
        ErrorKind::PermissionDenied,
        "the storage account allows nobody in who is not signed in",
        "sign in: AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_ACCESS_KEY, \
         AZURE_STORAGE_SAS_TOKEN, or `az login`",
    ),
    Row(
        "AuthorizationProtocolMismatch",
        ErrorKind::PermissionDenied,
        "the signature is good for HTTPS only",
        "ask over HTTPS",
    ),
    Row(
        "AuthorizationSourceIPMismatch",
        ErrorKind::PermissionDenied,
        "the signature is not good for the address of this machine",
        "ask for one without `sip`, or with this machine's address",
    ),
    Row(
        "AuthorizationServiceMismatch",
        ErrorKind::PermissionDenied,
        "the signature is not one for blobs",
        "ask for one with `ss=b`",
    ),
    Row(
        "AccountRequiresHttps",
        ErrorKind::InvalidInput,
        "the storage account wants HTTPS",
        "give an endpoint with `https://`",
    ),
    Row(
        "InvalidResourceName",
        ErrorKind::InvalidInput,
        "a container cannot have this name",
        "names have 3 to 63 lower-case letters, digits and `-`",
    ),
    Row("OutOfRangeInput", ErrorKind::InvalidInput, "a name is too short or too long", NOTHING),
    Row("InvalidUri", ErrorKind::InvalidKey, "Azure has no such names", NOTHING),
    Row(
        "BlobArchived",
        ErrorKind::Unsupported,
        "it is archived and has to be rehydrated first",
        "ask for it with `az storage blob set-tier --tier Hot`, and fetch it when it is there",
    ),
    Row(
        "BlobBeingRehydrated",
        ErrorKind::Unsupported,
        "it is archived and being rehydrated",
        "fetch it when that is done, which takes hours",
    ),
    Row(
        "BlobUsesCustomerSpecifiedEncryption",
        ErrorKind::Unsupported,
        "it is encrypted with a key that the caller has to give, which is not done here",
        NOTHING,
    ),
    // Of emulators, which do less than the service.
    Row("FeatureNotSupported", ErrorKind::Unsupported, "the server has no such feature", NOTHING),
    Row("UnsupportedHeader", ErrorKind::Unsupported, "the server has no such feature", NOTHING),
    Row("ConditionNotMet", ErrorKind::Changed, "it changed since it was listed", NOTHING),
    Row("InvalidRange", ErrorKind::InvalidInput, "the range begins behind its end", NOTHING),
    Row("ServerBusy", ErrorKind::Unavailable, "the server asks for fewer requests", NOTHING),
    Row("OperationTimedOut", ErrorKind::Unavailable, "the server gave up", NOTHING),
    Row("InternalError", ErrorKind::Unavailable, "the server failed", NOTHING),
];

/// The codes of "who are you" and "you may not", which the same request gets for many reasons.
const UNKNOWN: [&str; 4] = [
    "NoAuthenticationInformation",
    "InvalidAuthenticationInfo",
    "ResourceNotFound",
    "AuthenticationRequired",
];
const DENIED: [&str; 5] = [
    "AuthorizationFailure",
    "AuthorizationPermissionMismatch",
    "AuthorizationResourceTypeMismatch",
    "InsufficientAccountPermissions",
    "UnauthorizedBlobOverwrite",
];

/// Kind, words, hint.
type Meaning = (ErrorKind, String, String);

impl Refusal {
    /// Reads what arrived of an answer that is none.
    pub(crate) fn read(status: StatusCode, code: Option<String>, body: &[u8]) -> Self {
        Self { status, code, body: wire::error_body(body) }
    }

    /// The service's own word for what happened; empty if it is not the service that answered.
    fn code(&self) -> &str {
        let of_body = self.body.as_ref().map(|body| body.code.as_str());
        self.code.as_deref().or(of_body).unwrap_or_default()
    }

    /// The error that a caller gets, from the one that the status alone gives.
    pub(crate) fn explain(&self, plain: Error, asked: &Asked<'_>) -> Error {
        let Some((kind, words, hint)) = self.meaning(asked) else { return plain };
        let retry = if kind == ErrorKind::Unavailable { plain.retry() } else { Retry::Never };
        let message = self.message(&words, asked);
        let mut error = Error::new(kind, asked.operation, asked.subject).with_message(message);
        // The status alone may have another kind than the code.
        let passes = kind == ErrorKind::Unavailable && retry == Retry::Never;
        error = error.with_retry(if passes { Retry::Later } else { retry });
        if hint.is_empty() { error } else { error.with_hint(hint) }
    }

    /// Emulators say "you may not" where the service says "I do not know you".
    fn speaks_of_who(&self) -> bool {
        let words = self.body.as_ref().map_or("", |body| body.message.as_str());
        words.contains("failed to authenticate")
    }

    /// `None` for an answer that is not the service's, of which the status says all there is.
    fn meaning(&self, asked: &Asked<'_>) -> Option<Meaning> {
        let code = self.code();
        if let Some(Row(_, kind, words, hint)) = ROWS.iter().find(|row| row.0 == code) {
            return Some((*kind, (*words).to_owned(), (*hint).to_owned()));
        }
        let nobody = !asked.is_somebody;
        match self.status.as_u16() {
            _ if code == "AuthenticationFailed" || self.speaks_of_who() && !nobody => {
                Some(self.not_accepted(asked))
            }
            // Emulators say no more than that it is not allowed.
            403 if matches!(asked.auth, Auth::Sas(sas) if is_expired(sas.get("se"))) => {
                Some(self.not_accepted(asked))
            }
            401 | 403 | 404 if nobody && (UNKNOWN.contains(&code) || DENIED.contains(&code)) => {
                Some(nobody_is_signed_in(asked))
            }
            // Azure Storage says so of accounts too, and to whoever may not know of the container.
            404 if code == "ResourceNotFound" => Some((
                ErrorKind::NotFound,
                "there is no such account or container".to_owned(),
                "check both names".to_owned(),
            )),
            401 if nobody => Some(nobody_is_signed_in(asked)),
            _ if UNKNOWN.contains(&code) => Some(self.not_accepted(asked)),
            403 if DENIED.contains(&code) => Some(denied(asked)),
            _ => None,
        }
    }

    /// What was presented is not accepted: why is in a detail, made for people.
    fn not_accepted(&self, asked: &Asked<'_>) -> Meaning {
        let detail = self.body.as_ref().map_or("", |body| body.detail.as_str());
        let (words, hint) = match asked.auth {
            _ if detail.contains("date header") => (
                "the clock here and the server's are too far apart",
                "set the clock of this machine",
            ),
            Auth::Sas(sas) if is_expired(sas.get("se")) || detail.contains("time frame") => (
                "the shared access signature has expired, or is not good yet",
                "ask for a new one; the clock of this machine may be wrong too",
            ),
            Auth::Sas(_) => (
                "the shared access signature is not accepted",
                "check that it was copied whole, and that it is one for this account and container",
            ),
            Auth::Key(_) => (
                "the access key is not the one of the account",
                "check AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCESS_KEY; a proxy that \
                 changes requests has the same effect",
            ),
            Auth::Entra(_) | Auth::Anonymous => (
                "the token is not accepted",
                "check that the account belongs to the tenant that the token is from",
            ),
        };
        (ErrorKind::Unauthenticated, words.to_owned(), hint.to_owned())
    }

    /// Our words, and the service's in brackets.
    fn message(&self, words: &str, asked: &Asked<'_>) -> String {
        let safe = |text: &str| {
            SafeText::new(text.as_bytes(), asked.secrets.iter().map(Secret::expose)).to_string()
        };
        let code = safe(self.code());
        let code = if code.is_empty() { self.status.to_string() } else { code };
        let body = self.body.as_ref();
        let theirs = body.map(|body| match body.detail.as_str() {
            // A detail of signatures that differ shows what was signed, over many lines.
            detail if detail.is_empty() || detail.contains('\n') => body.message.as_str(),
            detail => detail,
        });
        match theirs.map(safe).filter(|text| !text.is_empty()) {
            Some(theirs) => format!("{words} ({code}: {})", theirs.trim_end_matches('.')),
            None => format!("{words} ({code})"),
        }
    }
}

fn nobody_is_signed_in(asked: &Asked<'_>) -> Meaning {
    let (words, hint) = match asked.auth {
        Auth::Anonymous => (
            "nobody is signed in (`azure-anonymous`), and the container is not public".to_owned(),
            "leave `azure-anonymous` away, or ask the owner to make the container public",
        ),
        _ => (
            format!(
                "nobody is signed in, and the container is not public; tried in this order: {}",
                asked.passed
            ),
            "set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_ACCESS_KEY or \
             AZURE_STORAGE_SAS_TOKEN, or sign in with `az login`",
        ),
    };
    (ErrorKind::Unauthenticated, words, hint.to_owned())
}

/// What may not be done, and by which right it could be.
fn denied(asked: &Asked<'_>) -> Meaning {
    let lists = asked.operation == "list";
    let words =
        if lists { "listing the container is not allowed" } else { "reading it is not allowed" };
    let hint = match asked.auth {
        Auth::Sas(sas) if lists && sas.allows('l') == Some(false) => {
            "the shared access signature lacks the permission to list (`l` in its `sp`): ask for one \
             with `sp=rl` for the container, or ask for files by their full names"
        }
        Auth::Sas(sas) if !lists && sas.allows('r') == Some(false) => {
            "the shared access signature lacks the permission to read (`r` in its `sp`)"
        }
        Auth::Sas(sas) if lists && sas.get("sr") == Some("b") => {
            "the shared access signature is one for a blob: listing needs one for the container \
             (`sr=c`) with `sp=rl`"
        }
        Auth::Sas(sas) if sas.get("srt").is_some() => {
            "the shared access signature must be good for containers and objects (`srt=co`)"
        }
        Auth::Sas(_) => "the shared access signature or its stored policy does not allow it",
        Auth::Entra(_) => READ_ROLE,
        Auth::Key(_) | Auth::Anonymous => {
            "the firewall of the storage account may not let this machine in, or the access key is \
             not the one of the account"
        }
    };
    (ErrorKind::PermissionDenied, format!("{words} in {}", asked.root), hint.to_owned())
}

/// Whether a time of a signature is over. Times of ISO 8601 in UTC are in order as texts too.
fn is_expired(end: Option<&str>) -> bool {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    end.is_some_and(|end| end < now.as_str())
}

#[cfg(test)]
mod tests;
