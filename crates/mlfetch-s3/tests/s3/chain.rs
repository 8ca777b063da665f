//! AWS's chain of credentials, as a program meets it: a process of its own with variables and files
//! of its own, which asks a bucket. What counts is the key that its requests are signed with.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::process::Command;

use crate::server::{Answer, Request, S3Request, Server};

const LISTING: &str = "<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents>\
                       <IsTruncated>false</IsTruncated></ListBucketResult>";

/// Far enough ahead that nothing is renewed.
const EXPIRES: &str = "2126-11-24T12:00:00Z";

/// The example `many_small`, which `cargo test` builds beside the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().expect("a path");
    let built = tests.parent().and_then(|deps| deps.parent()).expect("a target directory");
    let path = built.join("examples/many_small");
    assert!(path.exists(), "`{}` is not built: run `cargo test -p mlfetch-s3`", path.display());
    path
}

/// One server for all: a bucket, STS, and the metadata of an instance and of a container.
fn cloud(request: &Request) -> Answer {
    let path = request.target.split('?').next().unwrap_or_default();
    let json = |id: &str| {
        let text = serde_json::json!({
            "Code": "Success", "LastUpdated": "2026-11-24T00:00:00Z", "Type": "AWS-HMAC",
            "AccessKeyId": id, "SecretAccessKey": "s", "Token": "t-of-session", "Expiration": EXPIRES,
        });
        Answer::new("200 OK", &["Content-Type: application/json"], text.to_string())
    };
    match path {
        "/bucket/" => Answer::new("200 OK", &[], LISTING),
        "/bucket/a" => Answer::new("200 OK", &["ETag: \"t\""], "x"),
        "/latest/api/token" => {
            Answer::new("200 OK", &["x-aws-ec2-metadata-token-ttl-seconds: 600"], "token")
        }
        "/latest/meta-data/iam/security-credentials/" => Answer::new("200 OK", &[], "a-role"),
        "/latest/meta-data/iam/security-credentials/a-role" => json("key-of-instance"),
        "/container" => json("key-of-container"),
        "/federation/credentials" => sso(request),
        "/" if request.method == "POST" => sts(request),
        _ => Answer::new("404 Not Found", &[], ""),
    }
}

/// `AssumeRole` is signed with the keys of who asks, `AssumeRoleWithWebIdentity` is not signed.
fn sts(request: &Request) -> Answer {
    let (name, id) = match request.header("authorization") {
        Some(_) => ("AssumeRole", "key-of-role"),
        None => ("AssumeRoleWithWebIdentity", "key-of-web-identity"),
    };
    let xml = format!(
        "<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{name}Result>\
         <Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
         <SessionToken>t-of-session</SessionToken><Expiration>{EXPIRES}</Expiration></Credentials>\
         </{name}Result></{name}Response>"
    );
    Answer::new("200 OK", &["Content-Type: text/xml"], xml)
}

/// The portal of IAM Identity Center gives a role's keys for the token of who signed in.
fn sso(request: &Request) -> Answer {
    if request.header("x-amz-sso_bearer_token") != Some("t-of-sign-in") {
        return Answer::new("401 Unauthorized", &[], "");
    }
    let text = serde_json::json!({ "roleCredentials": {
        "accessKeyId": "key-of-sso", "secretAccessKey": "s", "sessionToken": "t-of-session",
        "expiration": 4_950_000_000_000_u64,
    }});
    Answer::new("200 OK", &["Content-Type: application/json"], text.to_string())
}

/// A home directory with files of AWS in it.
fn home(config: &str, credentials: &str) -> TempDir {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(home.path().join(".aws")).expect("created");
    std::fs::write(home.path().join(".aws/config"), config).expect("written");
    std::fs::write(home.path().join(".aws/credentials"), credentials).expect("written");
    home
}

