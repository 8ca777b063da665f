//! A directory held to what it should be.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use mlfetch_core::engine::{
    CompareSettings, Comparison, Difference, DifferenceKind, ExpectedTree, Proof, compare_tree,
    path_in,
};
use mlfetch_core::manifest::Sums;
use mlfetch_core::resolve::{ModelMeta, Target};
use mlfetch_core::{Layout, RelativePath};
use mlfetch_store::{Algorithm, Checksum, ErrorKind, Store};

use crate::support::{Home, Telling, engine, in_memory, memory, resolved};

const OBJECTS: [(&str, &str); 3] = [("d/a", "aaa"), ("b", "bb"), ("empty", "")];

/// A directory that was fetched, and what it should be by a manifest.
async fn fetched() -> (Home, ExpectedTree) {
    let home = Home::new(memory(&OBJECTS)).set(|settings| settings.manifest = true);
    let manifest = home.fetch().await.expect("fetched").manifest.expect("asked for");
    (home, ExpectedTree::from(&manifest))
}

async fn compared(home: &Home, expected: ExpectedTree) -> (Comparison, Vec<Difference>) {
    let mut differences = Vec::new();
    let settings = CompareSettings::new();
    let tell = |difference: &Difference| differences.push(difference.clone());
    let done = compare_tree(&home.destination(), expected, &settings, tell).await;
    (done.expect("compared"), differences)
}

/// What a fetch of the whole store would bring.
async fn of_store(store: Arc<dyn Store>) -> ExpectedTree {
    let parts = resolved(Target::new("s0:/")).await;
    engine(&[store]).expected(&parts, Layout::Mlflow).await.expect("listed")
}

fn names(differences: &[Difference]) -> Vec<String> {
    let shown = |difference: &Difference| {
        let kind = match &difference.kind {
            DifferenceKind::Changed(_) => "changed",
            DifferenceKind::Missing => "missing",
            DifferenceKind::Extra => "extra",
        };
        format!("{kind} {}", difference.path)
    };
    differences.iter().map(shown).collect()
}

#[tokio::test]
async fn what_was_fetched_is_what_it_should_be_by_each_measure() {
    let (home, by_manifest) = fetched().await;
    let list = Command::new("sh")
        .args(["-c", "find . -type f -exec sha256sum -b {} +"])
        .current_dir(home.destination())
        .output();
    let by_list = Sums::parse(&list.expect("`sh` starts").stdout, "list").expect("a list");
    let by_store = of_store(memory(&OBJECTS)).await;
    for (expected, proof) in [
        (by_manifest, Proof::Checksum(Algorithm::Sha256)),
        (ExpectedTree::from(&by_list), Proof::List),
        (by_store, Proof::Size),
    ] {
        let (found, differences) = compared(&home, expected).await;
        assert!(found.is_same() && differences.is_empty());
        assert_eq!((found.files, found.bytes), (3, 5));
        assert_eq!(found.proofs.into_iter().collect::<Vec<_>>(), [(proof, 3)]);
    }
}

#[tokio::test]
async fn changed_missing_and_extra_files_are_told_in_the_order_of_paths() {
    let (home, expected) = fetched().await;
    home.has("d/a", "aab");
    home.has("d/new", "x");
    home.has("a", "x");
    fs::remove_file(home.destination().join("empty")).expect("removed");
    fs::remove_file(home.destination().join("b")).expect("removed");
    std::os::unix::fs::symlink("d/a", home.destination().join("b")).expect("a link");
    std::os::unix::fs::symlink("/etc", home.destination().join("link")).expect("a link");
    let (found, differences) = compared(&home, expected).await;
    assert_eq!((found.files, found.changed, found.missing, found.extra), (0, 2, 1, 3));
    assert_eq!(
        names(&differences),
        ["extra a", "changed b", "changed d/a", "extra d/new", "extra link", "missing empty"]
    );
    assert!(matches!(&differences[2].kind, DifferenceKind::Changed(why) if why.contains("sha256")));
}

#[tokio::test]
async fn another_size_is_seen_without_reading_and_another_byte_by_the_stores_checksum() {
    let md5_of_bb = vec![
        0x21, 0xad, 0x0b, 0xd8, 0x36, 0xb9, 0x0d, 0x08, 0xf4, 0xcf, 0x64, 0x0b, 0x4c, 0x29, 0x8e,
        0x7c,
    ];
    let store = || {
        let sum = md5_of_bb.clone();
        Arc::new(Telling::new(in_memory(&[("b", "bb")])).stating(move |info| {
            info.checksums = vec![Checksum::new(Algorithm::Md5, sum.clone())];
        }))
    };
    let home = Home::new(store());
    home.fetch().await.expect("fetched");
    let (found, _) = compared(&home, of_store(store()).await).await;
    assert_eq!(found.proofs.into_keys().collect::<Vec<_>>(), [Proof::Checksum(Algorithm::Md5)]);
    for (text, why) in [("bc", "md5"), ("bbb", "it has 3 bytes instead of 2")] {
        home.has("b", text);
        let (_, differences) = compared(&home, of_store(store()).await).await;
        assert!(
            matches!(&differences[..], [Difference { kind: DifferenceKind::Changed(seen), .. }]
                if seen.contains(why)),
            "{differences:?}"
        );
    }
}

