//! Of several processes that bring the same to one destination, one goes ahead and the others wait for
//! it: a mark in its staging directory says what it brings.
//!
//! A mark is no lock: it goes with its process, and where it cannot be made or seen, several go ahead.
//! Then each brings all of it, and each file gets its name whole, as if there were no marks.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, openat, renameat, statat, unlinkat};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;

use super::directory::Destination;
use super::left::{entries, is_given_up};
use super::owner::Owner;
use super::staging::{Staging, open_directory};

/// Behind the name of the work in the staging directory of who brings it, and of who is about to.
const BRINGS: &str = ".brings";
const WANTS: &str = ".wants";

/// How long whoever is about to go ahead is waited for: it has three system calls to make.
const LOOK: Duration = Duration::from_millis(1);
const MAX_LOOKS: usize = 100;

/// Another process that brings the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ahead {
    staging: Vec<u8>,
    mark: String,
    /// Its number, if it is a process of this machine.
    pub(crate) process: Option<u32>,
}

impl Destination {
    /// Goes ahead with `work`, a word that names it, unless another process that lives is ahead with
    /// it. Where marks cannot be made there are none.
    pub(crate) fn go_ahead(&self, work: &str) -> Option<Ahead> {
        let _writing = self.begin_writing().ok()?;
        self.staging().ok()?.go_ahead(work)
    }

    /// Lets others go ahead with it.
    pub(crate) fn stand_back(&self, work: &str) {
        if let Some(staging) = self.staging_if_there() {
            staging.unmark(&format!("{work}{BRINGS}"));
        }
    }

    /// Whether it still is ahead, and shows that it lives.
    pub(crate) fn is_ahead(&self, ahead: &Ahead) -> bool {
        self.staging_if_there().is_some_and(|staging| staging.is_ahead(ahead))
    }
}

impl Staging {
    fn go_ahead(&self, work: &str) -> Option<Ahead> {
        let (wants, brings) = (format!("{work}{WANTS}"), format!("{work}{BRINGS}"));
        self.mark(&wants).ok()?;
        let ahead = self.who(&[&brings], |_| true);
        if ahead.is_some() {
            self.unmark(&wants);
            return ahead;
        }
        let directory = self.directory();
        retry_on_intr(|| renameat(directory, &wants, directory, &brings)).ok()?;
        // Others may have come so far in the same moment. The first of them by its name goes ahead, and
        // all see that: whoever wanted to before that was our mark has seen it, or brings it soon.
        let is_first = |name: &[u8]| name < self.name().as_bytes();
        for _ in 0..MAX_LOOKS {
            let ahead = self.who(&[&brings, &wants], is_first)?;
            if ahead.mark == brings {
                self.unmark(&brings);
                return Some(ahead);
            }
            thread::sleep(LOOK);
        }
        None
    }

    fn mark(&self, mark: &str) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        retry_on_intr(|| openat(self.directory(), mark, flags, mode)).map(drop)
    }

    fn unmark(&self, mark: &str) {
        // It goes with the staging directory at the latest.
        let _ = retry_on_intr(|| unlinkat(self.directory(), mark, AtFlags::empty()));
    }

    /// Somebody else who lives and has one of these marks, among those whose names count.
    fn who(&self, marks: &[&str], counts: impl Fn(&[u8]) -> bool) -> Option<Ahead> {
        entries(self.root()).find_map(|entry| {
            let name = entry.file_name().to_bytes();
            let process = Owner::of(name).filter(|_| counts(name))?.process();
            let ahead =
                |mark: &&str| Ahead { staging: name.to_vec(), mark: (*mark).to_owned(), process };
            marks.iter().map(ahead).find(|ahead| self.is_ahead(ahead))
        })
    }

    fn is_ahead(&self, ahead: &Ahead) -> bool {
        let Ahead { staging, mark, .. } = ahead;
        let runs = Owner::of(staging).is_some_and(|owner| owner.may_be_another_that_runs());
        let has_mark = || {
            let directory = open_directory(self.root(), staging);
            directory.is_ok_and(|directory| is_ours(&directory) && is_there(&directory, mark))
        };
        if !runs || !has_mark() {
            return false;
        }
        // One that was stopped is not waited for.
        self.touch();
        !is_given_up(self.root(), staging, self.touched())
    }
}

