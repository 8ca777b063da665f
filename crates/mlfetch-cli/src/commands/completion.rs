//! `mlfetch completion`: scripts for shells.

use clap_complete::{Shell, generate};

use crate::args;
use crate::failure::Failure;
use crate::printer;

pub(super) fn run(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(shell, &mut args::command(), "mlfetch", &mut script);
    Ok(printer::bytes(&script)?)
}
