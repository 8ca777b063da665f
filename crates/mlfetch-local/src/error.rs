//! What the file system answers, as the seam's errors.

use std::borrow::Cow;

use mlfetch_store::{Error, ErrorKind, Key, Retry};
use rustix::fs::FileType;
use rustix::io::Errno;

use crate::config::{SYMLINKS, SYMLINKS_OUTSIDE};

/// Why a place below the root is not given.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The system said so.
    System(Errno),
    /// A name that no file can have.
    Name(&'static str),
    /// It is a directory and a file was asked for.
    IsDirectory,
    /// It, or something on the way to it, is a file and not a directory.
    NotDirectory,
    /// It is there, and is neither file nor directory.
    Special(FileType),
    /// A link on the way, by its own key.
    Link(Key, LinkProblem),
}

/// What is wrong with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkProblem {
    Dangling,
    Outside,
    Circle,
    /// The policy is not to follow links; the value of the option.
    Policy(&'static str),
}

impl From<Errno> for Problem {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

impl Problem {
    /// The error of doing `operation` on `key`.
    pub(crate) fn into_error(self, operation: &'static str, key: &Key) -> Error {
        let subject = key.to_string();
        let error = |kind| Error::new(kind, operation, subject.clone());
        match self {
            Self::System(errno) => system(errno, operation, subject),
            Self::Name(why) => error(ErrorKind::InvalidKey).with_message(why),
            Self::IsDirectory => error(ErrorKind::IsDirectory),
            Self::NotDirectory => error(ErrorKind::NotFound)
                .with_message("it does not exist: what stands there is a file, not a directory"),
            Self::Special(kind) => error(ErrorKind::Refused)
                .with_message(format!("it is {}, not a file", kind_name(kind))),
            Self::Link(link, problem) => link_error(error(ErrorKind::Refused), key, &link, problem),
        }
    }
}

fn link_error(error: Error, key: &Key, link: &Key, problem: LinkProblem) -> Error {
    let which =
        if key == link { "it is".to_owned() } else { format!("`{link}` on the way to it is") };
    match problem {
        LinkProblem::Dangling => error
            .with_message(format!("{which} a symbolic link that leads nowhere"))
            .with_hint("restore what it leads to, or remove the link"),
        LinkProblem::Outside => error
            .with_message(format!("{which} a symbolic link that leads out of the artifact root"))
            .with_hint(format!("if you trust it, set the option `{SYMLINKS_OUTSIDE}`")),
        LinkProblem::Circle => error
            .with_message(format!("{which} a symbolic link that leads in a circle"))
            .with_hint("remove the link, or name what is to be fetched"),
        LinkProblem::Policy(policy) => error
            .with_message(format!("{which} a symbolic link, and `{SYMLINKS}` is `{policy}`"))
            .with_hint(format!("set the option `{SYMLINKS}` to `follow` to read through links")),
    }
}

fn kind_name(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Symlink => "a symbolic link",
        _ => "something unknown",
    }
}

/// The kind of each answer of the system that means something to a caller.
const KINDS: &[(Errno, ErrorKind, &str)] = &[
    (Errno::NOENT, ErrorKind::NotFound, "it does not exist"),
    (
        Errno::NOTDIR,
        ErrorKind::NotFound,
        "it does not exist: a file stands where a directory should",
    ),
    (Errno::ISDIR, ErrorKind::IsDirectory, "it is a directory"),
    (Errno::NAMETOOLONG, ErrorKind::InvalidKey, "the name is too long for this file system"),
    (Errno::ILSEQ, ErrorKind::InvalidKey, "this file system cannot hold the name"),
    (Errno::INVAL, ErrorKind::InvalidKey, "this file system cannot hold the name"),
    (Errno::LOOP, ErrorKind::Refused, "it became a symbolic link on the way"),
    (Errno::XDEV, ErrorKind::Refused, "it leads out of the artifact root"),
    (Errno::TIMEDOUT, ErrorKind::Timeout, "the file system did not answer in time"),
    (Errno::STALE, ErrorKind::Changed, "it was replaced on its file server"),
    (Errno::MFILE, ErrorKind::Io, "this process has too many files open"),
    (Errno::NFILE, ErrorKind::Io, "this machine has too many files open"),
    (Errno::IO, ErrorKind::Io, "the disk or its file system failed"),
];

