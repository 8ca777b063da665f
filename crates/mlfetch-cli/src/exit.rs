//! Exit codes: what a script can tell apart.

use mlfetch::ErrorKind;

/// What a script can tell apart, with the words of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Other,
    Usage,
    NotFound,
    Refused,
    Network,
    Integrity,
    Destination,
    SomeFailed,
    Nothing,
    Interrupted,
    Terminated,
}

impl Exit {
    /// All, in the order of their numbers.
    pub(crate) const ALL: [Self; 12] = [
        Self::Done,
        Self::Other,
        Self::Usage,
        Self::NotFound,
        Self::Refused,
        Self::Network,
        Self::Integrity,
        Self::Destination,
        Self::SomeFailed,
        Self::Nothing,
        Self::Interrupted,
        Self::Terminated,
    ];

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Other => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Network => 5,
            Self::Integrity => 6,
            Self::Destination => 7,
            Self::SomeFailed => 8,
            Self::Nothing => 9,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What it means, for the reference.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Done: everything that was asked for is there, every byte of it.",
            Self::Other => "Another failure than those below.",
            Self::Usage => "Usage: a flag, a URI, a run id or a path that cannot be meant.",
            Self::NotFound => "Not found: a run, model, version, alias, artifact, database.",
            Self::Refused => "Not signed in, not permitted, or refused by a rule of safety.",
            Self::Network => "Not reached, not answered or broken off, after all retries.",
            Self::Integrity => {
                "Bytes that are not what the store, a list or a manifest says, or that changed meanwhile."
            }
            Self::Destination => {
                "The destination, a manifest or an audit log cannot be written: read-only, full, in the way."
            }
            Self::SomeFailed => "Some files failed; all others arrived.",
            Self::Nothing => "Nothing is there or nothing matched, with `--error-on-empty`.",
            Self::Interrupted => {
                "Interrupted (SIGINT); what has its name is whole, and the same command goes on."
            }
            Self::Terminated => "Terminated (SIGTERM, SIGHUP); likewise.",
        }
    }

    pub(crate) fn of_kind(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::InvalidInput | ErrorKind::Unsupported => Self::Usage,
            ErrorKind::Unauthenticated | ErrorKind::PermissionDenied | ErrorKind::Refused => {
                Self::Refused
            }
            ErrorKind::Unavailable
            | ErrorKind::Unreachable
            | ErrorKind::Timeout
            | ErrorKind::Network
            | ErrorKind::Tls => Self::Network,
            ErrorKind::Integrity | ErrorKind::Changed => Self::Integrity,
            _ => Self::Other,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_the_code_of_the_documentation() {
        let rows = [
            (ErrorKind::Other, 1),
            (ErrorKind::Protocol, 1),
            (ErrorKind::InvalidKey, 1),
            (ErrorKind::IsDirectory, 1),
            (ErrorKind::Io, 1),
            (ErrorKind::InvalidInput, 2),
            (ErrorKind::Unsupported, 2),
            (ErrorKind::NotFound, 3),
            (ErrorKind::Unauthenticated, 4),
            (ErrorKind::PermissionDenied, 4),
            (ErrorKind::Refused, 4),
            (ErrorKind::Unavailable, 5),
            (ErrorKind::Unreachable, 5),
            (ErrorKind::Timeout, 5),
            (ErrorKind::Network, 5),
            (ErrorKind::Tls, 5),
            (ErrorKind::Integrity, 6),
            (ErrorKind::Changed, 6),
        ];
        for (kind, code) in rows {
            assert_eq!(Exit::of_kind(kind).code(), code, "{kind:?}");
        }
    }

    #[test]
    fn no_number_is_used_twice() {
        let mut codes = Exit::ALL.map(Exit::code);
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
