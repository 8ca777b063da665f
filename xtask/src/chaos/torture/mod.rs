//! `cargo xtask torture`: what the system and the neighbours can do to the program.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod calls;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[path = "no_calls.rs"]
mod calls;
mod crowd;
mod limits;
mod links;
mod stalls;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::fetch::Ended;
use super::harness::{self, Common, Ground};
use super::site::{self, Backend, Site};
use super::tree::Tree;
use crate::report;
use crate::table::Table;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// These trials alone
    #[arg(value_enum)]
    trial: Vec<Trial>,
    /// As often and as much as docs/reliability.md says, which takes half an hour
    #[arg(long)]
    full: bool,
    /// Of the failing calls this one alone, as a finding names it
    #[arg(long, value_name = "SCENE/CALL/ERROR/N")]
    round: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Arguments {
    /// What continuous integration runs, with a program that is there.
    pub(crate) fn for_ci(program: PathBuf) -> Self {
        let common = Common::with_program(program);
        Self { trial: Vec::new(), full: false, round: None, common }
    }
}

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum Trial {
    /// Each system call fails once
    Calls,
    /// Directories of the destination become links that lead outside, and back
    Links,
    /// Twenty processes, one destination
    Crowd,
    /// Servers that fall silent, and one that is slow
    Stalls,
    /// 64 handles, one processor, 256 MiB
    Limits,
}

impl Trial {
    const ALL: [Self; 5] = [Self::Calls, Self::Links, Self::Crowd, Self::Stalls, Self::Limits];

    fn backends(self) -> &'static [Backend] {
        match self {
            Self::Links => &[],
            Self::Calls | Self::Crowd | Self::Limits => &[Backend::S3],
            Self::Stalls => &[Backend::S3, Backend::HttpJson],
        }
    }

    fn run(self, lab: &Lab, arguments: &Arguments) -> Result<Report> {
        match self {
            Self::Calls => calls::run(lab, arguments.round.as_deref()),
            Self::Links => links::run(lab),
            Self::Crowd => crowd::run(lab),
            Self::Stalls => stalls::run(lab),
            Self::Limits => limits::run(lab),
        }
    }
}

/// What came of a trial.
struct Report {
    what: String,
    done: String,
    findings: Vec<String>,
    table: Option<String>,
}

/// The program, a place to work in, and the servers that are needed.
struct Lab {
    program: PathBuf,
    directory: TempDir,
    ground: Option<Ground<Arc<Site>>>,
    is_full: bool,
    is_verbose: bool,
}

/// Where a tree is fetched from.
enum Source {
    Disk(PathBuf),
    Site(Arc<Site>, String),
}

/// Runs the trials; fails if anything is not as it should be.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let is_meant = |trial: &Trial| match (&arguments.round, &arguments.trial[..]) {
        (Some(_), _) => *trial == Trial::Calls,
        (None, []) => true,
        (None, some) => some.contains(trial),
    };
    let trials: Vec<Trial> = Trial::ALL.into_iter().filter(is_meant).collect();
    let is_needed =
        |backend: &Backend| trials.iter().any(|trial| trial.backends().contains(backend));
    let backends: Vec<Backend> = Backend::ALL.into_iter().filter(is_needed).collect();
    let lab = Lab::set_up(arguments, &backends)?;
    let mut table = Table::new(["trial", "done", "findings", "seconds"]);
    let (mut details, mut findings) = (Vec::new(), 0);
    for trial in trials {
        let begun = Instant::now();
        let report = trial.run(&lab, arguments).with_context(|| format!("the trial {trial:?}"))?;
        for finding in report.findings.iter().filter(|_| trial != Trial::Calls) {
            report::say(&format!("FINDING: {}: {finding}", report.what));
        }
        findings += report.findings.len();
        let seconds = format!("{:.0}", begun.elapsed().as_secs_f64());
        table.row(&[report.what, report.done, report.findings.len().to_string(), seconds]);
        details.extend(report.table);
    }
    details.insert(0, table.markdown());
    let tables = details.join("\n\n") + "\n";
    report::output(&tables);
    arguments.common.write(&tables)?;
    if findings > 0 {
        bail!("{findings} findings, see above");
    }
    Ok(())
}

impl Lab {
    fn set_up(arguments: &Arguments, backends: &[Backend]) -> Result<Self> {
        let common = &arguments.common;
        let is_needed = !backends.is_empty();
        let ground = || Ground::set_up(common, backends, |site, _, _| Ok(Arc::new(site)));
        Ok(Self {
            program: common.program()?,
            directory: harness::directory()?,
            ground: is_needed.then(ground).transpose()?,
            is_full: arguments.full,
            is_verbose: common.verbose,
        })
    }

    /// A directory for one run.
    fn desk(&self) -> Result<TempDir> {
        tempfile::tempdir_in(&self.directory).context("no directory for a run")
    }

    /// The same where files are usually kept, on a disk.
    fn desk_on_disk() -> Result<TempDir> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("mlfetch-torture-").tempdir().context("no directory for a run")
    }

    fn server(&self, backend: Backend) -> Result<&Arc<Site>> {
        let mut sites = self.ground.iter().flat_map(|ground| &ground.stands);
        sites.find(|site| site.backend == backend).context("its server was not started")
    }

    /// The tree, written to the disk.
    fn disk(&self, tree: &Tree) -> Result<Source> {
        let place = self.directory.path().join(&tree.name);
        tree.write(&place)?;
        Ok(Source::Disk(place))
    }

    /// The tree, put to a server.
    fn site(&self, backend: Backend, tree: &Tree) -> Result<Source> {
        let site = self.server(backend)?;
        site.seed(tree)?;
        Ok(Source::Site(Arc::clone(site), tree.name.clone()))
    }

    /// Says what came of a run, to whoever asked for that.
    fn tell(&self, text: &str) {
        if self.is_verbose {
            report::say(text);
        }
    }
}

impl Source {
    /// The program, told to fetch it into a directory.
    fn fetch(&self, program: &Path, place: &Path) -> Command {
        match self {
            Self::Disk(path) => {
                let mut command = site::get(program, place);
                command.arg(path);
                command
            }
            Self::Site(site, tree) => site.fetch(program, site.address, tree, place),
        }
    }
}

/// What is wrong after a run in which nothing went wrong.
fn whole(tree: &Tree, ended: &Ended, place: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    if !ended.status.is_some_and(|status| status.success()) {
        problems.push(format!("it failed: {:?}: {}", ended.status, ended.errors));
    }
    let found = tree.compare(place)?;
    for (what, names) in
        [("wrong", &found.wrong), ("missing", &found.missing), ("left behind", &found.state)]
    {
        if !names.is_empty() {
            problems.push(format!("{what}: {names:?}"));
        }
    }
    Ok(problems)
}
