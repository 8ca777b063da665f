//! Directories of the destination become links that lead outside, and directories again, while files
//! arrive. `cargo xtask torture links --full` does it longer, and removes files meanwhile.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mlfetch_core::engine::{FetchError, Overwrite};
use mlfetch_local::{LocalConfig, LocalStore};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::support::{Home, tree};

const SWAPS: u32 = 5000;
/// Until then some file has met a link.
const LIMIT: Duration = Duration::from_mins(1);
const DIRECTORIES: u32 = 20;

/// Files in some directories.
fn write(place: &Path, text: &str) {
    for number in 0..400 {
        let path = place.join(format!("d{}/f{number}", number % DIRECTORIES));
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }
}

/// Each directory in its turn has its name, and then a link has it.
fn swap(destination: &Path, links: &Path, swaps: &AtomicU32, is_over: &AtomicBool) {
    for name in (0..DIRECTORIES).cycle().map(|number| format!("d{number}")) {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        for _ in 0..2 {
            let (inside, beside) = (destination.join(&name), links.join(&name));
            renameat_with(CWD, inside, CWD, beside, RenameFlags::EXCHANGE).expect("swapped");
            swaps.fetch_add(1, Ordering::Relaxed);
            std::thread::yield_now();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_through_a_directory_that_becomes_a_link() {
    let from = tempfile::tempdir().expect("a directory");
    write(from.path(), "new");
    let store = LocalStore::open(from.path(), LocalConfig::default()).expect("opens");
    let home = Home::new(Arc::new(store)).set(|s| {
        s.overwrite = Overwrite::Always;
        s.keep_going = true;
    });
    home.fetch().await.expect("fetched");
    let aside = tempfile::tempdir().expect("a directory");
    let (outside, links) = (aside.path().join("outside"), aside.path().join("links"));
    write(&outside, "theirs");
    std::fs::create_dir(&links).expect("made");
    for name in (0..DIRECTORIES).map(|number| format!("d{number}")) {
        symlink(outside.join(&name), links.join(&name)).expect("a link");
    }
    let before = tree(&outside);
    let (swaps, is_over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let swapping = std::thread::spawn({
        let (destination, links) = (home.destination(), links.clone());
        let (swaps, is_over) = (Arc::clone(&swaps), Arc::clone(&is_over));
        move || swap(&destination, &links, &swaps, &is_over)
    });
    let mut met = 0;
    let deadline = Instant::now() + LIMIT;
    let is_tried = |met: usize| met > 0 && swaps.load(Ordering::Relaxed) >= SWAPS;
    while !is_tried(met) && !swapping.is_finished() && Instant::now() < deadline {
        match home.fetch().await {
            Ok(_) => {}
            Err(FetchError::Some(report)) => met += report.failures.len(),
            Err(error) => panic!("{error}"),
        }
    }
    is_over.store(true, Ordering::Relaxed);
    swapping.join().expect("every swap was made");
    assert!(met > 0, "no file ever met a link: nothing was tried");
    assert_eq!(tree(&outside), before);
    home.fetch().await.expect("nothing is in the way any more");
    assert_eq!(home.tree(), tree(from.path()));
}
