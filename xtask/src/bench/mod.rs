//! `cargo xtask bench`: measurements beside the tools that a user would pick instead, in one run.

mod azure;
mod gcs;
mod measure;
mod peers;
mod s3;
mod start;
mod trees;
mod webhdfs;

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use crate::command;
use crate::metadata::Metadata;
use measure::Cost;

#[derive(Subcommand)]
pub(crate) enum Benchmark {
    /// One small file through a local MLflow server, from the start of the program to its end
    Start {
        /// How often each program runs
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
        runs: u16,
    },
    /// Trees from a MinIO, beside s5cmd, rclone, aws, MLflow, and curl as the floor
    S3(trees::Arguments<s3::Work>),
    /// Trees from a fake-gcs-server, beside rclone, MLflow, and curl as the floor
    Gcs(trees::Arguments<gcs::Work>),
    /// Trees from an Azurite, beside rclone, azcopy, MLflow, and curl as the floor
    Azure(trees::Arguments<azure::Work>),
    /// Files from an HDFS, beside Hadoop's own client, and curl as the floor
    Webhdfs(trees::Arguments<webhdfs::Work>),
}

pub(crate) fn run(benchmark: &Benchmark) -> Result<()> {
    match benchmark {
        Benchmark::Start { runs } => start::run(usize::from(*runs)),
        Benchmark::S3(arguments) => s3::run(arguments),
        Benchmark::Gcs(arguments) => gcs::run(arguments),
        Benchmark::Azure(arguments) => azure::run(arguments),
        Benchmark::Webhdfs(arguments) => webhdfs::run(arguments),
    }
}

/// The program, as a user gets it.
fn build() -> Result<PathBuf> {
    command::run(command::cargo().args(["build", "--release", "--package=mlfetch-cli"]))?;
    Ok(Metadata::read()?.program("release", "mlfetch"))
}

/// Wall time, processor time, peak memory.
fn cells(cost: Cost) -> [String; 3] {
    let seconds = |time: std::time::Duration| {
        let seconds = time.as_secs_f64();
        if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
    };
    let memory = format!("{} kB", cost.peak_memory_bytes / 1024);
    [seconds(cost.wall), seconds(cost.processor), memory]
}

fn ratio(theirs: f64, ours: f64) -> String {
    if ours > 0.0 { format!("{:.1} ×", theirs / ours) } else { "-".to_owned() }
}