/// The error of a system call.
pub(crate) fn system(errno: Errno, operation: &'static str, subject: String) -> Error {
    if matches!(errno, Errno::ACCESS | Errno::PERM) {
        return denied(operation, subject).with_source(std::io::Error::from(errno));
    }
    let row = KINDS.iter().find(|(known, ..)| *known == errno);
    let (kind, message) = match row {
        Some((_, kind, message)) => (*kind, Cow::Borrowed(*message)),
        None => (ErrorKind::Io, Cow::Owned(std::io::Error::from(errno).to_string().to_lowercase())),
    };
    let error = Error::new(kind, operation, subject)
        .with_message(message)
        .with_source(std::io::Error::from(errno));
    match errno {
        Errno::MFILE | Errno::NFILE => error
            .with_retry(Retry::Later)
            .with_hint("raise the limit (`ulimit -n`), or fetch fewer files at a time"),
        Errno::IO => error.with_hint("look for disk errors in the system log"),
        _ => error,
    }
}

fn denied(operation: &'static str, subject: String) -> Error {
    let user = rustix::process::geteuid().as_raw();
    let name = user_name(user).map_or_else(String::new, |name| format!("user `{name}` "));
    Error::new(ErrorKind::PermissionDenied, operation, subject)
        .with_message(format!("permission denied for {name}(uid {user})"))
        .with_hint("ask its owner for read permission, or run as another user")
}

/// The name of a user, where the machine keeps it in its own table.
fn user_name(user: u32) -> Option<String> {
    let table = std::fs::read_to_string("/etc/passwd").ok()?;
    let id = user.to_string();
    let row = table.lines().find(|row| row.split(':').nth(2) == Some(id.as_str()))?;
    row.split(':').next().map(|name| mlfetch_store::escape(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(errno: Errno) -> Error {
        system(errno, "read", "a/b".to_owned())
    }

    #[test]
    fn every_row_of_the_table_gives_its_kind_and_says_why() {
        let expected = [
            (Errno::NOENT, ErrorKind::NotFound),
            (Errno::NOTDIR, ErrorKind::NotFound),
            (Errno::ISDIR, ErrorKind::IsDirectory),
            (Errno::NAMETOOLONG, ErrorKind::InvalidKey),
            (Errno::ILSEQ, ErrorKind::InvalidKey),
            (Errno::INVAL, ErrorKind::InvalidKey),
            (Errno::LOOP, ErrorKind::Refused),
            (Errno::XDEV, ErrorKind::Refused),
            (Errno::TIMEDOUT, ErrorKind::Timeout),
            (Errno::STALE, ErrorKind::Changed),
            (Errno::MFILE, ErrorKind::Io),
            (Errno::NFILE, ErrorKind::Io),
            (Errno::IO, ErrorKind::Io),
        ];
        assert_eq!(expected.len(), KINDS.len());
        for (errno, kind) in expected {
            let error = of(errno);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().is_some_and(|message| !message.ends_with('.')), "{error}");
        }
    }

    #[test]
    fn permission_denied_names_who_was_denied() {
        for errno in [Errno::ACCESS, Errno::PERM] {
            let error = of(errno);
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            let user = format!("(uid {})", rustix::process::geteuid().as_raw());
            assert!(error.to_string().contains(&user), "{error}");
        }
    }

    #[test]
    fn an_answer_without_a_row_is_an_io_error_in_the_systems_words() {
        let error = of(Errno::NOSPC);
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("no space left"), "{error}");
    }

    #[test]
    fn too_many_open_files_may_pass() {
        assert_eq!(of(Errno::MFILE).retry(), Retry::Later);
        assert_eq!(of(Errno::IO).retry(), Retry::Never);
    }

    #[test]
    fn a_link_on_the_way_is_named() {
        let problem = Problem::Link(Key::from("a"), LinkProblem::Outside);
        let error = problem.into_error("read", &Key::from("a/b"));
        assert!(error.to_string().contains("`a` on the way to it"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains(SYMLINKS_OUTSIDE)));
    }
}
