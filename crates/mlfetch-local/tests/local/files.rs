//! Files that are no files, that go away, that change, that may not be read.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::{Home, everything, read, read_as};
use futures_util::StreamExt as _;
use mlfetch_local::{LocalConfig, LocalStore};
use mlfetch_store::{
    Depth, Entry, ErrorKind, Key, ListRequest, ReadRequest, StatRequest, Store as _,
};

#[tokio::test]
async fn pipes_sockets_and_devices_are_refused_by_kind_and_never_opened() {
    let home = Home::new();
    home.file("a.txt", "a");
    let pipe = home.root().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, mode, 0).expect("a pipe");
    let _socket = UnixListener::bind(home.root().join("socket")).expect("a socket");
    home.link("device", "/dev/null");
    home.link("pipe-link", "pipe");
    let store = home.open_with(LocalConfig::default().with_symlinks_outside(true));
    let (names, refused) = everything(&store).await;
    assert_eq!(names, ["a.txt"]);
    let texts: Vec<String> = refused.iter().map(|(_, error)| error.to_string()).collect();
    let expected = [
        "cannot read `device`: it is a device, not a file",
        "cannot read `pipe`: it is a named pipe, not a file",
        "cannot read `pipe-link`: it is a named pipe, not a file",
        "cannot read `socket`: it is a socket, not a file",
    ];
    assert_eq!(texts, expected);
    for name in ["device", "pipe", "pipe-link", "socket"] {
        let reading = tokio::time::timeout(Duration::from_secs(5), read(&store, name)).await;
        let error = reading.expect("nobody waits for a writer").expect_err("not a file");
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    }
}

#[tokio::test]
async fn a_file_that_vanished_after_the_listing_is_not_found() {
    let home = Home::new();
    home.file("gone.txt", "gone");
    let store = home.open();
    assert_eq!(everything(&store).await.0, ["gone.txt"]);
    fs::remove_file(home.root().join("gone.txt")).expect("removed");
    let error = read(&store, "gone.txt").await.expect_err("it is gone");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("`gone.txt`"), "{error}");
}

#[tokio::test]
async fn a_file_that_changed_after_the_listing_is_changed() {
    let home = Home::new();
    home.file("a.txt", "before");
    let store = home.open();
    let info = store.stat(&Key::from("a.txt"), StatRequest::new()).await.expect("facts");
    home.file("a.txt", "and after");
    let tied = ReadRequest::new().with_if_match(info.etag);
    let error = read_as(&store, "a.txt", tied).await.expect_err("it changed");
    assert_eq!(error.kind(), ErrorKind::Changed);
}

