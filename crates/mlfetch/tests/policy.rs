//! A policy, by the library as somebody embeds it: what is denied is not asked for anything.

use mlfetch::policy::{Policy, Rule};
use mlfetch::{
    Depth, Environment, Error, ErrorKind, Layout, Mlfetch, MlfetchBuilder, Options, Resolved,
    Rewrite, Via, asked_for,
};
use mlfetch_scripted::{Answer, Server};

/// Allows what these patterns name and nothing else.
fn only(patterns: &[String]) -> Policy {
    let patterns = patterns.iter().map(|text| text.parse().expect("a pattern")).collect();
    Policy::new("the policy").with_rule(Rule::allow("rule 1", patterns))
}

fn builder(tracking_uri: &str) -> MlfetchBuilder {
    Mlfetch::builder().environment(Environment::new("/nowhere")).tracking_uri(tracking_uri)
}

async fn resolve(mlfetch: &Mlfetch, uri: &str) -> Result<Vec<Resolved>, Error> {
    mlfetch.resolve(asked_for(uri)?).await
}

#[track_caller]
fn is_denied<T: std::fmt::Debug>(result: Result<T, Error>, place: &str) {
    let error = result.expect_err("denied");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.to_string().contains("the policy"), "{error}");
    assert_eq!(error.subject(), place);
}

/// A tracking server whose only model lies where the test says.
async fn tracking(source: &'static str) -> Server {
    Server::start(move |_| {
        let body = format!(
            r#"{{"model_version": {{"name": "fraud", "version": "1", "source": "{source}"}}, "artifact_uri": "{source}"}}"#
        );
        json(&body)
    })
    .await
}

fn json(body: &str) -> Answer {
    Answer::new("200 OK", &["content-type: application/json"], body)
}

