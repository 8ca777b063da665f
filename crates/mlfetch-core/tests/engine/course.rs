//! Where things land: layouts, parts laid over each other, the note of the model.

use std::sync::Arc;

use mlfetch_core::Layout;
use mlfetch_core::engine::{FetchError, Overwrite};
use mlfetch_core::resolve::{ModelMeta, Placement, Resolved, Target};
use mlfetch_store::{ErrorKind, Key};

use crate::support::{Home, Telling, expected, in_memory, memory, resolved};

const RUN: [(&str, &str); 4] =
    [("model/MLmodel", "run's"), ("model/a.txt", "run's"), ("plots/x.png", "x"), ("top", "top")];

async fn land(layout: Layout, path: &str, placement: Placement) -> (Vec<String>, String) {
    let home = Home::new(memory(&RUN)).set(|s| s.layout = layout);
    let target = Target::new("s0:/").with_path(Key::from(path)).with_placement(placement);
    let report = home.fetch_target(target).await.expect("fetched");
    let told = report.path.strip_prefix(home.destination()).expect("below").to_owned();
    assert!(report.path.exists(), "what is told is there");
    assert!(!report.path.to_string_lossy().ends_with('/'));
    let files = home.tree().into_keys().filter(|name| !name.ends_with('/')).collect();
    (files, told.to_string_lossy().into_owned())
}

#[tokio::test]
async fn each_layout_keeps_its_part_of_the_path() {
    use Layout::{Contents, Mlflow, Run};
    let last = Placement::last_segment;
    let whole = Placement::whole_path;
    let model = |place: &str| vec![format!("{place}MLmodel"), format!("{place}a.txt")];
    let rows = [
        (Mlflow, "model", last("model"), model("model/"), "model"),
        (Mlflow, "model/", last("model/"), model(""), ""),
        (Contents, "model", last("model"), model(""), ""),
        (Run, "model/", last("model/"), model("model/"), "model"),
        (Mlflow, "plots/x.png", last("plots/x.png"), vec!["x.png".into()], "x.png"),
        (Mlflow, "plots/x.png", whole("plots/x.png"), vec!["plots/x.png".into()], "plots/x.png"),
        (Run, "plots/x.png", last("plots/x.png"), vec!["plots/x.png".into()], "plots/x.png"),
        (Contents, "plots/x.png", whole("plots/x.png"), vec!["x.png".into()], "x.png"),
        (Mlflow, "model", last("model").under("m"), model("m/model/"), "m/model"),
    ];
    for (layout, path, placement, files, told) in rows {
        let landed = land(layout, path, placement).await;
        assert_eq!(landed, (files, told.to_owned()), "{layout:?} {path}");
    }
}

/// A run's own files, and its logged model over them, as MLflow merges them.
async fn halves(run: &str, model: &str) -> Vec<Resolved> {
    let half = |uri: &str, path: &str| {
        let target = Target::new(uri).with_path(Key::from(path));
        target.with_placement(Placement::last_segment(path)).optional()
    };
    let mut parts = resolved(half("s0:/", run)).await;
    let over = half("s1:/", model).with_placement(Placement::whole_path("").under("model"));
    parts.extend(resolved(over).await);
    parts
}

fn with_model(model: &[(&str, &str)]) -> Home {
    let mut home = Home::new(memory(&RUN));
    home.stores.push(memory(model));
    home
}

#[tokio::test]
async fn the_second_part_lies_over_the_first() {
    let home = with_model(&[("MLmodel", "model's"), ("data/w", "w")]);
    let report = home.fetch_parts(&halves("model", "").await).await.expect("fetched");
    let merged = [("model/MLmodel", "model's"), ("model/a.txt", "run's"), ("model/data/w", "w")];
    assert_eq!(home.tree(), expected(&merged));
    assert_eq!(report.path, home.destination().join("model"));
    assert_eq!(home.counters()[4], 1);
}

#[tokio::test]
async fn the_second_part_replaces_what_the_first_brought_in_every_mode() {
    use Overwrite::{Always, Error, IfChanged, Never};
    for mode in [Always, IfChanged, Never, Error] {
        // Same name, size and time: only the text is another.
        let told = |info: &mut mlfetch_store::ObjectInfo| {
            info.modified = Some(std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_500));
        };
        let mut home = Home::new(Arc::new(Telling::new(in_memory(&RUN)).listing(told)));
        let model = in_memory(&[("MLmodel", "mod's")]);
        home.stores.push(Arc::new(Telling::new(model).listing(told)));
        let home = home.set(|s| s.overwrite = mode);
        home.fetch_parts(&halves("model", "").await).await.expect("fetched");
        let merged = [("model/MLmodel", "mod's"), ("model/a.txt", "run's")];
        assert_eq!(home.tree(), expected(&merged), "{mode:?}");
    }
}

#[tokio::test]
async fn a_part_may_be_missing_while_another_is_there() {
    let home = with_model(&[("MLmodel", "model's")]);
    let report = home.fetch_parts(&halves("missing", "").await).await.expect("one is there");
    assert_eq!(home.tree(), expected(&[("model/MLmodel", "model's")]));
    assert_eq!(report.path, home.destination().join("model"));
    let home = with_model(&[]);
    let report = home.fetch_parts(&halves("top", "missing").await).await.expect("one is there");
    assert_eq!(home.tree(), expected(&[("top", "top")]));
    assert_eq!(report.path, home.destination().join("top"));
}

