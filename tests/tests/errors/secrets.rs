//! Secrets are in no output, however it goes and however much is said.

use mlfetch_tests::{Answer, Desk, ScriptedServer};

use crate::support::{Purpose, RUN, server};

const PASSWORD: &str = "pa55-w0rd-of-the-test";
const TOKEN: &str = "t0ken-of-the-test";

/// `user:password` as it stands in a header.
const BASIC: &str = "bWU6cGE1NS13MHJkLW9mLXRoZS10ZXN0";

/// Ways to give a secret: variables, and whether the URL carries one.
fn ways(url: &str) -> [Vec<(&'static str, String)>; 3] {
    let with_login = url.replacen("://", &format!("://me:{PASSWORD}@"), 1);
    [
        vec![
            ("MLFLOW_TRACKING_URI", url.to_owned()),
            ("MLFLOW_TRACKING_USERNAME", "me".to_owned()),
            ("MLFLOW_TRACKING_PASSWORD", PASSWORD.to_owned()),
        ],
        vec![("MLFLOW_TRACKING_URI", url.to_owned()), ("MLFLOW_TRACKING_TOKEN", TOKEN.to_owned())],
        vec![("MLFLOW_TRACKING_URI", with_login)],
    ]
}

fn check(server: &ScriptedServer, arguments: &[&str]) {
    for variables in ways(&server.url) {
        let environment: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let asked_before = server.asked().len();
        let ran = Desk::new().run(arguments, &environment);
        let output = format!("{}{}", ran.stdout, ran.stderr);
        for secret in [PASSWORD, TOKEN, BASIC] {
            assert!(!output.contains(secret), "{secret} is in the output:\n{output}");
        }
        let sent = server.asked()[asked_before..].to_vec();
        assert!(
            sent.iter().any(|asked| asked.header("authorization").is_some()),
            "the secret was used: {sent:?}\n{output}"
        );
    }
}

#[test]
fn when_all_goes_well() {
    let server = server(&[("x.bin", 10)], |_, _| None);
    for more in ["-v", "--json"] {
        check(&server, &["get", "-r", RUN, "-d", "out", more]);
    }
    check(&server, &["resolve", &format!("runs:/{RUN}/x.bin")]);
    check(&server, &["ls", "-R", "-l", &format!("runs:/{RUN}")]);
}

#[test]
fn when_the_server_refuses_breaks_or_hangs() {
    let answers = [
        Answer::new(401, "no"),
        Answer::new(403, "no"),
        Answer::new(500, "no"),
        Answer::new(200, "<html>"),
        Answer::silence(),
    ];
    for answer in answers {
        let server =
            server(&[], move |purpose, _| (purpose == Purpose::Run).then(|| answer.clone()));
        let arguments = ["get", "-r", RUN, "-d", "out", "-v", "--retries", "1", "--timeout", "1"];
        check(&server, &arguments);
    }
}

#[test]
fn when_the_server_says_them_itself() {
    let server = ScriptedServer::start(|asked, _| {
        let header = asked.header("authorization").unwrap_or_default();
        Answer::mlflow_error(400, "INVALID_PARAMETER_VALUE", &format!("bad header {header}"))
    });
    check(&server, &["get", "-r", RUN, "-d", "out"]);
}
