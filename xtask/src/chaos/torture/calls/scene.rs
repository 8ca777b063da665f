//! What the program does while a call of it fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::super::super::fetch::Running;
use super::super::super::site::Backend;
use super::super::super::tree::{BIG_BYTES, Found, MIB, Tree};
use super::super::{Lab, Source};
use super::kinds::Kind;
use super::round::{Outcome, Round, judge};
use super::tracer::{self, Traced};

/// No run may take longer.
const LIMIT: Duration = Duration::from_mins(1);

/// What keeps a tree that was there, where one appears by a rename.
const BACKUP: &str = "tree.old";

/// A fetch, always the same.
pub(super) struct Scene {
    name: &'static str,
    flags: &'static [&'static str],
    source: Source,
    tree: Tree,
    /// What lies in the destination before.
    before: BTreeMap<String, Vec<u8>>,
}

impl Scene {
    /// From the disk and from a server, with a file that comes in parts; over what is there already;
    /// with one rename at the end; and with one by which a tree that was there gets another name.
    pub(super) fn all(lab: &Lab) -> Result<[Self; 5]> {
        let big = Tree::new("torture-big", &[0, 1000, 70_000, 2 * MIB, BIG_BYTES]);
        let small = Tree::new("torture-small", &[0, 1000, 30_000, 65_537, 100_000, 2 * MIB]);
        let mut before = BTreeMap::new();
        for (index, (name, bytes)) in small.files.iter().enumerate() {
            match index % 3 {
                0 => before.insert(name.clone(), bytes.clone()),
                1 => before.insert(name.clone(), b"old".repeat(index + 1)),
                _ => None,
            };
        }
        before.insert("d/no-longer/there.bin".to_owned(), b"old".to_vec());
        let scene = |name, flags, source, tree: &Tree| Self {
            name,
            flags,
            source,
            tree: tree.clone(),
            before: BTreeMap::new(),
        };
        let server = lab.site(Backend::S3, &small)?;
        let again = scene("again", &["--fsync", "--delete-extraneous"], server, &small);
        let atomic = ["--fsync", "--atomic-dir", "--backup=.old"].as_slice();
        let backup = scene("backup", atomic, lab.disk(&small)?, &small);
        let old = Tree::new("torture-old", &[10, 20, 30]).files;
        Ok([
            scene("disk", &["--fsync"], lab.disk(&big)?, &big),
            scene("s3", &["--fsync"], lab.site(Backend::S3, &big)?, &big),
            Self { before, ..again },
            scene("atomic", &["--fsync", "--atomic-dir"], lab.disk(&small)?, &small),
            Self { before: old, ..backup },
        ])
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The calls of a run in which nothing fails.
    pub(super) fn count(&self, lab: &Lab) -> Result<BTreeMap<Kind, u64>> {
        let desk = self.desk(lab)?;
        let place = desk.path().join("tree");
        self.prepare(&place)?;
        let Traced { ended, counts, .. } =
            tracer::run(&self.command(lab, &place), desk.path(), None, LIMIT)?;
        let problems = super::super::whole(&self.tree, &ended, &place)?;
        if !problems.is_empty() {
            bail!("without a fault: {problems:?}");
        }
        Ok(counts)
    }

    /// A run in which a call fails, and one in which none does.
    pub(super) fn run(&self, lab: &Lab, round: &Round) -> Result<Outcome> {
        let desk = self.desk(lab)?;
        let place = desk.path().join("tree");
        self.prepare(&place)?;
        let command = self.command(lab, &place);
        let traced = tracer::run(&command, desk.path(), Some(round.fault()), LIMIT)?;
        let (ended, about) = (traced.ended, traced.hit);
        let is_whole = ended.status.is_some_and(|status| status.success());
        let mut problems = judge(&ended, &self.compare(&place)?, &beside(desk.path())?);
        problems.extend(self.look_for_the_old(desk.path())?);
        if self.has_appeared(&place)? {
            // By its one rename: no second run may touch it, and none is needed.
            return Ok(Outcome { about, is_whole, said: ended.errors, problems });
        }
        let mut command = self.command(lab, &place);
        let again = Running::start(&mut command, desk.path())?.wait(LIMIT)?;
        let mut later = super::super::whole(&self.tree, &again, &place)?;
        later.extend(self.look_for_the_old(desk.path())?);
        let left = beside(desk.path())?;
        if !left.is_empty() {
            later.push(format!("left beside it: {left:?}"));
        }
        problems.extend(later.into_iter().map(|problem| format!("run again, {problem}")));
        Ok(Outcome { about, is_whole, said: ended.errors, problems })
    }

    /// In memory no space is reserved, and on a disk everything takes longer: one scene is there.
    fn desk(&self, lab: &Lab) -> Result<TempDir> {
        if self.name == "disk" { Lab::desk_on_disk() } else { lab.desk() }
    }

    /// Whether the tree is there by one rename.
    fn has_appeared(&self, place: &Path) -> Result<bool> {
        let found = self.tree.compare(place)?;
        let is_atomic = self.flags.contains(&"--atomic-dir");
        Ok(is_atomic && found.missing.is_empty() && found.wrong.is_empty())
    }

    /// What was there before is there, under its name or that of a backup.
    fn look_for_the_old(&self, desk: &Path) -> Result<Option<String>> {
        if !self.flags.iter().any(|flag| flag.starts_with("--backup")) {
            return Ok(None);
        }
        let old = Tree { name: String::new(), files: self.before.clone() };
        for name in ["tree", BACKUP] {
            let found = old.compare(&desk.join(name))?;
            if found.missing.is_empty() && found.wrong.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some("what was there before is gone, or in pieces".to_owned()))
    }

    fn command(&self, lab: &Lab, place: &Path) -> Command {
        let mut command = self.source.fetch(&lab.program, place);
        command.args(self.flags);
        command
    }

    fn prepare(&self, place: &Path) -> Result<()> {
        Tree { name: String::new(), files: self.before.clone() }.write(place)
    }

    /// Holds the destination to the tree. What was there before may still be there.
    fn compare(&self, place: &Path) -> Result<Found> {
        let mut either = self.tree.clone();
        for (name, old) in &self.before {
            if fs::read(place.join(name)).is_ok_and(|bytes| bytes == *old) {
                either.files.insert(name.clone(), old.clone());
            }
        }
        let mut found = either.compare(place)?;
        // It is not the new file yet.
        let stays = |name: &&String| self.tree.files.get(*name) != either.files.get(*name);
        found.missing.extend(either.files.keys().filter(stays).cloned());
        Ok(found)
    }
}

/// What lies beside a tree and is not its own.
fn beside(desk: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(desk).context("cannot list a run's directory")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !["tree", "errors", "output", BACKUP].contains(&name.as_str()) {
            names.push(name);
        }
    }
    Ok(names)
}
