//! More keys and more bytes than there is room for, from a bucket that makes them up.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use anyhow::{Result, bail};
use clap::ValueEnum as _;

use super::bucket::{Bucket, NAME, Tree};
use super::page::Page;
use super::peers::Peers;
use super::rounds::{self, Contestant};
use super::sink::{Sink, Swallowed};
use super::testbed::Testbed;
use super::trees::{self, Arguments, title};
use super::{machine, tables};
use crate::report;

/// What is listed or fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 100,000 keys listed
    List,
    /// 1,000,000 keys listed
    ListMore,
    /// 100,000 files of 4 KiB fetched
    Fetch,
    /// One object of 8 GiB fetched in ranges
    Ranges,
    /// 1600 objects of 128 MiB, 200 GiB in all, fetched in ranges; each goes once it has arrived
    RangesMore,
    /// One object of 200 GiB read in one stream, to nowhere
    Stream,
}

impl Work {
    fn tree(self, divisor: u64) -> Tree {
        let (name, count, size_bytes) = match self {
            Self::List => ("list", 100_000 / divisor, 4096),
            Self::ListMore => ("list-more", 1_000_000 / divisor, 4096),
            Self::Fetch => ("fetch", 100_000 / divisor, 4096),
            Self::Ranges => ("ranges", 1, (8 << 30) / divisor),
            Self::RangesMore => ("ranges-more", 1600 / divisor, 128 << 20),
            Self::Stream => ("stream", 1, (200 << 30) / divisor),
        };
        Tree { name, count, size_bytes }
    }
}

/// Measures, and shows a table for each.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let options = &arguments.options;
    let testbed = Testbed::start(&[], options)?;
    let trees = Work::value_variants().iter().map(|work| work.tree(options.divisor()));
    let scale = Scale {
        program: testbed.program.clone(),
        peers: Peers::install(&testbed.tools.cache)?,
        bucket: Bucket::start(trees.collect())?,
        place: testbed.directory.path().join("to-tree"),
    };
    let programs = [Command::new("curl"), scale.ours(&[]), scale.peers.s5cmd()];
    let versions: Vec<String> = programs.iter().filter_map(machine::version).collect();
    let mut page = Page::begin(options, &versions)?;
    for work in arguments.chosen() {
        let mut contestants = scale.contestants(*work, work.tree(options.divisor()));
        contestants.retain(|contestant| options.has(contestant.name));
        for contestant in &mut contestants {
            report::say(&format!("counting the requests of {}", contestant.name));
            scale.bucket.take_requests();
            contestant.run(options)?;
            contestant.requests = Some(scale.bucket.take_requests());
        }
        let rows = rounds::alternate(&contestants, options)?;
        page.section(&title(*work), &tables::figures(&rows))?;
    }
    Ok(())
}

struct Scale {
    program: PathBuf,
    peers: Peers,
    bucket: Bucket,
    place: PathBuf,
}

impl Scale {
    fn contestants(&self, work: Work, tree: Tree) -> Vec<Contestant<'_>> {
        let uri = format!("s3://{NAME}/{}/", tree.name);
        let all = format!("{uri}*");
        let place = self.place.display().to_string();
        let file = format!("{NAME}/{}", tree.key(0));
        match work {
            Work::List | Work::ListMore => vec![
                self.contestant("mlfetch get -n", self.ours(&["get", "-qn", &uri, "-d", &place])),
                self.contestant("mlfetch ls -R", self.ours(&["ls", "-R", &uri])),
                self.contestant("s5cmd ls", self.s5cmd(&["ls", &all])),
            ],
            Work::Fetch | Work::Ranges => {
                let ours = self.ours(&["get", "-q", &uri, "-d", &place]);
                let s5cmd = self.s5cmd(&["cp", &all, &format!("{place}/")]);
                let both = [self.contestant("mlfetch", ours), self.contestant("s5cmd", s5cmd)];
                both.map(|contestant| checked(contestant, &self.place, tree)).into()
            }
            Work::RangesMore => {
                let ours = self.ours(&["get", "-q", &uri, "-d", &place]);
                vec![self.swallowed(self.contestant("mlfetch", ours), tree)]
            }
            Work::Stream => {
                let mut curl = Command::new("curl");
                curl.args(["-sS", "--fail", &format!("{}/{file}", self.bucket.url())]);
                let ours = self.ours(&["cat", &format!("s3://{file}")]);
                let both = [self.contestant("curl", curl), self.contestant("mlfetch cat", ours)];
                both.map(|contestant| Contestant { is_slow: true, ..contestant }).into()
            }
        }
    }

    /// Into a place from which each file goes once it is whole.
    fn swallowed<'a>(&'a self, contestant: Contestant<'a>, tree: Tree) -> Contestant<'a> {
        let sink = Rc::new(Cell::new(None));
        let begun = Rc::clone(&sink);
        let prepare = contestant.prepare;
        let all = Swallowed { files: tree.count, bytes: tree.count * tree.size_bytes };
        Contestant {
            is_slow: true,
            prepare: Box::new(move || {
                let command = prepare()?;
                begun.set(Some(Sink::begin(self.place.clone())));
                Ok(command)
            }),
            check: Box::new(move || match sink.take().map(Sink::end).transpose()? {
                Some(swallowed) if swallowed == all => Ok(()),
                swallowed => bail!("{all:?} was to come, and {swallowed:?} came"),
            }),
            ..contestant
        }
    }

    fn ours(&self, arguments: &[&str]) -> Command {
        let mut command = self.bucket.with_keys(Command::new(&self.program));
        command.args(arguments);
        command
    }

    fn s5cmd(&self, arguments: &[&str]) -> Command {
        let mut command = self.bucket.with_keys(self.peers.s5cmd());
        command.args(["--endpoint-url", &self.bucket.url(), "--log", "error"]).args(arguments);
        command
    }

    /// It begins with an empty directory.
    fn contestant(&self, name: &'static str, command: Command) -> Contestant<'_> {
        Contestant {
            name,
            is_slow: false,
            requests: None,
            prepare: Box::new(move || {
                trees::fresh(&self.place)?;
                Ok(again(&command))
            }),
            check: Box::new(|| Ok(())),
        }
    }
}

/// The same once more.
fn again(command: &Command) -> Command {
    let mut same = Command::new(command.get_program());
    same.args(command.get_args());
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    same.envs(set);
    same
}

/// With a look at whether the tree is there when it is done.
fn checked<'a>(contestant: Contestant<'a>, place: &'a Path, tree: Tree) -> Contestant<'a> {
    let files = tree.files();
    Contestant { check: Box::new(move || trees::check(&files, place)), ..contestant }
}
