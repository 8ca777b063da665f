//! Every kind of secret, in every place that it can be given in.

use std::sync::LazyLock;

use mlfetch_tests::Desk;
use serde_json::json;

use super::play::Speaks;
use crate::support::RUN;

const PASSWORD: &str = "pa/ss+w=rd&planted-0123456789";
const TOKEN: &str = "t0ken.planted~0123456789/+=";
const AWS_SECRET: &str = "aws/secret+key/planted0123456789";
const AWS_SESSION: &str = "aws//session+token/planted0123456789==";
/// `azure-key-planted-0123456789`.
const AZURE_KEY: &str = "YXp1cmUta2V5LXBsYW50ZWQtMDEyMzQ1Njc4OQ==";
const SIGNATURE: &str = "sig/planted+0123456789abcdef=";
const DELEGATION: &str = "HAAEplanted-Delegation_Token0123456789";
/// The name of the file with Google's key.
pub(crate) const KEY_FILE: &str = "google.json";

/// A URI to fetch, what is set, and what must not be seen anywhere.
pub(crate) struct Planted {
    pub(crate) name: &'static str,
    pub(crate) speaks: Speaks,
    pub(crate) uri: String,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) secrets: Vec<String>,
}

/// All of them, for a server at a URL.
pub(crate) fn all(url: &str, desk: &Desk) -> Vec<Planted> {
    let mut all = buckets(url, desk);
    all.extend(signatures(url));
    all.extend(tracking(url));
    all.extend(web(url));
    all.extend(proxies(url));
    all
}

/// A URL's form of a value.
pub(crate) fn encoded(text: &str) -> String {
    mlfetch_tests::forms(text)[1].clone()
}

