//! What a refusal means: HDFS names a Java class, and its status says little.

use mlfetch_store::{Error, ErrorKind, Retry, SafeText, Secret};

use crate::wire::RemoteException;

/// An error, and the class of the exception that HDFS gave for it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: Error,
    pub(crate) exception: Option<String>,
    /// The server asks for a Kerberos ticket.
    pub(crate) wants_ticket: bool,
}

impl Refusal {
    /// The error with the kind and the words of an exception.
    pub(crate) fn of(error: &Error, remote: RemoteException, secrets: &[Secret]) -> Self {
        let raw = remote.message.unwrap_or_default();
        // Some messages go on with the server's stack.
        let first = raw.split("\n\tat ").next().unwrap_or_default().trim();
        let kind = kind_of(&remote.exception, first);
        let words = SafeText::new(first.as_bytes(), secrets.iter().map(Secret::expose));
        let message = match words.as_str() {
            "" => remote.exception.clone(),
            words => words.trim_end_matches('.').to_owned(),
        };
        let made = Error::new(kind, error.operation(), error.subject().to_owned());
        let made = made.with_message(format!("HDFS says: {message}"));
        let made = if kind == ErrorKind::Unavailable { with_wait(made, error) } else { made };
        let made = match hint_of(&remote.exception, first) {
            Some(hint) => made.with_hint(hint),
            None => made,
        };
        Self { error: made, exception: Some(remote.exception), wants_ticket: false }
    }

    /// Whether another NameNode of the pair may answer.
    pub(crate) fn asks_for_another(&self) -> bool {
        match self.exception.as_deref() {
            Some(name) => matches!(name, "StandbyException" | "ObserverRetryOnActiveException"),
            None => matches!(self.error.kind(), ErrorKind::Unreachable | ErrorKind::Timeout),
        }
    }

    /// Whether the token is none that the server knows any more.
    pub(crate) fn is_stale_token(&self) -> bool {
        matches!(self.exception.as_deref(), Some("InvalidToken" | "ExpiredToken"))
            || self.exception.as_deref() == Some("SecurityException")
                && self.error.message().is_some_and(|text| text.contains("InvalidToken"))
    }

    /// Whether the server does not know what was asked for: an older one, or a gateway.
    pub(crate) fn is_unknown_operation(&self) -> bool {
        self.error.kind() == ErrorKind::Unsupported
            || self.exception.as_deref() == Some("IllegalArgumentException")
                && self.error.message().is_some_and(|text| text.contains(UNKNOWN_OPERATION))
    }
}

/// In Java's words for an operation that a NameNode or HttpFS does not know.
const UNKNOWN_OPERATION: &str = "No enum const";

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, exception: None, wants_ticket: false }
    }
}

fn with_wait(made: Error, answered: &Error) -> Error {
    match answered.retry() {
        Retry::After(time) => made.with_retry(Retry::After(time)),
        _ => made,
    }
}

fn kind_of(exception: &str, message: &str) -> ErrorKind {
    match exception {
        "FileNotFoundException" if message.starts_with("Path is not a file") => {
            ErrorKind::IsDirectory
        }
        "FileNotFoundException" => ErrorKind::NotFound,
        // Who is no superuser hears this of a path that goes on below a file.
        "AccessControlException" if message.ends_with("(is not a directory)") => {
            ErrorKind::NotFound
        }
        "AccessControlException" | "AuthorizationException" | "TraverseAccessControlException" => {
            ErrorKind::PermissionDenied
        }
        "SecurityException" | "AuthenticationException" | "InvalidToken" | "ExpiredToken" => {
            ErrorKind::Unauthenticated
        }
        "StandbyException"
        | "ObserverRetryOnActiveException"
        | "RetriableException"
        | "SafeModeException"
        | "ConnectException"
        | "NoRouteToHostException"
        | "SocketTimeoutException"
        | "BlockMissingException"
        | "ReplicaNotFoundException" => ErrorKind::Unavailable,
        "UnsupportedOperationException" | "UnresolvedPathException" => ErrorKind::Unsupported,
        // HttpFS, with status 500.
        "QueryParamException" if message.contains(UNKNOWN_OPERATION) => ErrorKind::Unsupported,
        "InvalidPathException" => ErrorKind::InvalidKey,
        // HttpFS says it so.
        "IllegalArgumentException" if message.contains("is not a valid DFS filename") => {
            ErrorKind::InvalidKey
        }
        "IllegalArgumentException" => ErrorKind::InvalidInput,
        "IOException" | "RemoteException" => kind_of_words(message),
        _ => ErrorKind::Other,
    }
}

