//! The same trees from the same MinIO, by mlfetch and by the tools that a user would pick instead.

use std::net::SocketAddr;

use anyhow::Result;

use super::minio::Minio;
use super::testbed::Testbed;
use super::trees::{self, File, Job, Server, Tool, name};
use crate::services::Service;

/// A tree that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// 10,000 files of 4 KiB
    Small,
    /// 270 files, 1 GiB
    Model,
    /// One object of 2 GiB
    Big,
    /// 10,000 files of 4 KiB, all there and unchanged
    Unchanged,
}

#[derive(clap::Args)]
pub(crate) struct S3Arguments {
    /// Over TLS, with a certificate of an authority of its own
    #[arg(long)]
    tls: bool,
    #[command(flatten)]
    trees: trees::Arguments<Work>,
}

/// Measures, and shows tables for each tree.
pub(crate) fn run(arguments: &S3Arguments) -> Result<()> {
    let (service, prefix) = if arguments.tls {
        (Service::MinioTls, "MLFETCH_TEST_MINIO_TLS")
    } else {
        (Service::Minio, "MLFETCH_TEST_MINIO")
    };
    let testbed = Testbed::start(&[service], &arguments.trees.options)?;
    arguments.trees.measure(&S3(Minio::of(&testbed, prefix)?), testbed.directory.path()).map(drop)
}

struct S3(Minio);

impl Server for S3 {
    type Work = Work;

    const SERVICES: &'static [Service] = &[Service::Minio];

    const TOOLS: &'static [Tool<Self>] = &[
        Tool::new("curl", |s3, job| s3.0.curl(&name(job.work), job.files, job.place)),
        Tool::new("curl, signed", |s3, job| {
            s3.0.curl_signed(&name(job.work), job.files, job.place)
        }),
        Tool::new("curl, signed, listing", |s3, job| {
            s3.0.curl_listing(&name(job.work), job.files, job.place)
        }),
        Tool::new("mlfetch", |s3, job| Ok(s3.0.mlfetch(&name(job.work), job.place))),
        Tool::new("s5cmd", |s3, job| Ok(s3.0.s5cmd(verb(job), &name(job.work), job.place))),
        Tool::new("rclone", |s3, job| Ok(s3.0.rclone(&name(job.work), job.place))),
        Tool::slow("aws", |s3, job| Ok(s3.0.aws(verb(job), &name(job.work), job.place))),
        Tool::slow("mlflow", |s3, job| Ok(s3.0.mlflow(&name(job.work), job.place))),
    ];

    fn seed(&self, work: Work, divisor: u64) -> Result<Vec<File>> {
        self.0.seed(&name(work), divisor)
    }

    fn is_kept(work: Work) -> bool {
        work == Work::Unchanged
    }

    fn address(&self, _work: Work) -> Option<SocketAddr> {
        self.0.address()
    }

    fn behind(&self, address: SocketAddr) -> Option<Self> {
        Some(Self(self.0.at(address)))
    }
}

/// Only one of them looks what is there. curl and MLflow have no such thing and fetch it all again.
fn verb(job: &Job<'_, Work>) -> &'static str {
    if S3::is_kept(job.work) { "sync" } else { "cp" }
}
