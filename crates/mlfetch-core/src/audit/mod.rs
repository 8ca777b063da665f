//! A record of everything: JSON lines, each tied to the one before by its hash.
//!
//! An [`Audit`] knows the logs; an [`Attempt`] is one command's way through them. It takes part in
//! the engine as a [`Witness`](crate::engine::Witness): where a log is strict, no file gets its
//! name before its record is on the disk.
//!
//! ```
//! use mlfetch_core::audit::{Audit, AuditLog, Ending, check_log};
//! # let directory = tempfile::tempdir().unwrap();
//! let path = directory.path().join("audit.jsonl");
//! let audit = Audit::new("example 1.0").with_log(AuditLog::at(&path));
//! let attempt = audit.attempt("get", "models:/fraud@champion");
//! attempt.begin()?;
//! attempt.end(&Ending::done())?;
//! assert_eq!(check_log(&path, None)?.records, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attempt;
mod batch;
mod chain;
mod check;
mod facts;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod log;
mod shown;
mod who;

pub use attempt::{Attempt, Audit, Ending};
pub use check::{Checked, check_log};
pub use log::AuditLog;

/// The longest record, in bytes: one with more has members that nobody asked for.
const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// The form that this version writes and reads.
const FORM: &str = "mlfetch/1";
