//! Each kind of answer, and what becomes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mlfetch_mlflow::{Environment, Run, RunId, Settings, TrackingStore, open};
use mlfetch_store::{Error, ErrorKind, RetryPolicy};

use crate::server::{Answer, Server};

const RUN: &str = r#"{"run":{"info":{"experiment_id":"1","artifact_uri":"s3://b/1/r/artifacts",
    "lifecycle_stage":"active","of_tomorrow":[1]}}}"#;

fn run_id() -> RunId {
    RunId::parse("0a1b2c3d4e5f60718293a4b5c6d7e8f9").expect("an id")
}

/// A store on the server that asks again at once, at most three times.
async fn store_in(url: &str, environment: &Environment) -> Arc<dyn TrackingStore> {
    let policy = RetryPolicy::default().with_attempts(3).with_first_wait(Duration::from_millis(1));
    let policy = policy.with_stall(Duration::from_millis(300));
    let settings = Settings::new(Some(url), None, environment).with_retry(policy);
    open(&settings.tracking_uri, &settings, environment).await.expect("it opens")
}

async fn store(server: &Server) -> Arc<dyn TrackingStore> {
    store_in(&server.url, &Environment::new("/")).await
}

async fn run(server: &Server) -> Run {
    store(server).await.run(&run_id()).await.expect("a run")
}

/// The error of a server that always gives this answer, and how often it was asked.
async fn failure(answer: Answer) -> (Error, usize) {
    let server = Server::start(move |_, _| answer.clone()).await;
    let error = store(&server).await.run(&run_id()).await.expect_err("no run");
    (error, server.requests().len())
}

#[tokio::test]
async fn the_request_is_mlflows_and_says_who_asks() {
    let server = Server::start(|_, _| Answer::json("200 OK", RUN)).await;
    let environment = Environment::new("/").with_variable("MLFLOW_TRACKING_TOKEN", "hunter2");
    let store = store_in(&format!("{}/pre/fix/", server.url), &environment).await;
    store.run(&run_id()).await.expect("a run");
    let request = server.requests().remove(0).to_lowercase();
    let id = run_id();
    let line = format!("get /pre/fix/api/2.0/mlflow/runs/get?run_uuid={id}&run_id={id} http/1.1");
    assert!(request.starts_with(&line), "{request}");
    assert!(request.contains("user-agent: mlfetch/"), "{request}");
    assert!(request.contains("authorization: bearer hunter2"), "{request}");
    assert!(!request.contains("accept-encoding: gzip"), "{request}");
}

#[tokio::test]
async fn each_refusal_has_its_kind_and_is_not_asked_again() {
    let rows = [
        ("401 Unauthorized", "You are not authenticated.", ErrorKind::Unauthenticated),
        ("403 Forbidden", "Permission denied", ErrorKind::PermissionDenied),
        ("404 Not Found", "<html>nginx</html>", ErrorKind::Protocol),
        ("400 Bad Request", "what?", ErrorKind::InvalidInput),
        ("418 I'm a teapot", "short and stout", ErrorKind::Other),
    ];
    for (status, body, kind) in rows {
        let (error, asked) = failure(Answer::new(status, "text/html", body)).await;
        assert_eq!((error.kind(), asked), (kind, 1), "{status}: {error}");
        assert!(error.to_string().contains(&status[..3]), "{error}");
    }
    let missing = r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"Run not found"}"#;
    let (error, asked) = failure(Answer::json("404 Not Found", missing)).await;
    assert_eq!((error.kind(), asked), (ErrorKind::NotFound, 1));
    assert!(error.to_string().contains(run_id().as_str()), "{error}");
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_then_said() {
    for status in ["429 Too Many Requests", "500 Internal Server Error", "503 Unavailable"] {
        let (error, asked) = failure(Answer::new(status, "text/plain", "busy")).await;
        assert_eq!((error.kind(), asked), (ErrorKind::Unavailable, 3), "{status}");
        assert!(error.to_string().contains("busy"), "{error}");
    }
    let body = r#"{"error_code":"INTERNAL_ERROR","message":"a database is away"}"#;
    let (error, asked) = failure(Answer::json("500 Internal Server Error", body)).await;
    assert_eq!((error.kind(), asked), (ErrorKind::Unavailable, 3));
    assert!(error.to_string().contains("a database is away"), "{error}");
}

