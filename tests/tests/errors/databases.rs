//! Databases that are none, are locked, or are of another schema.

use std::time::Duration;

use mlfetch_tests::{Desk, Failure, repository};
use rusqlite::Connection;

const DATABASE: [(&str, &str); 1] = [("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")];
const ARGUMENTS: [&str; 4] = ["get", "models:/fraud@champion", "-d", "out"];

/// A desk with a copy of the quick start's database, after these statements.
fn changed(statements: &str) -> (Desk, Connection) {
    let desk = Desk::new();
    let path = desk.path().join("mlflow.db");
    std::fs::copy(repository().join("examples/quickstart/mlflow.db"), &path).expect("copied");
    let connection = Connection::open(path).expect("a database");
    connection.execute_batch(statements).expect("changed");
    (desk, connection)
}

#[track_caller]
fn fail(code: i32, desk: &Desk) -> Failure {
    desk.fail(code, &ARGUMENTS, &DATABASE)
}

#[test]
fn a_file_that_is_no_database() {
    let texts: [&[u8]; 3] =
        [b"name,size\n", b"", &[b"SQLite format 3\0".as_slice(), &[7; 4096]].concat()];
    for text in texts {
        let desk = Desk::new();
        desk.write("mlflow.db", text);
        let _ = fail(2, &desk).says("mlflow.db");
    }
    let desk = Desk::new();
    desk.write("mlflow.db/file", "");
    let _ = fail(2, &desk).says("directory");
}

#[test]
fn a_database_of_something_else() {
    let desk = Desk::new();
    let connection = Connection::open(desk.path().join("mlflow.db")).expect("a database");
    connection.execute_batch("CREATE TABLE songs (title TEXT)").expect("changed");
    drop(connection);
    fail(2, &desk).says("it has no table `runs`").advises("MLFLOW_TRACKING_URI");
}

#[test]
fn an_older_schema_without_a_column_that_is_needed() {
    let (desk, connection) = changed("ALTER TABLE runs RENAME COLUMN artifact_uri TO place");
    drop(connection);
    fail(2, &desk).says("no column `artifact_uri`").advises("mlflow db upgrade");
}

#[test]
fn an_older_schema_without_logged_models_and_aliases_has_all_the_rest() {
    let (desk, connection) = changed(
        "DROP TABLE registered_model_aliases; DROP TABLE logged_models; \
         UPDATE alembic_version SET version_num = 'f5a4f2784254'",
    );
    drop(connection);
    let _ = fail(3, &desk).says("alias");
    let store = repository().join("examples/quickstart");
    let rule = format!("file:///mlfetch-quickstart={}", store.display());
    let arguments = ["get", "models:/fraud/2", "-d", "out", "--rewrite", &rule];
    let ran = desk.run(&arguments, &DATABASE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_newer_schema_with_more_in_it_is_read_all_the_same() {
    let (desk, connection) = changed(
        "ALTER TABLE runs ADD COLUMN newer TEXT; CREATE TABLE newer (x); \
         UPDATE alembic_version SET version_num = 'ffffffffffff'",
    );
    drop(connection);
    let store = repository().join("examples/quickstart");
    let rule = format!("file:///mlfetch-quickstart={}", store.display());
    let arguments = ["get", "models:/fraud@champion", "-d", "out", "--rewrite", &rule];
    let ran = desk.run(&arguments, &DATABASE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_database_that_stays_locked() {
    let (desk, connection) = changed("BEGIN EXCLUSIVE");
    // Reading the file here would end the lock: it belongs to the process, not to the connection.
    let ran = desk.run(&ARGUMENTS, &DATABASE);
    drop(connection);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    let failure = Failure { ran }.says("locked").within(Duration::from_secs(15));
    assert_eq!(failure.ran.stdout, "");
    assert!(!desk.path().join("out").exists());
}
