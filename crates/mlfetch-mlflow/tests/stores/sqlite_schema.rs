//! Databases of other versions of MLflow: older ones lack tables and columns, newer ones have more.

use mlfetch_mlflow::{Environment, Settings, Stage, TrackingStore, open};
use mlfetch_store::ErrorKind;

use crate::sqlite::{copy, open_copy, written};

#[tokio::test]
async fn a_database_from_before_logged_models_and_workspaces_still_answers() {
    let (directory, connection) = copy();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; DROP TABLE logged_models;
             CREATE TABLE v AS SELECT name, version, current_stage, source, run_id
               FROM model_versions;
             DROP TABLE model_versions; ALTER TABLE v RENAME TO model_versions;
             CREATE TABLE e AS SELECT experiment_id, name FROM experiments;
             DROP TABLE experiments; ALTER TABLE e RENAME TO experiments;
             CREATE TABLE m AS SELECT name FROM registered_models;
             DROP TABLE registered_models; ALTER TABLE m RENAME TO registered_models;
             CREATE TABLE a AS SELECT name, alias, version FROM registered_model_aliases;
             DROP TABLE registered_model_aliases; ALTER TABLE a RENAME TO registered_model_aliases",
        )
        .expect("an older schema");
    let target = open_copy(&directory).await;
    let (store, facts) = (&target.store, target.facts);
    let run = store.run(&facts.run.id()).await.expect("it is there");
    assert_eq!(run.artifact_uri, facts.run.artifact_uri);
    assert_eq!(store.logged_models_of_run(&run, None).await.expect("none"), []);
    let error = store.logged_model(&facts.model.model_id).await.expect_err("no such table");
    assert!(error.to_string().contains("too old"), "{error}");
    let name = &facts.registered.name;
    let version = store.model_version_by_alias(name, "champion").await.expect("it is there");
    assert_eq!(version.version, "2");
    assert_eq!(version.download_uri, facts.versions["2"].source, "no storage location is known");
    let highest = store.model_version_by_stage(name, Stage::Latest).await.expect("it is there");
    assert_eq!(highest.version, "5");
    assert!(store.model_version(&name.replacen('f', "F", 1), "1").await.is_err());
}

#[tokio::test]
async fn a_database_from_before_aliases_says_so() {
    let (directory, connection) = copy();
    connection.execute_batch("DROP TABLE registered_model_aliases").expect("older");
    let target = open_copy(&directory).await;
    let name = &target.facts.registered.name;
    let error = target.store.model_version_by_alias(name, "champion").await.expect_err("older");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("too old for aliases"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("db upgrade")));
}

#[tokio::test]
async fn columns_of_a_newer_version_do_no_harm() {
    let (directory, connection) = copy();
    connection
        .execute_batch(
            "ALTER TABLE runs ADD COLUMN name_of_tomorrow TEXT;
             ALTER TABLE model_versions ADD COLUMN storage TEXT;
             UPDATE alembic_version SET version_num = 'ffffffffffff'",
        )
        .expect("a newer schema");
    let target = open_copy(&directory).await;
    target.store.run(&target.facts.run.id()).await.expect("it is there");
    let name = &target.facts.registered.name;
    target.store.model_version(name, "1").await.expect("it is there");
}

#[tokio::test]
async fn a_database_of_something_else_is_said_to_be_none_of_mlflows() {
    let (directory, connection) = copy();
    connection.execute_batch("PRAGMA foreign_keys = OFF; DROP TABLE runs").expect("spoiled");
    let target = open_copy(&directory).await;
    let error = target.store.run(&target.facts.run.id()).await.expect_err("no runs");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("not MLflow's"), "{error}");
    connection.execute_batch("CREATE TABLE runs (id TEXT)").expect("spoiled");
    let target = open_copy(&directory).await;
    let error = target.store.run(&target.facts.run.id()).await.expect_err("other runs");
    assert!(error.to_string().contains("`run_uuid`"), "{error}");
}

#[tokio::test]
async fn each_workspace_sees_its_own() {
    let (directory, connection) = copy();
    let facts = written().1;
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; UPDATE experiments SET workspace = 'team';
             UPDATE model_versions SET workspace = 'team';
             UPDATE registered_models SET workspace = 'team';
             UPDATE registered_model_aliases SET workspace = 'team'",
        )
        .expect("moved");
    let plain = Environment::new(directory.path());
    let teams = plain.clone().with_variable("MLFLOW_WORKSPACE", "team");
    let name = &facts.registered.name;
    for (environment, sees) in [(plain, false), (teams, true)] {
        let settings = Settings::new(Some("sqlite:///mlflow.db"), None, &environment);
        let uri = &settings.tracking_uri;
        let store = open(uri, &settings, &environment).await.expect("it opens");
        assert_eq!(store.run(&facts.run.id()).await.is_ok(), sees);
        assert_eq!(store.logged_model(&facts.model.model_id).await.is_ok(), sees);
        assert_eq!(finds_version(store.as_ref(), name).await, sees);
    }
}

async fn finds_version(store: &dyn TrackingStore, name: &str) -> bool {
    let version = store.model_version(name, "1").await.is_ok();
    let alias = store.model_version_by_alias(name, "champion").await.is_ok();
    let stage = store.model_version_by_stage(name, Stage::Latest).await.is_ok();
    assert!(version == alias && alias == stage);
    version
}
