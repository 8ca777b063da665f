//! Directories of the destination become links that lead outside, and directories again, while files
//! arrive.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::super::fetch::Running;
use super::super::random::Random;
use super::super::tree::Tree;
use super::{Lab, Report, whole};
use crate::interrupt;

/// No run may take longer, and some run has met a link until then.
const LIMIT: Duration = Duration::from_mins(2);

/// The longest that a directory stays what it is, in microseconds.
const STAYS: u64 = 60;

/// What each run is told besides; each writes, and one removes what it does not know.
const FLAGS: [&[&str]; 3] =
    [&["--overwrite=always"], &["--overwrite=always", "--delete-extraneous"], &[]];

/// Exit codes of a fetch that met a link, and did not write through it.
const MET: [i32; 2] = [7, 8];

/// Swaps so often while files arrive, and looks at what lies outside.
pub(super) fn run(lab: &Lab) -> Result<Report> {
    let (wanted, files) = if lab.is_full { (100_000, 10_000) } else { (5_000, 1_000) };
    let desk = lab.desk()?;
    let tree = tree(files);
    let source = lab.disk(&tree)?;
    let swapper = Swapper::set_up(desk.path(), &tree)?;
    let outside = snapshot(&swapper.outside)?;
    let (swaps, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let (mut runs, mut met, mut findings) = (0, 0_u64, Vec::new());
    thread::scope(|scope| {
        let swapping = scope.spawn(|| swapper.swap(&swaps, &is_over));
        let mut fetch = || -> Result<()> {
            let begun = Instant::now();
            let is_tried = |met: u64| met > 0 && swaps.load(Ordering::Relaxed) >= wanted;
            while !is_tried(met) && !swapping.is_finished() && begun.elapsed() < LIMIT {
                interrupt::check()?;
                let mut command = source.fetch(&lab.program, &swapper.destination);
                command.arg("--keep-going").args(FLAGS[runs % FLAGS.len()]);
                let ended = Running::start(&mut command, desk.path())?.wait(LIMIT)?;
                let code = ended.status.and_then(|status| status.code());
                runs += 1;
                met += u64::from(code.is_some_and(|code| MET.contains(&code)));
                if code != Some(0) && !code.is_some_and(|code| MET.contains(&code))
                    || ended.errors.contains("panicked")
                {
                    findings.push(format!("{code:?}: {}", ended.errors));
                }
                lab.tell(&format!("{code:?} after {} swaps", swaps.load(Ordering::Relaxed)));
            }
            Ok(())
        };
        let fetched = fetch();
        is_over.store(true, Ordering::Relaxed);
        let result = swapping.join().unwrap_or_else(|_| bail!("the swapping panicked"));
        fetched.and(result)
    })?;
    findings.extend(difference(&outside, &snapshot(&swapper.outside)?));
    if met == 0 {
        findings.push("no run ever met a link: nothing was tried".to_owned());
    }
    let mut command = source.fetch(&lab.program, &swapper.destination);
    let ended = Running::start(command.arg("--delete-extraneous"), desk.path())?.wait(LIMIT)?;
    findings.extend(whole(&tree, &ended, &swapper.destination)?);
    let swaps = swaps.into_inner();
    Ok(Report {
        what: "directories become links".to_owned(),
        done: format!("{swaps} swaps in {runs} runs of {files} files; {met} runs met a link"),
        findings,
        table: None,
    })
}

/// Small files in a hundred directories, two levels deep.
fn tree(files: usize) -> Tree {
    let mut random = Random::new(1, &["links"]);
    let files = (0..files).map(|number| {
        let name = format!("a{}/b{}/f{number:04}.bin", number / 10 % 10, number % 10);
        (name, random.bytes(10 + number % 500))
    });
    Tree { name: "torture-links".to_owned(), files: files.collect() }
}

/// Turns directories into links and back.
struct Swapper {
    destination: PathBuf,
    outside: PathBuf,
    /// A link for each directory, and the directory while the link has its name.
    aside: PathBuf,
    names: Vec<String>,
}

impl Swapper {
    fn set_up(desk: &Path, tree: &Tree) -> Result<Self> {
        let at = |name: &str| desk.join(name);
        let upper = (0..10).map(|upper| format!("a{upper}"));
        let lower = (0..100).map(|number| format!("a{}/b{}", number / 10, number % 10));
        let swapper = Self {
            destination: at("tree"),
            outside: at("outside"),
            aside: at("aside"),
            names: upper.chain(lower).collect(),
        };
        // Files of somebody else with the names of those that come, and one that does not.
        let mut theirs = tree.clone();
        theirs.files.values_mut().for_each(|bytes| *bytes = b"theirs".to_vec());
        let own = swapper.names.iter().map(|name| (format!("{name}/own.txt"), b"theirs".to_vec()));
        theirs.files.extend(own);
        theirs.write(&swapper.outside)?;
        fs::create_dir(&swapper.aside).context("cannot make a directory for links")?;
        for name in &swapper.names {
            swapper.link(name)?;
        }
        Ok(swapper)
    }

    fn link(&self, name: &str) -> Result<()> {
        symlink(self.outside.join(name), self.beside(name)).context("cannot make a link")
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.aside.join(name.replace('/', "-"))
    }

    fn swap(&self, swaps: &AtomicU64, is_over: &AtomicBool) -> Result<()> {
        let mut random = Random::new(1, &["swaps"]);
        while !is_over.load(Ordering::Relaxed) {
            let Some(name) = random.pick(&self.names) else { return Ok(()) };
            if !self.exchange(name)? {
                continue;
            }
            pause(&mut random);
            self.put_back(name)?;
            swaps.fetch_add(2, Ordering::Relaxed);
            pause(&mut random);
        }
        Ok(())
    }

    /// In one step: no moment has neither. Says whether the directory was there.
    fn exchange(&self, name: &str) -> Result<bool> {
        let (inside, beside) = (self.destination.join(name), self.beside(name));
        let flags = RenameFlags::RENAME_EXCHANGE;
        match renameat2(AT_FDCWD, &inside, AT_FDCWD, &beside, flags) {
            Ok(()) => Ok(true),
            Err(nix::errno::Errno::ENOENT) => Ok(false),
            Err(errno) => Err(errno).with_context(|| format!("cannot swap `{name}`")),
        }
    }

    /// The directory gets its name again, whatever the program made of the link meanwhile.
    fn put_back(&self, name: &str) -> Result<()> {
        let beside = self.beside(name);
        while !self.exchange(name)? {
            // The link was removed, which is the program's right: it lies in the destination.
            match fs::rename(&beside, self.destination.join(name)) {
                Ok(()) => return self.link(name),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    // So was the directory above it.
                    fs::remove_dir_all(&beside).context("cannot remove a directory")?;
                    return self.link(name);
                }
                // The program made it anew.
                Err(_) => {}
            }
        }
        if beside.is_symlink() {
            return Ok(());
        }
        fs::remove_dir_all(&beside).context("cannot remove a directory")?;
        self.link(name)
    }
}

