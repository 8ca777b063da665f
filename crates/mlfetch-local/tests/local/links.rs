//! What symbolic links do, under each policy.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Home, everything, read};
use mlfetch_local::{LocalConfig, LocalStore, Symlinks};
use mlfetch_store::{ErrorKind, Key, StatRequest, Store as _};

fn home() -> Home {
    let home = Home::new();
    home.file("data/a.txt", "inside");
    home.link("to-file", "data/a.txt");
    home.link("to-directory", "data");
    home
}

#[tokio::test]
async fn links_inside_the_root_are_what_they_lead_to() {
    let home = home();
    home.link("absolute", home.root().join("data"));
    let store = home.open();
    let (names, refused) = everything(&store).await;
    let expected = [
        "absolute/",
        "absolute/a.txt",
        "data/",
        "data/a.txt",
        "to-directory/",
        "to-directory/a.txt",
    ];
    assert_eq!(names[..6], expected);
    assert_eq!(names[6..], ["to-file"]);
    assert!(refused.is_empty(), "{refused:?}");
    for name in ["to-file", "to-directory/a.txt", "absolute/a.txt"] {
        assert_eq!(read(&store, name).await.expect("a file"), "inside", "{name}");
    }
    let info = store.stat(&Key::from("to-file"), StatRequest::new()).await.expect("facts");
    assert_eq!(info.size, Some(6));
}

#[tokio::test]
async fn a_link_out_of_the_root_is_refused_and_names_the_option() {
    let home = home();
    home.link("out-file", "../outside/secret.txt");
    home.link("out-directory", "../outside");
    home.link("out-absolute", home.path().join("outside/secret.txt"));
    home.link("out-and-in", "../root/data");
    let store = home.open();
    let (names, refused) = everything(&store).await;
    assert!(names.contains(&"data/a.txt".to_owned()));
    let keys: Vec<&str> = refused.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["out-absolute", "out-and-in", "out-directory", "out-file"]);
    for (key, error) in &refused {
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.to_string().contains(key.as_str()), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("symlinks-outside")));
    }
}

/// MLflow 3.17 takes the linked directory for the root when it is named in the path.
#[tokio::test]
async fn naming_a_link_in_the_key_does_not_make_another_root() {
    let home = home();
    home.link("out", "../outside");
    home.link("data/up", "../../outside");
    let store = home.open();
    for name in ["out/secret.txt", "data/up/secret.txt", "to-directory/up/secret.txt"] {
        let error = read(&store, name).await.expect_err("outside");
        assert_eq!(error.kind(), ErrorKind::Refused, "{name}: {error}");
        let key = Key::from(name);
        let error = store.stat(&key, StatRequest::new()).await.expect_err("outside");
        assert_eq!(error.kind(), ErrorKind::Refused, "{name}: {error}");
    }
}

#[tokio::test]
async fn a_link_out_of_the_root_is_followed_when_that_is_asked_for() {
    let home = home();
    home.link("out", "../outside");
    home.link("out-file", home.path().join("outside/secret.txt"));
    home.link("dangling", "/no/where");
    home.link("circle", "..");
    let store = home.open_with(LocalConfig::default().with_symlinks_outside(true));
    assert_eq!(read(&store, "out/secret.txt").await.expect("a file"), "outside");
    assert_eq!(read(&store, "out-file").await.expect("a file"), "outside");
    let (names, refused) = everything(&store).await;
    assert!(names.contains(&"out/secret.txt".to_owned()), "{names:?}");
    assert!(refused.iter().any(|(key, _)| key == "dangling"), "{refused:?}");
    // The directory above holds the root again: the circle ends there.
    assert!(refused.iter().any(|(key, _)| key == "circle/root/circle"), "{refused:?}");
}

#[tokio::test]
async fn a_dangling_link_does_not_hide_its_neighbours() {
    let home = home();
    home.link("data/dangling", "nowhere");
    let (names, refused) = everything(&home.open()).await;
    assert!(names.contains(&"data/a.txt".to_owned()));
    let texts: Vec<String> = refused.iter().map(|(_, error)| error.to_string()).collect();
    let expected = "cannot read `data/dangling`: it is a symbolic link that leads nowhere";
    assert!(texts.iter().any(|text| text == expected), "{texts:?}");
}

