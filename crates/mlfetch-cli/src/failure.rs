//! Why a command ends without success.

use mlfetch::policy::PatternError;
use mlfetch::{DestinationError, Error, FetchError, FileError, FileFailure, FilterError, Report};

use crate::exit::Exit;

/// Why a command ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Arguments that do not fit together.
    Usage(Box<clap::Error>),
    /// What was asked for could not be found, opened, listed or read.
    Store(Error),
    /// The destination cannot be used.
    Destination(DestinationError),
    /// A file failed, and with it the rest was stopped.
    File(Box<FileFailure>),
    /// Some files failed; all others arrived.
    Some(Box<Report>),
    /// Said by this program itself.
    Said { message: String, hint: Option<String>, exit: Exit },
    /// Whoever read standard output wants no more of it.
    OutputClosed,
}

impl Failure {
    pub(crate) fn said(message: &str, hint: Option<&str>) -> Self {
        Self::Said { message: message.into(), hint: hint.map(str::to_owned), exit: Exit::Other }
    }

    pub(crate) fn usage_said(message: &str, hint: &str) -> Self {
        Self::Said { message: message.into(), hint: Some(hint.into()), exit: Exit::Usage }
    }

    pub(crate) fn nothing(what: &str) -> Self {
        let message = format!("nothing is there, or nothing matches: `{what}`");
        Self::Said { message, hint: None, exit: Exit::Nothing }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Store(error) => Exit::of_kind(error.kind()),
            Self::Destination(_) => Exit::Destination,
            Self::File(failure) => match &failure.error {
                FileError::Store(error) => Exit::of_kind(error.kind()),
                FileError::Destination(_) => Exit::Destination,
                _ => Exit::Other,
            },
            Self::Some(_) => Exit::SomeFailed,
            Self::Said { exit, .. } => *exit,
            Self::OutputClosed => Exit::Done,
        }
    }

    /// What failed, in one line.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Usage(error) => error.to_string(),
            Self::Store(error) => error.to_string(),
            Self::Destination(error) => error.to_string(),
            Self::File(failure) => failure.error.to_string(),
            Self::Some(report) => {
                let failed = report.failures.len();
                let all = failed as u64 + report.files + report.unchanged;
                format!("{failed} of {all} files failed; the others arrived")
            }
            Self::Said { message, .. } => message.clone(),
            Self::OutputClosed => String::new(),
        }
    }

    /// Why, one cause a line; each of the failed files, where some failed.
    pub(crate) fn causes(&self) -> Vec<String> {
        match self {
            Self::Store(error) => causes_of(error),
            Self::Destination(error) => causes_of(error),
            Self::File(failure) => causes_of(&failure.error),
            Self::Some(report) => report.failures.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint().map(str::to_owned),
            Self::Destination(error) => error.hint().map(str::to_owned),
            Self::File(failure) => failure.error.hint().map(str::to_owned),
            Self::Some(report) => {
                report.failures.iter().find_map(|failure| failure.error.hint()).map(str::to_owned)
            }
            Self::Said { hint, .. } => hint.clone(),
            _ => None,
        }
    }
}

/// The causes below an error whose text is not in the line above already.
fn causes_of(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    let mut above = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = mlfetch::escape(cause.to_string().as_bytes());
        if !above.contains(&text) {
            causes.push(text.clone());
            above = text;
        }
        next = cause.source();
    }
    causes
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<DestinationError> for Failure {
    fn from(error: DestinationError) -> Self {
        Self::Destination(error)
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Source(error) | FetchError::Expected { error, .. } => Self::Store(error),
            FetchError::Destination(error) => Self::Destination(error),
            FetchError::File(failure) => Self::File(failure),
            FetchError::Some(report) => Self::Some(report),
            other => Self::said(&other.to_string(), None),
        }
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        Self::usage_said(&error.to_string(), "quote patterns, like '*.json' or 'plots/**/*.png'")
    }
}

impl From<PatternError> for Failure {
    fn from(error: PatternError) -> Self {
        let hint = "write a pattern like 'https://files.example.com/**', '/mnt/shared', or file";
        Self::usage_said(&error.to_string(), hint)
    }
}

impl From<std::io::Error> for Failure {
    /// Of standard output: nothing else is written by this program itself.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::OutputClosed;
        }
        Self::said(&format!("cannot write to standard output: {error}"), None)
    }
}