/// Some microseconds, too few to sleep.
fn pause(random: &mut Random) {
    let (begun, time) = (Instant::now(), Duration::from_micros(random.below(STAYS)));
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// All that lies below a directory, with the bytes of files and where links lead.
fn snapshot(place: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![place.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).context("cannot list what lies outside")? {
            let path = entry?.path();
            let bytes = if path.is_symlink() {
                fs::read_link(&path)?.into_os_string().into_encoded_bytes()
            } else if path.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path)?
            };
            found.insert(path, bytes);
        }
    }
    Ok(found)
}

/// What is not as it was, in words.
fn difference(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
) -> Vec<String> {
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let gone = gone.map(|path| format!("outside, `{}` is gone", path.display()));
    let other = after.iter().filter(|(path, bytes)| before.get(*path) != Some(*bytes));
    let other = other.map(|(path, _)| format!("outside, `{}` is new or another", path.display()));
    gone.chain(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_compared_to_the_byte() {
        let place = tempfile::tempdir().expect("a directory");
        let tree = tree(200);
        tree.write(place.path()).expect("written");
        let before = snapshot(place.path()).expect("listed");
        assert!(difference(&before, &before).is_empty());
        fs::write(place.path().join("a1/b1/new"), "x").expect("written");
        fs::write(place.path().join("a0/b1/f0001.bin"), "x").expect("written");
        fs::remove_file(place.path().join("a0/b0/f0000.bin")).expect("removed");
        let after = snapshot(place.path()).expect("listed");
        assert_eq!(difference(&before, &after).len(), 3);
    }

    #[test]
    fn a_directory_comes_back_whatever_became_of_the_link() {
        let desk = tempfile::tempdir().expect("a directory");
        let tree = tree(200);
        let swapper = Swapper::set_up(desk.path(), &tree).expect("set up");
        tree.write(&swapper.destination).expect("written");
        let inside = swapper.destination.join("a3");
        for what in ["nothing", "removed", "made anew"] {
            assert!(swapper.exchange("a3").expect("swapped") && inside.is_symlink());
            if what != "nothing" {
                fs::remove_file(&inside).expect("removed");
            }
            if what == "made anew" {
                fs::create_dir(&inside).expect("made");
                fs::write(inside.join("f"), "x").expect("written");
            }
            swapper.put_back("a3").expect("put back");
            assert!(swapper.beside("a3").is_symlink(), "{what}");
            assert!(tree.compare(&swapper.destination).expect("compared").wrong.is_empty());
        }
    }
}
