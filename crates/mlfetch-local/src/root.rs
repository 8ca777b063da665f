//! The directory that everything is read from.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode, OFlags, openat};
use rustix::io::{Errno, retry_on_intr};

use crate::LocalConfig;
use crate::error::Problem;
use crate::facts::Facts;
use crate::places::{HANDLE, Other, Place, walk};

/// An open directory, and how links below it are treated.
#[derive(Debug)]
pub(crate) struct Root {
    directory: Arc<OwnedFd>,
    /// Its absolute path as it was named, and without links: absolute links may begin with either.
    paths: Vec<Vec<u8>>,
    config: LocalConfig,
}

impl Root {
    /// Opens a directory. Links in `path` itself are followed: the caller chose it.
    pub(crate) fn open(path: &Path, config: LocalConfig) -> Result<Self, Errno> {
        let directory = retry_on_intr(|| openat(CWD, path, HANDLE, Mode::empty()))?;
        let named = std::path::absolute(path).ok();
        let paths = named.into_iter().chain(std::fs::canonicalize(path).ok());
        let paths = paths.map(|path| path.as_os_str().as_bytes().to_vec()).collect();
        Ok(Self { directory: Arc::new(directory), paths, config })
    }

    pub(crate) fn config(&self) -> &LocalConfig {
        &self.config
    }

    /// The root as a directory to go on from.
    pub(crate) fn handle(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.directory)
    }

    /// What follows the root's own path in an absolute one.
    pub(crate) fn strip<'t>(&self, target: &'t [u8]) -> Option<&'t [u8]> {
        self.paths.iter().find_map(|path| {
            let rest = target.strip_prefix(path.as_slice())?;
            (rest.is_empty() || rest.starts_with(b"/") || path.ends_with(b"/")).then_some(rest)
        })
    }

    /// Where names lead. The system's own guarded look-up is asked first, and goes the whole way in
    /// one call; where it is missing, forbidden or says no, the walk by name decides and explains.
    pub(crate) fn find(&self, names: &[&[u8]]) -> Result<Place, Problem> {
        match fast::find(self, names) {
            Some(place) => Ok(place),
            None => walk(self, names),
        }
    }

    /// Opens a file for reading, and says what was opened.
    pub(crate) fn open_file(&self, names: &[&[u8]]) -> Result<(File, Facts), Problem> {
        let other = match self.find(names)? {
            Place::Directory(_) => return Err(Problem::IsDirectory),
            Place::Other(other) => other,
        };
        // Opening a pipe waits for its writer, opening a device may set it in motion.
        require_file(&other.facts)?;
        let file = open_for_reading(&other)?;
        let facts = Facts::of(&file)?;
        require_file(&facts)?;
        Ok((File::from(file), facts))
    }

    /// Opens a directory so that its names can be read.
    pub(crate) fn open_directory(&self, names: &[&[u8]]) -> Result<OwnedFd, Problem> {
        let Place::Directory(handle) = self.find(names)? else {
            return Err(Problem::NotDirectory);
        };
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(retry_on_intr(|| openat(&handle, ".", flags, Mode::empty()))?)
    }
}

/// Anything but a plain file is refused by its kind.
pub(crate) fn require_file(facts: &Facts) -> Result<(), Problem> {
    match facts.kind {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(Problem::IsDirectory),
        other => Err(Problem::Special(other)),
    }
}

/// What was a plain file a moment ago may be a pipe now: not waiting for a writer costs nothing.
fn open_for_reading(other: &Other) -> Result<OwnedFd, Errno> {
    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if !other.through_link {
        flags |= OFlags::NOFOLLOW;
    }
    retry_on_intr(|| openat(&other.parent, other.name.as_slice(), flags, Mode::empty()))
}

/// The way to a place in one system call, where the kernel has one that cannot leave the root.
#[cfg(target_os = "linux")]
mod fast {
    use std::sync::Arc;

