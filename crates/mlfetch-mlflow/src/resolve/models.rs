//! `models:/…`: versions, stages, aliases and logged models.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_core::resolve::{ModelMeta, NamedBy, Placement, Resolver, Step, Target, checked_path};
use mlfetch_store::{Error, ErrorKind, Key, Location, Result, escape};

use super::Stores;
use super::stores::named_by;
use crate::artifacts::is_model_id;
use crate::{ModelVersion, Stage};

/// Knows where the files of models lie.
///
/// MLflow 3.17 reads `models:/<id>/path` as the version `path` of a model named `<id>` and fails;
/// here an id of the form `m-<32 hexadecimal digits>` is a logged model also with a path below it.
#[derive(Debug)]
pub struct ModelsResolver {
    stores: Arc<Stores>,
}

impl ModelsResolver {
    /// Looks models up in these stores.
    pub fn new(stores: Arc<Stores>) -> Self {
        Self { stores }
    }

    async fn logged(&self, model_id: &str) -> Result<Found> {
        let store = self.stores.tracking().await?;
        let model = store.logged_model(model_id).await?;
        Ok(Found {
            uri: model.artifact_uri,
            meta: ModelMeta { name: None, version: None },
            why: format!("files of the logged model {}", model.name),
            named_by: named_by(store.as_ref()),
        })
    }

    async fn registered(&self, name: &str, which: &Which) -> Result<Found> {
        let store = self.stores.registry().await?;
        let version = match which {
            Which::Version(version) => store.model_version(name, version).await?,
            Which::Alias(alias) => store.model_version_by_alias(name, alias).await?,
            Which::Stage(stage) => store.model_version_by_stage(name, *stage).await?,
        };
        let why = match which {
            Which::Version(_) => "files of that version".to_owned(),
            Which::Alias(alias) => format!("alias `{alias}` is version {}", version.version),
            Which::Stage(stage) => format!("stage `{stage}` is version {}", version.version),
        };
        // MLflow notes a version as it was written: `01` stays `01`.
        let noted = match which {
            Which::Version(written) => written.clone(),
            _ => version.version.clone(),
        };
        let ModelVersion { name, download_uri, .. } = version;
        Ok(Found {
            uri: download_uri,
            meta: ModelMeta { name: Some(name), version: Some(noted) },
            why,
            named_by: named_by(store.as_ref()),
        })
    }
}

/// Where a model's files are.
struct Found {
    uri: String,
    meta: ModelMeta,
    why: String,
    named_by: NamedBy,
}

#[async_trait]
impl Resolver for ModelsResolver {
    fn schemes(&self) -> &'static [&'static str] {
        &["models"]
    }

    async fn step(&self, target: &Target) -> Result<Step> {
        let asked = ModelPath::parse(&target.location()?)?;
        let found = match &asked.model {
            Model::Logged(model_id) => self.logged(model_id).await?,
            Model::Registered { name, which } => self.registered(name, which).await?,
        };
        let mut next = target.hop(found.uri, found.named_by);
        // A version whose source is another model keeps what was asked of the first.
        if target.model.is_none() {
            let path = Key::from(asked.path.as_str());
            next = next
                .with_may_be_empty(asked.path.is_empty())
                .with_placement(Placement::whole_path(asked.path))
                .with_model(found.meta);
            next.path = path;
        }
        Ok(Step::Onward(vec![(next, found.why)]))
    }
}

/// `models:/<model>[/path]`, split and checked before anybody is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ModelPath {
    pub(crate) model: Model,
    pub(crate) path: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Model {
    Logged(String),
    Registered { name: String, which: Which },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Version(String),
    Alias(String),
    Stage(Stage),
}