/// Runs the program with these variables and no others; gives how it ended and what was asked.
async fn run(home: &TempDir, variables: &[(&str, &str)]) -> (bool, String, Vec<Request>) {
    let server = Server::start(cloud).await;
    let url = server.url();
    let mut command = Command::new(program());
    command.arg("s3://bucket/").env_clear().env("HOME", home.path());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("MLFLOW_S3_ENDPOINT_URL", &url).env("AWS_ENDPOINT_URL_STS", &url);
    command.env("AWS_ENDPOINT_URL_SSO", &url);
    for (name, value) in variables {
        let address = url.trim_start_matches("http://");
        command.env(name, value.replace("{server}", &url).replace("{address}", address));
    }
    let output = command.output().await.expect("the program runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), words, server.seen())
}

/// The key that the bucket's requests are signed with, and the token that they carry.
async fn key_and_token(home: &TempDir, variables: &[(&str, &str)]) -> (String, Option<String>) {
    let (success, words, seen) = run(home, variables).await;
    assert!(success, "{words}");
    let request = seen.iter().find(|seen| seen.target == "/bucket/a").expect("an object was read");
    let value = request.header("authorization").expect("signed");
    let id = value.split(['=', '/']).nth(1).expect("a key").to_owned();
    (id, request.header("x-amz-security-token").map(str::to_owned))
}

/// The same without the metadata of an instance, which would be looked for in vain.
async fn key(home: &TempDir, variables: &[(&str, &str)]) -> String {
    let off = ("AWS_EC2_METADATA_DISABLED", "true");
    key_and_token(home, &[variables, &[off]].concat()).await.0
}

const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "key-of-variables"), ("AWS_SECRET_ACCESS_KEY", "s")];

#[tokio::test]
async fn variables_come_first() {
    let home = home("", "[default]\naws_access_key_id = key-of-file\naws_secret_access_key = s\n");
    assert_eq!(key(&home, &KEYS).await, "key-of-variables");
    let token = ("AWS_SESSION_TOKEN", "t-of-variables");
    let (_, sent) = key_and_token(&home, &[&KEYS[..], &[token]].concat()).await;
    assert_eq!(sent.as_deref(), Some("t-of-variables"));
}

#[tokio::test]
async fn a_profile_is_chosen_by_the_variable_or_the_option() {
    let home = home(
        "[profile team]\nregion = eu-north-1\n",
        "[default]\naws_access_key_id = key-of-file\naws_secret_access_key = s\n\
         [team]\naws_access_key_id = key-of-team\naws_secret_access_key = s\n",
    );
    assert_eq!(key(&home, &[]).await, "key-of-file");
    for variable in ["AWS_PROFILE", "MLFETCH_AWS_PROFILE"] {
        let (_, _, seen) = run(&home, &[(variable, "team")]).await;
        let request = seen.last().expect("a request");
        let value = request.header("authorization").expect("signed");
        assert!(value.contains("Credential=key-of-team/"), "{value}");
        assert_eq!(request.region(), Some("eu-north-1"), "{variable}");
    }
}

#[tokio::test]
async fn a_program_gives_keys() {
    let answer = r#"{"Version": 1, "AccessKeyId": "key-of-program", "SecretAccessKey": "s"}"#;
    let home = home(&format!("[default]\ncredential_process = echo '{answer}'\n"), "");
    assert_eq!(key(&home, &[]).await, "key-of-program");
}

#[tokio::test]
async fn a_role_is_assumed_with_the_keys_of_another_profile() {
    let home = home(
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/reader\nsource_profile = base\n",
        "[base]\naws_access_key_id = key-of-base\naws_secret_access_key = s\n",
    );
    let off = ("AWS_EC2_METADATA_DISABLED", "true");
    let (id, token) = key_and_token(&home, &[("AWS_PROFILE", "role"), off]).await;
    assert_eq!((id.as_str(), token.as_deref()), ("key-of-role", Some("t-of-session")));
}

/// The name is the SHA-1 of the session's: where `aws sso login` keeps its token.
const SSO_TOKEN: &str = ".aws/sso/cache/d25187dc137f35c88bc80ec8c3ffbdb17b5eb873.json";