#[tokio::test]
async fn a_circle_of_links_is_refused_and_not_endless() {
    let home = home();
    home.link("self", "self");
    home.link("data/up", "..");
    home.link("data/here", ".");
    home.file("x/x.txt", "x");
    home.file("y/y.txt", "y");
    home.link("x/to-y", "../y");
    home.link("y/to-x", "../x");
    let (names, refused) = everything(&home.open()).await;
    for (key, error) in &refused {
        assert_eq!(error.kind(), ErrorKind::Refused, "{key}");
        assert!(error.to_string().contains("in a circle"), "{error}");
    }
    let keys: Vec<&str> = refused.iter().map(|(key, _)| key.as_str()).collect();
    for key in ["data/here", "data/up", "self", "x/to-y/to-x", "y/to-x/to-y"] {
        assert!(keys.contains(&key), "{key}: {keys:?}");
    }
    assert!(names.contains(&"x/to-y/y.txt".to_owned()), "{names:?}");
}

#[tokio::test]
async fn skipped_links_are_not_listed_and_not_read() {
    let home = home();
    let store = home.open_with(LocalConfig::default().with_symlinks(Symlinks::Skip));
    let (names, refused) = everything(&store).await;
    assert_eq!(names, ["data/", "data/a.txt"]);
    assert!(refused.is_empty());
    for name in ["to-file", "to-directory/a.txt"] {
        let error = read(&store, name).await.expect_err("a link");
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    }
}

#[tokio::test]
async fn links_are_errors_when_that_is_the_policy() {
    let home = home();
    let store = home.open_with(LocalConfig::default().with_symlinks(Symlinks::Error));
    let (names, refused) = everything(&store).await;
    assert_eq!(names, ["data/", "data/a.txt"]);
    assert_eq!(refused.len(), 2);
    let error = read(&store, "to-directory/a.txt").await.expect_err("a link");
    assert!(error.to_string().contains("`to-directory` on the way to it is a symbolic link"));
}

/// A directory on the way is replaced by a link to the outside and back while it is read.
#[tokio::test]
async fn a_directory_that_becomes_a_link_on_the_way_never_gives_outside_bytes() {
    let home = Home::new();
    home.file("swap/secret.txt", "inside");
    home.link("decoy", "../outside");
    read_while_swapped(&home, "swap/secret.txt").await;
}

/// The same with the file itself, between the look at it and the opening.
#[tokio::test]
async fn a_file_that_becomes_a_link_on_the_way_never_gives_outside_bytes() {
    let home = Home::new();
    home.file("swap", "inside");
    home.link("decoy", "../outside/secret.txt");
    read_while_swapped(&home, "swap").await;
}

/// Reads `name` many times while `swap` and the link `decoy` change places.
async fn read_while_swapped(home: &Home, name: &str) {
    let stop = Arc::new(AtomicBool::new(false));
    let swapping = std::thread::spawn({
        let (stop, root) = (Arc::clone(&stop), home.root());
        move || swap_until(&stop, &root)
    });
    let store = home.open();
    let (mut arrived, mut refused) = (0, 0);
    for _ in 0..5000 {
        match read(&store, name).await {
            Ok(text) => {
                assert_eq!(text, "inside");
                arrived += 1;
            }
            Err(_) => refused += 1,
        }
        everything_is_inside(&store, name).await;
    }
    stop.store(true, Ordering::Relaxed);
    swapping.join().expect("the other thread ends");
    assert!(arrived > 0 && refused > 0, "{arrived} arrived, {refused} refused: no race was run");
}

fn swap_until(stop: &AtomicBool, root: &Path) {
    let (swap, decoy, aside) = (root.join("swap"), root.join("decoy"), root.join("aside"));
    while !stop.load(Ordering::Relaxed) {
        fs::rename(&swap, &aside).expect("away");
        fs::rename(&decoy, &swap).expect("the link in its place");
        fs::rename(&swap, &decoy).expect("the link away");
        fs::rename(&aside, &swap).expect("back");
    }
}

/// Outside, the file has seven bytes, inside six.
async fn everything_is_inside(store: &LocalStore, name: &str) {
    if let Ok(info) = store.stat(&Key::from(name), StatRequest::new()).await {
        assert_eq!(info.size, Some(6));
    }
}
