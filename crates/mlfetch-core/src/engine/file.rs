//! One file, from what is there already to what became of it.

use std::ops::ControlFlow;
use std::sync::Arc;

use mlfetch_store::{Key, ObjectInfo, WantedChecksums};

use super::answer::now;
use super::conflict::conflict;
use super::digest::Digests;
use super::follow::digest_range;
use super::kept::kept;
use super::overwrite::{Decision, Laid, Replacing, decide};
use super::report::{Meter, Progress};
use super::transfer::{Committed, Planned, Transfers};
use super::verify::strongest;
use super::{FileError, SkipReason};
use crate::RelativePath;
use crate::destination::DestinationError;
use crate::manifest::ManifestRow;

/// How a file that was started ended.
pub(super) enum Ended {
    Committed(Committed),
    Skipped(SkipReason, Option<ManifestRow>),
    /// It would be fetched (dry run).
    Planned,
    Failed(FileError),
    /// Nothing can be written there at all: this is no failure of one file.
    Hopeless(DestinationError),
}

/// What is to be done, and whether files can be written there at all.
struct Plan {
    decision: Decision,
    prepared: Result<(), DestinationError>,
}

/// Fetches one file, unless what is there already stays.
pub(super) async fn one_file(
    transfers: Arc<Transfers>,
    info: ObjectInfo,
    path: RelativePath,
    progress: Arc<Progress>,
) -> Ended {
    let key = info.key.clone();
    match steps(&transfers, info, path, &progress).await {
        Ok(ended) => ended,
        Err(error) => Ended::Failed(explained(&transfers, &key, error).await),
    }
}

/// Two keys for one path are a fault of the names, not of the destination.
pub(super) async fn explained(transfers: &Transfers, key: &Key, error: FileError) -> FileError {
    let FileError::Destination(cause) = &error else { return error };
    let Transfers { store, course, destination, .. } = transfers;
    match conflict(store.as_ref(), course, key, destination, cause).await {
        Some(refusal) => FileError::Name { name: key.to_string(), refusal },
        None => error,
    }
}

async fn steps(
    transfers: &Arc<Transfers>,
    info: ObjectInfo,
    path: RelativePath,
    progress: &Arc<Progress>,
) -> Result<Ended, FileError> {
    transfers.check_listed(&path)?;
    let mut told = None;
    loop {
        let changes = transfers.lead.changes();
        let replacing = match look(transfers, &info, &path, &mut told).await? {
            ControlFlow::Break(ended) => return Ok(ended),
            ControlFlow::Continue(replacing) => replacing,
        };
        if transfers.leads(changes).await {
            let meter = Meter::new(progress, info.size);
            return fetch(transfers, &Planned { info, path, replacing, meter }).await;
        }
    }
}

/// Looks what is there: how the file ends, or what it may replace when it is fetched. What the store
/// `told` of it stays, so that it is asked once.
async fn look(
    transfers: &Arc<Transfers>,
    info: &ObjectInfo,
    path: &RelativePath,
    told: &mut Option<ObjectInfo>,
) -> Result<ControlFlow<Ended, Replacing>, FileError> {
    let mut planned = plan(transfers, told.as_ref().unwrap_or(info), path, told.is_some()).await?;
    if planned.decision == Decision::Ask && told.is_none() {
        let asked = told.insert(ask(transfers, info).await);
        planned = plan(transfers, asked, path, true).await?;
    }
    // Only what stays is looked at by it: what is fetched is tied to its listing, and to its answer.
    let known = told.as_ref().unwrap_or(info);
    let Plan { decision, prepared } = planned;
    let replacing = match decision {
        Decision::Skip(reason) => match stay(transfers, known, path, reason).await? {
            Some(stays) => return Ok(ControlFlow::Break(stays)),
            None => Replacing::Theirs,
        },
        Decision::Refuse(problem) => {
            let at = transfers.destination.at(path);
            return Err(DestinationError::new(at, problem).into());
        }
        Decision::Compare => {
            // Whoever takes digests reads the file once, and compares then.
            let compares = transfers.settings.takes_sha256();
            if (compares || same_checksum(transfers, known, path).await?)
                && let Some(stays) = stay(transfers, known, path, SkipReason::Unchanged).await?
            {
                return Ok(ControlFlow::Break(stays));
            }
            Replacing::Theirs
        }
        Decision::Fetch(replacing) => replacing,
        // Nobody tells its size.
        Decision::Ask => Replacing::Theirs,
    };
    Ok(if transfers.settings.dry_run {
        ControlFlow::Break(Ended::Planned)
    } else if let Err(error) = prepared {
        ControlFlow::Break(Ended::Hopeless(error))
    } else {
        ControlFlow::Continue(replacing)
    })
}

