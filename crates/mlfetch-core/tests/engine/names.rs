//! Every key is a path below the destination, or is refused by its name.

use std::sync::{Arc, Mutex};

use mlfetch_conformance::KeyClass;
use mlfetch_core::engine::{FetchError, FileError};
use mlfetch_core::{NameRefusal, RelativePath};
use mlfetch_store::{Key, Listing, MemoryStore, Store, escape};

use crate::support::{Home, Telling, expected, failures, in_memory, memory, some};

const STAGING: &str = ".mlfetch-0123abcd-12-345-0123456789abcdef";

#[tokio::test]
async fn every_odd_name_arrives_exactly_or_is_refused_by_name() {
    use KeyClass::{
        Backslash, CaseTwins, Control, DeepNesting, Dots, Emoji, Hash, LongSegment, NonLatin,
        NormalForms, NotUtf8, Percent, Plus, QuestionMark, Quotes, Reserved, Spaces, Tilde,
        Whitespace, Wildcards,
    };
    let classes = [
        Backslash,
        CaseTwins,
        Control,
        DeepNesting,
        Dots,
        Emoji,
        Hash,
        LongSegment,
        NonLatin,
        NormalForms,
        NotUtf8,
        Percent,
        Plus,
        QuestionMark,
        Quotes,
        Reserved,
        Spaces,
        Tilde,
        Whitespace,
        Wildcards,
    ];
    let keys: Vec<Key> = classes.into_iter().flat_map(KeyClass::keys).collect();
    let mut store = MemoryStore::new();
    for key in &keys {
        store = store.with(key.clone(), key.as_bytes().to_vec());
    }
    let home = Home::new(Arc::new(store));
    let report = home.fetch().await.expect("all arrive");
    assert_eq!(report.files, keys.len() as u64);
    let tree = home.tree();
    for key in &keys {
        let text = String::from_utf8_lossy(key.as_bytes()).into_owned();
        assert_eq!(tree.get(&escape(key.as_bytes())), Some(&text), "{key}");
    }
}

#[tokio::test]
async fn a_name_that_cannot_be_a_path_is_refused_and_the_others_arrive() {
    let long = "l".repeat(256);
    let bad = ["../out", "a/../b", "./c", "a//b", "/d", "nul\0", "t/", long.as_str()];
    let mut objects: Vec<(&str, &str)> = bad.iter().map(|name| (*name, "bad")).collect();
    objects.extend([("good", "good"), ("z/good", "good")]);
    let home = Home::new(memory(&objects));
    let report = some(home.fetch().await);
    assert_eq!(report.files, 2);
    assert_eq!(home.tree(), expected(&[("good", "good"), ("z/good", "good")]));
    let mut refused: Vec<String> = bad.iter().map(|name| escape(name.as_bytes())).collect();
    refused.sort();
    let named: Vec<String> = failures(&report).into_iter().map(|(path, _)| path).collect();
    assert_eq!(named, refused);
    assert_eq!(home.counters(), [10, 8, 10, 8, 1]);
    assert_eq!(std::fs::read_dir(home.path()).expect("listed").count(), 1, "nothing outside");
}

#[tokio::test]
async fn names_alone_that_are_refused_leave_nothing_behind() {
    let home = Home::new(memory(&[("a//b", "x"), ("../c", "x"), ("d//", "")]));
    let report = some(home.fetch().await);
    assert_eq!(report.failures.len(), 3);
    assert!(home.is_untouched());
}

#[tokio::test]
async fn an_exclude_pattern_leaves_out_a_name_that_cannot_be_a_path() {
    let home = Home::new(memory(&[("bad//name.txt", "x"), ("good.txt", "x")]))
        .set(|settings| settings.filter = crate::patterns::filter(&[], &["bad"]));
    home.fetch().await.expect("the bad name is left out");
    assert_eq!(home.tree(), expected(&[("good.txt", "x")]));
}

#[tokio::test]
async fn a_store_may_hold_names_like_those_of_the_staging_directory() {
    let files = [(".mlfetch", "a file"), ("b/.mlfetch/x", "x"), (".mlfetch-x/y", "y")];
    let home = Home::new(memory(&files));
    home.fetch().await.expect("they arrive");
    assert_eq!(home.tree(), expected(&files));
    home.fetch().await.expect("and again");
}

