//! The store in `examples/quickstart/`, fetched without a server: README's first command.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mlfetch_tests::{Desk, Job, Node, Ran, Tree, Workers, repository, run};
use rusqlite::Connection;
use tempfile::TempDir;

/// Where the locations in the store begin.
const PUBLISHED: &str = "file:///mlfetch-quickstart";
const NESTED_RUN: &str = "afb16d3931534be4a8c3853e8f7ccdf6";
const VERSIONS: [(&str, &str); 3] = [
    ("1", "m-ae7a43ea8b004f08ad2c4f755fc48b74"),
    ("2", "m-b536ec821b8e46c8a23519bbfca1aeaf"),
    ("3", "m-bc978145cc3449b8a38774318320142b"),
];

fn store() -> PathBuf {
    repository().join("examples/quickstart")
}

/// The files of one version, as they lie in the repository, and what is noted beside them.
fn version(number: &str) -> Tree {
    let (_, model) = VERSIONS.iter().find(|(known, _)| *known == number).expect("it is known");
    let mut tree = Tree::of(&store().join("artifacts/fraud/models").join(model).join("artifacts"));
    let meta = format!("model_name: fraud\nmodel_version: '{number}'\n");
    tree.put("registered_model_meta", Node::file(meta));
    tree
}

fn nested_run() -> Tree {
    Tree::of(&store().join("artifacts/fraud").join(NESTED_RUN).join("artifacts"))
}

/// What README gives to the program beside the URI.
fn settings() -> [String; 4] {
    let store = store();
    [
        "--tracking-uri".to_owned(),
        format!("sqlite:///{}", store.join("mlflow.db").display()),
        "--rewrite".to_owned(),
        format!("{PUBLISHED}={}", store.display()),
    ]
}

fn fetch(desk: &Desk, arguments: &[&str]) -> Ran {
    let settings = settings();
    let arguments: Vec<&str> =
        arguments.iter().copied().chain(settings.iter().map(String::as_str)).collect();
    desk.run(&arguments, &[])
}

