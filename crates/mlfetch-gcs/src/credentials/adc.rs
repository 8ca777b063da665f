//! Where credentials are looked for, in Google's order: the file that is named, gcloud's file, the
//! metadata server.

use std::path::PathBuf;
use std::time::Duration;

use google_cloud_auth::credentials::{Credentials, mds};
use mlfetch_http::{ClientConfig, HttpClient, HttpRequest, Redirects, Url, header};
use mlfetch_store::{Error, ErrorKind, Result, Secret};
use tokio::time::timeout;

use super::file;
use crate::GcsConfig;

/// The metadata server of Google's machines.
const METADATA_HOST: &str = "169.254.169.254";

/// How long the metadata server is waited for: elsewhere nobody answers.
const METADATA_WAIT: Duration = Duration::from_secs(1);

/// The file that `gcloud auth application-default login` writes.
const FILE: &str = "application_default_credentials.json";

/// What was found.
pub(super) enum Found {
    Credentials {
        credentials: Credentials,
        secrets: Vec<Secret>,
        /// Whose they are, if they say so.
        name: Option<String>,
    },
    Nothing {
        looked: String,
    },
}

impl Found {
    pub(super) fn of(credentials: Credentials) -> Self {
        Self::Credentials { credentials, secrets: Vec::new(), name: None }
    }
}

/// Looks for credentials.
///
/// # Errors
/// `InvalidInput` for a file that is named and cannot be read, or that holds no credentials.
pub(super) async fn find(config: &GcsConfig) -> Result<Found> {
    if let Some(path) = &config.credentials {
        let text = file::read(path)?.ok_or_else(|| {
            file::wrong(path, "it does not exist")
                .with_hint("check `gcs-credentials` or GOOGLE_APPLICATION_CREDENTIALS")
        })?;
        return file::parse(path, &text);
    }
    let gclouds = config.config_directory.clone().or_else(default_directory);
    let gclouds = gclouds.map(|directory| directory.join(FILE));
    if let Some(path) = &gclouds
        && let Some(text) = file::read(path)?
    {
        return file::parse(path, &text);
    }
    let host = config.metadata_host.as_deref().unwrap_or(METADATA_HOST);
    if answers(host).await? {
        let built = mds::Builder::default().with_endpoint(format!("http://{host}")).build();
        return built.map(Found::of).map_err(|cause| {
            Error::new(ErrorKind::InvalidInput, "use", "the metadata server").with_source(cause)
        });
    }
    let file =
        gclouds.map_or_else(String::new, |path| format!("{} is not there, ", path.display()));
    let looked = format!(
        "GOOGLE_APPLICATION_CREDENTIALS is not set, {file}no metadata server answers at {host}"
    );
    Ok(Found::Nothing { looked })
}

/// Where gcloud keeps its settings if nobody says otherwise.
fn default_directory() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".config/gcloud"))
}

/// Whether a metadata server of Google's is there: others answer on that address too.
async fn answers(host: &str) -> Result<bool> {
    let flavor = header::HeaderName::from_static("metadata-flavor");
    let google = header::HeaderValue::from_static("Google");
    let url = Url::parse(&format!("http://{host}/")).map_err(|cause| {
        Error::new(ErrorKind::InvalidInput, "use the option", "gcs-metadata-host")
            .with_message("it is no host")
            .with_source(cause)
    })?;
    let client = HttpClient::new(&ClientConfig::new().with_connect_timeout(METADATA_WAIT))?;
    let request = HttpRequest::get(url)
        .with_redirects(Redirects::Never)
        .with_header(flavor.clone(), google.clone());
    let answer = timeout(METADATA_WAIT, client.send(request)).await;
    Ok(answer.is_ok_and(|answer| {
        answer.is_ok_and(|answer| answer.headers().get(&flavor) == Some(&google))
    }))
}
