//! What patterns name, and what gets round a rule: nothing that is known.

use mlfetch_store::{ErrorKind, Gate as _, Key, Location};

use super::{Pattern, Policy, Rule};

fn pattern(text: &str) -> Pattern {
    text.parse().expect(text)
}

fn location(uri: &str) -> Location {
    Location::parse(uri).expect(uri)
}

/// Denies what one pattern names and allows all else.
fn without(denied: &str) -> Policy {
    Policy::new("the policy")
        .with_rule(Rule::deny("rule 1", vec![pattern(denied)]))
        .with_rule(Rule::allow("rule 2", vec![pattern("**")]))
}

/// Allows what one pattern names and nothing else.
fn only(allowed: &str) -> Policy {
    Policy::new("the policy").with_rule(Rule::allow("rule 1", vec![pattern(allowed)]))
}

fn permits(policy: &Policy, uri: &str) -> bool {
    policy.permit(&location(uri), &Key::root()).is_ok()
}

#[test]
fn a_pattern_names_a_place_and_all_below_it() {
    for (text, named, others) in [
        ("s3://models", &["s3://models", "s3://models/a/b"][..], &["s3://models2", "s3://m"][..]),
        ("s3://models/**", &["s3://models/", "s3://models/a/b"], &["s3://other/models"]),
        ("s3://models/*", &["s3://models/a", "s3://models/a/b"], &["s3://models/"]),
        ("s3://models/*/prod", &["s3://models/a/prod/x"], &["s3://models/prod", "s3://models/a"]),
        (
            "s3://models/**/prod",
            &["s3://models/prod", "s3://models/a/b/prod/c"],
            &["s3://models/a"],
        ),
        ("s3://*-models/a*c", &["s3://my-models/abc", "s3://-models/ac"], &["s3://models/abc"]),
        ("gs://b/50%25", &["gs://b/50%25"], &["gs://b/50%"]),
        ("https://*.example.com", &["https://a.b.example.com/x"], &["https://example.com/x"]),
        ("https://h:*/x", &["https://h:8443/x"], &["https://h/x"]),
        ("/data/shared", &["/data/shared/x", "file:///data/shared"], &["/data/sharedx", "/data"]),
        ("file:///a%20b", &["/a b/c", "file:///a%20b/c"], &["/a%20b"]),
        ("runs:/*/model", &["runs:/abc/model/x"], &["runs:/abc/data", "runs:/abc"]),
        ("models:/fraud", &["models:/fraud/1", "models:/fraud@champion/x"], &["models:/fraud2/1"]),
        ("models:/fraud@champion", &["models:/fraud@champion/x"], &["models:/fraud/1"]),
        ("mlflow-artifacts:/1", &["mlflow-artifacts:///1/x"], &["mlflow-artifacts://h/1/x"]),
        ("https", &["https://any.example/x"], &["http://any.example/x"]),
        ("file", &["/any", "any", "file:///any"], &["s3://file"]),
        ("**", &["s3://b", "/x", "https://h/a/../b", "http://0x7f.1/"], &[]),
    ] {
        let pattern = pattern(text);
        for uri in named {
            assert!(pattern.names(uri), "{text} names {uri}");
        }
        for uri in others {
            assert!(!pattern.names(uri), "{text} does not name {uri}");
        }
    }
}

