//! The file store.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use mlfetch_mlflow::{Environment, RunId, TrackingKind};
use mlfetch_store::ErrorKind;
use tempfile::TempDir;

use crate::seed::{Facts, Seeded, seed_once};
use crate::target::{Target, open_in};

/// The directory that holds the store, and what is in it.
fn written() -> (&'static Path, &'static Facts) {
    static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a directory"));
    static SEEDED: Seeded = Seeded::new();
    let root = DIRECTORY.path().join("ml runs");
    let allowed = [("MLFLOW_ALLOW_FILE_STORE", "true")];
    let facts = seed_once(&SEEDED, root.to_str().expect("text"), None, &allowed);
    (DIRECTORY.path(), facts)
}

async fn target() -> Target {
    let (directory, facts) = written();
    Target::open_in("./ml runs", facts, &Environment::new(directory)).await
}

crate::cases::cases!(target());

/// A copy of the store, to be spoiled.
fn copy() -> TempDir {
    let directory = TempDir::new().expect("a directory");
    copy_tree(&written().0.join("ml runs"), &directory.path().join("mlruns"));
    directory
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("listed").map(|entry| entry.expect("an entry")) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_tree(&from, &to);
        } else {
            fs::copy(&from, &to).expect("copied");
        }
    }
}

#[tokio::test]
async fn a_file_uri_names_the_same_store_and_an_encoded_blank_is_a_blank() {
    let (directory, facts) = written();
    let path = directory.display();
    for uri in [format!("file://{path}/ml%20runs"), format!("{path}/ml%20runs")] {
        let store = open_in(&uri, &Environment::new("/")).await.expect(&uri);
        assert!(store.run(&facts.run.id()).await.is_ok());
        let root = directory.join("ml runs");
        assert_eq!(store.info().kind, TrackingKind::Files { root });
        assert!(!store.info().remote && store.server().is_none());
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_an_error_and_not_created() {
    let directory = TempDir::new().expect("a directory");
    let error = open_in("./mlruns", &Environment::new(directory.path())).await.expect_err("none");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(fs::read_dir(directory.path()).expect("listed").next().is_none());
}

#[tokio::test]
async fn a_meta_file_that_is_malformed_is_named() {
    let copy = copy();
    let facts = &written().1.run;
    let meta = format!("mlruns/{}/{}/meta.yaml", facts.experiment_id, facts.run_id);
    let path = copy.path().join(meta);
    let whole = fs::read_to_string(&path).expect("read");
    let store = open_in("mlruns", &Environment::new(copy.path())).await.expect("opens");
    let spoiled = [
        (String::new(), "empty"),
        ("{ not yaml".to_owned(), "YAML"),
        ("- a list".to_owned(), "list"),
        (whole.replace("artifact_uri:", "was:"), "`artifact_uri`"),
        (whole.replace("run_id: ", "run_id: x"), "`run_id`"),
        (whole.replace("experiment_id: '", "experiment_id: '1"), "`experiment_id`"),
    ];
    for (text, why) in spoiled {
        fs::write(&path, text).expect("written");
        let error = store.run(&facts.id()).await.expect_err(why);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().contains("meta.yaml"), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_directory_that_is_not_a_runs_is_not_taken_for_one() {
    let copy = copy();
    let facts = &written().1.run;
    let run = copy.path().join(format!("mlruns/{}/{}", facts.experiment_id, facts.run_id));
    fs::remove_dir_all(run.join("params")).expect("removed");
    let store = open_in("mlruns", &Environment::new(copy.path())).await.expect("opens");
    let error = store.run(&facts.id()).await.expect_err("it lacks a directory");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("`params`"), "{error}");
}

#[tokio::test]
async fn an_alias_that_holds_no_number_is_named() {
    let copy = copy();
    let name = &written().1.registered.name;
    let alias = copy.path().join("mlruns/models").join(name).join("aliases/champion");
    fs::write(alias, "two").expect("written");
    let store = open_in("mlruns", &Environment::new(copy.path())).await.expect("opens");
    let error = store.model_version_by_alias(name, "champion").await.expect_err("no number");
    assert!(error.subject().ends_with("champion"), "{error}");
}

#[tokio::test]
async fn an_experiment_of_the_same_id_as_a_run_is_not_a_run() {
    let target = target().await;
    let experiment = RunId::parse(written().1.run.experiment_id.as_str()).expect("an id");
    let error = target.store.run(&experiment).await.expect_err("not a run");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
