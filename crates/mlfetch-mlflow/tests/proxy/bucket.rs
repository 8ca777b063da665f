//! Objects in the bucket behind the S3-backed server, put there by boto3.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_mlflow::{ModelFiles, ProxyConfig, Transfer};
use mlfetch_store::{BoxError, Key};
use serde::Deserialize;

use crate::support::{config, variable};

/// What the script prints.
#[derive(Deserialize)]
struct Answer {
    model_id: String,
    root: String,
}

/// Puts objects below a new logged model's root.
pub(crate) fn seed<B: AsRef<[u8]>>(objects: &[(Key, B)]) -> Result<ModelFiles, BoxError> {
    seed_with(objects, &serde_json::json!({}))
}

/// The same, with more of boto3's arguments.
pub(crate) fn seed_with<B: AsRef<[u8]>>(
    objects: &[(Key, B)],
    arguments: &serde_json::Value,
) -> Result<ModelFiles, BoxError> {
    let objects: Vec<[String; 2]> = objects
        .iter()
        .map(|(key, bytes)| [STANDARD.encode(key.as_bytes()), STANDARD.encode(bytes)])
        .collect();
    let asked = serde_json::json!({ "objects": objects, "headers": arguments });
    let answer = run(asked.to_string().as_bytes())?;
    let answer: Answer = serde_json::from_slice(&answer)?;
    Ok(ModelFiles::new(answer.model_id, &Key::from(answer.root)))
}

fn run(input: &[u8]) -> Result<Vec<u8>, BoxError> {
    for name in ["URL", "ACCESS_KEY", "SECRET_KEY", "BUCKET"] {
        variable(&format!("MLFETCH_TEST_MINIO_{name}"));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proxy/seed_bucket.py");
    let mut child = Command::new(variable("MLFETCH_TEST_PYTHON"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("a pipe")?.write_all(input)?;
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}

/// The S3-backed server's proxy.
pub(crate) fn s3(transfer: Transfer) -> ProxyConfig {
    config(&variable("MLFETCH_TEST_MLFLOW_S3")).with_transfer(transfer)
}
