//! Who is asking: each kind of application default credentials, to the token in the request.

use std::path::PathBuf;

use mlfetch_gcs::{Credentials, GcsBackend, GcsConfig, GcsStore};
use mlfetch_store::{Backend as _, Error, ErrorKind, Key, Location, Options, ReadRequest, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Answer, GcsAnswer, Request, Server};

const IMPERSONATION: &str =
    "/v1/projects/-/serviceAccounts/other@example.iam.gserviceaccount.com:generateAccessToken";

/// Plays everybody: the server of tokens, of impersonation, of metadata, and Cloud Storage.
fn google(request: &Request) -> Answer {
    let token = |name: &str| {
        Answer::json(
            "200 OK",
            &json!({ "access_token": name, "token_type": "Bearer", "expires_in": 3600 }),
        )
    };
    match request.path() {
        "/token" if request.body.contains("refresh") => token("token-of-a-user"),
        "/token" => Answer::json(
            "200 OK",
            &json!({
                "access_token": "token-of-a-workload",
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer",
                "expires_in": 3600,
            }),
        ),
        IMPERSONATION => {
            let expires = "2126-01-01T00:00:00Z";
            Answer::json(
                "200 OK",
                &json!({ "accessToken": "token-of-another", "expireTime": expires }),
            )
        }
        "/computeMetadata/v1/instance/service-accounts/default/token" => {
            token("token-of-a-machine")
        }
        "/" => Answer::new("200 OK", &["Metadata-Flavor: Google"], ""),
        _ => Answer::object("bytes", &[]),
    }
}

struct Stage {
    server: Server,
    directory: TempDir,
}

impl Stage {
    async fn new() -> Self {
        let server = Server::start(google).await;
        Self { server, directory: tempfile::tempdir().expect("a directory") }
    }

    fn file(&self, name: &str, content: &Value) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content.to_string()).expect("written");
        path
    }

    fn config(&self) -> GcsConfig {
        let mut config = GcsConfig::new().with_endpoint(self.server.url());
        config.config_directory = Some(self.directory.path().to_owned());
        config.metadata_host = Some("127.0.0.1:1".to_owned());
        config
    }

    /// Reads an object as a file of credentials says.
    async fn read_as(&self, content: &Value) -> Result<Request, Error> {
        let path = self.file("key.json", content);
        self.read(self.config().with_credentials(path)).await
    }

    /// Reads an object; gives the request that asked for it.
    async fn read(&self, config: GcsConfig) -> Result<Request, Error> {
        let store = GcsStore::open(config, "bucket").await?;
        store.read(&Key::from("a"), ReadRequest::new()).await?;
        Ok(self.server.seen().pop().expect("a request"))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }
}

fn user(stage: &Stage) -> Value {
    json!({
        "type": "authorized_user",
        "client_id": "client",
        "client_secret": "client-s3cret",
        "refresh_token": "refresh-s3cret",
        "token_uri": stage.url("/token"),
        "quota_project_id": "of-the-user",
    })
}

fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

#[tokio::test]
async fn a_service_account_signs_its_token_itself() {
    let stage = Stage::new().await;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
    let account = json!({
        "type": "service_account",
        "client_email": "reader@example.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": key.serialize_pem(),
        "project_id": "example",
    });
    let request = stage.read_as(&account).await.expect("an object");
    let token = bearer(&request).expect("a token");
    let claims = token.split('.').nth(1).expect("three parts");
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims);
    let claims: Value = serde_json::from_slice(&claims.expect("base64")).expect("JSON");
    assert_eq!(claims["iss"], "reader@example.iam.gserviceaccount.com");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/devstorage.read_only");
    assert_eq!(stage.server.seen().len(), 1, "no other server is asked");
}

