//! MLflow's own server, in the ways that its users run it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::health::Health;
use super::launch::{self, Launch};
use super::state::Variables;
use super::{Tools, azurite, ports, secret};

/// Artifacts go through the server and lie in a local directory.
pub(crate) fn proxied(tools: &Tools, directory: &Path) -> Result<Launch> {
    let artifacts = launch::subdirectory(directory, "artifacts")?;
    let mut server = Server::new(tools, directory)?;
    server.command.arg("--serve-artifacts").arg("--artifacts-destination").arg(&artifacts);
    let extra = launch::variables([
        ("MLFETCH_TEST_MLFLOW_PROXIED_DB", database(directory)),
        ("MLFETCH_TEST_MLFLOW_PROXIED_ROOT", artifacts.display().to_string()),
    ]);
    Ok(server.launch("MLFETCH_TEST_MLFLOW_PROXIED", extra))
}

/// The server names a local directory and clients read it themselves.
pub(crate) fn direct(tools: &Tools, directory: &Path) -> Result<Launch> {
    let artifacts = launch::subdirectory(directory, "artifacts")?;
    let mut server = Server::new(tools, directory)?;
    server.command.arg("--no-serve-artifacts").arg("--default-artifact-root").arg(&artifacts);
    let extra = launch::variables([("MLFETCH_TEST_MLFLOW_DIRECT_DB", database(directory))]);
    Ok(server.launch("MLFETCH_TEST_MLFLOW_DIRECT", extra))
}

/// As [`proxied`], behind user names and passwords.
pub(crate) fn auth(tools: &Tools, directory: &Path) -> Result<Launch> {
    let artifacts = launch::subdirectory(directory, "artifacts")?;
    let (username, password) = ("administrator".to_owned(), secret::random()?);
    let mut server = Server::new(tools, directory)?;
    server
        .command
        .args(["--app-name", "basic-auth", "--serve-artifacts", "--artifacts-destination"])
        .arg(&artifacts)
        .env("MLFLOW_AUTH_ADMIN_USERNAME", &username)
        .env("MLFLOW_AUTH_ADMIN_PASSWORD", &password)
        .env("MLFLOW_FLASK_SERVER_SECRET_KEY", secret::random()?);
    let extra = launch::variables([
        ("MLFETCH_TEST_MLFLOW_AUTH_USERNAME", username),
        ("MLFETCH_TEST_MLFLOW_AUTH_PASSWORD", password),
    ]);
    Ok(server.launch("MLFETCH_TEST_MLFLOW_AUTH", extra))
}

/// Artifacts lie in a bucket, so the server offers presigned downloads.
pub(crate) fn s3(tools: &Tools, directory: &Path, others: &Variables) -> Result<Launch> {
    let minio = |name| others.get(name).context("MLflow's bucket is MinIO's, which does not run");
    let bucket = minio("MLFETCH_TEST_MINIO_BUCKET")?;
    let mut server = Server::new(tools, directory)?;
    server
        .command
        .args(["--serve-artifacts", "--artifacts-destination"])
        .arg(format!("s3://{bucket}/mlflow"))
        .env("MLFLOW_S3_ENDPOINT_URL", minio("MLFETCH_TEST_MINIO_URL")?)
        .env("AWS_ACCESS_KEY_ID", minio("MLFETCH_TEST_MINIO_ACCESS_KEY")?)
        .env("AWS_SECRET_ACCESS_KEY", minio("MLFETCH_TEST_MINIO_SECRET_KEY")?)
        .env("AWS_DEFAULT_REGION", "us-east-1");
    Ok(server.launch("MLFETCH_TEST_MLFLOW_S3", Variables::new()))
}

/// As [`proxied`], with the artifacts in a bucket of Google Cloud Storage.
pub(crate) fn gcs(tools: &Tools, directory: &Path, others: &Variables) -> Result<Launch> {
    let fake =
        |name| others.get(name).context("MLflow's bucket is fake-gcs-server's, which is down");
    let mut server = Server::new(tools, directory)?;
    server
        .command
        .args(["--serve-artifacts", "--artifacts-destination"])
        .arg(format!("gs://{}/mlflow/server", fake("MLFETCH_TEST_GCS_BUCKET")?))
        .env("STORAGE_EMULATOR_HOST", fake("MLFETCH_TEST_GCS_URL")?);
    Ok(server.launch("MLFETCH_TEST_MLFLOW_GCS", Variables::new()))
}

/// As [`proxied`], with the artifacts in a container of Azurite. The tests make that.
pub(crate) fn azure(tools: &Tools, directory: &Path, others: &Variables) -> Result<Launch> {
    let azurite = |name| others.get(name).context("MLflow's container is Azurite's, which is down");
    let (account, key) =
        (azurite("MLFETCH_TEST_AZURITE_ACCOUNT")?, azurite("MLFETCH_TEST_AZURITE_KEY")?);
    let url = azurite("MLFETCH_TEST_AZURITE_URL")?;
    let string = format!("AccountName={account};AccountKey={key};BlobEndpoint={url};");
    let mut server = Server::new(tools, directory)?;
    server
        .command
        .args(["--serve-artifacts", "--artifacts-destination", azurite::MLFLOW_ROOT])
        .env("AZURE_STORAGE_CONNECTION_STRING", string);
    Ok(server.launch("MLFETCH_TEST_MLFLOW_AZURE", Variables::new()))
}

/// What all have in common: a database of their own, one worker, no background jobs.
struct Server {
    command: Command,
    port: u16,
}

impl Server {
    fn new(tools: &Tools, directory: &Path) -> Result<Self> {
        let [port] = ports::free()?;
        let mut command = launch::clean(Command::new(tools.python.mlflow()), directory);
        command
            .args(["server", "--host", "127.0.0.1", "--workers", "1", "--port"])
            .arg(port.to_string())
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}", database(directory)))
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false");
        Ok(Self { command, port })
    }

    fn launch(self, variable: &str, extra: Variables) -> Launch {
        let url = format!("http://127.0.0.1:{}", self.port);
        let mut variables = extra;
        variables.insert(variable.to_owned(), url.clone());
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let health = Health::Http { address, path: "/health".to_owned() };
        Launch { command: self.command, health, url, variables }
    }
}

fn database(directory: &Path) -> String {
    directory.join("mlflow.db").display().to_string()
}
