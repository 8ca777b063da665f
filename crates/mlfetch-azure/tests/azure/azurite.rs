//! The Azurite that the tests run against, and blobs that a script puts into it.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_azure::{AzureConfig, AzureStore};
use mlfetch_store::{BoxError, Key, Secret};
use serde_json::{Value, json};

use crate::support::{at, variable};

/// One of the two servers.
#[derive(Clone, Copy)]
pub(crate) enum Azurite {
    /// Over HTTP.
    Plain,
    /// Over HTTPS, where tokens are taken too.
    Tls,
}

impl Azurite {
    /// The variables that describe it.
    fn server(self, name: &str) -> String {
        match self {
            Self::Plain => variable(&format!("MLFETCH_TEST_AZURITE_{name}")),
            Self::Tls => variable(&format!("MLFETCH_TEST_AZURITE_TLS_{name}")),
        }
    }

    /// Its URL, the account included.
    pub(crate) fn url(self) -> String {
        self.server("URL")
    }

    /// The account's key.
    pub(crate) fn key(self) -> String {
        self.server("KEY")
    }

    /// The account's name.
    pub(crate) fn account(self) -> String {
        self.server("ACCOUNT")
    }

    /// The certificate authority of the one over HTTPS.
    pub(crate) fn authority(self) -> String {
        self.server("CA")
    }

    /// Settings with its address and nobody who asks.
    pub(crate) fn config(self) -> AzureConfig {
        AzureConfig::new().with_endpoint(self.url())
    }

    /// A container as its owner.
    pub(crate) fn open(self, container: &str) -> AzureStore {
        at(self.config().with_access_key(Secret::new(self.key())), container)
    }

    /// Makes a container with these blobs, under exactly these names or not at all.
    pub(crate) fn put<B: AsRef<[u8]>>(
        self,
        container: &str,
        blobs: &[(Key, B)],
    ) -> Result<(), BoxError> {
        let blobs: Vec<Value> = blobs.iter().map(|(key, body)| blob(key, body.as_ref())).collect();
        self.script(container, json!({ "blobs": blobs })).map(drop)
    }

    /// Runs `seed_container.py`; `more` says what it does.
    pub(crate) fn script(self, container: &str, more: Value) -> Result<Value, BoxError> {
        let mut input = more;
        input["url"] = self.url().into();
        input["account"] = self.account().into();
        input["key"] = self.key().into();
        input["container"] = container.into();
        if matches!(self, Self::Tls) {
            input["ca"] = self.authority().into();
        }
        run(&input)
    }
}

/// A blob for the script.
pub(crate) fn blob(key: &Key, body: &[u8]) -> Value {
    json!({ "key": STANDARD.encode(key.as_bytes()), "body": STANDARD.encode(body) })
}

/// The name of a container that no other test uses.
pub(crate) fn fresh_container() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("azure-{}-{number}", std::process::id())
}

fn run(input: &Value) -> Result<Value, BoxError> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/azure/seed_container.py");
    let mut child = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("a pipe")?.write_all(input.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout)?);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
