//! `mlfetch cat`: the bytes of one file.

use std::io::Write as _;

use futures_util::TryStreamExt as _;
use mlfetch::audit::Attempt;
use mlfetch::{ErrorKind, ObjectBody};

use super::resolved;
use crate::args::CatArgs;
use crate::failure::Failure;
use crate::oversight::Oversight;

pub(super) async fn run(arguments: &CatArgs, oversight: &Oversight) -> Result<(), Failure> {
    let asked = arguments.source.asked()?;
    let mlfetch = arguments.connection.mlfetch(oversight)?;
    let mut missing = None;
    // The last part lies on top, as it does on disk.
    for part in resolved(&mlfetch, asked.target, &oversight.attempt).await?.iter().rev() {
        let object = match mlfetch.read(part).await {
            Err(error) if part.target.optional && error.kind() == ErrorKind::NotFound => {
                missing.get_or_insert(error);
                continue;
            }
            object => object?,
        };
        return write(object.body, &oversight.attempt).await;
    }
    missing.map_or(Ok(()), |error| Err(error.into()))
}

async fn write(mut body: ObjectBody, attempt: &Attempt) -> Result<(), Failure> {
    let mut output = std::io::stdout();
    while let Some(chunk) = body.try_next().await? {
        output.write_all(&chunk)?;
        attempt.read(chunk.len() as u64);
    }
    Ok(output.flush()?)
}