/// The class is used for everything; only the words tell.
fn kind_of_words(message: &str) -> ErrorKind {
    let says = |words: &str| message.contains(words);
    if says("out of the range") {
        ErrorKind::InvalidInput
    } else if says("No active nodes") || says("Failed to find datanode") || says("Could not obtain")
    {
        ErrorKind::Unavailable
    } else {
        ErrorKind::Other
    }
}

fn hint_of(exception: &str, message: &str) -> Option<&'static str> {
    Some(match exception {
        "AuthorizationException" if message.contains("impersonate") => {
            "who may act for whom is said by `hadoop.proxyuser.…` in the NameNode's core-site.xml"
        }
        "AccessControlException" if !message.ends_with("(is not a directory)") => {
            "it counts who is asking: `hadoop-user`, `HADOOP_USER_NAME`, or the Kerberos ticket"
        }
        "SecurityException" | "AuthenticationException" | "InvalidToken" | "ExpiredToken" => {
            "sign in again: a new delegation token, or a new Kerberos ticket by `kinit`"
        }
        "StandbyException" => {
            "name every NameNode of the pair: `webhdfs-address`, or `HADOOP_CONF_DIR`"
        }
        "SafeModeException" => "the NameNode is starting, or was told to wait: try again later",
        "UnresolvedPathException" => "it is a symbolic link: ask for the path that it leads to",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(exception: &str, message: &str) -> Refusal {
        let remote =
            RemoteException { exception: exception.to_owned(), message: Some(message.to_owned()) };
        let error = Error::new(ErrorKind::PermissionDenied, "read", "a/b");
        Refusal::of(&error, remote, &[Secret::new("s3cret-token")])
    }

    #[test]
    fn each_exception_has_its_kind() {
        for (exception, message, kind) in [
            ("FileNotFoundException", "File does not exist: /a", ErrorKind::NotFound),
            ("FileNotFoundException", "Path is not a file: /a", ErrorKind::IsDirectory),
            ("AccessControlException", "Permission denied: user=x", ErrorKind::PermissionDenied),
            ("AccessControlException", "/a (is not a directory)", ErrorKind::NotFound),
            ("AuthorizationException", "User: x is not", ErrorKind::PermissionDenied),
            ("SecurityException", "Failed to obtain user", ErrorKind::Unauthenticated),
            ("InvalidToken", "token (x) is expired", ErrorKind::Unauthenticated),
            ("StandbyException", "Operation category READ", ErrorKind::Unavailable),
            ("RetriableException", "still in start-up", ErrorKind::Unavailable),
            ("SafeModeException", "Zero blocklocations", ErrorKind::Unavailable),
            ("IOException", "Offset=9 out of the range [0, 5)", ErrorKind::InvalidInput),
            ("IOException", "No active nodes contain this block", ErrorKind::Unavailable),
            ("IOException", "something else", ErrorKind::Other),
            ("InvalidPathException", "Invalid path name", ErrorKind::InvalidKey),
            ("IllegalArgumentException", "Invalid value", ErrorKind::InvalidInput),
            ("QueryParamException", "No enum constant x.Operation.Y", ErrorKind::Unsupported),
            (
                "IllegalArgumentException",
                "Pathname /a:b from /a:b is not a valid DFS filename.",
                ErrorKind::InvalidKey,
            ),
            ("UnsupportedOperationException", "no", ErrorKind::Unsupported),
            ("DSQuotaExceededException", "The DiskSpace quota", ErrorKind::Other),
        ] {
            assert_eq!(refusal(exception, message).error.kind(), kind, "{exception}: {message}");
        }
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        assert_eq!(refusal("SafeModeException", "x").error.retry(), Retry::Later);
        assert_eq!(refusal("AccessControlException", "x").error.retry(), Retry::Never);
        assert_eq!(refusal("DSQuotaExceededException", "x").error.retry(), Retry::Never);
    }

    #[test]
    fn the_words_of_hdfs_are_shown_without_its_stack_and_without_secrets() {
        let message = "token s3cret-token is gone.\n\tat org.apache.Hadoop(x)\n\tat y";
        let text = refusal("InvalidToken", message).error.to_string();
        assert_eq!(text, "cannot read `a/b`: HDFS says: token [secret] is gone");
    }

    #[test]
    fn only_a_standby_and_one_that_is_not_there_make_us_ask_another() {
        assert!(refusal("StandbyException", "x").asks_for_another());
        assert!(!refusal("AccessControlException", "x").asks_for_another());
        let gone = |kind| Refusal::from(Error::new(kind, "read", "x")).asks_for_another();
        assert!(gone(ErrorKind::Unreachable) && !gone(ErrorKind::PermissionDenied));
    }
}
