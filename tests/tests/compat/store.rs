//! The stores that the rows are run against. A further one is a further variant: it says which
//! variables name it and lets `compat_seed.py` write into it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mlfetch_tests::{Job, Workers, variable};

/// A tracking store with a place for artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StoreKind {
    /// A server with SQLite behind it that hands artifacts out (`--serve-artifacts`).
    Proxied,
    /// A server with SQLite behind it that names a directory (`--no-serve-artifacts`).
    Direct,
    /// The directory `mlruns`.
    Files,
    /// A SQLite file, artifacts in a directory.
    Sqlite,
    /// A SQLite file, artifacts in a bucket that both programs read themselves.
    S3,
    /// The same with a bucket of Google Cloud Storage.
    Gcs,
    /// The same with a container of Azure.
    Azure,
}

/// A store that was written.
#[derive(Debug)]
pub(crate) struct OpenStore {
    /// What names it to both programs.
    pub(crate) environment: Vec<(String, String)>,
    /// What the seed wrote, by name: ids, names, places.
    pub(crate) facts: BTreeMap<String, String>,
}

impl StoreKind {
    pub(crate) const COUNT: usize = 7;

    /// Those whose artifacts are in a bucket: they run the rows that are the same in any store.
    pub(crate) const BUCKETS: [Self; 3] = [Self::S3, Self::Gcs, Self::Azure];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Proxied => "proxied",
            Self::Direct => "direct",
            Self::Files => "files",
            Self::Sqlite => "sqlite",
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azure => "azure",
        }
    }

    /// Lets MLflow write it; `directory` is its own, `trees` is where the files lie.
    ///
    /// # Errors
    /// What MLflow said.
    pub(crate) fn open(
        self,
        workers: &Workers,
        directory: &Path,
        trees: &Path,
    ) -> Result<OpenStore, String> {
        std::fs::create_dir(directory).map_err(|cause| cause.to_string())?;
        let (uri, proxied_root) = self.place(directory);
        let environment = self.environment(&uri);
        let quiet = ("MLFLOW_LOGGING_LEVEL".to_owned(), "ERROR".to_owned());
        let arguments = [uri.clone(), trees.display().to_string(), proxied_root.clone()];
        let ran = workers.run(&Job {
            call: "compat_seed:write_store",
            arguments: &arguments,
            directory,
            environment: &[&environment[..], &[quiet]].concat(),
        });
        if ran.code != 0 {
            return Err(format!(
                "MLflow could not write the store {}: {}",
                self.name(),
                ran.stderr
            ));
        }
        let mut facts: BTreeMap<String, String> =
            serde_json::from_str(&ran.stdout).map_err(|cause| cause.to_string())?;
        let behind = facts["run_path"].strip_prefix(&format!("{proxied_root}/")).map(str::to_owned);
        let places = [
            ("store", directory.display().to_string()),
            ("outside", trees.join("outside").display().to_string()),
            ("host", uri.trim_start_matches("http://").to_owned()),
            ("tracking", uri),
            ("run_behind", behind.unwrap_or_default()),
        ];
        facts.extend(places.map(|(name, place)| (name.to_owned(), place)));
        Ok(OpenStore { environment, facts })
    }

    /// The tracking URI, and where the server keeps what it hands out.
    fn place(self, directory: &Path) -> (String, String) {
        let path = |name: &str| PathBuf::from(directory).join(name).display().to_string();
        match self {
            Self::Proxied => (
                variable("MLFETCH_TEST_MLFLOW_PROXIED"),
                variable("MLFETCH_TEST_MLFLOW_PROXIED_ROOT"),
            ),
            Self::Direct => (variable("MLFETCH_TEST_MLFLOW_DIRECT"), String::new()),
            Self::Files => (path("mlruns"), String::new()),
            Self::Sqlite => (format!("sqlite:///{}", path("mlflow.db")), String::new()),
            Self::S3 => (format!("sqlite:///{}", path("mlflow.db")), root("s3", "MINIO")),
            Self::Gcs => (format!("sqlite:///{}", path("mlflow.db")), root("gs", "GCS")),
            Self::Azure => (format!("sqlite:///{}", path("mlflow.db")), container_root()),
        }
    }

    fn environment(self, uri: &str) -> Vec<(String, String)> {
        let mut pairs = vec![("MLFLOW_TRACKING_URI", uri.to_owned())];
        match self {
            Self::Files => pairs.push(("MLFLOW_ALLOW_FILE_STORE", "true".to_owned())),
            Self::S3 => pairs.extend([
                ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
                ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
                ("MLFLOW_S3_ENDPOINT_URL", variable("MLFETCH_TEST_MINIO_URL")),
                ("AWS_ACCESS_KEY_ID", variable("MLFETCH_TEST_MINIO_ACCESS_KEY")),
                ("AWS_SECRET_ACCESS_KEY", variable("MLFETCH_TEST_MINIO_SECRET_KEY")),
            ]),
            Self::Gcs => pairs.push(("STORAGE_EMULATOR_HOST", variable("MLFETCH_TEST_GCS_URL"))),
            Self::Azure => {
                pairs.push(("AZURE_STORAGE_CONNECTION_STRING", connection_string()));
            }
            Self::Proxied | Self::Direct | Self::Sqlite => {}
        }
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Where the experiments of a server's bucket begin; each adds a mark of its own.
fn root(scheme: &str, server: &str) -> String {
    format!("{scheme}://{}/compatibility", variable(&format!("MLFETCH_TEST_{server}_BUCKET")))
}

/// The same of a container, which the seed makes.
fn container_root() -> String {
    let account = variable("MLFETCH_TEST_AZURITE_ACCOUNT");
    format!("wasbs://compatibility@{account}.blob.core.windows.net/compatibility")
}

/// Where Azurite is, and its key, as both programs take it.
fn connection_string() -> String {
    let [account, key, url] =
        ["ACCOUNT", "KEY", "URL"].map(|name| variable(&format!("MLFETCH_TEST_AZURITE_{name}")));
    format!(
        "DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint={url};"
    )
}
