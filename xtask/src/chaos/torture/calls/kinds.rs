//! The system calls that may fail, and how.

use nix::errno::Errno;
use nix::libc::{self, c_long};

/// What becomes of the call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Act {
    /// It is not made, and fails.
    Fail(Errno),
    /// It is made for half of the bytes: no error at all, and what a disk that is nearly full does. Of a
    /// socket less than there is means that there is no more, and everybody waits then.
    Half,
}

impl Act {
    pub(super) fn name(self) -> String {
        match self {
            Self::Fail(errno) => format!("{errno:?}"),
            Self::Half => "half".to_owned(),
        }
    }
}

/// What a call is about; others of the same name are not counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum On {
    /// What a path names.
    Path,
    /// An open file or directory: no pipe, no waker of the runtime, none of the three handles that a
    /// program begins with.
    File,
    /// The same, which gets a second handle.
    Handle,
    Socket,
    /// Something that is not there yet.
    Nothing,
}

/// Calls that do the same, by their number and by which argument says what they are about.
pub(super) struct Row {
    pub(super) name: &'static str,
    calls: &'static [(c_long, usize)],
    pub(super) on: On,
    pub(super) acts: &'static [Act],
}

/// A row of the table.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Kind(usize);

const NO_SPACE: Act = Act::Fail(Errno::ENOSPC);
const NO_QUOTA: Act = Act::Fail(Errno::EDQUOT);
const BROKEN: Act = Act::Fail(Errno::EIO);
const NO_HANDLE: Act = Act::Fail(Errno::EMFILE);
const INTERRUPTED: Act = Act::Fail(Errno::EINTR);
const DENIED: Act = Act::Fail(Errno::EACCES);
const RESET: Act = Act::Fail(Errno::ECONNRESET);

