//! What every store must answer.

use mlfetch_mlflow::{LoggedModel, ModelVersion, RunId, Stage};
use mlfetch_store::{Error, ErrorKind};

use crate::seed::{ModelFacts, RunFacts, VersionFacts};
use crate::target::Target;

/// Makes each case a test of the store that `$target` opens.
macro_rules! cases {
    ($target:expr) => {
        $crate::cases::cases!($target;
            a_run_is_found_with_the_place_of_its_artifacts,
            a_deleted_run_is_found_and_said_to_be_deleted,
            a_run_that_is_not_there_is_named,
            a_logged_model_is_found_unless_it_was_deleted,
            the_logged_models_of_a_run_are_those_that_it_logged,
            a_version_says_where_its_files_are,
            an_alias_leads_to_its_version,
            a_stage_is_its_highest_version,
            a_name_that_is_not_there_gets_near_ones,
            what_a_model_does_not_have_gets_what_it_has,
            a_version_that_is_no_number_is_refused_at_once,
        );
    };
    ($target:expr; $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::cases::$case(&$target.await).await;
            }
        )+
    };
}
pub(crate) use cases;

pub(crate) async fn a_run_is_found_with_the_place_of_its_artifacts(target: &Target) {
    for facts in [&target.facts.run, &target.facts.other_run] {
        assert!(!assert_run(target, facts).await, "it was not deleted");
    }
}

pub(crate) async fn a_deleted_run_is_found_and_said_to_be_deleted(target: &Target) {
    for facts in [&target.facts.deleted_run, &target.facts.trashed_run] {
        assert!(assert_run(target, facts).await, "it was deleted");
    }
}

async fn assert_run(target: &Target, facts: &RunFacts) -> bool {
    let run = target.store.run(&facts.id()).await.expect("the run is there");
    assert_eq!(run.run_id, facts.id());
    assert_eq!(run.experiment_id, facts.experiment_id);
    assert_eq!(run.artifact_uri, facts.artifact_uri);
    run.deleted
}

pub(crate) async fn a_run_that_is_not_there_is_named(target: &Target) {
    let unknown = RunId::parse("0".repeat(32)).expect("an id");
    let error = target.store.run(&unknown).await.expect_err("there is no such run");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.to_string().contains(unknown.as_str()), "{error}");
    assert!(error.to_string().contains(&target.store.info().name), "{error}");
}

pub(crate) async fn a_logged_model_is_found_unless_it_was_deleted(target: &Target) {
    for facts in [&target.facts.model, &target.facts.second, &target.facts.of_other_run] {
        let model = target.store.logged_model(&facts.model_id).await.expect("it is there");
        assert_model(&model, facts);
    }
    for unknown in [target.facts.deleted_model.model_id.as_str(), "m-0", "word", "../x", ".."] {
        let error = target.store.logged_model(unknown).await.expect_err("it is not there");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{unknown}: {error}");
        assert!(error.to_string().contains(unknown), "{error}");
    }
}

fn assert_model(model: &LoggedModel, facts: &ModelFacts) {
    assert_eq!(model.model_id, facts.model_id);
    assert_eq!(model.experiment_id, facts.experiment_id);
    assert_eq!(model.name, facts.name);
    assert_eq!(model.artifact_uri, facts.artifact_uri);
    assert_eq!(model.source_run_id.as_ref(), Some(&facts.source_run_id));
    assert_eq!(model.status, "READY");
}

pub(crate) async fn the_logged_models_of_a_run_are_those_that_it_logged(target: &Target) {
    let run = target.store.run(&target.facts.run.id()).await.expect("the run is there");
    let ids = async |name| {
        let models = target.store.logged_models_of_run(&run, name).await.expect("models");
        models.into_iter().map(|model| model.model_id).collect::<Vec<_>>()
    };
    let (model, second) = (&target.facts.model.model_id, &target.facts.second.model_id);
    assert_eq!(ids(None).await, [second, model].map(Clone::clone), "the newest first");
    assert_eq!(ids(Some("model")).await, std::slice::from_ref(model));
    assert_eq!(ids(Some("it's \"none\"")).await, [""; 0]);
    let without = target.store.run(&target.facts.deleted_run.id()).await.expect("it is there");
    let none = target.store.logged_models_of_run(&without, None).await.expect("an answer");
    assert_eq!(none, []);
}

