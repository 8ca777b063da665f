//! `mlfetch man`: manual pages.

use std::path::Path;

use clap_mangen::Man;

use crate::args;
use crate::failure::Failure;
use crate::printer;

/// One page to standard output, or all of them into a directory.
pub(super) fn run(directory: Option<&Path>) -> Result<(), Failure> {
    let command = args::command();
    let Some(directory) = directory else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        return Ok(printer::bytes(&page)?);
    };
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory))
        .map_err(|error| {
            let shown = mlfetch::escape(directory.as_os_str().as_encoded_bytes());
            Failure::said(&format!("cannot write manual pages to `{shown}`: {error}"), None)
        })
}