#[test]
fn another_spelling_of_a_place_gets_round_nothing() {
    for (denied, spellings) in [
        (
            "s3://models/secret",
            &[
                "s3://models/secret",
                "S3://models/secret/x",
                "s3a://models/secret/x",
                "s3://models//secret/x",
                "s3://models/./secret/x",
                "s3://models/a/../secret/x",
                "s3://models/..",
                "s3://models/secret//",
                "s3://models/",
                "s3://models",
            ][..],
        ),
        (
            "https://files.example/secret",
            &[
                "HTTPS://Files.Example/secret/x",
                "https://files.example:443/secret",
                "https://files.example:0443/secret",
                "https://files.example:/secret",
                "https://files.example./secret",
                "https://me:pw@files.example/secret",
                "https:files.example/secret",
                "https:/files.example/secret",
                "https:////files.example//secret",
                "https://files.example/%73ecret/x",
                "https://files.example/a%2F..%2Fsecret",
                "https://files.example/%2e%2e/secret",
                "https://files.example/secret?x=1",
                "https://files.example/secret#x",
                "https://files.example/secret%2Fx",
                "https://files.example/a/..%2fsecret",
                "https://files.example/a%5c..%5csecret",
                "https://files.example\\secret",
                "https://files.exam\tple/secret",
                "https://files.example/sec\nret",
                "https://ｆiles.example/secret",
                "https://files%2Eexample/secret",
                "https://files.example",
            ],
        ),
        ("http://127.0.0.1", &["http://127.0.0.1:80/x", "http://2130706433/", "http://0177.1/"]),
        ("http://[::1]", &["http://[0:0:0:0:0:0:0:1]:80/x"]),
        (
            "/etc",
            &["/etc/passwd", "file:///etc", "FILE:/etc/x", "file://localhost/etc", "/./etc/x"],
        ),
        ("/etc", &["//etc/x", "/usr/../etc/x", "file:///usr/%2e%2e/etc", "file:///%65tc", "/"]),
        ("gs://b/secret", &["gs://b/secret#1764000000123456", "gs://b//secret"]),
        (
            "wasbs://c@acc.blob.core.windows.net/secret",
            &[
                "wasb://c@ACC.blob.core.windows.net/secret/x",
                "abfss://c@acc.dfs.core.windows.net/secret/x",
                "abfs://c@acc.dfs.core.windows.net/%73ecret/x",
                "wasbs://c@acc-secondary.blob.core.windows.net/secret",
                "wasbs://c@acc.privatelink.blob.core.windows.net/secret",
                "wasbs://c@acc.blob.core.windows.net/secret?sv=1&sig=x",
                "https://acc.blob.core.windows.net/c/secret/x?sig=x",
                "https://acc.dfs.core.windows.net/%63/%73ecret/x",
                "https://acc.blob.core.windows.net/c",
            ],
        ),
        (
            "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/mine/secret",
            &[
                "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/mine/secret/x",
                "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint:mine/secret/x",
            ],
        ),
        ("r2://b@acc.r2.cloudflarestorage.com", &["r2://b@ACC.r2.cloudflarestorage.com/x"]),
        (
            "hdfs://nn:8020/secret",
            &[
                "hdfs://me@NN/secret",
                "hdfs://nn:1/secret//x",
                "webhdfs://nn:9870/secret",
                "swebhdfs://nn/secret",
            ],
        ),
        ("runs:/abc", &["runs:///abc/x", "RUNS:/abc", "get-artifact:/abc", "runs:/"]),
        ("models:/fraud", &["models:///fraud/1", "models:/fraud@x", "models:/fraud//1"]),
        (
            "postgresql://db.example",
            &["postgresql+psycopg2://u:p@DB.example/mlflow", "postgres://db.example/x"],
        ),
    ] {
        let policy = without(denied);
        for uri in spellings {
            assert!(!permits(&policy, uri), "{uri} gets round {denied}");
        }
    }
}

#[test]
fn another_spelling_is_not_let_in_where_it_may_be_another_place() {
    for (allowed, spellings) in [
        (
            "https://files.example/models",
            &[
                "https://files.example/models/../secret",
                "https://files.example/models/%2e%2e/secret",
                "https://files.example/models%2F..%2Fsecret",
                "https://files.example:8443/models",
                "http://files.example/models",
                "https://files.example@evil.example/models",
                "https://files.example\\@evil.example/models",
                "https://evil.example/https://files.example/models",
                "https://evil.example#files.example/models",
                "https://evil.example?files.example/models",
                "https://files.example.evil.example/models",
                "https://files.example/modelsx",
                "https://files.example",
            ][..],
        ),
        ("s3://models/a", &["s3://models/a/../b", "s3://models//a", "s3://models/", "s3:models/a"]),
        ("/data", &["/data/../etc/passwd", "file:///data/%2e%2e/etc", "file://other/data"]),
        ("https://h/a/b", &["https://h/a%2Fb"]),
        ("hdfs://nn/a", &["hdfs://nn/a/../b", "webhdfs://nn:1/a"]),
        ("postgresql://db/mlflow", &["postgresql://db/mlflow?host=evil"]),
        (
            "s3://models",
            &["r2://models@evil.example/x", "gs://models/x", "/models", "s3://x@models"],
        ),
    ] {
        let policy = only(allowed);
        for uri in spellings {
            assert!(!permits(&policy, uri), "{uri} is let in by {allowed}");
        }
    }
}

#[test]
fn the_path_below_a_root_counts_with_it() {
    let policy = without("s3://models/secret");
    let permits =
        |root: &str, below: &str| policy.permit(&location(root), &Key::from(below)).is_ok();
    for (root, below) in [
        ("s3://models", "secret"),
        ("s3://models/", "secret/x"),
        ("s3a://models", "/secret"),
        ("s3://models/a", "../secret"),
        ("s3://models", ""),
    ] {
        assert!(!permits(root, below), "{root} {below}");
    }
    assert!(permits("s3://models", "public/secret"));
    let policy = only("s3://models/a/x");
    let permits =
        |root: &str, below: &str| policy.permit(&location(root), &Key::from(below)).is_ok();
    assert!(permits("s3://models/a", "x") && permits("s3://models/a/", "x/y"));
    assert!(!permits("s3://models/a//", "x") && !permits("s3://models/a/", "/x"));
    // A key is exact: nothing of it is decoded.
    let policy = without("https://h/50%25");
    assert!(policy.permit(&location("https://h/"), &Key::from("50%")).is_err());
    assert!(policy.permit(&location("https://h/"), &Key::from("50%25")).is_ok());
}

