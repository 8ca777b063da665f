//! All that the cases share: the trees, the stores, MLflow's workers.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use mlfetch_tests::{Job, Tree, Workers, repository};
use tempfile::TempDir;

use crate::store::{OpenStore, StoreKind};

/// The table's own directory, and what was made in it.
pub(crate) struct Table {
    root: TempDir,
    workers: Workers,
    trees: OnceLock<Tree>,
    stores: [OnceLock<Result<OpenStore, String>>; StoreKind::COUNT],
    boxes: AtomicU32,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            root: TempDir::new().expect("a directory"),
            workers: Workers::new(repository().join("tests/data/mlflow_worker.py")),
            trees: OnceLock::new(),
            stores: Default::default(),
            boxes: AtomicU32::new(0),
        }
    }

    pub(crate) fn workers(&self) -> &Workers {
        &self.workers
    }

    /// The files that every store holds, by the name of their tree.
    pub(crate) fn trees(&self) -> &Tree {
        self.trees.get_or_init(|| {
            let arguments = [self.trees_path().display().to_string()];
            let ran = self.workers.run(&Job {
                call: "compat_seed:write_trees",
                arguments: &arguments,
                directory: self.root.path(),
                environment: &[],
            });
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            Tree::of(&self.trees_path())
        })
    }

    fn trees_path(&self) -> PathBuf {
        self.root.path().join("trees")
    }

    /// A store, written when it is first asked for.
    pub(crate) fn store(&self, kind: StoreKind) -> Result<&OpenStore, String> {
        self.trees();
        let open = || {
            let directory = self.root.path().join(kind.name());
            kind.open(&self.workers, &directory, &self.trees_path())
        };
        self.stores[kind as usize].get_or_init(open).as_ref().map_err(Clone::clone)
    }

    /// A place for a box that no other case has.
    pub(crate) fn fresh(&self) -> PathBuf {
        let number = self.boxes.fetch_add(1, Ordering::Relaxed);
        Path::new(self.root.path()).join(format!("box-{number}"))
    }
}