#[tokio::test]
async fn the_digest_of_the_directory_is_that_of_standard_tools_whatever_lies_in_it() {
    let (home, expected) = fetched().await;
    home.has("d/a", "other");
    home.has("extra", "x");
    std::os::unix::fs::symlink("d/a", home.destination().join("link")).expect("a link");
    let mut settings = CompareSettings::new();
    settings.takes_tree_digest = true;
    let found = compare_tree(&home.destination(), expected, &settings, |_| ()).await;
    let pipeline = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum";
    let theirs = Command::new("sh").args(["-c", pipeline]).current_dir(home.destination()).output();
    let theirs = String::from_utf8(theirs.expect("`sh` starts").stdout).expect("text");
    let ours = found.expect("compared").tree.expect("asked for").to_string();
    assert_eq!(theirs.split(' ').next(), Some(ours.as_str()));
}

#[tokio::test]
async fn the_manifest_of_a_tree_is_no_part_of_it() {
    let (home, expected) = fetched().await;
    home.has("d/MANIFEST", "x");
    let manifest = home.destination().join("d/MANIFEST");
    let mut settings = CompareSettings::new();
    settings.ignored.extend(path_in(&home.destination(), &manifest).expect("both are there"));
    assert_eq!(settings.ignored, [RelativePath::new("d/MANIFEST").expect("a path")]);
    let found = compare_tree(&home.destination(), expected, &settings, |_| ()).await;
    assert!(found.expect("compared").is_same());
    let elsewhere = path_in(&home.destination(), home.path()).expect("both are there");
    assert!(elsewhere.is_none());
}

#[tokio::test]
async fn parts_that_lie_over_each_other_and_the_note_of_a_model_are_expected() {
    let stores = vec![memory(&[("MLmodel", "old"), ("x", "x")]), memory(&[("MLmodel", "newer")])];
    let mut home = Home::new(Arc::clone(&stores[0]));
    home.stores = stores;
    let model = ModelMeta { name: Some("fraud".into()), version: Some("1".into()) };
    let mut parts = resolved(Target::new("s0:/")).await;
    parts.extend(resolved(Target::new("s1:/").with_model(model)).await);
    home.fetch_parts(&parts).await.expect("fetched");
    let expected = engine(&home.stores).expected(&parts, Layout::Mlflow).await.expect("listed");
    assert_eq!(expected.len(), 3);
    let (found, differences) = compared(&home, expected).await;
    assert!(found.is_same(), "{differences:?}");
}

#[tokio::test]
async fn names_that_no_file_can_have_are_missing_and_staging_directories_are_extra() {
    let home = Home::new(memory(&[("a", "a")]));
    home.fetch().await.expect("fetched");
    home.has(".mlfetch-0123abcd-12-345-0123456789abcdef/0.part", "half");
    let store = memory(&[("a", "a"), ("../x", "x"), ("b//c", "x")]);
    let (found, differences) = compared(&home, of_store(store).await).await;
    assert_eq!((found.files, found.missing, found.extra), (1, 2, 1));
    assert_eq!(names(&differences)[1..], ["missing ../x", "missing b//c"]);
}

#[tokio::test]
async fn many_files_are_compared_whatever_the_number_at_once() {
    let names: Vec<String> = (0..3000).map(|at| format!("{}/{at}", at % 7)).collect();
    let objects: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let home = Home::new(memory(&objects)).set(|settings| settings.manifest = true);
    let manifest = home.fetch().await.expect("fetched").manifest.expect("asked for");
    for jobs in [1, 3, 64] {
        let mut settings = CompareSettings::new();
        settings.jobs = std::num::NonZeroUsize::new(jobs).expect("some");
        settings.takes_tree_digest = true;
        let expected = ExpectedTree::from(&manifest);
        let found = compare_tree(&home.destination(), expected, &settings, |_| ()).await;
        let found = found.expect("compared");
        assert_eq!((found.files, found.is_same()), (3000, true));
        assert_eq!(found.tree, Some(manifest.tree_digest()));
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_an_error() {
    let home = Home::new(memory(&[]));
    let (directory, settings) = (home.destination(), CompareSettings::new());
    let done = compare_tree(&directory, ExpectedTree::default(), &settings, |_| ());
    assert_eq!(done.await.expect_err("it is not there").kind(), ErrorKind::NotFound);
}