#[tokio::test]
async fn if_every_part_is_missing_the_first_says_so_and_nothing_is_made() {
    let home = with_model(&[]);
    match home.fetch_parts(&halves("missing", "gone").await).await.expect_err("none is there") {
        FetchError::Source(error) => {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.to_string().contains("`missing`"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(home.is_untouched());
}

#[tokio::test]
async fn a_part_that_is_not_optional_may_not_be_missing() {
    let home = Home::new(memory(&RUN));
    let target = Target::new("s0:/").with_path(Key::from("modle"));
    match home.fetch_target(target).await.expect_err("it is not there") {
        FetchError::Source(error) => {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.hint().expect("a hint").contains("`model`"));
        }
        other => panic!("{other:?}"),
    }
    let target = Target::new("s0:/").with_path(Key::from("top/"));
    match home.fetch_target(target).await.expect_err("it is a file") {
        FetchError::Source(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
        other => panic!("{other:?}"),
    }
    assert!(home.is_untouched());
}

#[tokio::test]
async fn a_failure_of_the_second_part_leaves_the_whole_files_of_the_first() {
    let mut home = Home::new(memory(&RUN));
    let broken = mlfetch_conformance::FaultyStore::new(memory(&[("new/w", "w")])).fail(
        mlfetch_conformance::Operation::Read,
        usize::MAX,
        ErrorKind::PermissionDenied,
    );
    home.stores.push(Arc::new(broken));
    home.fetch_parts(&halves("model", "").await).await.expect_err("the second half fails");
    assert_eq!(home.tree(), expected(&[("model/MLmodel", "run's"), ("model/a.txt", "run's")]));
}

const NOTE: &str = "model_name: fraud\nmodel_version: '7'\n";

fn model_target(path: &str) -> Target {
    let meta = ModelMeta { name: Some("fraud".into()), version: Some("7".into()) };
    Target::new("s0:/").with_path(Key::from(path)).with_model(meta)
}

type Change = fn(&mut mlfetch_core::engine::FetchSettings);

#[tokio::test]
async fn the_model_is_noted_where_an_mlmodel_is_and_only_there() {
    let home = Home::new(memory(&RUN));
    home.fetch_target(model_target("model/")).await.expect("fetched");
    let files = [("MLmodel", "run's"), ("a.txt", "run's"), ("registered_model_meta", NOTE)];
    assert_eq!(home.tree(), expected(&files));

    let without: [(&str, Change); 4] = [
        ("plots/", |_| {}),
        ("model/MLmodel", |_| {}),
        ("model/", |s| s.model_meta = false),
        ("model/", |s| s.filter = crate::patterns::filter(&[], &["MLmodel"])),
    ];
    for (path, change) in without {
        let home = Home::new(memory(&RUN)).set(change);
        home.fetch_target(model_target(path)).await.expect("fetched");
        assert!(!home.tree().contains_key("registered_model_meta"), "{path}");
    }
    let home = Home::new(memory(&RUN)).set(|s| s.dry_run = true);
    home.fetch_target(model_target("model/")).await.expect("planned");
    assert!(home.is_untouched());
}

#[tokio::test]
async fn a_note_that_is_there_is_replaced_as_the_mode_says_and_kept_if_it_says_the_same() {
    use Overwrite::{Always, IfChanged, Never};
    for (mode, kept) in [(Always, NOTE), (IfChanged, NOTE), (Never, "old")] {
        let home = Home::new(memory(&RUN)).set(|s| s.overwrite = mode);
        home.has("registered_model_meta", "old");
        // A file of the same tick of the file system's clock counts as one of this fetch.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        home.fetch_target(model_target("model/")).await.expect("fetched");
        assert_eq!(home.tree()["registered_model_meta"], kept, "{mode:?}");
    }
    let home = Home::new(memory(&RUN)).set(|s| s.overwrite = Never);
    home.fetch_target(model_target("model/")).await.expect("fetched");
    let stamp = || {
        use std::os::unix::fs::MetadataExt as _;
        let at = home.destination().join("registered_model_meta");
        std::fs::metadata(at).expect("there").ino()
    };
    let before = stamp();
    home.fetch_target(model_target("model/")).await.expect("fetched");
    assert_eq!(stamp(), before);
}

#[tokio::test]
async fn a_note_that_the_store_itself_holds_is_replaced() {
    for mode in [Overwrite::Always, Overwrite::Never, Overwrite::Error] {
        let store = memory(&[("MLmodel", "m"), ("registered_model_meta", "theirs")]);
        let home = Home::new(store).set(|s| s.overwrite = mode);
        home.fetch_target(model_target("")).await.expect("fetched");
        assert_eq!(home.tree()["registered_model_meta"], NOTE, "{mode:?}");
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_a_path_is_said_before_anything_is_listed() {
    let store = Arc::new(mlfetch_conformance::FaultyStore::new(memory(&[("a//b/c", "c")])));
    let home = Home::new(Arc::clone(&store) as _).set(|s| s.layout = Layout::Run);
    let target = Target::new("s0:/")
        .with_path(Key::from("a//b/"))
        .with_placement(Placement::last_segment("a//b/"));
    match home.fetch_target(target).await.expect_err("no directory can be there") {
        FetchError::Source(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.calls(mlfetch_conformance::Operation::List), 0);
    assert!(home.is_untouched());
}
