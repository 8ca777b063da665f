//! What is asked for.

use std::path::Path;

use clap::error::ErrorKind as UsageKind;
use mlfetch::{Error, ErrorKind, Target, asked_for, run_uri};

use crate::failure::Failure;

/// What is asked for, as a target.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) target: Target,
    /// Whether MLflow would copy it even if it lies on this disk and no destination is given.
    pub(crate) always_copied: bool,
}

impl Asked {
    fn uri(uri: &str) -> Result<Self, Failure> {
        if uri.starts_with("m-") && !Path::new(uri).exists() {
            let error = Error::new(
                ErrorKind::InvalidInput,
                "read the URI",
                mlfetch::escape(uri.as_bytes()),
            );
            let error = error.with_message("it is no URI, and nothing of that name is here");
            return Err(error.with_hint(format!("did you mean models:/{uri}?")).into());
        }
        let target = asked_for(uri)?;
        let always_copied = target.location()?.scheme() == "runs";
        Ok(Self { target, always_copied })
    }

    /// MLflow makes `runs:/<id>/<path>` of the two, and takes another way for a whole run.
    fn run(run_id: &str, path: Option<&str>) -> Result<Self, Failure> {
        let path = path.filter(|path| !path.is_empty());
        if run_id.contains('/') || run_id.is_empty() {
            // Said here: in a URI a part of it would become a path.
            mlfetch::RunId::parse(run_id)?;
        }
        if let Some(absolute) = path.filter(|path| path.starts_with('/')) {
            mlfetch::checked_path(absolute)?;
        }
        let target = asked_for(&run_uri(run_id, path))?;
        Ok(Self { target, always_copied: path.is_some() })
    }
}

/// A URI, or a run and a path in it.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// An artifact URI or path: models:/NAME@ALIAS, models:/NAME/VERSION, runs:/RUN_ID/PATH,
    /// mlflow-artifacts:/…, a bucket's URI, http(s)://…, file:…, a path
    #[arg(value_name = "URI")]
    uri: Option<String>,
    /// The same as URI; MLflow's flag
    #[arg(short = 'u', long, value_name = "URI", env = "MLFETCH_ARTIFACT_URI", hide_env = true)]
    artifact_uri: Option<String>,
    /// A run
    #[arg(short, long, value_name = "ID", env = "MLFETCH_RUN_ID", hide_env = true)]
    run_id: Option<String>,
    /// A path in the run, relative to its artifact root; a trailing / means the contents
    #[arg(
        short,
        long,
        value_name = "PATH",
        env = "MLFETCH_ARTIFACT_PATH",
        hide_env = true,
        requires = "run_id"
    )]
    artifact_path: Option<String>,
}

impl Source {
    /// Whether something is asked for.
    pub(crate) fn is_given(&self) -> bool {
        self.uri.is_some() || self.artifact_uri.is_some() || self.run_id.is_some()
    }

    /// What is asked for, as it was given.
    pub(crate) fn given(&self) -> String {
        let uri = self.uri.as_deref().or(self.artifact_uri.as_deref());
        given(uri, self.run_id.as_deref(), self.artifact_path.as_deref())
    }

    /// Exactly one thing.
    pub(crate) fn asked(&self) -> Result<Asked, Failure> {
        match (&self.uri, &self.artifact_uri, &self.run_id) {
            (Some(uri), None, None) | (None, Some(uri), None) => Asked::uri(uri),
            (None, None, Some(run_id)) => Asked::run(run_id, self.artifact_path.as_deref()),
            (None, None, None) => Err(usage(
                UsageKind::MissingRequiredArgument,
                "say what to fetch: a URI, or --run-id",
            )),
            _ => Err(usage(
                UsageKind::ArgumentConflict,
                "a URI, --artifact-uri and --run-id exclude each other",
            )),
        }
    }
}

/// The same by MLflow's flags and with MLflow's precedence: a flag that is given twice counts as
/// it was given last, and what follows it is its value, also where it begins with `-`.
#[derive(Debug, clap::Args)]
pub(crate) struct MlflowSource {
    /// Run ID from which to download
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "MLFETCH_RUN_ID",
        hide_env = true,
        overrides_with = "run_id",
        allow_hyphen_values = true
    )]
    run_id: Option<String>,
    /// For use with --run-id: a path relative to the run's root directory
    #[arg(
        short,
        long,
        value_name = "PATH",
        env = "MLFETCH_ARTIFACT_PATH",
        hide_env = true,
        overrides_with = "artifact_path",
        allow_hyphen_values = true
    )]
    artifact_path: Option<String>,
    /// URI of the artifact or artifact directory; it wins over --run-id and --artifact-path
    #[arg(
        short = 'u',
        long,
        value_name = "URI",
        env = "MLFETCH_ARTIFACT_URI",
        hide_env = true,
        overrides_with = "artifact_uri",
        allow_hyphen_values = true
    )]
    artifact_uri: Option<String>,
}

impl MlflowSource {
    /// What is asked for, as it was given.
    pub(crate) fn given(&self) -> String {
        let uri = self.artifact_uri.as_deref();
        given(uri, self.run_id.as_deref(), self.artifact_path.as_deref())
    }

    pub(crate) fn asked(&self) -> Result<Asked, Failure> {
        match (&self.artifact_uri, &self.run_id) {
            (Some(uri), _) => Asked::uri(uri),
            (None, Some(run_id)) => Asked::run(run_id, self.artifact_path.as_deref()),
            // MLflow 3.17 says so after parsing, with exit code 1.
            (None, None) => Err(Failure::said(
                "exactly one of `run_id` or `artifact_uri` must be specified",
                Some("give --run-id or --artifact-uri"),
            )),
        }
    }
}

/// A run and a directory in it, by MLflow's flags.
#[derive(Debug, clap::Args)]
pub(crate) struct RunSource {
    /// Run ID to be listed
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "MLFETCH_RUN_ID",
        hide_env = true,
        overrides_with = "run_id",
        allow_hyphen_values = true
    )]
    run_id: String,
    /// A directory of the run, relative to its root directory
    #[arg(
        short,
        long,
        value_name = "PATH",
        env = "MLFETCH_ARTIFACT_PATH",
        hide_env = true,
        overrides_with = "artifact_path",
        allow_hyphen_values = true
    )]
    artifact_path: Option<String>,
}

impl RunSource {
    /// What is asked for, as it was given.
    pub(crate) fn given(&self) -> String {
        given(None, Some(&self.run_id), self.artifact_path.as_deref())
    }

    /// The directory: with `/` at its end, so that a file of that name is not meant.
    pub(crate) fn asked(&self) -> Result<Asked, Failure> {
        let path = self.artifact_path.as_ref().filter(|path| !path.is_empty());
        Asked::run(&self.run_id, path.map(|path| format!("{path}/")).as_deref())
    }

    /// The path as the run knows it, without `/` at its end.
    pub(crate) fn path(&self) -> Result<String, Failure> {
        let path = mlfetch::checked_path(self.artifact_path.as_deref().unwrap_or_default())?;
        Ok(path.trim_end_matches('/').to_owned())
    }
}

/// A URI, or a run and a path in it.
fn given(uri: Option<&str>, run_id: Option<&str>, path: Option<&str>) -> String {
    match (uri, run_id) {
        (Some(uri), _) => uri.to_owned(),
        (None, Some(run_id)) => run_uri(run_id, path.filter(|path| !path.is_empty())),
        (None, None) => String::new(),
    }
}

fn usage(kind: UsageKind, message: &'static str) -> Failure {
    Failure::Usage(Box::new(super::command().error(kind, message)))
}
