//! `cargo xtask bench`: measurements beside the tools that a user would pick instead, in one run.

mod azure;
mod bucket;
mod check;
mod curl;
mod gcs;
mod latency;
mod local;
mod machine;
mod measure;
mod minio;
mod noise;
mod options;
mod page;
mod peers;
mod proxied;
mod proxy;
mod relay;
mod rounds;
mod s3;
mod scale;
mod sink;
mod spread;
mod start;
mod tables;
mod testbed;
mod trees;
mod webhdfs;

use anyhow::Result;
use clap::Subcommand;

#[derive(clap::Args)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// Count the instructions of fixed work, and fail when they are 5 % above the committed figures
    #[arg(long)]
    check: bool,
    /// Write the figures to commit instead
    #[arg(long, requires = "check")]
    update: bool,
    #[command(subcommand)]
    benchmark: Option<Benchmark>,
}

#[derive(Subcommand)]
enum Benchmark {
    /// One small file through a local MLflow server, and the help: how fast the program starts
    Start(trees::Arguments<start::Work>),
    /// Trees from a MinIO, beside s5cmd, rclone, aws, MLflow, and curl as the floor
    S3(s3::S3Arguments),
    /// Trees from a fake-gcs-server, beside rclone, MLflow, and curl as the floor
    Gcs(trees::Arguments<gcs::Work>),
    /// Trees from an Azurite, beside rclone, azcopy, MLflow, and curl as the floor
    Azure(trees::Arguments<azure::Work>),
    /// Files from an HDFS, beside Hadoop's own client, and curl as the floor
    Webhdfs(trees::Arguments<webhdfs::Work>),
    /// Trees through an MLflow server's proxy, beside MLflow, and curl as the floor
    Proxy(trees::Arguments<proxy::Work>),
    /// Trees from a directory, beside MLflow, and `cp` as the floor
    Local(trees::Arguments<local::Work>),
    /// Trees from a MinIO over a slow network, beside s5cmd, rclone, and curl as the floor
    Latency(trees::Arguments<latency::Work>),
    /// More keys and bytes than there is room for, from a bucket that makes them up
    Scale(trees::Arguments<scale::Work>),
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Some(benchmark) = &arguments.benchmark else { return check::run(arguments.update) };
    match benchmark {
        Benchmark::Start(arguments) => start::run(arguments),
        Benchmark::S3(arguments) => s3::run(arguments),
        Benchmark::Gcs(arguments) => gcs::run(arguments),
        Benchmark::Azure(arguments) => azure::run(arguments),
        Benchmark::Webhdfs(arguments) => webhdfs::run(arguments),
        Benchmark::Proxy(arguments) => proxy::run(arguments),
        Benchmark::Local(arguments) => local::run(arguments),
        Benchmark::Latency(arguments) => latency::run(arguments),
        Benchmark::Scale(arguments) => scale::run(arguments),
    }
}
