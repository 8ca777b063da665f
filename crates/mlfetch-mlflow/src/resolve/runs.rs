//! `runs:/<run_id>[/path]`.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_core::resolve::{ModelMeta, Placement, Resolver, Step, Target, checked_path};
use mlfetch_store::{Error, ErrorKind, Key, Location, Result};

use super::Stores;
use super::stores::named_by;
use crate::artifacts::RUN_FILES_SCHEME;
use crate::{LoggedModel, Run, RunId, TrackingStore};

/// Knows where the artifacts of a run lie, and its logged models.
///
/// MLflow 3.17 fetches two things for `runs:/<id>/x` and lays them over each other: the run's
/// artifact `x`, and the logged model of that run whose name is the first segment of the path.
/// MLflow swallows the failure of either; here only a half that is not there may be missing.
#[derive(Debug)]
pub struct RunsResolver {
    stores: Arc<Stores>,
}

impl RunsResolver {
    /// Looks runs up in these stores.
    pub fn new(stores: Arc<Stores>) -> Self {
        Self { stores }
    }
}

#[async_trait]
impl Resolver for RunsResolver {
    fn schemes(&self) -> &'static [&'static str] {
        &["runs"]
    }

    async fn step(&self, target: &Target) -> Result<Step> {
        let asked = RunPath::parse(&target.location()?)?;
        let path = joined(&asked.path, &target.path)?;
        let store = self.stores.tracking().await?;
        let run = store.run(&asked.run_id).await?;
        let named_by = named_by(store.as_ref());
        let mut own = target
            .hop(run.artifact_uri.clone(), named_by.clone())
            .with_through_server(through_server(store.as_ref(), &run));
        own.path = Key::from(path.as_str());
        own.may_be_empty = path.is_empty();
        // A model version whose source is a run keeps what was asked of the model.
        let from_model = target.placement.keeps_whole_path;
        if !from_model {
            own = own.with_placement(Placement::last_segment(path.as_str()));
        }
        if run.deleted {
            own = own.with_warning(format!(
                "run {} is deleted; its artifacts are still there",
                run.run_id
            ));
        }
        let Some((name, rest)) = first_segment(&path) else {
            return Ok(Step::Onward(vec![(own, "artifacts of the run".into())]));
        };
        let models = store.logged_models_of_run(&run, Some(name)).await?;
        let Some(model) = models.into_iter().next() else {
            return Ok(Step::Onward(vec![(own, "artifacts of the run".into())]));
        };
        let mut half = target.hop(model.artifact_uri.clone(), named_by).optional();
        half.path = Key::from(rest);
        half.may_be_empty = rest.is_empty();
        if !from_model {
            half = half
                .with_placement(Placement::whole_path(rest).under(name))
                .with_model(ModelMeta { name: None, version: None });
        }
        let why = why_model(&model, &run);
        Ok(Step::Onward(vec![(own.optional(), "artifacts of the run".into()), (half, why)]))
    }
}

/// Where a server gives out the files of a run whose artifact root it does not proxy.
fn through_server(store: &dyn TrackingStore, run: &Run) -> Option<String> {
    let proxied = run.artifact_uri.starts_with("mlflow-artifacts:");
    let server = store.server().filter(|_| !proxied);
    server.map(|_| format!("{RUN_FILES_SCHEME}:/{}", run.run_id))
}

fn why_model(model: &LoggedModel, run: &Run) -> String {
    format!("logged model {} ({}) of run {}", model.model_id, model.name, run.run_id)
}

/// `runs:/<run_id>/<path>`, split and checked before anybody is asked.
pub(crate) struct RunPath {
    pub(crate) run_id: RunId,
    pub(crate) path: String,
}

impl RunPath {
    pub(crate) fn parse(location: &Location) -> Result<Self> {
        let malformed = |why: &'static str| {
            Error::new(ErrorKind::InvalidInput, "read the run URI", location.to_string())
                .with_message(why)
                .with_hint("it must look like runs:/<run_id> or runs:/<run_id>/path/in/the/run")
        };
        if location.names_a_credential() {
            return Err(malformed("behind its `?` stands a credential, and it has no query"));
        }
        if location.authority().is_some_and(|authority| !authority.is_empty()) {
            return Err(malformed("it names a host; the tracking URI says where runs are"));
        }
        let Some(rest) = location.path().strip_prefix('/') else {
            return Err(malformed("a `/` is missing behind `runs:`"));
        };
        let (run_id, path) = rest.split_once('/').unwrap_or((rest, ""));
        if run_id.is_empty() {
            return Err(malformed("it names no run"));
        }
        Ok(Self { run_id: RunId::parse(run_id)?, path: checked_path(path)? })
    }
}

/// A path and what was asked for below it.
fn joined(path: &str, below: &Key) -> Result<String> {
    let below = below.to_str()?;
    if path.is_empty() || below.is_empty() {
        return Ok(format!("{path}{below}"));
    }
    Ok(format!("{}/{below}", path.trim_end_matches('/')))
}

/// The first segment of a path, and what follows it; a trailing `/` asks for nothing below.
fn first_segment(path: &str) -> Option<(&str, &str)> {
    let path = path.trim_end_matches('/');
    (!path.is_empty()).then(|| path.split_once('/').unwrap_or((path, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<(String, String)> {
        let parsed = RunPath::parse(&Location::parse(uri)?)?;
        Ok((parsed.run_id.to_string(), parsed.path))
    }

    #[test]
    fn a_run_and_a_path_are_told_apart_and_nothing_is_cut() {
        let rows = [
            ("runs:/abc", "abc", ""),
            ("runs:/abc/", "abc", ""),
            ("runs:/abc/a/b#c?d%41", "abc", "a/b#c?d%41"),
            ("runs:///abc/x/", "abc", "x/"),
            ("RUNS:/abc/x", "abc", "x"),
        ];
        for (uri, run_id, path) in rows {
            assert_eq!(parse(uri).expect(uri), (run_id.to_owned(), path.to_owned()));
        }
    }

    #[test]
    fn a_credential_in_place_of_a_run_is_not_shown() {
        for uri in
            ["runs:/?token=s3cret", "runs:/a/b?X-Amz-Signature=s3cret", "runs://h?sig=s3cret"]
        {
            let error = parse(uri).expect_err(uri);
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_run_is_said_before_any_request() {
        for uri in ["runs:/", "runs:abc", "runs://host/abc", "runs:/../x", "runs:/abc/../x"] {
            let error = parse(uri).expect_err(uri);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{uri}");
            assert!(error.hint().is_some(), "{uri}");
        }
    }
}