#[tokio::test]
async fn a_user_s_token_is_asked_for_once_and_names_the_quota_project() {
    let stage = Stage::new().await;
    let path = stage.file("key.json", &user(&stage));
    let config = stage.config().with_credentials(path);
    let store = GcsStore::open(config.clone(), "bucket").await.expect("a store");
    for _ in 0..3 {
        store.read(&Key::from("a"), ReadRequest::new()).await.expect("an object");
    }
    let seen = stage.server.seen();
    assert_eq!(seen.iter().filter(|request| request.path() == "/token").count(), 1);
    let last = seen.last().expect("a request");
    assert_eq!(bearer(last), Some("token-of-a-user"));
    assert_eq!(last.header("x-goog-user-project"), Some("of-the-user"));
    let mut config = config;
    config.quota_project = Some("mine".to_owned());
    let request = stage.read(config).await.expect("an object");
    assert_eq!(request.header("x-goog-user-project"), Some("mine"));
}

#[tokio::test]
async fn a_workload_s_token_is_exchanged_for_one_of_google_s() {
    let stage = Stage::new().await;
    let subject = stage.directory.path().join("subject");
    std::fs::write(&subject, "token-of-the-cluster").expect("written");
    let workload = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": stage.url("/token"),
        "credential_source": { "file": subject },
    });
    let request = stage.read_as(&workload).await.expect("an object");
    assert_eq!(bearer(&request), Some("token-of-a-workload"));
    let exchange = stage.server.seen().remove(0);
    assert!(exchange.body.contains("token-of-the-cluster"), "{}", exchange.body);
}

#[tokio::test]
async fn somebody_else_is_impersonated() {
    let stage = Stage::new().await;
    let impersonated = json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": stage.url(IMPERSONATION),
        "source_credentials": user(&stage),
    });
    let request = stage.read_as(&impersonated).await.expect("an object");
    assert_eq!(bearer(&request), Some("token-of-another"));
    let seen = stage.server.seen();
    let asked = seen.iter().find(|request| request.path() == IMPERSONATION).expect("asked");
    assert_eq!(bearer(asked), Some("token-of-a-user"));
}

#[tokio::test]
async fn gcloud_s_file_counts_where_none_is_named() {
    let stage = Stage::new().await;
    stage.file("application_default_credentials.json", &user(&stage));
    let request = stage.read(stage.config()).await.expect("an object");
    assert_eq!(bearer(&request), Some("token-of-a-user"));
}

#[tokio::test]
async fn on_a_machine_of_google_s_the_metadata_server_gives_tokens() {
    let stage = Stage::new().await;
    let mut config = stage.config();
    config.metadata_host = Some(stage.server.host());
    let request = stage.read(config).await.expect("an object");
    assert_eq!(bearer(&request), Some("token-of-a-machine"));
}

#[tokio::test]
async fn without_any_credentials_nobody_asks_and_the_refusal_says_where_was_looked() {
    let stage = Stage::new().await;
    let request = stage.read(stage.config()).await.expect("a public object");
    assert_eq!(request.header("authorization"), None);
    let refuse = |_: &Request| Answer::error("401 Unauthorized", "required", "Anonymous caller");
    let closed = Server::start(refuse).await;
    let error = stage.read(stage.config().with_endpoint(closed.url())).await;
    let error = error.expect_err("not public");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let hint = error.hint().expect("a hint");
    for place in
        ["GOOGLE_APPLICATION_CREDENTIALS", "application_default_credentials.json", "127.0.0.1:1"]
    {
        assert!(hint.contains(place), "{hint}");
    }
}