/// Nobody else can keep this user waiting.
fn is_ours(directory: &OwnedFd) -> bool {
    fstat(directory).is_ok_and(|found| found.st_uid == geteuid().as_raw())
}

fn is_there(directory: &OwnedFd, mark: &str) -> bool {
    let found = retry_on_intr(|| statat(directory, mark, AtFlags::SYMLINK_NOFOLLOW));
    found.is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::{Child, Command};
    use std::time::SystemTime;

    use super::super::owner::name_of;
    use super::*;

    /// A process that lives until this ends, with a staging directory in which these marks are.
    struct Other(Child);

    impl Other {
        fn in_(home: &Path, marks: &[&str]) -> Self {
            let child = Command::new("sleep").arg("600").spawn().expect("a process");
            let staging = home.join(name_of(child.id()));
            fs::create_dir(&staging).expect("made");
            for mark in marks {
                fs::write(staging.join(mark), "").expect("marked");
            }
            Self(child)
        }
    }

    impl Drop for Other {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn destination(home: &Path) -> Destination {
        Destination::open(home).expect("opens")
    }

    #[test]
    fn whoever_brings_it_is_ahead_until_it_ends() {
        let home = tempfile::tempdir().expect("a directory");
        let other = Other::in_(home.path(), &["it.brings"]);
        let ours = destination(home.path());
        assert_eq!(ours.go_ahead("something else"), None);
        let ahead = ours.go_ahead("it").expect("the other is ahead");
        assert_eq!(ahead.process, Some(other.0.id()));
        assert!(ours.is_ahead(&ahead));
        drop(other);
        assert!(!ours.is_ahead(&ahead), "it is gone, and its mark is not");
        assert_eq!(ours.go_ahead("it"), None);
    }

    #[test]
    fn whoever_is_done_with_it_lets_the_others_go_ahead() {
        let home = tempfile::tempdir().expect("a directory");
        let other = Other::in_(home.path(), &["it.brings"]);
        let ours = destination(home.path());
        let ahead = ours.go_ahead("it").expect("the other is ahead");
        fs::remove_file(home.path().join(name_of(other.0.id())).join("it.brings")).expect("gone");
        assert!(!ours.is_ahead(&ahead));
        assert_eq!(ours.go_ahead("it"), None);
        ours.stand_back("it");
        let staging = ours.staging().expect("there");
        assert!(!is_there(staging.directory(), "it.brings"));
    }

    #[test]
    fn of_two_who_go_ahead_in_the_same_moment_the_first_by_name_does() {
        let home = tempfile::tempdir().expect("a directory");
        let ours = destination(home.path());
        let staging = ours.staging().expect("made");
        staging.mark("it.brings").expect("marked");
        let other = Other::in_(home.path(), &["it.brings"]);
        let is_first = |name: &[u8]| name < staging.name().as_bytes();
        let is_theirs = name_of(other.0.id()).as_str() < staging.name();
        assert_eq!(staging.who(&["it.brings"], is_first).is_some(), is_theirs);
    }

    #[test]
    fn whoever_wants_to_and_never_does_is_not_waited_for() {
        let home = tempfile::tempdir().expect("a directory");
        let _other = Other::in_(home.path(), &["it.wants"]);
        assert_eq!(destination(home.path()).go_ahead("it"), None);
    }

    #[test]
    fn nobody_waits_for_one_who_was_stopped() {
        let home = tempfile::tempdir().expect("a directory");
        let other = Other::in_(home.path(), &["it.brings"]);
        let staging = home.path().join(name_of(other.0.id()));
        let long_ago = SystemTime::now() - Duration::from_mins(3);
        for at in [staging.join("it.brings"), staging] {
            fs::File::open(at).expect("there").set_modified(long_ago).expect("set");
        }
        assert_eq!(destination(home.path()).go_ahead("it"), None);
    }

    #[test]
    fn two_fetches_of_one_process_do_not_wait_for_each_other() {
        let home = tempfile::tempdir().expect("a directory");
        let (one, other) = (destination(home.path()), destination(home.path()));
        assert_eq!(one.go_ahead("it"), None);
        assert_eq!(other.go_ahead("it"), None);
    }
}
