//! What is asked for.

use clap::error::ErrorKind;
use mlfetch::{Target, asked_for, run_uri};

use crate::failure::Failure;

/// What is asked for, as a target.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) target: Target,
    /// Whether it is copied even if it lies on this disk and no destination is given.
    pub(crate) always_copied: bool,
    /// Whether the last segment is `.`, which MLflow prints behind the destination.
    pub(crate) ends_in_dot: bool,
}

impl Asked {
    fn uri(uri: &str) -> Result<Self, Failure> {
        refuse_bare_model_id(uri)?;
        let target = asked_for(uri)?;
        let scheme = target.location()?.scheme().to_owned();
        // MLflow prints the place of a model in a local store after writing into it; here a model
        // is copied, so that the note beside it has a place.
        let always_copied = matches!(scheme.as_str(), "runs" | "models");
        Ok(Self { target, always_copied, ends_in_dot: ends_in_dot(uri) })
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
        let ends_in_dot = path.is_some_and(ends_in_dot);
        Ok(Self { target, always_copied: path.is_some(), ends_in_dot })
    }
}

fn ends_in_dot(path: &str) -> bool {
    path == "." || path.ends_with("/.")
}

/// The ID of a logged model alone is a path by its form, and hardly meant as one.
fn refuse_bare_model_id(uri: &str) -> Result<(), Failure> {
    let digits = uri.strip_prefix("m-").unwrap_or_default();
    let is_id = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id || std::path::Path::new(uri).exists() {
        return Ok(());
    }
    Err(Failure::not_found(
        &format!("`{uri}` is the ID of a logged model, not a URI, and no path of that name exists"),
        &format!("write models:/{uri}"),
    ))
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
    /// Exactly one thing.
    pub(crate) fn asked(&self) -> Result<Asked, Failure> {
        match (&self.uri, &self.artifact_uri, &self.run_id) {
            (Some(uri), None, None) | (None, Some(uri), None) => Asked::uri(uri),
            (None, None, Some(run_id)) => Asked::run(run_id, self.artifact_path.as_deref()),
            (None, None, None) => Err(usage(
                ErrorKind::MissingRequiredArgument,
                "say what to fetch: a URI, or --run-id",
            )),
            _ => Err(usage(
                ErrorKind::ArgumentConflict,
                "a URI, --artifact-uri and --run-id exclude each other",
            )),
        }
    }
}

/// The same by MLflow's flags and with MLflow's precedence.
#[derive(Debug, clap::Args)]
pub(crate) struct MlflowSource {
    /// Run ID from which to download
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "MLFETCH_RUN_ID",
        hide_env = true,
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
        allow_hyphen_values = true
    )]
    artifact_uri: Option<String>,
}

impl MlflowSource {
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

/// A run and a directory in it.
#[derive(Debug, clap::Args)]
pub(crate) struct RunSource {
    /// Run ID to be listed
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "MLFETCH_RUN_ID",
        hide_env = true,
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
        allow_hyphen_values = true
    )]
    artifact_path: Option<String>,
}

impl RunSource {
    pub(crate) fn asked(&self) -> Result<Asked, Failure> {
        Asked::run(&self.run_id, self.artifact_path.as_deref())
    }

    /// The directory as its rows name it: no `.`, no repeated `/`, none at its end.
    pub(crate) fn directory(&self) -> Result<String, Failure> {
        let path = mlfetch::checked_path(self.artifact_path.as_deref().unwrap_or_default())?;
        Ok(path.trim_end_matches('/').to_owned())
    }
}

fn usage(kind: ErrorKind, message: &'static str) -> Failure {
    Failure::Usage(Box::new(super::command().error(kind, message)))
}
