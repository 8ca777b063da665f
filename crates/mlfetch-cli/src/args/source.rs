//! What is asked for.

use clap::error::ErrorKind;
use mlfetch::{Target, asked_for, run_uri};

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
        let target = asked_for(uri)?;
        let scheme = uri.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
        Ok(Self { target, always_copied: scheme.eq_ignore_ascii_case("runs") })
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
    #[arg(short, long, value_name = "ID", env = "MLFETCH_RUN_ID", hide_env = true)]
    run_id: Option<String>,
    /// For use with --run-id: a path relative to the run's root directory
    #[arg(short, long, value_name = "PATH", env = "MLFETCH_ARTIFACT_PATH", hide_env = true)]
    artifact_path: Option<String>,
    /// URI of the artifact or artifact directory; it wins over --run-id and --artifact-path
    #[arg(short = 'u', long, value_name = "URI", env = "MLFETCH_ARTIFACT_URI", hide_env = true)]
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
    #[arg(short, long, value_name = "ID", env = "MLFETCH_RUN_ID", hide_env = true)]
    run_id: String,
    /// A directory of the run, relative to its root directory
    #[arg(short, long, value_name = "PATH", env = "MLFETCH_ARTIFACT_PATH", hide_env = true)]
    artifact_path: Option<String>,
}

impl RunSource {
    pub(crate) fn asked(&self) -> Result<Asked, Failure> {
        Asked::run(&self.run_id, self.artifact_path.as_deref())
    }

    /// The path as it was given, without `/` at its end.
    pub(crate) fn path(&self) -> &str {
        self.artifact_path.as_deref().unwrap_or_default().trim_end_matches('/')
    }
}

fn usage(kind: ErrorKind, message: &'static str) -> Failure {
    Failure::Usage(Box::new(super::command().error(kind, message)))
}