pub(crate) async fn a_version_says_where_its_files_are(target: &Target) {
    let name = &target.facts.registered.name;
    assert_eq!(target.facts.versions.len(), 5);
    for (number, facts) in &target.facts.versions {
        let version = target.store.model_version(name, number).await.expect("it is there");
        assert_version(target, &version, number, facts);
        let padded = target.store.model_version(name, &format!("0{number}")).await;
        assert_eq!(padded.expect("leading zeros do not count"), version);
    }
}

fn assert_version(target: &Target, version: &ModelVersion, number: &str, facts: &VersionFacts) {
    assert_eq!(version.name, target.facts.registered.name);
    assert_eq!(version.version, number);
    assert_eq!(version.stage, facts.stage);
    assert_eq!(version.source, facts.source);
    assert_eq!(version.run_id, facts.run_id);
    assert_eq!(version.download_uri, facts.download_uri);
}

pub(crate) async fn an_alias_leads_to_its_version(target: &Target) {
    let name = &target.facts.registered.name;
    for (alias, number) in [("champion", "2"), ("Straße-1", "3"), ("latest", "5"), ("LATEST", "5")]
    {
        let version = target.store.model_version_by_alias(name, alias).await.expect(alias);
        assert_version(target, &version, number, &target.facts.versions[number]);
    }
}

pub(crate) async fn a_stage_is_its_highest_version(target: &Target) {
    let name = &target.facts.registered.name;
    let rows =
        [(Stage::Production, "3"), (Stage::Staging, "2"), (Stage::None, "5"), (Stage::Latest, "5")];
    for (stage, number) in rows {
        let version = target.store.model_version_by_stage(name, stage).await.expect(number);
        assert_version(target, &version, number, &target.facts.versions[number]);
    }
    // Numbers, not text: 11 is higher than 9.
    let many = &target.facts.registered.many;
    for stage in [Stage::Latest, Stage::None] {
        let version = target.store.model_version_by_stage(many, stage).await.expect("it is there");
        assert_eq!(version.version, "11");
    }
}

pub(crate) async fn a_name_that_is_not_there_gets_near_ones(target: &Target) {
    let name = &target.facts.registered.name;
    let near = name.replacen("fraud", "frued", 1);
    let failures = [
        target.store.model_version(&near, "1").await,
        target.store.model_version_by_alias(&near, "champion").await,
        target.store.model_version_by_stage(&near, Stage::Staging).await,
    ];
    for failure in failures {
        let error = failure.expect_err("there is no such model");
        assert!(error.to_string().contains(&near), "{error}");
        assert_hint(&error, &format!("`{name}`"));
    }
    for odd in ["", "..", "it's", "a/b", "50%", "'\""] {
        let error = target.store.model_version(odd, "1").await.expect_err("not a model");
        assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput), "{error:?}");
    }
}

pub(crate) async fn what_a_model_does_not_have_gets_what_it_has(target: &Target) {
    let name = &target.facts.registered.name;
    // Version 6 was deleted.
    let version = target.store.model_version(name, "6").await.expect_err("deleted");
    assert_hint(&version, "it has `1`, `2`, `3`, `4`, `5`");
    let alias = target.store.model_version_by_alias(name, "nope").await.expect_err("no alias");
    assert_hint(&alias, "`Straße-1`");
    let stage = target.store.model_version_by_stage(name, Stage::Archived).await;
    assert_hint(&stage.expect_err("none is archived"), "`None`, `Production`, `Staging`");
    let many = target.store.model_version(&target.facts.registered.many, "12").await;
    assert_hint(&many.expect_err("there are eleven"), "11 versions, the highest is 11");
    let empty = &target.facts.registered.empty;
    let none = target.store.model_version_by_stage(empty, Stage::Latest).await;
    let error = none.expect_err("it has no versions");
    assert!(error.to_string().contains("no versions"), "{error}");
}

fn assert_hint(error: &Error, expected: &str) {
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains(expected)), "{:?}", error.hint());
}

pub(crate) async fn a_version_that_is_no_number_is_refused_at_once(target: &Target) {
    let name = &target.facts.registered.name;
    for odd in ["", "one", "1.5", "-1", "+1"] {
        let error = target.store.model_version(name, odd).await.expect_err("no version");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
}
