//! What a tree should be: by a manifest, by a list, or as its store has it now.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use mlfetch_store::{Entry, ErrorKind, Key, ObjectInfo, Result, Store, WalkLimits, walk};

use crate::layout::join;
use crate::manifest::{Manifest, ManifestRow, Sha256Sum, Sums};
use crate::resolve::Resolved;
use crate::{Layout, RelativePath};

use super::super::meta::{MODEL_FILE, model_meta};
use super::super::{Engine, Shape};

/// What a tree should be.
#[derive(Debug, Default)]
pub struct ExpectedTree {
    pub(super) files: BTreeMap<RelativePath, ExpectedFile>,
    /// Names in the store that no file here can have.
    pub(super) odd: Vec<Key>,
}

/// What one file should be.
#[derive(Debug)]
pub(super) enum ExpectedFile {
    /// As a manifest says, or mlfetch's own note of a model.
    Row { size: u64, sha256: Sha256Sum },
    /// As a list says.
    Listed(Sha256Sum),
    /// As a store has it.
    Object { store: Arc<dyn Store>, info: Box<ObjectInfo> },
}

impl From<&Manifest> for ExpectedTree {
    fn from(manifest: &Manifest) -> Self {
        let row = |(path, row): (&RelativePath, &ManifestRow)| {
            (path.clone(), ExpectedFile::Row { size: row.size, sha256: row.sha256 })
        };
        Self { files: manifest.rows().map(row).collect(), odd: Vec::new() }
    }
}

impl From<&Sums> for ExpectedTree {
    fn from(sums: &Sums) -> Self {
        let row =
            |(path, sum): (&RelativePath, &Sha256Sum)| (path.clone(), ExpectedFile::Listed(*sum));
        Self { files: sums.iter().map(row).collect(), odd: Vec::new() }
    }
}

impl Engine {
    /// What a fetch of these parts with this layout would bring now. Lists, and reads no bytes.
    ///
    /// # Errors
    /// Those of [`open`](Self::open) and of listing; `NotFound` if nothing of that name is there.
    pub async fn expected(&self, parts: &[Resolved], layout: Layout) -> Result<ExpectedTree> {
        let mut tree = ExpectedTree::default();
        let mut missing = None;
        let mut any = false;
        for part in parts {
            match self.expect_part(&mut tree, part, layout).await {
                Ok(()) => any = true,
                Err(error) if part.target.optional && error.kind() == ErrorKind::NotFound => {
                    missing.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        match missing {
            Some(error) if !any => Err(error),
            _ => Ok(tree),
        }
    }

    async fn expect_part(
        &self,
        tree: &mut ExpectedTree,
        part: &Resolved,
        layout: Layout,
    ) -> Result<()> {
        let source = self.open(&part.target).await?;
        if let Shape::File(info) = &source.shape {
            let (_, name) = info.key.split_last();
            let place = layout.place_file(&part.target.placement, name);
            tree.object(&source.store, info.clone(), place);
            return Ok(());
        }
        let place = layout.place_directory(&part.target.placement);
        let prefix = source.key.to_prefix();
        let store = Arc::clone(&source.store);
        let mut rows = walk(store, prefix.clone(), WalkLimits::default());
        let mut any = false;
        while let Some(entry) = rows.try_next().await? {
            any = true;
            tree.entry(&source.store, entry, &prefix, &place);
        }
        if !any {
            source.explain_nothing().await?;
        }
        if let Some(model) = &part.target.model
            && let Some((path, text)) = model_meta(&place, model)
            && tree.has_model(&place)
        {
            let (size, sha256) = (text.len() as u64, Sha256Sum::of(text.as_bytes()));
            tree.files.insert(path, ExpectedFile::Row { size, sha256 });
        }
        Ok(())
    }
}

impl ExpectedTree {
    /// How many files it has.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn entry(&mut self, store: &Arc<dyn Store>, entry: Entry, prefix: &Key, place: &[u8]) {
        match entry {
            Entry::Object(info) => {
                let name = info.key.strip_prefix(prefix).unwrap_or_default();
                // `dir/` with nothing in it stands for a directory.
                if info.size == Some(0) && (name.is_empty() || name.ends_with(b"/")) {
                    return;
                }
                let place = if name.is_empty() { vec![b'/'] } else { join(place, name) };
                self.object(store, info, place);
            }
            Entry::Refused(refused) => self.odd.push(refused.key),
            _ => {}
        }
    }

    fn object(&mut self, store: &Arc<dyn Store>, info: ObjectInfo, place: Vec<u8>) {
        match RelativePath::new(place) {
            Ok(path) => {
                let (store, info) = (Arc::clone(store), Box::new(info));
                self.files.insert(path, ExpectedFile::Object { store, info });
            }
            Err(_) => self.odd.push(info.key),
        }
    }

    fn has_model(&self, place: &[u8]) -> bool {
        RelativePath::new(join(place, MODEL_FILE)).is_ok_and(|path| self.files.contains_key(&path))
    }
}
