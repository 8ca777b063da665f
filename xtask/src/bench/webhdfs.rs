//! The same files from the same HDFS, by mlfetch, by Hadoop's own client and by curl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::build;
use super::trees::{Arguments, Server, Tool, name};
use crate::command;
use crate::services::{Service, Session, Tools, Variables};

/// Files that are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 2,000 files of 4 KiB
    Small,
    /// One file of 1 GiB in 8 blocks
    Big,
}

impl Work {
    /// How many files of which size in bytes.
    fn files(self) -> (usize, usize) {
        match self {
            Self::Small => (2000, 4 << 10),
            Self::Big => (1, 1 << 30),
        }
    }

    /// Whether a file of it is there, whole.
    fn has(self, path: &Path) -> bool {
        let (_, size) = self.files();
        fs::metadata(path).is_ok_and(|facts| facts.len() == size as u64)
    }
}

/// Measures, and prints a table for each work.
pub(crate) fn run(arguments: &Arguments<Work>) -> Result<()> {
    let program = build()?;
    let tools = Tools::install()?;
    Service::Hdfs.install(&tools)?;
    let session = Session::start(&[Service::Hdfs], &tools)?;
    let directory = arguments.directory()?;
    let hdfs = Hdfs {
        program,
        variables: session.variables().clone(),
        directory: directory.path().to_owned(),
    };
    arguments.measure(&hdfs, &directory)
}

struct Hdfs {
    program: PathBuf,
    variables: Variables,
    directory: PathBuf,
}

impl Server for Hdfs {
    type Work = Work;

    const TOOLS: &'static [Tool<Self>] = &[
        ("mlfetch", Self::mlfetch),
        ("mlfetch without checksums", Self::mlfetch_without_checksums),
        ("FsShell -get", Self::shell_get),
    ];

    /// By Hadoop's own client.
    fn seed(&self, work: Work) -> Result<Vec<String>> {
        let local = self.directory.join(name(work));
        fs::create_dir(&local).context("cannot make the files")?;
        let (count, size) = work.files();
        let names: Vec<String> = (0..count).map(|number| format!("{number:04}.bin")).collect();
        for (number, name) in names.iter().enumerate() {
            fs::write(local.join(name), noise(number, size)).context("cannot make the files")?;
        }
        let mut put = self.shell();
        command::capture(put.arg("-put").arg(&local).arg(format!("/{}", name(work))))?;
        fs::remove_dir_all(&local).context("cannot remove the files")?;
        Ok(names)
    }

    fn url(&self, work: Work, file: &str) -> String {
        let (url, user) = (self.variable("URL"), self.variable("USER"));
        format!("{url}/webhdfs/v1/{}/{file}?op=OPEN&user.name={user}", name(work))
    }

    fn is_there(&self, work: Work, path: &Path) -> bool {
        work.has(path)
    }
}

impl Hdfs {
    fn variable(&self, name: &str) -> &str {
        self.variables.get(&format!("MLFETCH_TEST_HDFS_{name}")).map_or("", String::as_str)
    }

    fn mlfetch(&self, work: Work, place: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["get", "-q", &format!("hdfs:///{}/", name(work)), "--layout", "contents"]);
        command.arg("-d").arg(place).env("HADOOP_CONF_DIR", self.variable("CONF"));
        command.env("HADOOP_USER_NAME", self.variable("USER"));
        command
    }

    fn mlfetch_without_checksums(&self, work: Work, place: &Path) -> Command {
        let mut command = self.mlfetch(work, place);
        command.args(["--hdfs-checksums", "false"]);
        command
    }

    /// Hadoop's own client. It speaks with DataNodes in its own way, and checks every chunk.
    fn shell(&self) -> Command {
        let mut command = Command::new("java");
        let classpath = format!("{}:{}/*", self.variable("CONF"), self.variable("LIBRARIES"));
        command.args(["-cp", &classpath, "org.apache.hadoop.fs.FsShell"]);
        command.env("HADOOP_USER_NAME", self.variable("USER"));
        command
    }

    fn shell_get(&self, work: Work, place: &Path) -> Command {
        let mut command = self.shell();
        command.args(["-get", "-t", "16", &format!("/{}/*", name(work))]).arg(place);
        command
    }
}

/// Bytes that no file system and no network makes smaller.
fn noise(number: usize, size: usize) -> Vec<u8> {
    let mut state = number as u64 + 1;
    let words = std::iter::repeat_with(move || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state ^ (state >> 29)).to_le_bytes()
    });
    words.flatten().take(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::trees::check;

    #[test]
    fn a_file_that_is_cut_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let names = ["0000.bin".to_owned()];
        let is_there = |work: Work| {
            let directory = directory.path();
            move |name: &String| work.has(&directory.join(name))
        };
        fs::write(directory.path().join(&names[0]), noise(0, 4096)).expect("written");
        check(&names, is_there(Work::Small)).expect("it is whole");
        let error = check(&names, is_there(Work::Big)).expect_err("it is cut");
        assert!(error.to_string().contains("`0000.bin`"), "{error}");
    }
}
