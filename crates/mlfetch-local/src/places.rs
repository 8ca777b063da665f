//! From the root to a place below it, one name at a time, and never out.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use mlfetch_store::Key;
use rustix::fs::{FileType, Mode, OFlags, openat, readlinkat};
use rustix::io::{Errno, retry_on_intr};

use crate::config::Symlinks;
use crate::error::{LinkProblem, Problem};
use crate::facts::Facts;
use crate::names::join;
use crate::root::Root;

/// As many as Linux follows on one way.
const MAX_LINKS: usize = 40;

/// Where names led.
#[derive(Debug)]
pub(crate) enum Place {
    /// A directory, by a handle that is good for going on from it.
    Directory(Arc<OwnedFd>),
    /// Something else, by its own name in its directory.
    Other(Other),
}

/// Something that is not a directory.
#[derive(Debug)]
pub(crate) struct Other {
    pub(crate) parent: Arc<OwnedFd>,
    pub(crate) name: Vec<u8>,
    pub(crate) facts: Facts,
    /// Whether the name is a link that the system may follow wherever it leads.
    pub(crate) through_link: bool,
}

/// A directory to go on from, which need not be readable for that.
#[cfg(target_os = "linux")]
pub(crate) const HANDLE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
pub(crate) const HANDLE: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// Goes from the root to where `names` lead. Links are resolved here and not by the system, so that
/// each step stays below the root, whatever is renamed or replaced meanwhile.
pub(crate) fn walk(root: &Root, names: &[&[u8]]) -> Result<Place, Problem> {
    Walk {
        root,
        names,
        arrived: 0,
        detour: VecDeque::new(),
        trail: Vec::new(),
        directory: root.handle(),
        links: 0,
    }
    .run()
}

struct Walk<'a> {
    root: &'a Root,
    /// The names that were asked for, and how many of them were met.
    names: &'a [&'a [u8]],
    arrived: usize,
    /// Names that a link put in, before the next of those asked for.
    detour: VecDeque<Vec<u8>>,
    /// The names of `directory` from the root, without links.
    trail: Vec<Vec<u8>>,
    directory: Arc<OwnedFd>,
    links: usize,
}

impl Walk<'_> {
    fn run(mut self) -> Result<Place, Problem> {
        while let Some((name, from_link)) = self.next_name() {
            if let Some(other) = self.step(&name, from_link)? {
                return match self.next_name() {
                    None => Ok(Place::Other(other)),
                    Some((_, true)) => Err(self.link(LinkProblem::Dangling)),
                    Some((_, false)) => Err(Problem::NotDirectory),
                };
            }
        }
        Ok(Place::Directory(self.directory))
    }

    fn next_name(&mut self) -> Option<(Vec<u8>, bool)> {
        if let Some(name) = self.detour.pop_front() {
            return Some((name, true));
        }
        let name = self.names.get(self.arrived)?;
        self.arrived += 1;
        Some((name.to_vec(), false))
    }

    /// Enters a directory or follows a link; anything else is given back.
    fn step(&mut self, name: &[u8], from_link: bool) -> Result<Option<Other>, Problem> {
        if from_link && name == b".." {
            return self.go_up().map(|()| None);
        }
        let facts = Facts::at(&self.directory, name).map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR if from_link => self.link(LinkProblem::Dangling),
            other => Problem::System(other),
        })?;
        match facts.kind {
            FileType::Directory => self.enter(name, OFlags::NOFOLLOW).map(|()| None),
            FileType::Symlink => self.follow(name),
            _ => Ok(Some(self.other(name, facts, false))),
        }
    }

    fn other(&self, name: &[u8], facts: Facts, through_link: bool) -> Other {
        Other { parent: Arc::clone(&self.directory), name: name.to_vec(), facts, through_link }
    }

    fn enter(&mut self, name: &[u8], flags: OFlags) -> Result<(), Problem> {
        self.directory = Arc::new(enter(&self.directory, name, flags)?);
        self.trail.push(name.to_vec());
        Ok(())
    }

    /// Goes back by the names that led here: a directory's own `..` may be another by now.
    fn go_up(&mut self) -> Result<(), Problem> {
        if self.trail.pop().is_none() {
            return Err(self.link(LinkProblem::Outside));
        }
        self.directory = self.root.handle();
        for name in &self.trail {
            self.directory = Arc::new(enter(&self.directory, name, OFlags::NOFOLLOW)?);
        }
        Ok(())
    }

    fn follow(&mut self, name: &[u8]) -> Result<Option<Other>, Problem> {
        match self.root.config().symlinks {
            Symlinks::Follow => {}
            Symlinks::Skip => return Err(self.link(LinkProblem::Policy("skip"))),
            Symlinks::Error => return Err(self.link(LinkProblem::Policy("error"))),
        }
        if self.root.config().symlinks_outside {
            return self.follow_anywhere(name);
        }
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(self.link(LinkProblem::Circle));
        }
        let target = readlinkat(&self.directory, name, Vec::new())?.into_bytes();
        let target = self.below_root(&target)?;
        for part in target.rsplit(|byte| *byte == b'/') {
            if !part.is_empty() && part != b"." {
                self.detour.push_front(part.to_vec());
            }
        }
        Ok(None)
    }

    /// An absolute target is followed from the root, if it names the root first.
    fn below_root<'t>(&mut self, target: &'t [u8]) -> Result<&'t [u8], Problem> {
        if !target.starts_with(b"/") {
            return Ok(target);
        }
        let Some(rest) = self.root.strip(target) else {
            return Err(self.link(LinkProblem::Outside));
        };
        self.directory = self.root.handle();
        self.trail.clear();
        Ok(rest)
    }

    /// Leaves it to the system where a link leads.
    fn follow_anywhere(&mut self, name: &[u8]) -> Result<Option<Other>, Problem> {
        let facts = Facts::behind(&self.directory, name).map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR => self.link(LinkProblem::Dangling),
            Errno::LOOP => self.link(LinkProblem::Circle),
            other => Problem::System(other),
        })?;
        if facts.kind == FileType::Directory {
            return self.enter(name, OFlags::empty()).map(|()| None);
        }
        Ok(Some(self.other(name, facts, true)))
    }

    /// What is wrong with the link that was asked for by name.
    fn link(&self, problem: LinkProblem) -> Problem {
        Problem::Link(self.link_key(), problem)
    }

    fn link_key(&self) -> Key {
        join(&self.names[..self.arrived])
    }
}

pub(crate) fn enter(parent: &OwnedFd, name: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| openat(parent, name, HANDLE | flags, Mode::empty()))
}
