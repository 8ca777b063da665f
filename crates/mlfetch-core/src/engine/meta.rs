//! The file in which MLflow notes which registered model a directory is.

use std::io::Read as _;
use std::sync::Arc;

use mlfetch_store::{Key, ObjectInfo};

use super::FileError;
use super::overwrite::{Decision, Laid, decide};
use super::transfer::Transfers;
use crate::RelativePath;
use crate::destination::{Destination, DestinationError};
use crate::layout::join;
use crate::manifest::ManifestRow;
use crate::resolve::ModelMeta;

/// Its name.
const MODEL_META: &[u8] = b"registered_model_meta";

/// The file that makes a directory a model.
pub(super) const MODEL_FILE: &[u8] = b"MLmodel";

/// Where a model at this place is noted, and how.
pub(super) fn model_meta(place: &[u8], model: &ModelMeta) -> Option<(RelativePath, String)> {
    Some((RelativePath::new(join(place, MODEL_META)).ok()?, model.to_yaml()))
}

/// Notes the model, if one lies at the place now. A file that says so already stays. Gives the path
/// of the file that says so, and what it is.
pub(super) async fn note_model(
    transfers: &Transfers,
    model: &ModelMeta,
) -> Result<Option<(RelativePath, ManifestRow)>, FileError> {
    let place = &transfers.course.place;
    let (Ok(model_file), Some((path, text))) =
        (RelativePath::new(join(place, MODEL_FILE)), model_meta(place, model))
    else {
        return Ok(None);
    };
    let destination = Arc::clone(&transfers.destination);
    let settings = Arc::clone(&transfers.settings);
    let note = move || {
        let is_model = destination.existing(&model_file)?.is_some_and(|found| found.is_file);
        if !is_model {
            return Ok(None);
        }
        if has_text(&destination, &path, &text) {
            return Ok(Some((path, ManifestRow::own(text.as_bytes()))));
        }
        let existing = destination.existing(&path)?;
        let ours = ObjectInfo::new(Key::root()).with_size(text.len() as u64);
        // What the store itself holds under that name is of this fetch, and is replaced.
        match decide(settings.overwrite, existing, &ours, Laid::Over) {
            Decision::Fetch(replacing) => {
                let how = settings.commit(replacing, None);
                destination.put(&path, text.as_bytes(), &how)?;
                Ok(Some((path, ManifestRow::own(text.as_bytes()))))
            }
            Decision::Refuse(problem) => Err(DestinationError::new(destination.at(&path), problem)),
            Decision::Skip(_) | Decision::Compare | Decision::Ask => Ok(None),
        }
    };
    transfers.hands.step(note).await
}

/// Whether the file is there with exactly this text.
fn has_text(destination: &Destination, path: &RelativePath, text: &str) -> bool {
    let Ok(file) = destination.open_existing(path) else { return false };
    let mut found = Vec::new();
    let longest = text.len() as u64 + 1;
    file.take(longest).read_to_end(&mut found).is_ok() && found == text.as_bytes()
}
