//! Files of this machine, which the kernel copies.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use mlfetch_core::engine::{FetchError, FileError, Proof, Verify};
use mlfetch_local::{LocalConfig, LocalStore};
use mlfetch_store::{ErrorKind, Key, MemoryStore, Object};

use crate::support::{Home, Telling};

const SIZE: usize = 33 << 20;

fn bytes(letter: u8) -> Bytes {
    let mut bytes = vec![letter; SIZE];
    for (index, block) in bytes.chunks_mut(4096).enumerate() {
        block[..8].copy_from_slice(&index.to_le_bytes());
    }
    bytes.into()
}

/// A store whose object comes with a file that holds other bytes, so that it shows which were taken.
fn giving(path: &Path, change: impl Fn(&mut Object) + Send + Sync + 'static) -> Telling {
    std::fs::write(path, bytes(b'f')).expect("written");
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(9);
    let file = OpenOptions::new().read(true).write(true).open(path).expect("open");
    file.set_modified(modified).expect("another time");
    let file = Arc::new(file);
    Telling::new(MemoryStore::new().with(Key::from("x"), bytes(b'b')))
        .being(|info| info.capabilities.files = true)
        .answering(move |object| {
            object.info.modified = Some(modified);
            object.file = (object.start == 0).then(|| Arc::clone(&file));
            change(object);
        })
}

fn is_copied(home: &Home) -> bool {
    let found = std::fs::read(home.destination().join("x")).expect("there");
    assert!(found == bytes(b'f') || found == bytes(b'b'), "whole, from one of them");
    found == bytes(b'f')
}

#[tokio::test]
async fn a_file_is_copied_unless_its_bytes_are_to_be_seen() {
    let place = tempfile::tempdir().expect("a directory");
    let home = || Home::new(Arc::new(giving(&place.path().join("x"), |_| {})));
    let rate = std::num::NonZeroU64::new(1 << 40);
    let homes = [
        (home(), cfg!(target_os = "linux")),
        (home().set(|s| s.manifest = true), false),
        (home().set(|s| s.bytes_per_second = rate), false),
    ];
    for (home, expected) in homes {
        let report = home.fetch().await.expect("fetched");
        assert_eq!((report.files, report.bytes), (1, SIZE as u64));
        assert_eq!(report.proofs[&Proof::Size], 1);
        assert_eq!(is_copied(&home), expected);
    }
    let home = home().set(|s| s.verify = Verify::Required);
    assert!(home.fetch().await.is_err(), "nothing proves its bytes");
}

#[tokio::test]
async fn what_the_kernel_cannot_copy_is_read() {
    let place = tempfile::tempdir().expect("a directory");
    let unreadable = place.path().join("y");
    std::fs::write(&unreadable, "y").expect("written");
    let store = giving(&place.path().join("x"), move |object| {
        let file = OpenOptions::new().write(true).open(&unreadable).expect("open");
        object.file = Some(Arc::new(file));
    });
    let home = Home::new(Arc::new(store));
    home.fetch().await.expect("fetched");
    assert!(!is_copied(&home));
    let progress = home.progress.done_bytes.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(progress, SIZE as u64, "nothing is counted twice");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_file_that_changes_while_it_is_copied_does_not_arrive() {
    let place = tempfile::tempdir().expect("a directory");
    let later = |file: &File| file.set_modified(SystemTime::UNIX_EPOCH).expect("another time");
    let longer = |file: &File| file.set_len(SIZE as u64 + 1).expect("longer");
    for change in [later, longer] {
        let store = giving(&place.path().join("x"), move |object| {
            change(object.file.as_ref().expect("a file"));
        });
        let home = Home::new(Arc::new(store));
        let error = home.fetch().await.expect_err("it changed");
        let FetchError::File(failure) = &error else { panic!("{error:?}") };
        let FileError::Store(error) = &failure.error else { panic!("{failure:?}") };
        assert_eq!(error.kind(), ErrorKind::Changed);
        assert!(home.is_untouched());
    }
}

#[tokio::test]
async fn a_directory_of_this_machine_arrives_whatever_the_size_of_its_files() {
    let from = tempfile::tempdir().expect("a directory");
    for (name, size) in [("none", 0), ("small", 4096), ("more", 1 << 20), ("big", SIZE)] {
        std::fs::write(from.path().join(name), bytes(b'l').slice(..size)).expect("written");
    }
    let store = LocalStore::open(from.path(), LocalConfig::default()).expect("opens");
    let home = Home::new(Arc::new(store));
    assert_eq!(home.fetch().await.expect("fetched").files, 4);
    for name in ["none", "small", "more", "big"] {
        let read = |directory: &Path| std::fs::read(directory.join(name)).expect(name);
        assert!(read(&home.destination()) == read(from.path()), "{name}");
    }
    assert_eq!(home.fetch().await.expect("nothing to do").unchanged, 4);
}
