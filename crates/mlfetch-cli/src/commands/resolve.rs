//! `mlfetch resolve`: where it leads.

use std::sync::Arc;

use super::resolved;
use crate::args::ResolveArgs;
use crate::failure::Failure;
use crate::printer;
use mlfetch::audit::Attempt;

pub(super) async fn run(arguments: &ResolveArgs, attempt: &Arc<Attempt>) -> Result<(), Failure> {
    let asked = arguments.source.asked()?;
    let mlfetch = arguments.connection.mlfetch(attempt)?;
    let parts = resolved(&mlfetch, asked.target, attempt).await?;
    let print = if arguments.json { printer::trails_json } else { printer::trails };
    Ok(print(&parts)?)
}
