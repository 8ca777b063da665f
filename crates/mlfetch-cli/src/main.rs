//! The command `mlfetch`.

mod args;
mod commands;
mod config;
mod exit;
mod failure;
mod oversight;
mod printer;
mod recording;
mod signals;
mod workplace;

use std::hint::black_box;
use std::process::ExitCode;

use args::Cli;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What hundreds of files at once need: a connection and a file for each, and some for the rest.
const HANDLES: u64 = 2304;

/// A little less than the largest block from which glibc learns (`mallopt(3)`, dynamic threshold).
const LESSON_BYTES: usize = 32 * 1024 * 1024 - 64 * 1024;

fn main() -> ExitCode {
    keep_memory();
    leave_no_core();
    want_handles();
    let cli = match Cli::from_command_line() {
        Ok(cli) => cli,
        Err(usage) => return printer::usage(&usage),
    };
    commands::run(cli)
}

/// Lets glibc's allocator keep what is given back to it. Buffers of the network come and go by the
/// thousand, and it would hand each to the kernel and take it again, page by page: a fourteenth of
/// the processor time of a big file (docs/performance.md). Once a block that came from the kernel by
/// itself was given back, it keeps blocks up to that size. Nothing is written to this one, so it costs
/// two system calls; other allocators do with it as they like.
fn keep_memory() {
    drop(black_box(Vec::<u8>::with_capacity(LESSON_BYTES)));
}

/// A core file would hold the credentials. What a system pipes cores into asks for the same limit
/// (`systemd-coredump(8)`).
fn leave_no_core() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
}

/// Many systems let a process open 1,024 files until it asks for more. Where it may not have them, the
/// engine makes do.
fn want_handles() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(HANDLES).min(HANDLES);
    if current.is_some_and(|current| current < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}
