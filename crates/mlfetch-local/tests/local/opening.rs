//! Locations, and what they open.

use crate::support::Home;
use mlfetch_local::{LocalBackend, LocalConfig, LocalStore};
use mlfetch_store::{Backends, Error, ErrorKind, Key, Location, Opened, Options, StatRequest};

async fn open(text: &str, options: &Options) -> Result<Opened, Error> {
    let backends = Backends::new().with(LocalBackend);
    backends.open(&Location::parse(text)?, options).await
}

async fn key_of(text: &str) -> Key {
    open(text, &Options::new()).await.expect("it opens").key
}

#[tokio::test]
async fn a_directory_is_the_root_and_a_file_is_a_key_in_its_directory() {
    let home = Home::new();
    home.file("a/b 1.txt", "b");
    let root = home.root().display().to_string();
    assert_eq!(key_of(&root).await, Key::root());
    assert_eq!(key_of(&format!("{root}/a/")).await, Key::root());
    assert_eq!(key_of(&format!("{root}/a/b 1.txt")).await, Key::from("b 1.txt"));
    assert_eq!(key_of(&format!("file://{root}/a/b%201.txt")).await, Key::from("b 1.txt"));
    assert_eq!(key_of(&format!("file://localhost{root}")).await, Key::root());
}

#[tokio::test]
async fn every_odd_name_opens_as_a_plain_path() {
    let home = Home::new();
    for name in ["a#b", "a?b", "%41", "100%", " leading", "trailing ", "a;b", "tab\there", "é"] {
        home.file(name, name);
        let path = home.root().join(name).display().to_string();
        let opened = open(&path, &Options::new()).await.expect(name);
        let info = opened.store.stat(&opened.key, StatRequest::new()).await.expect(name);
        assert_eq!((info.key, info.size), (Key::from(name), Some(name.len() as u64)));
    }
}

#[tokio::test]
async fn a_missing_path_says_how_far_it_goes() {
    let home = Home::new();
    home.file("a/file.txt", "x");
    let root = home.root().display().to_string();
    for rest in ["a/b/c", "a/file.txt/x"] {
        let error = open(&format!("{root}/{rest}"), &Options::new()).await.expect_err("missing");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        let nearest = if rest == "a/b/c" { "/a`" } else { "/a/file.txt`" };
        assert!(error.to_string().ends_with(nearest), "{error}");
    }
    let error = open("no-such-name-here", &Options::new()).await.expect_err("missing");
    assert!(error.to_string().ends_with("in the current directory"), "{error}");
}

#[tokio::test]
async fn a_file_with_a_slash_behind_it_is_not_a_directory() {
    let home = Home::new();
    home.file("file.txt", "x");
    let path = format!("{}/file.txt/", home.root().display());
    assert_eq!(open(&path, &Options::new()).await.expect_err("a file").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_link_that_is_named_is_judged_in_its_own_directory() {
    let home = Home::new();
    home.link("dangling", "nowhere");
    home.link("out", "../outside/secret.txt");
    home.link("directory", "../outside");
    for (name, why) in [("dangling", "leads nowhere"), ("out", "leads out")] {
        let path = home.root().join(name).display().to_string();
        let opened = open(&path, &Options::new()).await.expect("its directory opens");
        assert_eq!(opened.key, Key::from(name));
        let error = opened.store.stat(&opened.key, StatRequest::new()).await.expect_err("a link");
        assert!(error.to_string().contains(why), "{error}");
    }
    // Whoever names a linked directory has chosen it.
    let path = home.root().join("directory").display().to_string();
    assert_eq!(key_of(&path).await, Key::root());
}

#[tokio::test]
async fn options_reach_the_store() {
    let home = Home::new();
    home.link("out", "../outside/secret.txt");
    let path = home.root().join("out").display().to_string();
    let options = Options::new().with("symlinks-outside", "true");
    let opened = open(&path, &options).await.expect("it opens");
    let info = opened.store.stat(&opened.key, StatRequest::new()).await.expect("outside");
    assert_eq!(info.size, Some(7));
    let options = Options::new().with("symlinks", "perhaps");
    let error = open(&path, &options).await.expect_err("no such policy");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_store_on_a_file_or_on_nothing_is_an_error() {
    let home = Home::new();
    home.file("file.txt", "x");
    let config = LocalConfig::default();
    let error = LocalStore::open(home.root().join("file.txt"), config).expect_err("a file");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = LocalStore::open(home.root().join("nothing"), config).expect_err("nothing");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