/// Starts to read three mebibytes, does something to the file, and reads on.
async fn read_while(change: impl FnOnce(&File)) -> Result<u64, ErrorKind> {
    let home = Home::new();
    home.file("large.bin", &"x".repeat(3 << 20));
    let store = home.open();
    let key = Key::from("large.bin");
    let mut object = store.read(&key, ReadRequest::new()).await.expect("an object");
    let first = object.body.next().await.expect("a chunk").expect("bytes");
    let mut bytes = first.len() as u64;
    let file = File::options().write(true).open(home.root().join("large.bin")).expect("the file");
    change(&file);
    while let Some(chunk) = object.body.next().await {
        bytes += chunk.map_err(|error| error.kind())?.len() as u64;
    }
    Ok(bytes)
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_changed() {
    let later = SystemTime::now() + Duration::from_mins(1);
    let shorter = read_while(|file| file.set_len(1 << 20).expect("shorter")).await;
    let longer = read_while(|file| file.set_len(4 << 20).expect("longer")).await;
    let rewritten = read_while(|file| file.set_modified(later).expect("another time")).await;
    for outcome in [shorter, longer, rewritten] {
        assert_eq!(outcome, Err(ErrorKind::Changed));
    }
}

#[tokio::test]
async fn another_mode_is_no_change_of_the_bytes() {
    let mode = fs::Permissions::from_mode(0o600);
    let outcome = read_while(|file| file.set_permissions(mode).expect("another mode")).await;
    assert_eq!(outcome, Ok(3 << 20));
}

#[tokio::test]
async fn empty_directories_and_hidden_files_are_listed_and_unfinished_uploads_are_not() {
    let home = Home::new();
    fs::create_dir_all(home.root().join("empty/deeper")).expect("directories");
    home.file(".hidden", "x");
    home.file(".artifact.uploading.abc", "half");
    home.file(".artifact.uploading", "a name that is only like it");
    let store = home.open();
    let expected = [".artifact.uploading", ".hidden", "empty/", "empty/deeper/"];
    assert_eq!(everything(&store).await.0, expected);
    assert_eq!(read(&store, ".artifact.uploading.abc").await.expect("by name"), "half");
}

#[tokio::test]
async fn pages_go_on_behind_the_last_name_whatever_came_and_went() {
    let home = Home::new();
    for name in ["b", "d", "f"] {
        home.file(name, "x");
    }
    let store = home.open();
    let one = std::num::NonZeroUsize::new(1);
    let mut request = ListRequest::new(Key::root(), Depth::One).with_max_entries(one);
    let page = store.list_page(request.clone()).await.expect("a page");
    assert!(matches!(&page.entries[..], [Entry::Object(info)] if info.key == Key::from("b")));
    fs::remove_file(home.root().join("b")).expect("removed");
    home.file("a", "x");
    home.file("c", "x");
    request.token = page.next;
    let page = store.list_page(request).await.expect("a page");
    assert!(matches!(&page.entries[..], [Entry::Object(info)] if info.key == Key::from("c")));
}

/// Set in the second process, which runs as nobody: the home of the first.
const UNREADABLE_HOME: &str = "MLFETCH_TEST_UNREADABLE_HOME";

/// Permission bits do not bind root, so root lets a second process of this test look as nobody.
#[tokio::test]
async fn a_file_and_a_directory_that_may_not_be_read_say_who_is_denied() {
    if let Some(root) = std::env::var_os(UNREADABLE_HOME) {
        return assert_denied(&LocalStore::open(root, LocalConfig::default()).expect("open")).await;
    }
    let home = Home::new();
    home.file("good.txt", "good");
    home.file("closed.txt", "closed");
    home.file("closed/a.txt", "closed");
    let set_mode = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    set_mode(home.path(), 0o755);
    set_mode(&home.root().join("closed.txt"), 0o000);
    set_mode(&home.root().join("closed"), 0o000);
    if rustix::process::geteuid().is_root() {
        look_as_nobody(&home);
    } else {
        assert_denied(&home.open()).await;
    }
    set_mode(&home.root().join("closed"), 0o755);
}

fn look_as_nobody(home: &Home) {
    // The program may lie where nobody may not look: a copy of it lies where it may.
    let program = home.path().join("program");
    fs::copy(std::env::current_exe().expect("this program"), &program).expect("a copy");
    let output = Command::new(&program)
        .args(["--exact", "files::a_file_and_a_directory_that_may_not_be_read_say_who_is_denied"])
        .env(UNREADABLE_HOME, home.root())
        .current_dir("/")
        .uid(65534)
        .gid(65534)
        .output()
        .expect("the second process runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

async fn assert_denied(store: &LocalStore) {
    let user = format!("(uid {})", rustix::process::geteuid().as_raw());
    let (names, refused) = everything(store).await;
    assert_eq!(names, ["closed.txt", "closed/", "good.txt"]);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].1.kind(), ErrorKind::PermissionDenied);
    for name in ["closed.txt", "closed/a.txt"] {
        let error = read(store, name).await.expect_err("it is closed");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.to_string().contains(&user), "{error}");
    }
    assert_eq!(read(store, "good.txt").await.expect("it is open"), "good");
}
