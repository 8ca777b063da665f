//! What can be wrong with a destination.

use std::fmt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DestinationProblem {
    /// The destination is a file, or a file stands where a directory must go.
    NotADirectory,
    /// A directory stands where a file must go.
    IsADirectory,
    /// A link stands where a directory must go.
    Link,
    /// A file of that name is there and may not be replaced.
    Exists,
    /// The file system is mounted read-only.
    ReadOnly,
    /// No space, or no quota, is left.
    Full,
    /// This user may not write there.
    PermissionDenied,
    /// The file system cannot hold a name: it is too long for it, or not of its letters.
    Name,
    /// Anything else.
    Failed,
}

/// The destination cannot take what it should: which path, why, and the system's own error.
#[derive(Debug, Clone)]
pub struct DestinationError {
    path: PathBuf,
    problem: DestinationProblem,
    detail: Option<String>,
    hint: Option<&'static str>,
    source: Option<Errno>,
}

impl DestinationError {
    pub(crate) fn new(path: impl Into<PathBuf>, problem: DestinationProblem) -> Self {
        Self { path: path.into(), problem, detail: None, hint: None, source: None }
    }

    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// What to do next, where it is something else than the problem has by itself.
    pub(crate) fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The problem that an error number of the system means, on the way to a directory.
    pub(crate) fn from_errno(path: impl Into<PathBuf>, errno: Errno) -> Self {
        let problem = match errno {
            Errno::NOTDIR => DestinationProblem::NotADirectory,
            Errno::ISDIR => DestinationProblem::IsADirectory,
            Errno::LOOP => DestinationProblem::Link,
            Errno::EXIST => DestinationProblem::Exists,
            Errno::ROFS => DestinationProblem::ReadOnly,
            Errno::NOSPC | Errno::DQUOT | Errno::FBIG => DestinationProblem::Full,
            Errno::ACCESS | Errno::PERM => DestinationProblem::PermissionDenied,
            // FAT and SMB answer EINVAL for letters that they keep for themselves.
            Errno::NAMETOOLONG | Errno::ILSEQ | Errno::INVAL => DestinationProblem::Name,
            _ => DestinationProblem::Failed,
        };
        Self { path: path.into(), problem, detail: None, hint: None, source: Some(errno) }
    }

    pub(crate) fn from_io(path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(errno) => Self::from_errno(path, errno),
            None => Self::new(path, DestinationProblem::Failed).with_detail(error.to_string()),
        }
    }

    /// What is wrong.
    pub fn problem(&self) -> DestinationProblem {
        self.problem
    }

    /// Where.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        if self.hint.is_some() {
            return self.hint;
        }
        Some(match self.problem {
            DestinationProblem::NotADirectory => "remove the file, or choose another destination",
            DestinationProblem::IsADirectory => {
                "remove the directory, or choose another destination"
            }
            DestinationProblem::Link => {
                "nothing is written through links: replace it by a directory"
            }
            DestinationProblem::Exists => "use --overwrite if-changed or --overwrite always",
            DestinationProblem::Full => "free some space, or choose a destination on another disk",
            DestinationProblem::ReadOnly | DestinationProblem::PermissionDenied => {
                "choose a destination that you may write to"
            }
            DestinationProblem::Name => {
                "choose a destination on a file system that takes all names"
            }
            DestinationProblem::Failed => return None,
        })
    }
}

impl fmt::Display for DestinationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::os::unix::ffi::OsStrExt as _;
        let path = mlfetch_store::escape(self.path.as_os_str().as_bytes());
        write!(formatter, "cannot write `{path}`: ")?;
        if let Some(detail) = &self.detail {
            return formatter.write_str(detail);
        }
        let why = match self.problem {
            DestinationProblem::NotADirectory => "it, or something above it, is a file",
            DestinationProblem::IsADirectory => "a directory of that name is there",
            DestinationProblem::Link => "a link is in the way",
            DestinationProblem::Exists => "a file of that name is there already",
            DestinationProblem::ReadOnly => "the file system is read-only",
            DestinationProblem::Full => "no space is left",
            DestinationProblem::PermissionDenied => "permission denied",
            DestinationProblem::Name => "the file system cannot hold that name",
            DestinationProblem::Failed => match self.source {
                Some(errno) => return write!(formatter, "{errno}"),
                None => "it failed",
            },
        };
        formatter.write_str(why)
    }
}

impl std::error::Error for DestinationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|errno| errno as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_number_has_its_problem() {
        let rows = [
            (Errno::NOTDIR, DestinationProblem::NotADirectory),
            (Errno::ISDIR, DestinationProblem::IsADirectory),
            (Errno::LOOP, DestinationProblem::Link),
            (Errno::EXIST, DestinationProblem::Exists),
            (Errno::ROFS, DestinationProblem::ReadOnly),
            (Errno::NOSPC, DestinationProblem::Full),
            (Errno::DQUOT, DestinationProblem::Full),
            (Errno::FBIG, DestinationProblem::Full),
            (Errno::ACCESS, DestinationProblem::PermissionDenied),
            (Errno::PERM, DestinationProblem::PermissionDenied),
            (Errno::NAMETOOLONG, DestinationProblem::Name),
            (Errno::ILSEQ, DestinationProblem::Name),
            (Errno::IO, DestinationProblem::Failed),
        ];
        for (errno, problem) in rows {
            let error = DestinationError::from_errno("d/x", errno);
            assert_eq!(error.problem(), problem);
            assert_eq!(error.hint().is_some(), problem != DestinationProblem::Failed);
            assert!(error.to_string().starts_with("cannot write `d/x`: "), "{error}");
        }
    }

    #[test]
    fn an_error_without_a_number_keeps_its_words() {
        let error = std::io::Error::other("the thread is gone");
        let error = DestinationError::from_io("x", &error);
        assert_eq!(error.to_string(), "cannot write `x`: the thread is gone");
    }
}
