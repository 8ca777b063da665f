//! What a tracking server on another machine may name. The scripted server plays that machine: it is
//! the proxy of the commands, so that each name leads to it and it sees what is asked of whom.

use mlfetch_tests::{Answer, Asked, Desk, Failure, ScriptedServer};
use serde_json::json;

const SERVER: &str = "http://tracking.example";
const RUN: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// A server whose only model lies at `source`, and which gives any file to whoever asks any host.
fn server(source: &'static str) -> ScriptedServer {
    ScriptedServer::start(move |asked, _| {
        let path = asked.target.split('?').next().unwrap_or_default();
        if path.contains("registered-models/alias") || path.contains("model-versions/") {
            return Answer::json(&json!({
                "model_version": {"name": "fraud", "version": "1", "source": source},
                "artifact_uri": source,
            }));
        }
        if path.contains("/runs/get") {
            return Answer::json(&json!({"run": {"info": {
                "run_id": RUN, "run_uuid": RUN, "experiment_id": "1", "artifact_uri": source,
                "lifecycle_stage": "active",
            }}}));
        }
        if path.contains("/mlflow/artifacts/list") {
            return Answer::json(&json!({"root_uri": source, "files": [
                {"path": "x.bin", "is_dir": false, "file_size": 10},
            ]}));
        }
        if path.contains("logged-models") || path.contains("server-info") {
            return Answer::json(&json!({}));
        }
        Answer::new(200, "0123456789")
    })
}

fn environment(server: &ScriptedServer) -> [(&str, &str); 2] {
    [("HTTP_PROXY", &server.url), ("MLFLOW_TRACKING_URI", SERVER)]
}

#[track_caller]
fn refused(server: &ScriptedServer, more: &[&str]) -> Failure {
    let arguments = [&["get", "models:/fraud/1", "-d", "out"], more].concat();
    Desk::new().fail(4, &arguments, &environment(server))
}

/// Requests for other hosts than the tracking server.
fn elsewhere(server: &ScriptedServer) -> Vec<Asked> {
    let all = server.asked();
    assert!(all.iter().any(|asked| asked.target.starts_with(SERVER)), "{all:?}");
    all.into_iter().filter(|asked| !asked.target.starts_with(SERVER)).collect()
}

#[test]
fn a_place_that_is_another_one_here_or_another_web_server_is_refused() {
    for (source, says) in [
        ("file:///etc", "a path"),
        ("/etc", "a path"),
        ("FILE:/etc", "a path"),
        ("http://other.example/model/x", "a web server"),
        ("http://tracking.example:8080/x", "a web server"),
        ("http://tracking.example@other.example/x", "a web server"),
        ("mlflow-artifacts://other.example/1/x", "a web server"),
        ("http://127.0.0.1:9/x", "another machine"),
        ("http://localhost:9/x", "another machine"),
        ("http://[::1]:9/x", "another machine"),
        ("http://169.254.169.254/latest/meta-data", "another machine"),
        ("http://[::ffff:169.254.169.254]/latest", "another machine"),
        ("http://metadata.google.internal/computeMetadata", "another machine"),
        ("mlflow-artifacts://169.254.169.254/x", "another machine"),
        ("webhdfs://169.254.169.254/x", "another machine"),
        ("http://2852039166/latest", "not clear"),
        ("http://0xa9.0xfe.0xa9.0xfe/latest", "not clear"),
        ("http:\\\\169.254.169.254/latest", "not clear"),
    ] {
        let server = server(source);
        refused(&server, &[]).says(SERVER).says(says).advises("--allow");
        assert!(elsewhere(&server).is_empty(), "{source}: {:?}", elsewhere(&server));
    }
}

#[test]
fn a_model_whose_source_is_itself_ends() {
    let server = server("models:/fraud/1");
    let desk = Desk::new();
    let failure = desk.fail(1, &["get", "models:/fraud/1", "-d", "out"], &environment(&server));
    failure.says("in circles").advises("resolve");
}

#[test]
fn a_pattern_lets_a_server_name_what_it_names_and_no_more() {
    let source = "http://files.example/models/x";
    for allow in ["http://files.example/models/**", "http://files.example", "http", "**"] {
        let (server, desk) = (server(source), Desk::new());
        let arguments = ["get", "-q", "models:/fraud/1", "-d", "out", "--allow", allow];
        let ran = desk.run(&arguments, &environment(&server));
        assert_eq!(ran.code, 0, "{allow}: {}", ran.stderr);
        assert!(!elsewhere(&server).is_empty());
    }
    for allow in ["http://files.example/other", "https", "file", "http://files.example.org"] {
        let _ = refused(&server(source), &["--allow", allow]).says("a web server");
    }
    let desk = Desk::new();
    let pattern = ["get", "models:/fraud/1", "-d", "out", "--allow", "files.example.com"];
    desk.fail(2, &pattern, &environment(&server(source))).advises("https://files.example.com/**");
}

#[test]
fn a_variable_and_the_configuration_file_allow_as_well() {
    let source = "http://files.example/models/x";
    let arguments = ["get", "-q", "models:/fraud/1", "-d", "out"];
    let (server_of_variable, desk) = (server(source), Desk::new());
    let allow = [("MLFETCH_ALLOW", "file\nhttp://files.example")];
    let ran = desk.run(&arguments, &[&environment(&server_of_variable)[..], &allow].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (server_of_file, desk) = (server(source), Desk::new());
    desk.write("config.toml", "allow = [\"http://files.example/models\"]\n");
    let config = [("MLFETCH_CONFIG", "config.toml")];
    let ran = desk.run(&arguments, &[&environment(&server_of_file)[..], &config].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_path_on_this_disk_is_read_where_somebody_says_that_it_is_the_same_one() {
    let server = server("file:///usr/share/no-such-model");
    let arguments = ["get", "models:/fraud/1", "-d", "out", "--allow", "file"];
    Desk::new().fail(3, &arguments, &environment(&server)).advises("");
    let arguments = ["get", "models:/fraud/1", "-d", "out", "--allow", "/usr/share/no-such-model"];
    Desk::new().fail(3, &arguments, &environment(&server)).advises("");
    let _ = refused(&server, &["--allow", "/usr/share/other"]).says("a path");
}

#[test]
fn a_run_comes_through_its_server_where_its_root_is_not_to_be_followed() {
    for source in ["/srv/mlruns/1", "http://127.0.0.1:9/x", "http://other.example/x"] {
        let (server, desk) = (server(source), Desk::new());
        let arguments = ["get", "-q", "-r", RUN, "-d", "out"];
        let ran = desk.run(&arguments, &environment(&server));
        assert_eq!(ran.code, 0, "{source}: {}", ran.stderr);
        assert!(elsewhere(&server).is_empty(), "{source}");
    }
}

#[test]
fn a_redirect_leads_nowhere_that_only_this_machine_can_reach() {
    let server = ScriptedServer::start(|asked, _| {
        if asked.target.contains("169.254") {
            return Answer::new(200, "secret");
        }
        Answer::new(302, "").with("location", "http://169.254.169.254/latest/meta-data")
    });
    let arguments = ["get", "http://files.example/x", "-d", "out"];
    let environment = environment(&server);
    let _ = Desk::new().fail(4, &arguments, &environment).says("169.254.169.254");
    assert!(server.asked().iter().all(|asked| !asked.target.contains("169.254.169.254/")));
}
