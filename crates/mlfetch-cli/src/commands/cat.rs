//! `mlfetch cat`: the bytes of one file.

use std::io::Write as _;

use futures_util::TryStreamExt as _;
use mlfetch::ErrorKind;

use super::resolved;
use crate::args::CatArgs;
use crate::failure::Failure;

pub(super) async fn run(arguments: &CatArgs) -> Result<(), Failure> {
    let asked = arguments.source.asked()?;
    let mlfetch = arguments.connection.mlfetch()?;
    let mut missing = None;
    // The last part lies on top, as it does on disk.
    for part in resolved(&mlfetch, asked.target).await?.iter().rev() {
        let object = match mlfetch.read(part).await {
            Err(error) if part.target.optional && error.kind() == ErrorKind::NotFound => {
                missing.get_or_insert(error);
                continue;
            }
            object => object?,
        };
        return write(object).await;
    }
    missing.map_or(Ok(()), |error| Err(error.into()))
}

async fn write(object: mlfetch::Object) -> Result<(), Failure> {
    let mut body = object.body;
    let mut output = std::io::stdout().lock();
    while let Some(chunk) = body.try_next().await? {
        output.write_all(&chunk)?;
    }
    Ok(output.flush()?)
}
