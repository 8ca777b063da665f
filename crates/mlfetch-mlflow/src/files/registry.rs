//! Registered models in a file store: `models/<name>/version-<n>/meta.yaml`, `aliases/<alias>`.

use std::path::{Path, PathBuf};

use mlfetch_store::Result;

use super::directory::{MODELS, child, directories, entries};
use super::meta::{META_FILE, Meta, malformed, read_text};
use crate::tracking::{ModelVersion, Stage};

/// The stage of a deleted version, whose files stay.
const DELETED_STAGE: &str = "Deleted_Internal";
const VERSION_PREFIX: &str = "version-";
const ALIASES: &str = "aliases";

/// The registered models of a file store.
#[derive(Debug, Clone)]
pub(super) struct Registry {
    root: PathBuf,
}

impl Registry {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.join(MODELS) }
    }

    /// The names of the models.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let models = directories(&self.root)?.into_iter();
        let names = models.filter(|path| path.join(META_FILE).exists());
        Ok(names.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    /// One version, unless it was deleted.
    pub(super) fn version(&self, name: &str, number: u64) -> Result<Option<ModelVersion>> {
        let Some(model) = child(&self.root, name) else { return Ok(None) };
        read_version(&model.join(format!("{VERSION_PREFIX}{number}")), name, number)
    }

    /// The number that an alias points at.
    pub(super) fn alias(&self, name: &str, alias: &str) -> Result<Option<u64>> {
        let model = child(&self.root, name);
        let Some(path) = model.and_then(|model| child(&model.join(ALIASES), alias)) else {
            return Ok(None);
        };
        let Some(text) = read_text(&path)? else { return Ok(None) };
        let number = text.trim().parse();
        number.map(Some).map_err(|_| malformed(&path, "it holds no version number".to_owned()))
    }

    /// The highest version in a stage.
    pub(super) fn highest(&self, name: &str, stage: Stage) -> Result<Option<ModelVersion>> {
        let mut numbers = self.numbers(name)?;
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        for number in numbers {
            let version = self.version(name, number)?;
            let fits = |found: &ModelVersion| stage == Stage::Latest || found.stage == stage.name();
            if let Some(version) = version.filter(fits) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// The versions that exist, with their stages.
    pub(super) fn versions(&self, name: &str) -> Result<Vec<(u64, String)>> {
        let mut versions = Vec::new();
        for number in self.numbers(name)? {
            if let Some(version) = self.version(name, number)? {
                versions.push((number, version.stage));
            }
        }
        Ok(versions)
    }

    /// The aliases of a model.
    pub(super) fn aliases(&self, name: &str) -> Result<Vec<String>> {
        let Some(model) = child(&self.root, name) else { return Ok(Vec::new()) };
        let aliases = entries(&model.join(ALIASES))?.into_iter();
        Ok(aliases.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    /// The numbers of all versions, deleted ones too.
    fn numbers(&self, name: &str) -> Result<Vec<u64>> {
        let Some(model) = child(&self.root, name) else { return Ok(Vec::new()) };
        let versions = directories(&model)?.into_iter();
        Ok(versions
            .filter_map(|path| {
                path.file_name()?.to_str()?.strip_prefix(VERSION_PREFIX)?.parse().ok()
            })
            .collect())
    }
}

fn read_version(directory: &Path, name: &str, number: u64) -> Result<Option<ModelVersion>> {
    let Some(meta) = Meta::read(directory)? else { return Ok(None) };
    let stage = meta.text("current_stage").unwrap_or_default();
    if stage == DELETED_STAGE {
        return Ok(None);
    }
    let filled = |name| meta.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let source = filled("source").unwrap_or_default();
    Ok(Some(ModelVersion {
        name: name.to_owned(),
        version: number.to_string(),
        stage: stage.to_owned(),
        download_uri: filled("storage_location").unwrap_or_else(|| source.clone()),
        source,
        run_id: filled("run_id"),
    }))
}
