//! Digests, manifests and lists: what a tree is made of, and whether it is the expected one.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mlfetch_conformance::{FaultyStore, Operation};
use mlfetch_core::engine::{FetchError, FileError, Overwrite, Proof, Report};
use mlfetch_core::manifest::{Manifest, Sha256Sum, Sums};
use mlfetch_core::resolve::{ModelMeta, Target};
use mlfetch_core::{Filter, RelativePath};
use mlfetch_store::{Algorithm, Checksum, ErrorKind, Key, MemoryStore, ObjectInfo, Store};

use crate::support::{Home, Telling, in_memory, memory};

/// What standard tools say of a directory.
fn by_standard_tools(directory: &Path) -> String {
    let pipeline = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum";
    let output = Command::new("sh").args(["-c", pipeline]).current_dir(directory).output();
    let text = String::from_utf8(output.expect("`sh` starts").stdout).expect("text");
    text.split(' ').next().expect("a digest").to_owned()
}

fn manifest_of(report: Report) -> Manifest {
    report.manifest.expect("it was asked for")
}

fn taking(store: Arc<dyn Store>) -> Home {
    Home::new(store).set(|settings| settings.manifest = true)
}

fn sums(list: &str) -> Arc<Sums> {
    Arc::new(Sums::parse(list.as_bytes(), "list").expect("a list"))
}

fn sum(text: &str) -> Sha256Sum {
    Sha256Sum::of(text.as_bytes())
}

/// Tells a time with fractions of a second, so that files that are there can stay.
fn timed(store: MemoryStore) -> Telling {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_234_567);
    Telling::new(store).listing(move |info| info.modified = Some(at))
}

#[tokio::test]
async fn the_digest_of_a_tree_is_that_of_standard_tools() {
    let odd: &[(&str, &str)] = &[
        ("a/b", "1"),
        ("a-b", "2"),
        ("a b", "3"),
        ("new\nline", "4"),
        ("back\\slash", "5"),
        ("carriage\rreturn", "8"),
        ("é/ü", "6"),
        ("-rf", "7"),
        ("*x", ""),
    ];
    for objects in [odd, &[("one", "1")], &[]] {
        let home = taking(memory(objects));
        let manifest = manifest_of(home.fetch().await.expect("fetched"));
        assert_eq!(manifest.rows().count(), objects.len());
        let theirs = by_standard_tools(&home.destination());
        assert_eq!(manifest.tree_digest().to_string(), theirs);
    }
}

#[tokio::test]
async fn a_manifest_is_the_same_whether_files_came_or_stayed() {
    let objects = [("d/a", "a"), ("b", "bb"), ("empty", "")];
    let store = Arc::new(FaultyStore::new(Arc::new(timed(in_memory(&objects)))));
    let home = taking(Arc::clone(&store) as Arc<dyn Store>);
    let came = manifest_of(home.fetch().await.expect("fetched")).to_text();
    let report = home.fetch().await.expect("nothing to do");
    assert_eq!((report.files, report.unchanged), (0, 3));
    assert_eq!(store.calls(Operation::Read), 3);
    let stayed = manifest_of(report).to_text();
    assert_eq!(String::from_utf8_lossy(&stayed), String::from_utf8_lossy(&came));
    let text = String::from_utf8(came).expect("text");
    assert!(text.contains("\"source\":\"memory:d/a\",\"etag\""), "{text}");
    assert!(text.contains("\"proven\":\"size\""), "{text}");
}

#[tokio::test]
async fn a_file_in_parts_has_the_digest_of_its_bytes() {
    let bytes: Vec<u8> = (0..65 * 1024 * 1024_u32).map(|at| (at >> 12).to_le_bytes()[0]).collect();
    let expected = Sha256Sum::of(&bytes);
    let home = taking(Arc::new(MemoryStore::new().with(Key::from("big"), bytes)));
    let manifest = manifest_of(home.fetch().await.expect("fetched"));
    assert_eq!(manifest.rows().next().expect("a row").1.sha256, expected);
}

