//! What is listed, and how.

use mlfetch::Filter;

use super::fetch::filter;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Listing")]
pub(crate) struct ListArgs {
    /// Everything below, not only the directory's own rows
    #[arg(short = 'R', long, env = "MLFETCH_RECURSIVE", hide_env = true)]
    pub(crate) recursive: bool,
    /// Size in bytes and time of the last change before each name
    #[arg(short, long, env = "MLFETCH_LONG", hide_env = true)]
    pub(crate) long: bool,
    /// Only files that match; may be repeated
    #[arg(long, value_name = "GLOB", env = "MLFETCH_INCLUDE", hide_env = true)]
    include: Vec<String>,
    /// Not files that match; may be repeated, and wins over --include
    #[arg(long, value_name = "GLOB", env = "MLFETCH_EXCLUDE", hide_env = true)]
    exclude: Vec<String>,
    /// Exit with code 9 if nothing is there or no pattern matches
    #[arg(long, env = "MLFETCH_ERROR_ON_EMPTY", hide_env = true)]
    pub(crate) error_on_empty: bool,
    /// Print one JSON object a line
    #[arg(long, env = "MLFETCH_JSON", hide_env = true)]
    pub(crate) json: bool,
}

impl ListArgs {
    pub(crate) fn filter(&self) -> Result<Filter, Failure> {
        filter(&self.include, &self.exclude)
    }
}
