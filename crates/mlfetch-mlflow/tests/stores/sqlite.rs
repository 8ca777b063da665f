//! SQLite files: quiet, written at the same time, locked, and no databases at all.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use mlfetch_mlflow::{Environment, TrackingKind};
use mlfetch_store::{ErrorKind, Retry};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::seed::{Facts, Seeded, seed_once};
use crate::target::{Target, open_in};

/// The directory that holds the database, and what is in it.
pub(crate) fn written() -> (&'static Path, &'static Facts) {
    static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a directory"));
    static SEEDED: Seeded = Seeded::new();
    let uri = format!("sqlite:///{}", DIRECTORY.path().join("a b.db").display());
    let facts = seed_once(&SEEDED, &uri, Some("s3://bucket/root"), &[]);
    (DIRECTORY.path(), facts)
}

async fn target() -> Target {
    let (directory, facts) = written();
    Target::open_in("sqlite:///a b.db", facts, &Environment::new(directory)).await
}

crate::cases::cases!(target());

/// A copy of the database, to be changed.
pub(crate) fn copy() -> (TempDir, Connection) {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("mlflow.db");
    fs::copy(written().0.join("a b.db"), &path).expect("copied");
    let connection = Connection::open(path).expect("opened");
    (directory, connection)
}

pub(crate) async fn open_copy(directory: &TempDir) -> Target {
    let environment = Environment::new(directory.path());
    Target::open_in("sqlite:///mlflow.db", written().1, &environment).await
}

fn files_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("listed");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().expect("text")).collect();
    names.sort();
    names
}

/// While a writer is at it, its change not yet committed.
mod while_a_writer_holds_it {
    use super::*;

    async fn target() -> Target {
        let (directory, writer) = copy();
        let change = "BEGIN IMMEDIATE; UPDATE runs SET artifact_uri = 'uncommitted'";
        writer.execute_batch(change).expect("a writer");
        let target = open_copy(&directory).await;
        // Both live until the test binary ends.
        std::mem::forget((directory, writer));
        target
    }

    crate::cases::cases!(target());
}

/// With a write-ahead log beside it that holds the newest changes.
mod with_a_write_ahead_log {
    use super::*;

    async fn target() -> Target {
        let (directory, writer) = copy();
        let change = "PRAGMA journal_mode = WAL; CREATE TABLE other (x); BEGIN IMMEDIATE; \
                      UPDATE runs SET artifact_uri = 'uncommitted'";
        writer.execute_batch(change).expect("a writer");
        assert!(directory.path().join("mlflow.db-wal").exists());
        let target = open_copy(&directory).await;
        std::mem::forget((directory, writer));
        target
    }

    crate::cases::cases!(target());
}

#[tokio::test]
async fn a_change_is_seen_once_it_is_in_the_write_ahead_log() {
    let (directory, writer) = copy();
    writer.execute_batch("PRAGMA journal_mode = WAL").expect("a log");
    let target = open_copy(&directory).await;
    writer.execute("UPDATE runs SET artifact_uri = 's3://moved'", []).expect("written");
    let target_after = open_copy(&directory).await;
    let run = target_after.store.run(&target.facts.run.id()).await.expect("it is there");
    assert_eq!(run.artifact_uri, "s3://moved");
}

#[tokio::test]
async fn nothing_is_created_by_a_read() {
    let (directory, writer) = copy();
    writer.execute_batch("PRAGMA journal_mode = WAL").expect("a log");
    drop(writer);
    assert_eq!(files_in(directory.path()), ["mlflow.db"], "the last writer removes its log");
    let before = fs::read(directory.path().join("mlflow.db")).expect("read");
    let target = open_copy(&directory).await;
    target.store.run(&target.facts.run.id()).await.expect("it is there");
    assert_eq!(files_in(directory.path()), ["mlflow.db"]);
    drop(target);
    assert_eq!(files_in(directory.path()), ["mlflow.db"]);
    assert_eq!(fs::read(directory.path().join("mlflow.db")).expect("read"), before);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error_and_not_created() {
    let directory = TempDir::new().expect("a directory");
    let environment = Environment::new(directory.path());
    let error = open_in("sqlite:///mlflow.db", &environment).await.expect_err("none");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("mlflow.db"), "{error}");
    assert!(files_in(directory.path()).is_empty());
}

#[tokio::test]
async fn what_is_no_database_is_said_to_be_none() {
    let directory = TempDir::new().expect("a directory");
    let environment = Environment::new(directory.path());
    fs::create_dir(directory.path().join("directory.db")).expect("created");
    let garbled = [b"SQLite format 3\0".as_slice(), &[7; 4096]].concat();
    let rows: [(&str, &[u8], &str); 4] = [
        ("text.db", b"experiment: 1\nand more of it\n", "not a SQLite database"),
        ("empty.db", b"", "empty"),
        ("short.db", b"SQLite", "not a SQLite database"),
        ("garbled.db", &garbled, "database"),
    ];
    for (name, bytes, _) in rows {
        fs::write(directory.path().join(name), bytes).expect("written");
    }
    let expected = rows.map(|(name, _, why)| (name, why));
    for (name, why) in expected.into_iter().chain([("directory.db", "directory")]) {
        let error = match open_in(&format!("sqlite:///{name}"), &environment).await {
            Err(error) => error,
            Ok(store) => store.run(&written().1.run.id()).await.expect_err(name),
        };
        assert!(matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Integrity), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_stays_locked_is_said_to_be_locked() {
    let (directory, writer) = copy();
    writer.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    let target = open_copy(&directory).await;
    let error = target.store.run(&target.facts.run.id()).await.expect_err("it is locked");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert_eq!(error.retry(), Retry::Never, "it was waited for");
    assert!(error.to_string().contains("locked"), "{error}");
    writer.execute_batch("ROLLBACK").expect("free again");
    target.store.run(&target.facts.run.id()).await.expect("it is there");
}

#[tokio::test]
async fn the_store_is_known_by_its_file() {
    let target = target().await;
    let info = target.store.info();
    assert_eq!(info.kind, TrackingKind::Database);
    assert!(
        info.name.starts_with("sqlite:////") && info.name.ends_with("/a b.db"),
        "{}",
        info.name
    );
    assert!(!info.remote);
}