const ROWS: [Row; 19] = [
    Row {
        name: "open",
        calls: &[(libc::SYS_openat, 1), (libc::SYS_openat2, 1), (libc::SYS_open, 0)],
        on: On::Path,
        acts: &[NO_SPACE, BROKEN, NO_HANDLE, INTERRUPTED, NO_QUOTA, DENIED],
    },
    Row {
        name: "read",
        calls: &[
            (libc::SYS_read, 0),
            (libc::SYS_pread64, 0),
            (libc::SYS_readv, 0),
            (libc::SYS_preadv, 0),
        ],
        on: On::File,
        acts: &[BROKEN, INTERRUPTED, Act::Half],
    },
    Row {
        name: "write",
        calls: &[
            (libc::SYS_write, 0),
            (libc::SYS_pwrite64, 0),
            (libc::SYS_writev, 0),
            (libc::SYS_pwritev, 0),
        ],
        on: On::File,
        acts: &[NO_SPACE, BROKEN, NO_QUOTA, INTERRUPTED, Act::Half],
    },
    Row {
        name: "copy",
        calls: &[(libc::SYS_copy_file_range, 2)],
        on: On::File,
        acts: &[NO_SPACE, BROKEN, NO_QUOTA, INTERRUPTED, Act::Fail(Errno::EXDEV)],
    },
    Row {
        name: "fsync",
        calls: &[(libc::SYS_fsync, 0), (libc::SYS_fdatasync, 0)],
        on: On::File,
        acts: &[BROKEN, NO_SPACE, NO_QUOTA, INTERRUPTED],
    },
    Row {
        name: "rename",
        calls: &[(libc::SYS_renameat2, 1), (libc::SYS_renameat, 1), (libc::SYS_rename, 0)],
        on: On::Path,
        acts: &[NO_SPACE, BROKEN, NO_QUOTA, DENIED, INTERRUPTED],
    },
    Row {
        name: "mkdir",
        calls: &[(libc::SYS_mkdirat, 1), (libc::SYS_mkdir, 0)],
        on: On::Path,
        acts: &[NO_SPACE, NO_QUOTA, BROKEN, DENIED, INTERRUPTED],
    },
    Row {
        name: "unlink",
        calls: &[(libc::SYS_unlinkat, 1), (libc::SYS_unlink, 0), (libc::SYS_rmdir, 0)],
        on: On::Path,
        acts: &[BROKEN, DENIED, INTERRUPTED],
    },
    Row {
        name: "stat",
        calls: &[(libc::SYS_statx, 1), (libc::SYS_newfstatat, 1), (libc::SYS_stat, 0)],
        on: On::Path,
        acts: &[BROKEN, DENIED, INTERRUPTED],
    },
    Row { name: "fstat", calls: &[(libc::SYS_fstat, 0)], on: On::File, acts: &[BROKEN] },
    Row { name: "statfs", calls: &[(libc::SYS_fstatfs, 0)], on: On::File, acts: &[BROKEN] },
    Row {
        name: "getdents",
        calls: &[(libc::SYS_getdents64, 0)],
        on: On::File,
        acts: &[BROKEN, INTERRUPTED],
    },
    Row {
        name: "utimens",
        calls: &[(libc::SYS_utimensat, 0)],
        on: On::File,
        acts: &[BROKEN, Act::Fail(Errno::EPERM)],
    },
    Row { name: "dup", calls: &[(libc::SYS_fcntl, 0)], on: On::Handle, acts: &[NO_HANDLE] },
    Row {
        name: "close",
        calls: &[(libc::SYS_close, 0)],
        on: On::File,
        acts: &[BROKEN, NO_SPACE, NO_QUOTA, INTERRUPTED],
    },
    Row {
        name: "socket",
        calls: &[(libc::SYS_socket, 0)],
        on: On::Nothing,
        acts: &[NO_HANDLE, Act::Fail(Errno::ENOBUFS)],
    },
    Row {
        name: "connect",
        calls: &[(libc::SYS_connect, 0)],
        on: On::Socket,
        acts: &[Act::Fail(Errno::ECONNREFUSED), Act::Fail(Errno::ETIMEDOUT), INTERRUPTED],
    },
    Row {
        name: "send",
        calls: &[
            (libc::SYS_sendto, 0),
            (libc::SYS_sendmsg, 0),
            (libc::SYS_write, 0),
            (libc::SYS_writev, 0),
        ],
        on: On::Socket,
        acts: &[RESET, Act::Fail(Errno::EPIPE), INTERRUPTED],
    },
    Row {
        name: "receive",
        calls: &[
            (libc::SYS_recvfrom, 0),
            (libc::SYS_recvmsg, 0),
            (libc::SYS_read, 0),
            (libc::SYS_readv, 0),
        ],
        on: On::Socket,
        acts: &[RESET, BROKEN, INTERRUPTED],
    },
];

impl Kind {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..ROWS.len()).map(Self)
    }

    pub(super) fn row(self) -> &'static Row {
        &ROWS[self.0]
    }

    /// The kinds that a call may be of, each with the argument that says what it is about.
    pub(super) fn of(call: c_long) -> impl Iterator<Item = (Self, usize)> {
        Self::all().filter_map(move |kind| {
            let mut calls = kind.row().calls.iter();
            calls.find(|(number, _)| *number == call).map(|(_, argument)| (kind, *argument))
        })
    }

    /// Whether it failed after it was done: the kernel gives a handle back all the same (`man 2 close`).
    pub(super) fn is_made_anyway(self) -> bool {
        self.row().name == "close"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_on_a_file_and_on_a_socket_are_two_kinds() {
        let names = |call| Kind::of(call).map(|(kind, _)| kind.row().name).collect::<Vec<_>>();
        assert_eq!(names(libc::SYS_write), ["write", "send"]);
        assert_eq!(names(libc::SYS_renameat2), ["rename"]);
        assert!(names(libc::SYS_futex).is_empty());
    }

    #[test]
    fn every_kind_has_a_name_of_its_own_and_can_fail() {
        let mut names: Vec<&str> = Kind::all().map(|kind| kind.row().name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
        assert!(Kind::all().all(|kind| !kind.row().acts.is_empty()));
    }
}
