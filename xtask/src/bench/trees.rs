//! Trees that are fetched from one server by several tools.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use super::machine;
use super::options::Options;
use super::page::Page;
use super::relay::{Pace, Relay};
use super::rounds::{self, Contestant, Row};
use super::tables;
use crate::report;
use crate::services::Service;

#[derive(clap::Args)]
pub(crate) struct Arguments<W: ValueEnum + Clone + Send + Sync + 'static> {
    /// Which trees; all without one
    #[arg(long, value_enum)]
    work: Vec<W>,
    #[command(flatten)]
    pub(super) options: Options,
}

/// A file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) size_bytes: u64,
}

/// What a tool is to fetch, and where to.
pub(super) struct Job<'a, W> {
    pub(super) work: W,
    pub(super) files: &'a [File],
    pub(super) place: &'a Path,
}

/// A tool, and how it is told to do a job.
pub(super) struct Tool<S: Server> {
    name: &'static str,
    command: fn(&S, &Job<'_, S::Work>) -> Result<Command>,
    is_slow: bool,
}

impl<S: Server> Tool<S> {
    pub(super) const fn new(
        name: &'static str,
        command: fn(&S, &Job<'_, S::Work>) -> Result<Command>,
    ) -> Self {
        Self { name, command, is_slow: false }
    }

    /// One that takes minutes.
    pub(super) const fn slow(
        name: &'static str,
        command: fn(&S, &Job<'_, S::Work>) -> Result<Command>,
    ) -> Self {
        Self { name, command, is_slow: true }
    }
}

/// A server that holds trees. A tree's name is its value on the command line, its title the help.
pub(super) trait Server: Sized + 'static {
    type Work: ValueEnum + Copy + Send + Sync + 'static;

    const SERVICES: &'static [Service];

    /// The floor first.
    const TOOLS: &'static [Tool<Self>];

    /// Puts a tree there, with counts and sizes divided by a number.
    fn seed(&self, work: Self::Work, divisor: u64) -> Result<Vec<File>>;

    /// Where below a directory a tool puts the tree.
    fn root(&self, _tool: &str, _work: Self::Work, place: &Path) -> PathBuf {
        place.to_owned()
    }

    /// Whether the tools find everything there already.
    fn is_kept(_work: Self::Work) -> bool {
        false
    }

    /// Where all tools ask in plain HTTP/1.1; without, their requests are not counted.
    fn address(&self, _work: Self::Work) -> Option<SocketAddr> {
        None
    }

    /// The same at another address, where somebody passes on what is asked.
    fn behind(&self, _address: SocketAddr) -> Option<Self> {
        None
    }
}

impl<W: ValueEnum + Copy + Send + Sync> Arguments<W> {
    pub(super) fn chosen(&self) -> &[W] {
        if self.work.is_empty() { W::value_variants() } else { &self.work }
    }

    /// Measures, and shows tables for each tree.
    pub(super) fn measure<S: Server<Work = W>>(
        &self,
        server: &S,
        directory: &Path,
    ) -> Result<Page> {
        let bench = Bench { server, options: &self.options, directory };
        let mut page = Page::begin(&self.options, &bench.versions(W::value_variants()[0]))?;
        for work in self.chosen() {
            let title = title(*work);
            report::say(&format!("seeding {title}"));
            let files = server.seed(*work, self.options.divisor())?;
            if S::is_kept(*work) {
                // What is fetched in the second of its last change may change again in it: ours
                // does not trust it and fetches it once more.
                thread::sleep(Duration::from_secs(3));
            }
            let rows = bench.rows(*work, &files)?;
            page.section(&title, &tables::markdown(&rows, S::TOOLS[0].name))?;
        }
        Ok(page)
    }
}

struct Bench<'a, S: Server> {
    server: &'a S,
    options: &'a Options,
    directory: &'a Path,
}

impl<'a, S: Server> Bench<'a, S> {
    fn rows(&'a self, work: S::Work, files: &'a [File]) -> Result<Vec<Row>> {
        let counted = self.relayed(work)?;
        let mut contestants = Vec::new();
        for tool in self.tools() {
            let mut contestant = self.contestant(self.server, tool, work, files);
            if let Some((relay, server)) = &counted {
                let through = self.contestant(server, tool, work, files);
                contestant.requests = self.count(&through, relay, work, files.len())?;
            }
            if counted.is_none() || S::is_kept(work) {
                // The first run is never measured; here it also is what puts everything there.
                contestant.run(self.options)?;
            }
            contestants.push(contestant);
        }
        drop(counted);
        rounds::alternate(&contestants, self.options)
    }

    fn tools(&self) -> impl Iterator<Item = &'static Tool<S>> {
        let options = self.options;
        S::TOOLS.iter().filter(move |tool| options.has(tool.name))
    }