#[tokio::test]
async fn somebody_who_chose_to_be_nobody_is() {
    let stage = Stage::new().await;
    let path = stage.file("key.json", &user(&stage));
    let config = stage.config().with_credentials(path).with_anonymous(true);
    let request = stage.read(config).await.expect("a public object");
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn a_refused_token_is_named_without_what_is_secret() {
    let echo = |request: &Request| match request.path() {
        "/token" => {
            let words = format!("what is {}?", request.body);
            let answer = json!({ "error": "invalid_grant", "error_description": words });
            Answer::json("400 Bad Request", &answer)
        }
        _ => Answer::object("bytes", &[]),
    };
    let stage =
        Stage { server: Server::start(echo).await, directory: tempfile::tempdir().expect("") };
    let error = stage.read_as(&user(&stage)).await.expect_err("no token");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert!(error.to_string().contains("invalid_grant"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("gcloud auth")), "{error:?}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_token_server_that_is_busy_is_asked_again() {
    let busy = |_: &Request| Answer::new("503 Service Unavailable", &[], "");
    let stage =
        Stage { server: Server::start(busy).await, directory: tempfile::tempdir().expect("") };
    let error = stage.read_as(&user(&stage)).await.expect_err("no token");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_token_that_is_not_accepted_tells_of_a_wrong_clock() {
    let refuse = |date: &'static str| {
        move |request: &Request| {
            if request.path() == "/token" {
                return google(request);
            }
            let echo = request.header("authorization").unwrap_or_default().to_owned();
            let answer = Answer::error("401 Unauthorized", "authError", &echo);
            answer.with_header(&format!("Date: {date}"))
        }
    };
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let directory = tempfile::tempdir().expect("a directory");
    let stage = Stage { server: Server::start(refuse(date)).await, directory };
    let error = stage.read_as(&user(&stage)).await.expect_err("not accepted");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("the clocks are apart"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("clock")), "{error:?}");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("[secret]") && !shown.contains("token-of-a-user"), "{shown}");
}

#[tokio::test]
async fn a_redirect_takes_no_token_anywhere() {
    let elsewhere = Server::start(|_| Answer::object("stolen", &[])).await;
    let location = format!("Location: {}/storage/v1/b/bucket/o/a", elsewhere.url());
    let away = move |request: &Request| match request.path() {
        "/token" => google(request),
        _ => Answer::new("307 Temporary Redirect", &[&location], ""),
    };
    let directory = tempfile::tempdir().expect("a directory");
    let stage = Stage { server: Server::start(away).await, directory };
    let error = stage.read_as(&user(&stage)).await.expect_err("not followed");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_token_does_not_go_over_plain_http() {
    let stage = Stage::new().await;
    let path = stage.file("key.json", &user(&stage));
    let config = stage.config().with_credentials(path);
    let far = config.with_endpoint("http://storage.example".to_owned());
    let error = GcsStore::open(far, "bucket").await.expect_err("plain");
    assert_eq!(error.kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn credentials_of_a_program_s_own_count() {
    let stage = Stage::new().await;
    let source = google_cloud_auth::credentials::user_account::Builder::new(user(&stage));
    let credentials: Credentials = source.build().expect("credentials");
    let backend = GcsBackend::with_credentials(credentials);
    let options = Options::new().with("gcs-endpoint", stage.server.url());
    let location = Location::parse("gs://bucket/a").expect("a location");
    let opened = backend.open(&location, &options).await.expect("a store");
    opened.store.read(&opened.key, ReadRequest::new()).await.expect("an object");
    let last = stage.server.seen().pop().expect("a request");
    assert_eq!(bearer(&last), Some("token-of-a-user"));
}

#[tokio::test]
async fn whom_google_sees_is_told_and_nothing_secret() {
    let stage = Stage::new().await;
    let impersonated = json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": stage.url(IMPERSONATION),
        "source_credentials": user(&stage),
    });
    let path = stage.file("key.json", &impersonated);
    let config = stage.config().with_credentials(path);
    let store = GcsStore::open(config.clone(), "bucket").await.expect("a store");
    let name = "other@example.iam.gserviceaccount.com";
    assert_eq!(store.identity().as_deref(), Some(name));
    let nobody = GcsStore::open(config.with_anonymous(true), "bucket").await.expect("a store");
    assert_eq!(nobody.identity(), None);
}
