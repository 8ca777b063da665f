//! `mlfetch verify`: whether a directory is what it should be.

use std::time::Instant;

use mlfetch::{Comparison, Difference, ExpectedTree, compare_tree};

use super::resolved;
use crate::args::VerifyCommandArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::oversight::Oversight;
use crate::printer;

pub(super) async fn run(
    arguments: &VerifyCommandArgs,
    oversight: &Oversight,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let VerifyCommandArgs { directory, verify, .. } = arguments;
    let expected_digest = verify.digest()?;
    let expected = expected(arguments, oversight).await?;
    let expects_files = expected.is_some();
    let settings = verify.settings(directory)?;
    let mut printed = Ok(());
    let tell = |difference: &Difference| {
        // Without a measure for single files none of them is too much.
        if expects_files && printed.is_ok() {
            printed = printer::difference(difference, verify.json);
        }
    };
    let mut found = compare_tree(directory, expected.unwrap_or_default(), &settings, tell).await?;
    printed?;
    if !expects_files {
        found.files += std::mem::take(&mut found.extra);
        found.bytes += std::mem::take(&mut found.extra_bytes);
    }
    printer::comparison(&found, begun.elapsed().as_secs_f64(), verify.json, verify.quiet)?;
    judge(arguments, &found)?;
    match (found.tree, expected_digest) {
        (Some(ours), Some(expected)) if ours != expected => Err(Failure::Said {
            message: format!("the tree digest is {ours} and {expected} was expected"),
            hint: Some("compare with a manifest to see which files differ".into()),
            exit: Exit::Integrity,
        }),
        _ => Ok(()),
    }
}

/// Exactly one measure for the files; none is enough where a digest of the whole is given.
async fn expected(
    arguments: &VerifyCommandArgs,
    oversight: &Oversight,
) -> Result<Option<ExpectedTree>, Failure> {
    let VerifyCommandArgs { source, connection, verify, .. } = arguments;
    let of_file = verify.of_file()?;
    if !source.is_given() {
        if of_file.is_none() && verify.digest()?.is_none() {
            return Err(Failure::usage_said(
                "there is nothing to compare with",
                "give a URI, --manifest, --checksums or --expect-digest",
            ));
        }
        return Ok(of_file);
    }
    if of_file.is_some() {
        return Err(Failure::usage_said(
            "a URI excludes --manifest and --checksums",
            "compare with one after the other",
        ));
    }
    let asked = source.asked()?;
    let mlfetch = connection.mlfetch(oversight)?;
    let parts = resolved(&mlfetch, asked.target, &oversight.attempt).await?;
    Ok(Some(mlfetch.expected(&parts, verify.layout()).await?))
}

/// Warns of what is no failure.
fn judge(arguments: &VerifyCommandArgs, found: &Comparison) -> Result<(), Failure> {
    let counted = counted(found);
    if arguments.verify.fails(found) {
        return Err(Failure::Said {
            message: format!(
                "`{}` is not what it should be: {counted}",
                mlfetch::escape(arguments.directory.as_os_str().as_encoded_bytes())
            ),
            hint: Some("fetch it again with `mlfetch get --overwrite always`".into()),
            exit: Exit::Integrity,
        });
    }
    if !counted.is_empty() {
        printer::warning(&format!(
            "{counted}; --fail-on-missing-files and --fail-on-extra-files make that a failure"
        ));
    }
    Ok(())
}

fn counted(found: &Comparison) -> String {
    let counts = [(found.changed, "changed"), (found.missing, "missing"), (found.extra, "extra")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}