#[tokio::test]
async fn a_tracking_server_that_is_not_allowed_is_not_asked() {
    let server = tracking("s3://models/fraud").await;
    let policy = only(&["models".into(), "s3".into()]);
    let mlfetch = builder(&server.url()).policy(policy).build().expect("built");
    is_denied(resolve(&mlfetch, "models:/fraud/1").await, &server.url());
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn what_a_tracking_server_names_must_be_allowed_too() {
    let server = tracking("s3://payroll/x").await;
    let policy = only(&["models".into(), "s3://models".into(), server.url()]);
    let mlfetch = builder(&server.url()).policy(policy).build().expect("built");
    is_denied(resolve(&mlfetch, "models:/fraud/1").await, "s3://payroll/x");
    assert!(!server.seen().is_empty());
    is_denied(resolve(&mlfetch, "runs:/abc").await, "runs:/abc");
}

#[tokio::test]
async fn a_server_that_settings_name_must_be_allowed_too() {
    let server = Server::start(|_| Answer::new("404 Not Found", &[], "")).await;
    let options =
        || Options::new().with("endpoint-url", server.url()).with("no-sign-request", "true");
    let allowed = |more: &[String]| only(&[&["s3://models".to_owned()], more].concat());
    let built = |policy| builder("sqlite:////nowhere").options(options()).policy(policy).build();
    let mlfetch = built(allowed(&[])).expect("built");
    let parts = resolve(&mlfetch, "s3://models/x").await.expect("the name is allowed");
    let place = format!("{}/models", server.url());
    is_denied(mlfetch.read(&parts[0]).await, &place);
    is_denied(mlfetch.expected(&parts, Layout::Mlflow).await.map(|_| ()), &place);
    is_denied(mlfetch.list(&parts[0], Depth::One).await.map(|_| ()), &place);
    assert_eq!(server.seen().len(), 0);
    let mlfetch = built(allowed(&[server.url()])).expect("built");
    let error = mlfetch.read(&parts[0]).await.expect_err("nothing is there");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(!server.seen().is_empty());
}

#[tokio::test]
async fn the_engine_asks_also_about_what_was_resolved_without_it() {
    let parts = resolve(&builder("").build().expect("built"), "s3://payroll/x").await;
    let mlfetch = builder("").policy(only(&["s3://models".into()])).build().expect("built");
    is_denied(mlfetch.read(&parts.expect("resolved")[0]).await, "s3://payroll/x");
}

#[tokio::test]
async fn a_redirect_is_no_way_out() {
    let inside = Server::start(|request| match request.method.as_str() {
        "HEAD" => Answer::head("200 OK", 6, &[]),
        _ => Answer::ok("secret"),
    })
    .await;
    let target = format!("location: {}/secret", inside.url());
    let outside = Server::start(move |_| Answer::new("302 Found", &[&target], "")).await;
    let policy = only(&[outside.url()]);
    let mlfetch = builder("").policy(policy).build().expect("built");
    let parts = resolve(&mlfetch, &format!("{}/x", outside.url())).await.expect("allowed");
    is_denied(mlfetch.read(&parts[0]).await, &format!("{}/secret", inside.url()));
    assert_eq!(inside.seen().len(), 0);
    let policy = only(&[outside.url(), inside.url()]);
    let mlfetch = builder("").policy(policy).build().expect("built");
    mlfetch.read(&parts[0]).await.expect("both are allowed");
}

#[tokio::test]
async fn a_rewrite_rule_and_another_spelling_are_no_ways_out() {
    let rule = Rewrite::parse("s3://models=/etc").expect("a rule");
    let policy = || only(&["s3://models".into()]);
    let mlfetch = builder("").policy(policy()).rewrite(rule).build().expect("built");
    is_denied(resolve(&mlfetch, "s3://models/x").await, "/etc/x");
    let mlfetch = builder("").policy(policy()).build().expect("built");
    for uri in ["s3://models/../payroll/x", "/etc/passwd", "file:///etc/passwd", "s3://payroll"] {
        is_denied(resolve(&mlfetch, uri).await, uri);
    }
    resolve(&mlfetch, "S3A://models/x").await.expect("another spelling of the same");
}

#[tokio::test]
async fn a_proxy_has_one_name_whatever_its_url() {
    let server = Server::start(|_| Answer::new("404 Not Found", &[], "")).await;
    let url = server.url();
    let deny = Rule::deny("rule 1", vec!["mlflow-artifacts:/1/secret".parse().expect("a pattern")]);
    let allow = Rule::allow("rule 2", vec!["**".parse().expect("a pattern")]);
    let policy = Policy::new("the policy").with_rule(deny).with_rule(allow);
    let mlfetch = builder(&url).policy(policy).via(Via::Proxy).build().expect("built");
    let api = "api/2.0/mlflow-artifacts/artifacts";
    for spelling in [
        format!("{url}/{api}/1/secret/x"),
        format!("{url}/ajax-{api}/1/secret/x"),
        format!("{url}/{api}/1/%73ecret/x"),
        format!("{url}/{api}?path=1/secret/x"),
        format!("{url}/mlflow-artifacts/artifacts?path=1%2Fsecret"),
        format!("mlflow-artifacts://{}/1/secret/x", server.host()),
    ] {
        let parts = resolve(&mlfetch, &spelling).await.expect("the URL itself is allowed");
        let error = mlfetch.read(&parts[0]).await.expect_err(&spelling);
        assert_eq!(error.kind(), ErrorKind::Refused, "{spelling}: {error}");
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn a_url_that_the_server_signs_is_not_followed_to_what_is_not_allowed() {
    let bucket = Server::start(|_| Answer::ok("0123")).await;
    let signed = format!("{}/bucket/x?X-Amz-Signature=s3cret", bucket.url());
    let server = Server::start(move |request| match request.target.as_str() {
        target if target.contains("server-info") => {
            json(r#"{"multipart_downloads_enabled": true}"#)
        }
        target if target.contains("presigned") => {
            json(&format!(r#"{{"url": "{signed}", "headers": {{}}, "file_size": 4}}"#))
        }
        _ if request.path().ends_with("/artifacts") => {
            json(r#"{"files": [{"path": "x", "is_dir": false, "file_size": 4}]}"#)
        }
        _ => Answer::ok("0123"),
    })
    .await;
    let allowed =
        |more: &[String]| only(&[&["mlflow-artifacts".to_owned(), server.url()], more].concat());
    let read = async |policy, via| {
        let mlfetch = builder(&server.url()).policy(policy).via(via).build()?;
        let parts = resolve(&mlfetch, "mlflow-artifacts:/1/x").await?;
        mlfetch.read(&parts[0]).await
    };
    read(allowed(&[]), Via::Auto).await.expect("through the server");
    let error = read(allowed(&[]), Via::Presigned).await.expect_err("not by the bucket");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
    assert_eq!(bucket.seen().len(), 0);
    read(allowed(&[bucket.url()]), Via::Presigned).await.expect("it is allowed");
    assert!(!bucket.seen().is_empty());
}