    /// The server behind a relay that counts.
    fn relayed(&self, work: S::Work) -> Result<Option<(Relay, S)>> {
        let Some(address) = self.server.address(work) else { return Ok(None) };
        let relay = Relay::start(address, Pace::Free)?;
        Ok(self.server.behind(relay.address()).map(|server| (relay, server)))
    }

    /// The requests of a run that is not measured. Who made fewer than there are files went around
    /// the relay, as one does that follows addresses which the server names.
    fn count(
        &self,
        contestant: &Contestant<'_>,
        relay: &Relay,
        work: S::Work,
        files: usize,
    ) -> Result<Option<u64>> {
        report::say(&format!("counting the requests of {}", contestant.name));
        contestant.run(self.options)?;
        let requests = relay.take_requests();
        if S::is_kept(work) {
            contestant.run(self.options)?;
            return Ok(Some(relay.take_requests()));
        }
        Ok(Some(requests).filter(|requests| *requests >= files as u64))
    }

    fn contestant<'b>(
        &'b self,
        server: &'b S,
        tool: &'static Tool<S>,
        work: S::Work,
        files: &'b [File],
    ) -> Contestant<'b> {
        let name = if S::is_kept(work) { tool.name } else { "tree" };
        let place = self.directory.join(format!("to-{name}"));
        let root = server.root(tool.name, work, &place);
        Contestant {
            name: tool.name,
            is_slow: tool.is_slow,
            requests: None,
            prepare: Box::new(move || {
                if !(S::is_kept(work) && place.exists()) {
                    fresh(&place)?;
                }
                (tool.command)(server, &Job { work, files, place: &place })
            }),
            check: Box::new(move || check(files, &root)),
        }
    }

    /// Of all tools that take part, and of the server.
    fn versions(&self, work: S::Work) -> Vec<String> {
        let (files, place) = (&[][..], self.directory);
        let job = Job { work, files, place };
        let commands = self.tools().filter_map(|tool| (tool.command)(self.server, &job).ok());
        let mut versions: Vec<String> = Vec::new();
        let servers = S::SERVICES.iter().filter_map(|service| service.version());
        let tools = commands.filter_map(|command| machine::version(&command));
        for version in tools.chain(servers.map(str::to_owned)) {
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        versions
    }
}

/// As it is called on the command line.
pub(super) fn name(work: impl ValueEnum + Copy) -> String {
    work.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

pub(super) fn title(work: impl ValueEnum + Copy) -> String {
    let help = work.to_possible_value().and_then(|value| value.get_help().cloned());
    help.map(|help| help.to_string()).unwrap_or_default()
}

/// A script that seeds, where it can be started.
pub(super) fn script(directory: &Path, text: &str) -> Result<PathBuf> {
    let path = directory.join("seed.py");
    fs::write(&path, text).context("cannot write the script")?;
    Ok(path)
}

/// What a script says that seeds: a size and a name on each line.
pub(super) fn files(listing: &str) -> Result<Vec<File>> {
    let file = |line: &str| {
        let (size, name) = line.split_once(' ')?;
        Some(File { name: name.to_owned(), size_bytes: size.parse().ok()? })
    };
    listing
        .lines()
        .map(|line| file(line).with_context(|| format!("`{line}` is not a size and a name")))
        .collect()
}

/// MLflow's own client.
pub(super) fn mlflow(program: &Path, uri: &str, place: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["artifacts", "download", "-u", uri, "-d"]).arg(place);
    command.env("MLFLOW_DISABLE_TELEMETRY", "true");
    command
}

/// An empty directory, so that no run finds its work done.
pub(super) fn fresh(place: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place).context("cannot remove the tree")?;
    }
    fs::create_dir(place).with_context(|| format!("cannot make `{}`", place.display()))
}

/// Whether all files are there, whole; whether their bytes are right is for the tests.
pub(super) fn check(files: &[File], root: &Path) -> Result<()> {
    let is_there = |file: &File| {
        let facts = fs::metadata(root.join(&file.name));
        facts.is_ok_and(|facts| facts.is_file() && facts.len() == file.size_bytes)
    };
    match files.iter().find(|file| !is_there(file)) {
        Some(file) => bail!("`{}` is missing or cut", file.name),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_sizes_and_names() {
        let found = files("3 a b\n0 c/d\n").expect("a listing");
        let file = |name: &str, size_bytes| File { name: name.to_owned(), size_bytes };
        assert_eq!(found, [file("a b", 3), file("c/d", 0)]);
        assert!(files("a").is_err());
    }

    #[test]
    fn a_missing_or_cut_file_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = files("3 a\n").expect("a listing");
        for (text, is_whole) in [(None, false), (Some("ab"), false), (Some("abc"), true)] {
            if let Some(text) = text {
                fs::write(directory.path().join("a"), text).expect("written");
            }
            let result = check(&files, directory.path());
            assert_eq!(result.is_ok(), is_whole, "{text:?}");
            assert!(is_whole || result.is_err_and(|error| error.to_string().contains("`a`")));
        }
    }
}