/// Fetches, which must work and leave the store alone, and says what lies on the desk then.
fn tree_of(desk: &Desk, arguments: &[&str]) -> Tree {
    let before = Tree::of(&store());
    let ran = fetch(desk, arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(before == Tree::of(&store()), "the store was changed");
    desk.tree()
}

fn below(directory: &str, tree: &Tree) -> Tree {
    let mut whole = Tree::default();
    whole.put(directory, Node::Directory);
    whole.put_all(directory, tree);
    whole
}

#[track_caller]
fn assert_same(expected: &Tree, found: &Tree) {
    assert_eq!(expected.differences(found), [""; 0]);
}

#[test]
fn the_champion_is_version_2_with_its_name_beside_it() {
    let desk = Desk::new();
    let found = tree_of(&desk, &["get", "models:/fraud@champion", "-d", "model"]);
    assert_same(&below("model", &version("2")), &found);
    let limits = found.get("model/artifacts/limits.json").expect("it is there");
    assert_eq!(*limits, Node::file("{\n  \"amount\": 2500\n}\n"));
}

#[test]
fn the_command_of_the_readme_works_from_the_root_of_the_repository() {
    let desk = Desk::new();
    let arguments = [
        "get",
        "models:/fraud@champion",
        "-d",
        &desk.path().join("model").display().to_string(),
        "--tracking-uri",
        "sqlite:///examples/quickstart/mlflow.db",
        "--rewrite",
        "file:///mlfetch-quickstart=examples/quickstart",
    ];
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("it can be read");
    let shown = arguments.join(" ").replace(&desk.path().display().to_string(), ".");
    assert!(readme.contains(&format!("cargo run --release -- {shown}\n")), "{shown}");
    let ran = run(desk.command(&arguments).current_dir(repository()), Duration::from_mins(1));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_same(&below("model", &version("2")), &desk.tree());
}

#[test]
fn standard_output_is_the_place_and_nothing_else() {
    let desk = Desk::new();
    let ran = fetch(&desk, &["get", "models:/fraud@champion", "-d", "model"]);
    let place = desk.path().join("model");
    assert_eq!(ran.stdout, format!("{}\n", place.display()));
    let desk = Desk::new();
    let ran =
        fetch(&desk, &["artifacts", "download", "-u", "models:/fraud@champion", "-d", "model"]);
    let place = desk.path().join("model");
    assert_eq!(ran.stdout, format!("\n{}\n", place.display()));
}

#[test]
fn each_version_and_the_latest_are_what_they_are_called() {
    for (uri, number) in [
        ("models:/fraud/1", "1"),
        ("models:/fraud/2", "2"),
        ("models:/fraud/3", "3"),
        ("models:/fraud/latest", "3"),
        ("models:/fraud@latest", "3"),
        ("models:/fraud/None", "3"),
    ] {
        let found = tree_of(&Desk::new(), &["get", uri, "-d", "model"]);
        assert_same(&below("model", &version(number)), &found);
    }
}

#[test]
fn a_path_in_a_version_is_kept_whole() {
    let found =
        tree_of(&Desk::new(), &["get", "models:/fraud/1/artifacts/limits.json", "-d", "out"]);
    let mut expected = Tree::default();
    expected.put("out/artifacts/limits.json", Node::file("{\n  \"amount\": 5000\n}\n"));
    assert_same(&expected, &found);
}

#[test]
fn a_logged_model_is_found_by_its_id_and_through_its_run() {
    let model = version("2");
    let files = model.paths().filter(|path| *path != Path::new("registered_model_meta"));
    let mut expected = Tree::default();
    for path in files {
        expected.put(path, model.get(path).expect("it is its own").clone());
    }
    let meta = Node::file("model_name: null\nmodel_version: null\n");
    expected.put("registered_model_meta", meta);
    let by_id = format!("models:/{}", VERSIONS[1].1);
    assert_same(&below("out", &expected), &tree_of(&Desk::new(), &["get", &by_id, "-d", "out"]));
    let by_run = "runs:/94a1d0ca4d9940e9b435348eed539468/model";
    assert_same(
        &below("out/model", &expected),
        &tree_of(&Desk::new(), &["get", by_run, "-d", "out"]),
    );
}

#[test]
fn every_odd_name_of_the_nested_run_arrives() {
    let expected = nested_run();
    for name in ["names/issue#7.txt", "names/50%20off.txt", "names/100%.txt", "empty.txt"] {
        assert!(expected.get(name).is_some(), "the store holds {name}");
    }
    let uri = format!("runs:/{NESTED_RUN}");
    assert_same(&below("out", &expected), &tree_of(&Desk::new(), &["get", &uri, "-d", "out"]));
}

#[test]
fn one_odd_name_arrives_alone() {
    for name in ["names/issue#7.txt", "names/50%20off.txt", "names/数据/данные.csv"] {
        let uri = format!("runs:/{NESTED_RUN}/{name}");
        let found = tree_of(&Desk::new(), &["get", &uri, "-d", "out"]);
        let mut expected = Tree::default();
        let last = Path::new(name).file_name().expect("a name");
        let node = nested_run().get(name).expect("the store holds it").clone();
        expected.put(Path::new("out").join(last), node);
        assert_same(&expected, &found);
    }
}

#[test]
fn a_second_time_nothing_changes() {
    let desk = Desk::new();
    let first = tree_of(&desk, &["get", "models:/fraud@champion", "-d", "model"]);
    let second = tree_of(&desk, &["get", "models:/fraud@champion", "-d", "model"]);
    assert_same(&first, &second);
}

/// MLflow cannot rewrite locations: it gets a copy of the store in which they are true.
fn copy_for_mlflow(directory: &Path) {
    let copied = std::process::Command::new("cp")
        .arg("-R")
        .args([store().join("artifacts"), store().join("mlflow.db"), directory.to_owned()])
        .status()
        .expect("cp runs");
    assert!(copied.success());
    let database = Connection::open(directory.join("mlflow.db")).expect("a database");
    let place = format!("file://{}", directory.display());
    for (table, column) in [
        ("runs", "artifact_uri"),
        ("experiments", "artifact_location"),
        ("logged_models", "artifact_location"),
        ("model_versions", "storage_location"),
        ("model_versions", "source"),
    ] {
        let change = format!("UPDATE {table} SET {column} = replace({column}, ?1, ?2)");
        database.execute(&change, [PUBLISHED, &place]).expect("changed");
    }
}

#[test]
fn what_mlflow_can_fetch_of_it_is_the_same() {
    let copy = TempDir::new().expect("a directory");
    copy_for_mlflow(copy.path());
    let workers = Workers::new(repository().join("tests/data/mlflow_worker.py"));
    let database = format!("sqlite:///{}", copy.path().join("mlflow.db").display());
    let uris = [
        "models:/fraud/1".to_owned(),
        "models:/fraud/2".to_owned(),
        "models:/fraud/3/artifacts".to_owned(),
        "models:/fraud/2/artifacts/limits.json".to_owned(),
        format!("models:/{}", VERSIONS[2].1),
        "runs:/94a1d0ca4d9940e9b435348eed539468/model".to_owned(),
        format!("runs:/{NESTED_RUN}/reports"),
        format!("runs:/{NESTED_RUN}/names/two words.txt"),
        format!("runs:/{NESTED_RUN}/names/数据"),
        format!("runs:/{NESTED_RUN}/empty.txt"),
    ];
    for uri in uris {
        let desk = Desk::new();
        let theirs = TempDir::new().expect("a directory");
        let words = ["artifacts", "download", "-u", &uri, "-d", "out"];
        let ran = workers.run(&Job {
            call: "mlflow.cli:cli",
            arguments: &words.map(str::to_owned),
            directory: theirs.path(),
            environment: &[("MLFLOW_TRACKING_URI".to_owned(), database.clone())],
        });
        assert_eq!(ran.code, 0, "{uri}: {}", ran.stderr);
        assert_same(&Tree::of(theirs.path()), &tree_of(&desk, &words));
    }
}