#[test]
fn the_first_rule_that_names_a_place_decides() {
    let rules = |order: &[(bool, &str)]| {
        order.iter().enumerate().fold(Policy::new("p"), |policy, (at, (allows, text))| {
            let name = format!("rule {}", at + 1);
            let patterns = vec![pattern(text)];
            policy.with_rule(if *allows {
                Rule::allow(name, patterns)
            } else {
                Rule::deny(name, patterns)
            })
        })
    };
    let exception = rules(&[(true, "s3://b/secret/ours"), (false, "s3://b/secret"), (true, "s3")]);
    assert!(permits(&exception, "s3://b/secret/ours/x"));
    assert!(!permits(&exception, "s3://b/secret/theirs"));
    assert!(!permits(&exception, "s3://b"), "the tree holds what is denied");
    assert!(permits(&exception, "s3://other"));
    assert!(!permits(&exception, "gs://other"), "what no rule names is denied");
    assert!(!permits(&Policy::new("p"), "s3://b"), "no rules allow nothing");
    let useless = rules(&[(true, "**"), (false, "s3://b")]);
    assert!(permits(&useless, "s3://b"));
}

#[test]
fn a_server_is_judged_by_its_address_and_not_by_what_it_holds() {
    let policy = without("https://t.example/api/2.0/mlflow-artifacts");
    assert!(policy.permit_server(&location("https://t.example")).is_ok());
    assert!(policy.permit(&location("https://t.example"), &Key::root()).is_err());
    let policy = without("https://t.example");
    for address in ["https://t.example/ml", "https://u:p@T.example:443", "https://t.example\\x"] {
        assert!(policy.permit_server(&location(address)).is_err(), "{address}");
    }
    let policy = only("https://t.example/ml");
    assert!(policy.permit_server(&location("https://t.example/ml/")).is_ok());
    assert!(policy.permit_server(&location("https://t.example")).is_err());
    assert!(policy.permit_server(&location("sqlite:///mlflow.db")).is_err());
    let here = std::path::absolute("mlflow.db").expect("a path");
    let policy = only(&format!("sqlite:///{}", here.display()));
    assert!(policy.permit_server(&location("sqlite:///mlflow.db")).is_ok());
    assert!(policy.permit_server(&location("sqlite:///other.db")).is_err());
}

#[test]
fn a_denial_names_the_rule_and_the_place_without_its_secrets_and_whom_to_ask() {
    let policy = Policy::new("/etc/mlfetch/config.toml")
        .with_contact("ml@example.com".to_owned())
        .with_rule(Rule::deny("rule 1 (no web)", vec![pattern("https")]));
    let denied = |uri: &str| policy.permit(&location(uri), &Key::root()).expect_err(uri);
    let error = denied("https://me:hunter2@h/x?sig=hunter2");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(
        error.to_string(),
        "cannot read `https://h/x`: rule 1 (no web) of /etc/mlfetch/config.toml denies it"
    );
    assert_eq!(error.hint(), Some("ask ml@example.com"));
    let error = denied("s3://b/x").to_string();
    assert_eq!(error, "cannot read `s3://b/x`: no rule of /etc/mlfetch/config.toml allows it");
    let policy = without("s3://b/x");
    let error = policy.permit(&location("s3://b"), &Key::root()).expect_err("a part is denied");
    assert!(error.to_string().ends_with("denies something that may be below it"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("the administrator")));
}

#[test]
fn what_cannot_be_a_pattern_is_said() {
    for text in [
        "",
        "*",
        "./x",
        "x/y",
        "files.example.com",
        "s3://b//x",
        "s3://b/../x",
        "s3://b/x**",
        "s3://b/**x/y",
        "https://h/%2e%2e/x",
        "https://h/a%2fb",
        "https://h/x?y=1",
        "https://h/x#y",
        "https://h:port/x",
        "https://",
        "s3:b",
        "file://other/x",
        "file:x",
        "sqlite:///x.db",
    ] {
        let error = text.parse::<Pattern>().expect_err(text);
        assert!(!error.to_string().contains('\n'));
    }
    let error = "https://me:hunter2@h/x?sig=hunter2".parse::<Pattern>().expect_err("a query");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}
