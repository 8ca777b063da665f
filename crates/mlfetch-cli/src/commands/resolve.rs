//! `mlfetch resolve`: where it leads.

use super::resolved;
use crate::args::ResolveArgs;
use crate::failure::Failure;
use crate::oversight::Oversight;
use crate::printer;

pub(super) async fn run(arguments: &ResolveArgs, oversight: &Oversight) -> Result<(), Failure> {
    let asked = arguments.source.asked()?;
    let mlfetch = arguments.connection.mlfetch(oversight)?;
    let parts = resolved(&mlfetch, asked.target, &oversight.attempt).await?;
    let print = if arguments.json { printer::trails_json } else { printer::trails };
    Ok(print(&parts)?)
}