/// What the store says of an object of which the listing told too little, under the time that the
/// listing told: a file that arrived has that one. If it says nothing, reading it may do better, or says
/// why not.
async fn ask(transfers: &Transfers, listed: &ObjectInfo) -> ObjectInfo {
    match now(transfers.store.as_ref(), listed, WantedChecksums::Free).await {
        Ok(info) => {
            let modified = listed.modified.or(info.modified);
            info.with_modified(modified)
        }
        Err(_) => listed.clone(),
    }
}

/// How a file that may stay ends; `None` if it is to be fetched after all.
async fn stay(
    transfers: &Transfers,
    info: &ObjectInfo,
    path: &RelativePath,
    reason: SkipReason,
) -> Result<Option<Ended>, FileError> {
    if !transfers.settings.takes_sha256() {
        return Ok(Some(Ended::Skipped(reason, None)));
    }
    let row = kept(transfers, info, path, reason).await?;
    Ok(row.map(|row| Ended::Skipped(reason, Some(row))))
}

/// How a file of a dry run ends, where that can be told without a look.
pub(super) fn planned_at_once(transfers: &Transfers, path: &RelativePath) -> Option<Ended> {
    let Transfers { settings, destination, .. } = transfers;
    let is_known = settings.dry_run && destination.lacks_at_all(path);
    is_known.then(|| match transfers.check_listed(path) {
        Ok(()) => Ended::Planned,
        Err(error) => Ended::Failed(error),
    })
}

/// Looks at what is there, if that is not known. Once the store was asked, what nobody tells the size
/// of is to be written.
async fn plan(
    transfers: &Arc<Transfers>,
    info: &ObjectInfo,
    path: &RelativePath,
    was_asked: bool,
) -> Result<Plan, FileError> {
    let Transfers { destination, settings, .. } = transfers.as_ref();
    // What an earlier part of this fetch wrote came after the look.
    if !transfers.laid_over && destination.is_prepared() && destination.lacks(path) {
        let decision = decide(settings.overwrite, None, info, Laid::First);
        return Ok(Plan { decision, prepared: Ok(()) });
    }
    let shared = Arc::clone(transfers);
    let (info, path) = (info.clone(), path.clone());
    let plan = move || {
        let Transfers { destination, settings, .. } = shared.as_ref();
        let existing = if shared.laid_over && !settings.dry_run {
            destination.existing(&path)
        } else {
            destination.look_for(&path)
        }?;
        let laid = match shared.lead.has_waited() {
            _ if !shared.laid_over => Laid::First,
            false => Laid::Over,
            true => Laid::OverShared,
        };
        let decision = decide(settings.overwrite, existing, &info, laid);
        let writes = matches!(decision, Decision::Fetch(_) | Decision::Compare)
            || was_asked && decision == Decision::Ask;
        let prepared = if writes && !settings.dry_run { destination.prepare() } else { Ok(()) };
        Ok(Plan { decision, prepared })
    };
    transfers.hands.brief_step(plan).await
}

/// Fetches, if there is room on the disk.
async fn fetch(transfers: &Transfers, planned: &Planned) -> Result<Ended, FileError> {
    let size = planned.info.size.unwrap_or_default();
    let has_sum = strongest(&planned.info.checksums).is_some();
    let is_resumable = transfers.resumes(has_sum) && transfers.parts(&planned.info).is_some();
    transfers.room.take(size, is_resumable, &planned.path, &transfers.destination)?;
    let done = transfers.fetch(planned).await;
    if done.is_err() {
        planned.meter.take_back();
    }
    done.map(Ended::Committed)
}

/// Whether the file that is there has the checksum that the listing tells.
async fn same_checksum(
    transfers: &Transfers,
    info: &ObjectInfo,
    path: &RelativePath,
) -> Result<bool, FileError> {
    let (Some(sum), Some(size)) = (strongest(&info.checksums).cloned(), info.size) else {
        return Ok(false);
    };
    let Some(mut digest) = Digests::of(&sum) else { return Ok(false) };
    let destination = Arc::clone(&transfers.destination);
    let path = path.clone();
    // A file that cannot be read is fetched again.
    let is_same = move || {
        let file = destination.open_existing(&path).ok()?;
        digest_range(&file, &mut digest, 0..size).ok()?;
        Some(digest.finish() == sum.value)
    };
    transfers.hands.step(move || Ok(is_same().unwrap_or(false))).await
}