fn planted(
    name: &'static str,
    speaks: Speaks,
    uri: impl Into<String>,
    environment: &[(&'static str, &str)],
    secrets: &[&str],
) -> Planted {
    let own = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
    Planted {
        name,
        speaks,
        uri: uri.into(),
        environment: environment.iter().map(own).collect(),
        secrets: secrets.iter().map(|secret| (*secret).to_owned()).collect(),
    }
}

fn buckets(url: &str, desk: &Desk) -> Vec<Planted> {
    let container = "wasbs://c@account.blob.core.windows.net/d/";
    let connection = format!("AccountName=account;AccountKey={AZURE_KEY};BlobEndpoint={url};");
    let (key_file, lines) = service_account(url, desk);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    vec![
        planted("AWS keys", Speaks::S3, "s3://b/d/", &aws(url), &[AWS_SECRET, AWS_SESSION]),
        planted(
            "an Azure key",
            Speaks::Azure,
            container,
            &[("AZURE_STORAGE_ACCESS_KEY", AZURE_KEY), ("MLFETCH_AZURE_ENDPOINT", url)],
            &[AZURE_KEY],
        ),
        planted(
            "a connection string",
            Speaks::Azure,
            container,
            &[("AZURE_STORAGE_CONNECTION_STRING", &connection)],
            &[AZURE_KEY],
        ),
        planted(
            "a service account",
            Speaks::Gcs,
            "gs://b/d/",
            &[("GOOGLE_APPLICATION_CREDENTIALS", &key_file), ("MLFETCH_GCS_ENDPOINT", url)],
            &lines,
        ),
        planted(
            "a delegation token",
            Speaks::WebHdfs,
            "hdfs://cluster/d/",
            &[
                ("MLFETCH_DELEGATION_TOKEN", DELEGATION),
                ("MLFETCH_WEBHDFS_ADDRESS", url),
                ("MLFETCH_HDFS_CHECKSUMS", "false"),
            ],
            &[DELEGATION],
        ),
    ]
}

fn aws(url: &str) -> [(&'static str, &str); 5] {
    [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
        ("AWS_SESSION_TOKEN", AWS_SESSION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("MLFLOW_S3_ENDPOINT_URL", url),
    ]
}

/// A service account with a key of its own, which signs its tokens itself; the lines of the key.
fn service_account(url: &str, desk: &Desk) -> (String, Vec<String>) {
    static KEY: LazyLock<String> = LazyLock::new(|| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256);
        key.expect("a key").serialize_pem()
    });
    let account = json!({
        "type": "service_account",
        "client_email": "reader@example.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": *KEY,
        "token_uri": format!("{url}/token"),
        "project_id": "example",
    });
    desk.write(KEY_FILE, account.to_string());
    let lines = KEY.lines().filter(|line| line.len() > 20 && !line.starts_with('-'));
    (desk.path().join(KEY_FILE).display().to_string(), lines.map(str::to_owned).collect())
}

/// Signatures, in a variable and in a URI.
fn signatures(url: &str) -> Vec<Planted> {
    let sas = format!("sv=2023-11-03&sr=c&sp=rl&sig={}", encoded(SIGNATURE));
    let amazon = format!("X-Amz-Credential=AKID&X-Amz-Signature={}", encoded(SIGNATURE));
    let endpoint = ("MLFETCH_AZURE_ENDPOINT", url);
    let account = ("AZURE_STORAGE_ACCOUNT", "account");
    vec![
        planted(
            "a signature in a variable",
            Speaks::Azure,
            "az://c/d/",
            &[("AZURE_STORAGE_SAS_TOKEN", &sas), endpoint, account],
            &[SIGNATURE],
        ),
        planted(
            "a signature in a URI",
            Speaks::Azure,
            format!("az://c/d/?{sas}"),
            &[endpoint, account],
            &[SIGNATURE],
        ),
        planted(
            "a signature behind a container",
            Speaks::Azure,
            format!("az://c?{sas}"),
            &[endpoint, account],
            &[SIGNATURE],
        ),
        planted("a signed URL", Speaks::Http, format!("{url}/d/a?{amazon}"), &[], &[SIGNATURE]),
        planted("a signed root", Speaks::Http, format!("{url}?{amazon}"), &[], &[SIGNATURE]),
    ]
}

fn tracking(url: &str) -> Vec<Planted> {
    let run = format!("runs:/{RUN}");
    let with_login = with_login(url);
    vec![
        planted(
            "a bearer token of the tracking server",
            Speaks::Tracking,
            &run,
            &[("MLFLOW_TRACKING_URI", url), ("MLFLOW_TRACKING_TOKEN", TOKEN)],
            &[TOKEN],
        ),
        planted(
            "a password of the tracking server",
            Speaks::Tracking,
            &run,
            &[
                ("MLFLOW_TRACKING_URI", url),
                ("MLFLOW_TRACKING_USERNAME", "me"),
                ("MLFLOW_TRACKING_PASSWORD", PASSWORD),
            ],
            &[PASSWORD],
        ),
        planted(
            "a password in the tracking URI",
            Speaks::Tracking,
            &run,
            &[("MLFLOW_TRACKING_URI", &with_login)],
            &[PASSWORD],
        ),
        planted(
            "a rewrite rule with a password",
            Speaks::Tracking,
            &run,
            &[
                ("MLFLOW_TRACKING_URI", url),
                ("MLFETCH_REWRITE", &format!("mlflow-artifacts:/1={with_login}/d")),
            ],
            &[PASSWORD],
        ),
    ]
}

fn web(url: &str) -> Vec<Planted> {
    vec![
        planted(
            "a password in a URL",
            Speaks::Http,
            format!("{}/d/", with_login(url)),
            &[],
            &[PASSWORD],
        ),
        planted(
            "a token of a web server",
            Speaks::Http,
            format!("{url}/d/"),
            &[("MLFETCH_HTTP_TOKEN", TOKEN)],
            &[TOKEN],
        ),
        planted(
            "a password of a web server",
            Speaks::Http,
            format!("{url}/d/"),
            &[("MLFETCH_HTTP_USERNAME", "me"), ("MLFETCH_HTTP_PASSWORD", PASSWORD)],
            &[PASSWORD],
        ),
    ]
}

/// The server as a proxy.
fn proxies(url: &str) -> Vec<Planted> {
    let proxy = with_login(url);
    let through = ("HTTP_PROXY", proxy.as_str());
    let both = [PASSWORD, AWS_SECRET, AWS_SESSION];
    let aws = aws("http://s3.example");
    let tracking = ("MLFLOW_TRACKING_URI", "http://tracking.example");
    let azure = ("MLFETCH_AZURE_ENDPOINT", "http://blobs.example");
    let key = ("AZURE_STORAGE_ACCESS_KEY", AZURE_KEY);
    let hdfs = ("MLFETCH_WEBHDFS_ADDRESS", "http://namenode.example");
    let token = ("MLFETCH_DELEGATION_TOKEN", DELEGATION);
    vec![
        planted(
            "a proxy's password, to Azure",
            Speaks::Azure,
            "wasbs://c@account.blob.core.windows.net/d/",
            &[azure, key, through],
            &[PASSWORD, AZURE_KEY],
        ),
        planted(
            "a proxy's password, to HDFS",
            Speaks::WebHdfs,
            "hdfs://cluster/d/",
            &[hdfs, token, ("MLFETCH_HDFS_CHECKSUMS", "false"), through],
            &[PASSWORD, DELEGATION],
        ),
        planted(
            "a proxy's password, to Google",
            Speaks::Gcs,
            "gs://b/d/",
            &[("STORAGE_EMULATOR_HOST", "http://storage.example"), through],
            &[PASSWORD],
        ),
        planted(
            "a proxy's password, to a bucket",
            Speaks::S3,
            "s3://b/d/",
            &[&aws[..], &[through]].concat(),
            &both,
        ),
        planted(
            "a proxy's password, to a web server",
            Speaks::Http,
            "http://files.example/d/",
            &[("http_proxy", &proxy)],
            &[PASSWORD],
        ),
        planted(
            "a proxy's password, to a tracking server",
            Speaks::Tracking,
            format!("runs:/{RUN}"),
            &[tracking, ("http_proxy", &proxy)],
            &[PASSWORD],
        ),
    ]
}

fn with_login(url: &str) -> String {
    url.replacen("://", &format!("://me:{}@", encoded(PASSWORD)), 1)
}

/// What nobody can fetch: a URI or a variable that is malformed around its secret.
pub(crate) fn malformed() -> Vec<Planted> {
    let run = format!("runs:/{RUN}");
    let (password, signature) = (encoded(PASSWORD), encoded(SIGNATURE));
    let bad = |uri: String| {
        planted("a bad URI", Speaks::Http, uri, &[], &[PASSWORD, SIGNATURE, DELEGATION])
    };
    let mut all: Vec<Planted> = [
        format!("https://me:{password}@/x?sig={signature}"),
        format!("https://me:{password}@127.0.0.1:port/x?sig={signature}"),
        format!("https://me:{password}@127.0.0.1/../x?sig={signature}"),
        format!("https:me:{password}@127.0.0.1/x?sig={signature}"),
        format!("https://me:{PASSWORD}@127.0.0.1:9/x"),
        format!("htps://me:{password}@h/x?sig={signature}"),
        format!("az://c/x?sp=r&sig={signature}&what"),
        format!("az:///x?sv=1&sig={signature}"),
        format!("wasbs://c@/x?sv=1&sig={signature}"),
        format!("abfss://me:{password}@a.dfs.core.windows.net/x?sv=1&sig={signature}"),
        format!("s3://id:{password}@/x?X-Amz-Signature={signature}"),
        format!("s3:x?X-Amz-Signature={signature}"),
        format!("r2://id:{password}@a.r2.cloudflarestorage.com/x?X-Amz-Signature={signature}"),
        format!("gs://?X-Goog-Signature={signature}"),
        format!("webhdfs://127.0.0.1:9/x?op=OPEN&delegation={DELEGATION}"),
        format!("hdfs:x?delegation={DELEGATION}"),
        format!("mlflow-artifacts://me:{password}@5000/x?token={signature}"),
        format!("models:/m/what?token={signature}"),
        format!("runs:/?token={signature}"),
        format!("file://me:{password}@host/x?token={signature}"),
        format!("postgresql://me:{PASSWORD}@127.0.0.1/db"),
    ]
    .map(bad)
    .into();
    for (name, value) in [
        ("MLFLOW_TRACKING_URI", format!("http://me:{password}@127.0.0.1:port")),
        (
            "MLFLOW_TRACKING_URI",
            format!("postgresql://me:{password}@127.0.0.1:9/db?password={password}"),
        ),
        ("MLFLOW_TRACKING_URI", format!("postgresql://me:{password}@127.0.0.1:port/db")),
        ("MLFLOW_TRACKING_URI", format!("mysql+pymysql://me:{password}@127.0.0.1:9/db")),
        ("MLFLOW_TRACKING_URI", format!("oracle://me:{password}@127.0.0.1:9/db")),
        ("MLFLOW_TRACKING_URI", format!("sqlite:///x.db?token={password}")),
        ("MLFETCH_REWRITE", format!("=https://me:{password}@h/x?sig={signature}")),
        ("MLFETCH_REWRITE", format!("https://me:{password}@h/x")),
        ("HTTP_PROXY", format!("http://me:{password}@:port")),
    ] {
        let tracking = ("MLFLOW_TRACKING_URI", "http://tracking.invalid");
        let environment = [tracking, (name, value.as_str())];
        all.push(planted(name, Speaks::Tracking, &run, &environment, &[PASSWORD, SIGNATURE]));
    }
    let container = "wasbs://c@account.blob.core.windows.net/d/";
    for (name, value) in [
        ("AZURE_STORAGE_CONNECTION_STRING", format!("AccountName=a;AccountKey={SIGNATURE};what")),
        ("AZURE_STORAGE_CONNECTION_STRING", format!("AccountName=a;AccountKey={SIGNATURE}")),
        ("AZURE_STORAGE_ACCESS_KEY", SIGNATURE.to_owned()),
        ("AZURE_STORAGE_SAS_TOKEN", format!("https://h/c?sv=1&sig={signature}")),
        ("MLFETCH_AZURE_ENDPOINT", format!("http://me:{password}@127.0.0.1:9?sig={signature}")),
    ] {
        let environment = [("AZURE_STORAGE_ACCOUNT", "account"), (name, value.as_str())];
        all.push(planted(name, Speaks::Azure, container, &environment, &[PASSWORD, SIGNATURE]));
    }
    for (uri, name) in [
        ("s3://b/d/", "MLFLOW_S3_ENDPOINT_URL"),
        ("s3://b/d/", "HTTP_PROXY"),
        ("gs://b/d/", "STORAGE_EMULATOR_HOST"),
        ("gs://b/d/", "MLFETCH_GCS_ENDPOINT"),
        ("hdfs://c/d/", "MLFETCH_WEBHDFS_ADDRESS"),
    ] {
        for port in ["9", "port"] {
            let url = format!("http://me:{password}@127.0.0.1:{port}?sig={signature}");
            let mut environment = aws("http://127.0.0.1:9").to_vec();
            environment.push((name, &url));
            all.push(planted(
                name,
                Speaks::S3,
                uri,
                &environment,
                &[PASSWORD, SIGNATURE, AWS_SECRET, AWS_SESSION],
            ));
        }
    }
    all
}