#[tokio::test]
async fn a_sign_in_by_sso_is_exchanged_for_keys() {
    let config = "[profile sso]\nsso_session = team\nsso_account_id = 123456789012\n\
                  sso_role_name = reader\n\
                  [sso-session team]\nsso_region = eu-north-1\nsso_start_url = https://team.example/start\n";
    let home = home(config, "");
    let variables = [("AWS_PROFILE", "sso"), ("AWS_EC2_METADATA_DISABLED", "true")];
    let (success, words, seen) = run(&home, &variables).await;
    assert!(!success && seen.is_empty(), "nobody has signed in yet: {words}");
    let token = home.path().join(SSO_TOKEN);
    std::fs::create_dir_all(token.parent().expect("a parent")).expect("created");
    let text = format!(
        r#"{{"accessToken": "t-of-sign-in", "expiresAt": "{EXPIRES}", "region": "eu-north-1"}}"#
    );
    std::fs::write(token, text).expect("written");
    let (id, token) = key_and_token(&home, &variables).await;
    assert_eq!((id.as_str(), token.as_deref()), ("key-of-sso", Some("t-of-session")));
}

#[tokio::test]
async fn a_web_identity_is_exchanged_for_keys() {
    let home = home("", "");
    let token = home.path().join("token");
    std::fs::write(&token, "a-web-token").expect("written");
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().expect("text")),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"),
    ];
    assert_eq!(key(&home, &variables).await, "key-of-web-identity");
}

#[tokio::test]
async fn a_container_has_keys() {
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "{server}/container")];
    assert_eq!(key(&home("", ""), &variables).await, "key-of-container");
}

#[tokio::test]
async fn an_instance_has_keys() {
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", "{server}")];
    let (id, token) = key_and_token(&home("", ""), &variables).await;
    assert_eq!((id.as_str(), token.as_deref()), ("key-of-instance", Some("t-of-session")));
}

#[tokio::test]
async fn nobody_s_keys_are_an_error_that_says_what_to_do() {
    let (success, words, seen) = run(&home("", ""), &[("AWS_EC2_METADATA_DISABLED", "true")]).await;
    assert!(!success && seen.is_empty(), "{words}");
    assert!(words.contains("cannot find `AWS credentials`"), "{words}");
}

#[tokio::test]
async fn a_server_is_found_by_aws_s_own_variables_too() {
    let home = home(
        "[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = http://127.0.0.1:1\n",
        "",
    );
    for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] {
        let here = [("MLFLOW_S3_ENDPOINT_URL", ""), (name, "{server}")];
        let home = if name == "AWS_ENDPOINT_URL" { &self::home("", "") } else { &home };
        assert_eq!(key(home, &[&KEYS[..], &here].concat()).await, "key-of-variables", "{name}");
    }
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_used_and_signed_in_to() {
    let variables = [
        ("MLFLOW_S3_ENDPOINT_URL", "http://s3.example"),
        ("HTTP_PROXY", "http://me:pass@{address}"),
    ];
    let (_, _, seen) = run(&home("", ""), &[&KEYS[..], &variables].concat()).await;
    assert!(seen[0].target.starts_with("http://s3.example/bucket/?"), "{}", seen[0].target);
    assert_eq!(seen[0].header("proxy-authorization"), Some("Basic bWU6cGFzcw=="));
    let around = [("NO_PROXY", "s3.example")];
    let (_, _, seen) = run(&home("", ""), &[&KEYS[..], &variables, &around].concat()).await;
    assert!(seen.is_empty());
}

#[tokio::test]
async fn a_proxy_sees_nothing_of_what_goes_through_a_tunnel() {
    let variables = [
        ("MLFLOW_S3_ENDPOINT_URL", "https://s3.example"),
        ("HTTPS_PROXY", "http://me:pass@{address}"),
    ];
    let (success, words, seen) = run(&home("", ""), &[&KEYS[..], &variables].concat()).await;
    assert!(!success, "{words}");
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("CONNECT", "s3.example:443"));
    assert_eq!(seen[0].header("proxy-authorization"), Some("Basic bWU6cGFzcw=="));
    assert!(seen.iter().all(|request| request.header("authorization").is_none()));
}