#[tokio::test]
async fn the_exact_form_of_a_staging_directory_is_refused_by_name() {
    let inside = format!("{STAGING}/0.part");
    let marker = format!("a/{STAGING}/");
    let store = in_memory(&[(&inside, "x"), (&marker, ""), ("good", "good")]);
    let home = Home::new(Arc::new(store));
    let report = some(home.fetch().await);
    assert_eq!(home.tree(), expected(&[("good", "good")]));
    assert!(report.failures.iter().all(|failure| is(&failure.error, NameRefusal::Reserved)));
    assert_eq!(report.failures.len(), 2);
}

#[tokio::test]
async fn an_object_and_a_directory_of_one_name_are_a_conflict_and_never_stop_the_others() {
    for jobs in [1, 2, 32] {
        let objects = [("a", "file"), ("a/b", "inside"), ("a/c/d", "inside"), ("good", "good")];
        let home =
            Home::new(memory(&objects)).set(|s| s.jobs = Some(jobs.try_into().expect("some")));
        let report = some(home.fetch().await);
        // The listing is sorted: the file comes first.
        assert_eq!(home.tree(), expected(&[("a", "file"), ("good", "good")]), "{jobs}");
        assert_eq!(report.failures.len(), 2);
        assert!(report.failures.iter().all(|f| is(&f.error, NameRefusal::BesideFile)));
        let again = some(home.fetch().await);
        assert_eq!(failures(&again), failures(&report), "{jobs}");
        assert_eq!(home.tree(), expected(&[("a", "file"), ("good", "good")]));
    }
}

#[tokio::test]
async fn of_two_keys_for_one_path_the_second_is_never_asked_for() {
    for jobs in [1, 32] {
        let inner =
            in_memory(&[("0", "0"), ("a", "file"), ("a/b", "b"), ("a/c/d", "d"), ("e", "e")]);
        let read = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&read);
        let store = Telling::new(inner).answering(move |object| {
            asked.lock().expect("not poisoned").push(object.info.key.to_string());
        });
        let home =
            Home::new(Arc::new(store)).set(|s| s.jobs = Some(jobs.try_into().expect("some")));
        assert_eq!(some(home.fetch().await).failures.len(), 2);
        read.lock().expect("not poisoned").sort();
        assert_eq!(*read.lock().expect("not poisoned"), ["0", "a", "e"], "{jobs}");
    }
}

#[tokio::test]
async fn where_the_directory_came_first_the_object_is_refused() {
    for jobs in [1, 32] {
        let home = Home::new(memory(&[("a", "file"), ("a/b", "inside"), ("good", "good")]))
            .set(|s| s.jobs = Some(jobs.try_into().expect("some")));
        home.has("a/b", "before");
        let report = some(home.fetch().await);
        assert_eq!(home.tree(), expected(&[("a/b", "inside"), ("good", "good")]));
        assert_eq!(report.failures.len(), 1);
        assert!(is(&report.failures[0].error, NameRefusal::BesideDirectory));
    }
}

#[tokio::test]
async fn a_marker_beside_an_object_of_its_name_is_a_conflict() {
    for jobs in [1, 32] {
        let home = Home::new(memory(&[("d", "file"), ("d/", ""), ("good", "good")]))
            .set(|s| s.jobs = Some(jobs.try_into().expect("some")));
        let report = some(home.fetch().await);
        assert_eq!(home.tree(), expected(&[("d", "file"), ("good", "good")]));
        assert_eq!(report.failures.len(), 1);
        assert!(is(&report.failures[0].error, NameRefusal::BesideFile));
    }
}