#[tokio::test]
async fn a_file_in_one_piece_is_digested_as_it_passes() {
    let bytes = vec![b'x'; 3 * 1024 * 1024];
    let expected = Sha256Sum::of(&bytes);
    let home = taking(Arc::new(MemoryStore::new().with(Key::from("file"), bytes)));
    let manifest = manifest_of(home.fetch().await.expect("fetched"));
    assert_eq!(manifest.rows().next().expect("a row").1.sha256, expected);
}

#[tokio::test]
async fn a_digest_that_the_store_gives_is_taken_once_it_was_checked() {
    let right = Sha256Sum::of(b"123456789");
    let value = [
        0x15, 0xe2, 0xb0, 0xd3, 0xc3, 0x38, 0x91, 0xeb, 0xb0, 0xf1, 0xef, 0x60, 0x9e, 0xc4, 0x19,
        0x42, 0x0c, 0x20, 0xe3, 0x20, 0xce, 0x94, 0xc6, 0x5f, 0xbc, 0x8c, 0x33, 0x12, 0x44, 0x8e,
        0xb2, 0x25,
    ];
    let tells = move |info: &mut ObjectInfo| {
        info.checksums = vec![Checksum::new(Algorithm::Sha256, value.to_vec())];
    };
    let home = taking(Arc::new(Telling::new(in_memory(&[("a", "123456789")])).listing(tells)));
    let manifest = manifest_of(home.fetch().await.expect("fetched"));
    let (_, row) = manifest.rows().next().expect("a row");
    assert_eq!((row.sha256, &*row.proven), (right, "sha256"));
}

#[tokio::test]
async fn without_a_wish_nothing_is_digested_and_a_dry_run_has_no_manifest() {
    let home = Home::new(memory(&[("a", "a")]));
    assert!(home.fetch().await.expect("fetched").manifest.is_none());
    let home = taking(memory(&[("a", "a")])).set(|settings| settings.dry_run = true);
    assert!(home.fetch().await.expect("planned").manifest.is_none());
}