impl ModelPath {
    pub(crate) fn parse(location: &Location) -> Result<Self> {
        let malformed = |why: String| {
            Error::new(ErrorKind::InvalidInput, "read the model URI", location.to_string())
                .with_message(why)
                .with_hint(
                    "it must look like models:/<name>/<version>, models:/<name>/<stage>, \
                     models:/<name>@<alias> or models:/m-<id>, with or without a path below it",
                )
        };
        if location.names_a_credential() {
            return Err(malformed(
                "behind its `?` stands a credential, and it has no query".into(),
            ));
        }
        if location.authority().is_some_and(|authority| !authority.is_empty()) {
            return Err(malformed(
                "it names a host; the registry URI says where models are".into(),
            ));
        }
        let Some(rest) = location.path().strip_prefix('/') else {
            return Err(malformed("a `/` is missing behind `models:`".into()));
        };
        let rest = rest.trim_end_matches('/');
        let (first, below) = rest.split_once('/').unwrap_or((rest, ""));
        if first.is_empty() {
            return Err(malformed("it names no model".into()));
        }
        if let Some((name, alias)) = first.rsplit_once('@') {
            if name.is_empty() || alias.is_empty() {
                return Err(malformed("a name and an alias belong around the `@`".into()));
            }
            let which = Which::Alias(alias.to_owned());
            let model = Model::Registered { name: name.to_owned(), which };
            return Ok(Self { model, path: path_below(below)? });
        }
        if below.is_empty() || is_model_id(first) {
            let model = Model::Logged(first.to_owned());
            return Ok(Self { model, path: path_below(below)? });
        }
        let (which, path) = below.split_once('/').unwrap_or((below, ""));
        let shown = escape(which.as_bytes());
        let which = Which::parse(which)
            .ok_or_else(|| malformed(format!("`{shown}` is neither a version nor a stage")))?;
        let model = Model::Registered { name: first.to_owned(), which };
        Ok(Self { model, path: path_below(path)? })
    }
}

/// A trailing `/` says nothing below a model, and neither does a trailing `/.`.
fn path_below(path: &str) -> Result<String> {
    Ok(checked_path(path)?.trim_end_matches('/').to_owned())
}

impl Which {
    fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            return Some(Self::Version(text.to_owned()));
        }
        Stage::parse(text).map(Self::Stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<ModelPath> {
        ModelPath::parse(&Location::parse(uri)?)
    }

    fn registered(name: &str, which: Which, path: &str) -> ModelPath {
        let model = Model::Registered { name: name.into(), which };
        ModelPath { model, path: path.into() }
    }

    #[test]
    fn each_form_is_understood_with_and_without_a_path() {
        let version = || Which::Version("7".into());
        let rows = [
            ("models:/fraud/7", registered("fraud", version(), "")),
            ("models:/fraud/7/", registered("fraud", version(), "")),
            ("models:/fraud/7/data/x#1", registered("fraud", version(), "data/x#1")),
            ("models:/a b/LATEST", registered("a b", Which::Stage(Stage::Latest), "")),
            (
                "models:/fraud/production/x",
                registered("fraud", Which::Stage(Stage::Production), "x"),
            ),
            ("models:/fraud@champion", registered("fraud", Which::Alias("champion".into()), "")),
            (
                "models:/fraud@champion/a/b",
                registered("fraud", Which::Alias("champion".into()), "a/b"),
            ),
        ];
        for (uri, expected) in rows {
            assert_eq!(parse(uri).expect(uri), expected, "{uri}");
        }
    }

    #[test]
    fn a_logged_model_may_have_a_path() {
        let id = "m-0123456789abcdef0123456789abcdef";
        let parsed = parse(&format!("models:/{id}/data/x")).expect("a model");
        assert_eq!(parsed, ModelPath { model: Model::Logged(id.into()), path: "data/x".into() });
        for end in ["", "/", "/.", "//./"] {
            let parsed = parse(&format!("models:/{id}/./data{end}")).expect("a model");
            assert_eq!(parsed.path, "data");
        }
        let word = parse("models:/fraud").expect("any word is tried");
        assert_eq!(word.model, Model::Logged("fraud".into()));
    }

    #[test]
    fn what_is_said_of_a_uri_moves_no_terminal() {
        let error = parse("models:/x/\u{1b}[2J/y").expect_err("no version");
        assert!(error.to_string().contains("`\\u{1b}[2J` is neither"), "{error}");
    }

    #[test]
    fn what_cannot_be_a_model_is_said_before_any_request() {
        let bad = [
            "models:/x/what?token=s3cret",
            "models:/",
            "models:x",
            "models://h/x",
            "models:/x/prod",
            "models:/@a",
            "models:/x/1/../y",
        ];
        for uri in bad {
            let error = parse(uri).expect_err(uri);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{uri}");
        }
    }
}