    use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, openat2};

    use super::Root;
    use crate::Symlinks;
    use crate::facts::Facts;
    use crate::places::{HANDLE, Other, Place, enter};

    pub(super) fn find(root: &Root, names: &[&[u8]]) -> Option<Place> {
        let Some((name, above)) = names.split_last() else {
            return Some(Place::Directory(root.handle()));
        };
        let parent = if above.is_empty() {
            root.handle()
        } else {
            let mut resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
            if root.config.symlinks != Symlinks::Follow {
                resolve |= ResolveFlags::NO_SYMLINKS;
            }
            let path = above.join(&b'/');
            Arc::new(openat2(&root.directory, path, HANDLE, Mode::empty(), resolve).ok()?)
        };
        let facts = Facts::at(&parent, name).ok()?;
        match facts.kind {
            FileType::Symlink => None,
            FileType::Directory => {
                Some(Place::Directory(Arc::new(enter(&parent, name, OFlags::NOFOLLOW).ok()?)))
            }
            _ => Some(Place::Other(Other {
                parent,
                name: name.to_vec(),
                facts,
                through_link: false,
            })),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod fast {
    pub(super) fn find(_: &super::Root, _: &[&[u8]]) -> Option<crate::places::Place> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::Symlinks;
    use crate::error::LinkProblem;

    /// Files and links of every sort; `inside.txt` is the only one that has bytes.
    fn tree() -> (tempfile::TempDir, Vec<&'static str>) {
        let home = tempfile::tempdir().expect("a directory");
        let root = home.path().join("root");
        fs::create_dir_all(root.join("a/b")).expect("directories");
        fs::write(root.join("a/b/inside.txt"), "inside").expect("a file");
        fs::write(home.path().join("outside.txt"), "outside").expect("a file");
        let links = [
            ("file-link", "a/b/inside.txt"),
            ("directory-link", "a/b"),
            ("a/up", "../a/b"),
            ("a/over", "../../outside.txt"),
            ("a/through", "../../root/a/b"),
            ("chain", "directory-link/inside.txt"),
            ("dangling", "nowhere"),
            ("below-a-file", "a/b/inside.txt/x"),
            ("self", "self"),
            ("root-link", "."),
            ("absolute-outside", "/"),
        ];
        for (link, target) in links {
            symlink(target, root.join(link)).expect("a link");
        }
        symlink(root.join("a/b"), root.join("absolute-inside")).expect("a link");
        let mut names: Vec<&str> = links.map(|(link, _)| link).to_vec();
        names.extend(["a/b/inside.txt", "a/b", "directory-link/inside.txt", "a/up/inside.txt"]);
        names.extend(["absolute-inside/inside.txt", "absolute-outside/etc", "root-link/a/b"]);
        names.extend(["a/through/inside.txt", "a/b/none", "none", "a/b/inside.txt/x"]);
        (home, names)
    }

    fn describe(place: Result<Place, Problem>) -> String {
        match place {
            Ok(Place::Directory(handle)) => format!("{:?}", Facts::of(&handle)),
            Ok(Place::Other(other)) => format!("{:?}", Ok::<_, Errno>(other.facts)),
            Err(problem) => format!("{problem:?}"),
        }
    }

    #[test]
    fn the_fast_way_and_the_walk_by_name_lead_to_the_same_places() {
        let (home, names) = tree();
        for symlinks in [Symlinks::Follow, Symlinks::Skip, Symlinks::Error] {
            let config = LocalConfig::default().with_symlinks(symlinks);
            let root = Root::open(&home.path().join("root"), config).expect("a root");
            for name in &names {
                let segments: Vec<&[u8]> = name.split('/').map(str::as_bytes).collect();
                let fast = describe(root.find(&segments));
                assert_eq!(fast, describe(walk(&root, &segments)), "{name} {symlinks:?}");
            }
        }
    }

    #[test]
    fn a_walk_goes_through_links_inside_and_never_out() {
        let (home, _) = tree();
        let root = Root::open(&home.path().join("root"), LocalConfig::default()).expect("a root");
        let file = |name: &str| {
            let names: Vec<&[u8]> = name.split('/').map(str::as_bytes).collect();
            walk(&root, &names).map(|place| matches!(place, Place::Other(_)))
        };
        for inside in ["file-link", "chain", "a/up/inside.txt", "absolute-inside/inside.txt"] {
            assert!(file(inside).expect("a file"), "{inside}");
        }
        for (name, expected) in [
            ("a/over", LinkProblem::Outside),
            ("a/through/inside.txt", LinkProblem::Outside),
            ("absolute-outside/etc", LinkProblem::Outside),
            ("dangling", LinkProblem::Dangling),
            ("below-a-file", LinkProblem::Dangling),
            ("self", LinkProblem::Circle),
        ] {
            let problem = file(name).expect_err(name);
            assert!(matches!(problem, Problem::Link(_, why) if why == expected), "{problem:?}");
        }
    }

    #[test]
    fn an_absolute_target_is_stripped_at_whole_names_only() {
        let home = tempfile::tempdir().expect("a directory");
        let root = Root::open(home.path(), LocalConfig::default()).expect("a root");
        let path = home.path().as_os_str().as_bytes();
        assert_eq!(root.strip(&[path, b"/x"].concat()), Some(b"/x".as_slice()));
        assert_eq!(root.strip(path), Some(b"".as_slice()));
        assert_eq!(root.strip(&[path, b"-other/x"].concat()), None);
    }
}
