//! Failing system calls need the registers of another processor, or another system.

use anyhow::{Result, bail};

use super::{Lab, Report};

pub(super) fn run(_: &Lab, _: Option<&str>) -> Result<Report> {
    bail!("system calls are made to fail on Linux on x86-64 alone; choose other trials")
}