#[tokio::test]
async fn a_tree_that_is_another_is_an_error_and_what_came_stays() {
    let objects = [("a", "a"), ("b", "b")];
    let right = manifest_of(taking(memory(&objects)).fetch().await.expect("fetched"));
    let expecting = |tree| Home::new(memory(&objects)).set(move |s| s.tree = Some(tree));
    expecting(right.tree_digest()).fetch().await.expect("the expected one");
    let home = expecting(sum("another"));
    match home.fetch().await {
        Err(FetchError::Expected { error, report }) => {
            assert_eq!(error.kind(), ErrorKind::Integrity);
            assert_eq!(report.files, 2);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(home.tree().len(), 2);
}

#[tokio::test]
async fn a_list_proves_the_bytes_and_no_other_bytes_get_their_name() {
    let list = |text: &str| Some(sums(&format!("{}  ./d/a\n", sum(text))));
    let home = Home::new(memory(&[("d/a", "a")])).set(|s| s.sums = list("a"));
    let report = home.fetch().await.expect("fetched");
    assert_eq!(report.proofs.into_keys().collect::<Vec<_>>(), [Proof::List]);
    let store = Arc::new(FaultyStore::new(memory(&[("d/a", "a")])));
    let home = Home::new(Arc::clone(&store) as Arc<dyn Store>).set(|s| s.sums = list("other"));
    assert_eq!(failed(home.fetch().await), ErrorKind::Integrity);
    assert_eq!(store.calls(Operation::Read), 3, "they may come out right");
    assert!(home.is_untouched());
}

#[tokio::test]
async fn what_a_list_does_not_name_is_not_asked_for() {
    let store = Arc::new(FaultyStore::new(memory(&[("a", "a"), ("planted", "x")])));
    let list = || Some(sums(&format!("{}  a\n", sum("a"))));
    let home = Home::new(Arc::clone(&store) as Arc<dyn Store>);
    let home = home.set(|s| (s.sums, s.keep_going) = (list(), true));
    let report = crate::support::some(home.fetch().await);
    assert_eq!((report.files, report.failures.len()), (1, 1));
    assert!(report.manifest.is_none(), "a part is not the tree");
    assert_eq!(store.calls(Operation::Read), 1);
    assert!(!home.tree().contains_key("planted"));
}

#[tokio::test]
async fn what_a_list_names_and_does_not_come_is_an_error_unless_patterns_leave_it_out() {
    let (a, b) = (sum("a"), sum("b"));
    let list = || Some(sums(&format!("{a}  a\n{b}  b\n")));
    let home = Home::new(memory(&[("a", "a")])).set(|s| s.sums = list());
    match home.fetch().await {
        Err(FetchError::Expected { error, .. }) => {
            assert!(error.to_string().contains("1 files of the list"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let only_a = Filter::new(&["a".to_owned()], &[]).expect("a filter");
    let home = Home::new(memory(&[("a", "a"), ("b", "b")]));
    let home = home.set(|s| (s.sums, s.filter) = (list(), only_a));
    assert_eq!(home.fetch().await.expect("fetched").files, 1);
}

#[tokio::test]
async fn a_file_whose_bytes_changed_on_this_disk_is_fetched_again() {
    for by_list in [true, false] {
        let md5_of_a = vec![
            0x0c, 0xc1, 0x75, 0xb9, 0xc0, 0xf1, 0xb6, 0xa8, 0x31, 0xc3, 0x99, 0xe2, 0x69, 0x77,
            0x26, 0x61,
        ];
        let store = timed(in_memory(&[("f", "a")])).stating(move |info| {
            if !by_list {
                info.checksums = vec![Checksum::new(Algorithm::Md5, md5_of_a.clone())];
            }
        });
        let home = taking(Arc::new(store)).set(|s| {
            s.sums = by_list.then(|| sums(&format!("{}  f\n", sum("a"))));
        });
        home.fetch().await.expect("fetched");
        let path = home.destination().join("f");
        let time = fs::metadata(&path).expect("there").modified().expect("a time");
        fs::write(&path, "b").expect("written");
        fs::File::options().write(true).open(&path).expect("open").set_modified(time).expect("set");
        let report = home.fetch().await.expect("fetched");
        assert_eq!((report.files, report.unchanged), (1, 0), "{by_list}");
        assert_eq!(home.tree()["f"], "a");
    }
}

#[tokio::test]
async fn a_file_that_may_not_be_replaced_is_in_the_manifest_as_it_is() {
    let keeping = |sums| {
        let home = taking(memory(&[("f", "long")]));
        let home = home.set(|s| (s.overwrite, s.sums) = (Overwrite::Never, sums));
        home.has("f", "mine");
        home
    };
    for text in ["mine", "longer"] {
        let home = keeping(None);
        home.has("f", text);
        let manifest = manifest_of(home.fetch().await.expect("it stays"));
        let (_, row) = manifest.rows().next().expect("a row");
        assert_eq!((row.sha256, &*row.proven), (sum(text), "nothing"));
        assert_eq!(row.source, None, "nobody compared it");
    }
    let home = keeping(Some(sums(&format!("{}  f\n", sum("long")))));
    assert_eq!(failed(home.fetch().await), ErrorKind::Integrity);
    assert_eq!(home.tree()["f"], "mine");
}

#[tokio::test]
async fn the_note_of_the_model_belongs_to_the_tree() {
    let home = taking(memory(&[("MLmodel", "m")]));
    let model = ModelMeta { name: Some("fraud".into()), version: Some("1".into()) };
    let target = Target::new("s0:/").with_model(model);
    let manifest = manifest_of(home.fetch_target(target.clone()).await.expect("fetched"));
    let note = RelativePath::new("registered_model_meta").expect("a path");
    assert_eq!(&*manifest.get(&note).expect("it is there").proven, "written");
    assert_eq!(manifest.tree_digest().to_string(), by_standard_tools(&home.destination()));
    let list = Command::new("sh")
        .args(["-c", "find . -type f -exec sha256sum {} +"])
        .current_dir(home.destination())
        .output();
    let list = String::from_utf8(list.expect("`sh` starts").stdout).expect("text");
    let home = home.set(|s| s.sums = Some(sums(&list)));
    home.fetch_target(target).await.expect("the list is of this tree");
}

fn failed(result: Result<Report, FetchError>) -> ErrorKind {
    match result {
        Err(FetchError::File(failure)) => match failure.error {
            FileError::Store(error) => error.kind(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}