#[tokio::test]
async fn a_directory_in_the_destination_alone_is_no_conflict_of_names() {
    let home = Home::new(memory(&[("a", "file")]));
    home.has("a/theirs", "theirs");
    match home.fetch().await.expect_err("a directory is in the way") {
        FetchError::File(failure) => {
            assert!(matches!(failure.error, FileError::Destination(_)), "{failure}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(home.tree(), expected(&[("a/theirs", "theirs")]));
}

#[tokio::test]
async fn a_marker_is_an_empty_directory_and_one_with_bytes_is_refused() {
    let home = Home::new(memory(&[("empty/", ""), ("full/", "bytes"), ("a/", ""), ("a/b", "b")]));
    let report = some(home.fetch().await);
    assert_eq!(home.tree(), expected(&[("empty/", ""), ("a/b", "b")]));
    assert_eq!(report.failures.len(), 1);
    assert!(is(&report.failures[0].error, NameRefusal::TrailingSlash));
}

#[tokio::test]
async fn the_marker_of_what_was_asked_for_is_that_directory_and_with_bytes_is_refused() {
    for (bytes, fails) in [("", false), ("bytes", true)] {
        let home = Home::new(memory(&[("m/", bytes), ("m/x", "x")]));
        let target = mlfetch_core::resolve::Target::new("s0:/").with_path(Key::from("m/"));
        let result = home.fetch_target(target).await;
        assert_eq!(result.is_err(), fails);
        assert_eq!(home.tree(), expected(&[("x", "x")]));
    }
}

#[tokio::test]
async fn a_destination_inside_what_is_fetched_is_refused_and_does_not_grow() {
    // A store that lists what was written to the destination, as one of the same directory does.
    #[derive(Debug)]
    struct Mirror(MemoryStore, std::path::PathBuf);
    #[async_trait::async_trait]
    impl Store for Mirror {
        fn info(&self) -> &mlfetch_store::StoreInfo {
            self.0.info()
        }
        async fn list_page(
            &self,
            request: mlfetch_store::ListRequest,
        ) -> mlfetch_store::Result<mlfetch_store::Page> {
            if !request.prefix.is_root() {
                let names = std::fs::read_dir(&self.1).expect("the destination").map(|row| {
                    let name = row.expect("a row").file_name();
                    let key = request.prefix.append(name.as_encoded_bytes());
                    mlfetch_store::Entry::Directory(key.append("/"))
                });
                return Ok(mlfetch_store::Page::new(names.collect(), None));
            }
            let mut page = self.0.list_page(request).await?;
            page.entries.push(mlfetch_store::Entry::Directory(Key::from("out/")));
            Ok(page)
        }
        async fn stat(
            &self,
            key: &Key,
            request: mlfetch_store::StatRequest,
        ) -> mlfetch_store::Result<mlfetch_store::ObjectInfo> {
            self.0.stat(key, request).await
        }
        async fn read(
            &self,
            key: &Key,
            request: mlfetch_store::ReadRequest,
        ) -> mlfetch_store::Result<mlfetch_store::Object> {
            self.0.read(key, request).await
        }
    }
    let mut home = Home::new(memory(&[]));
    let files = MemoryStore::with_listing(Listing::Tree).with(Key::from("a"), "a");
    home.stores = vec![Arc::new(Mirror(files, home.destination()))];
    let home = home.set(|settings| settings.jobs = Some(std::num::NonZeroUsize::MIN));
    home.has("theirs", "theirs");
    match home.fetch().await.expect_err("it lies inside") {
        FetchError::Source(error) => assert!(error.to_string().contains("lies inside"), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(home.tree().keys().all(|name| !name.contains(".mlfetch")));
}

fn is(error: &FileError, expected: NameRefusal) -> bool {
    matches!(error, FileError::Name { refusal, .. } if *refusal == expected)
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(48))]

    /// Keys of few letters, so that they meet: with dots, slashes, markers.
    #[test]
    fn whatever_the_keys_each_arrives_or_is_named_and_nothing_else_is_there(
        keys in proptest::collection::btree_set("[ab./]{1,6}", 0..12)
    ) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(arrives_or_is_named(keys.into_iter().collect()));
    }
}

async fn arrives_or_is_named(keys: Vec<String>) {
    let mut store = MemoryStore::new();
    for key in &keys {
        // A name that ends in `/` is a marker here.
        let text = if key.ends_with('/') { "" } else { key };
        store = store.with(Key::from(key.as_str()), text.as_bytes().to_vec());
    }
    let home = Home::new(Arc::new(store)).set(|settings| settings.keep_going = true);
    let (report, complete) = match home.fetch().await {
        Ok(report) => (report, true),
        other => (some(other), false),
    };
    let named: Vec<String> = report.failures.iter().map(|failure| failure.path.clone()).collect();
    let is_named = |key: &str| {
        let directory = key.strip_suffix('/').unwrap_or(key);
        named.contains(&escape(key.as_bytes())) || named.contains(&escape(directory.as_bytes()))
    };
    if home.is_untouched() {
        // No file arrived: then there are no directories either.
        assert!(!complete && report.files == 0);
        return;
    }
    let tree = home.tree();
    for key in &keys {
        let arrived =
            if key.ends_with('/') { tree.contains_key(key) } else { tree.get(key) == Some(key) };
        assert!(arrived || is_named(key), "{key} of {keys:?}: {tree:?}");
        assert!(!complete || RelativePath::new(key.trim_end_matches('/')).is_ok());
    }
    let is_asked_for = |name: &String| keys.iter().any(|key| key.starts_with(name.as_str()));
    assert!(tree.keys().all(is_asked_for), "{keys:?}: {tree:?}");
    assert_eq!(complete, named.is_empty());
}