#[tokio::test]
async fn a_server_that_recovers_gives_the_run() {
    let server = Server::start(|_, number| match number {
        0 => Answer::new("503 Unavailable", "text/plain", "").with_header("retry-after: 0"),
        1 => Answer::json("500 Internal Server Error", "{}"),
        _ => Answer::json("200 OK", RUN),
    })
    .await;
    assert_eq!(run(&server).await.artifact_uri, "s3://b/1/r/artifacts");
}

#[tokio::test]
async fn retry_after_is_waited_for_unless_it_is_switched_off() {
    let script = |_: &str, number| match number {
        0 => Answer::new("429 Slow down", "text/plain", "").with_header("retry-after: 1"),
        _ => Answer::json("200 OK", RUN),
    };
    for (respect, least, most) in [("true", 1000, 10_000), ("false", 0, 900)] {
        let server = Server::start(script).await;
        let name = "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER";
        let environment = Environment::new("/").with_variable(name, respect);
        let store = store_in(&server.url, &environment).await;
        let began = Instant::now();
        store.run(&run_id()).await.expect("a run");
        let took = began.elapsed().as_millis();
        assert!((least..most).contains(&took), "{respect}: {took} ms");
    }
}

#[tokio::test]
async fn what_is_not_mlflows_json_is_said_to_be_another_server() {
    let rows = [
        ("text/html; charset=utf-8", "<html>Sign in</html>"),
        ("application/json", "<!doctype html>"),
        ("application/json", "{\"run\": "),
        ("application/json", "{\"run\": 7}"),
        ("application/json", ""),
        ("text/plain", "hello"),
    ];
    for (kind, body) in rows {
        let (error, asked) = failure(Answer::new("200 OK", kind, body)).await;
        assert_eq!((error.kind(), asked), (ErrorKind::Protocol, 3), "{body}: {error}");
        let hint = error.hint().expect("a hint");
        assert!(hint.contains("MLFLOW_TRACKING_URI"), "{hint}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_read_for_ever() {
    let long = format!("\"{}\"", "x".repeat(17 * 1024 * 1024));
    let server = Server::start(move |_, _| Answer::json("200 OK", &long)).await;
    let environment = Environment::new("/").with_variable("MLFLOW_HTTP_REQUEST_TIMEOUT", "60");
    let error = store_in(&server.url, &environment).await.run(&run_id()).await;
    assert_eq!(error.expect_err("too long").kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let began = Instant::now();
    let (error, asked) = failure(Answer::Silence).await;
    assert_eq!((error.kind(), asked), (ErrorKind::Timeout, 3));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(error.hint().is_some_and(|hint| hint.contains("http://127.0.0.1")));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_within_seconds() {
    let settings = Settings::new(Some("http://127.0.0.1:1"), None, &Environment::new("/"));
    let environment = Environment::new("/");
    let store = open(&settings.tracking_uri, &settings, &environment).await.expect("it opens");
    let began = Instant::now();
    let error = store.run(&run_id()).await.expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(error.hint().is_some_and(|hint| hint.contains("http://127.0.0.1:1")));
}

#[tokio::test]
async fn our_secrets_and_control_characters_are_not_shown() {
    let body = r#"{"error_code":"BAD_REQUEST","message":"bad token hunter2 \u001b[31m"}"#;
    let server = Server::start(move |_, _| Answer::json("400 Bad Request", body)).await;
    let environment = Environment::new("/").with_variable("MLFLOW_TRACKING_TOKEN", "hunter2");
    let error = store_in(&server.url, &environment).await.run(&run_id()).await.expect_err("bad");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("[secret]") && !shown.contains("hunter2"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[tokio::test]
async fn a_credential_does_not_follow_a_redirect_to_another_server() {
    let other = Server::start(|_, _| Answer::json("200 OK", RUN)).await;
    let target = format!("location: {}/elsewhere", other.url);
    let server =
        Server::start(move |_, _| Answer::json("302 Found", "").with_header(&target)).await;
    let environment = Environment::new("/").with_variable("MLFLOW_TRACKING_TOKEN", "hunter2");
    store_in(&server.url, &environment).await.run(&run_id()).await.expect("a run");
    assert!(server.requests()[0].contains("hunter2"));
    assert!(!other.requests()[0].contains("hunter2"));
    let never = environment.with_variable("MLFLOW_ALLOW_HTTP_REDIRECTS", "false");
    let error = store_in(&server.url, &never).await.run(&run_id()).await.expect_err("not followed");
    assert_eq!(error.kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn a_server_of_mlflow_2_has_no_logged_models() {
    let server = Server::start(|request, _| {
        if request.contains("/logged-models/") {
            Answer::new("404 Not Found", "text/html", "<title>404 Not Found</title>")
        } else {
            Answer::json("200 OK", RUN)
        }
    })
    .await;
    let run = run(&server).await;
    let store = store(&server).await;
    assert_eq!(store.logged_models_of_run(&run, Some("model")).await.expect("none"), []);
    let error = store.logged_model("m-1").await.expect_err("none");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("older than MLflow 3"), "{error}");
}

fn page(models: &[(&str, &str)], token: &str) -> Answer {
    let models: Vec<String> = models
        .iter()
        .map(|(id, run)| {
            format!(r#"{{"info":{{"model_id":"{id}","name":"model","source_run_id":"{run}"}}}}"#)
        })
        .collect();
    let body = format!(r#"{{"models":[{}],"next_page_token":"{token}"}}"#, models.join(","));
    Answer::json("200 OK", &body)
}

#[tokio::test]
async fn all_pages_of_logged_models_are_turned() {
    let server = Server::start(|request, _| {
        if !request.contains("/logged-models/search") {
            Answer::json("200 OK", RUN)
        } else if request.contains("\"page_token\":\"2\"") {
            page(&[("m-4", run_id().as_str())], "")
        } else if request.contains("\"page_token\":\"1\"") {
            page(&[("m-3", "other")], "2")
        } else {
            page(&[("m-1", run_id().as_str()), ("m-2", "other")], "1")
        }
    })
    .await;
    let run = run(&server).await;
    let models = store(&server).await.logged_models_of_run(&run, Some("model")).await;
    let ids: Vec<String> =
        models.expect("models").into_iter().map(|model| model.model_id).collect();
    assert_eq!(ids, ["m-1", "m-4"]);
    let search = server.requests().pop().expect("a search");
    assert!(search.contains(r#""filter":"name = 'model'""#), "{search}");
    assert!(search.contains(r#""experiment_ids":["1"]"#), "{search}");
}

#[tokio::test]
async fn a_page_token_that_comes_back_is_an_error() {
    let server = Server::start(|request, _| {
        if request.contains("/logged-models/search") {
            page(&[], "again")
        } else {
            Answer::json("200 OK", RUN)
        }
    })
    .await;
    let run = run(&server).await;
    let error = store(&server).await.logged_models_of_run(&run, None).await.expect_err("no end");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(server.requests().len() < 5);
}

#[tokio::test]
async fn a_workspace_is_sent_where_the_server_has_them() {
    let server = Server::start(|request, _| {
        if request.contains("/server-info") {
            Answer::json("200 OK", r#"{"workspaces_enabled":true}"#)
        } else {
            Answer::json("200 OK", RUN)
        }
    })
    .await;
    let environment = Environment::new("/").with_variable("MLFLOW_WORKSPACE", "team");
    let store = store_in(&server.url, &environment).await;
    for _ in 0..2 {
        store.run(&run_id()).await.expect("a run");
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 3, "what the server can do is asked once");
    let headers = requests[1].to_lowercase();
    assert!(headers.contains("x-mlflow-workspace: team"), "{headers}");
}

#[tokio::test]
async fn requests_are_signed_for_api_gateway_when_that_is_asked_for() {
    let server = Server::start(|_, _| Answer::json("200 OK", RUN)).await;
    let environment = Environment::new("/")
        .with_variable("MLFLOW_TRACKING_AWS_SIGV4", "true")
        .with_variable("MLFLOW_TRACKING_TOKEN", "replaced")
        .with_variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with_variable("AWS_SECRET_ACCESS_KEY", "hunter2")
        .with_variable("AWS_SESSION_TOKEN", "session")
        .with_variable("AWS_REGION", "eu-north-1");
    store_in(&server.url, &environment).await.run(&run_id()).await.expect("a run");
    let request = server.requests().remove(0).to_lowercase();
    assert!(request.contains("authorization: aws4-hmac-sha256 credential=akidexample/"));
    assert!(request.contains("/eu-north-1/execute-api/aws4_request"), "{request}");
    assert!(request.contains("x-amz-security-token: session"), "{request}");
    assert!(!request.contains("hunter2") && !request.contains("replaced"), "{request}");
}

#[tokio::test]
async fn a_part_that_the_server_has_switched_off_is_said_at_once() {
    let body = "Endpoint: /api/2.0/mlflow/runs/get disabled due to the mlflow server running in \
                `--artifacts-only` mode.";
    let (error, asked) = failure(Answer::new("503 Unavailable", "text/html", body)).await;
    assert_eq!((error.kind(), asked), (ErrorKind::Unsupported, 1));
    assert!(error.to_string().contains("--artifacts-only"), "{error}");
}
