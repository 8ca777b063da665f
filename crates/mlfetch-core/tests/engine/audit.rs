//! The audit takes part: what is not on record does not get its name.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mlfetch_core::RelativePath;
use mlfetch_core::audit::{Attempt, Audit, AuditLog, Ending, check_log};
use mlfetch_core::engine::{FetchError, FileError, Report, Sealed, Witness};
use mlfetch_core::resolve::Target;
use mlfetch_store::{Error, ErrorKind, Store};

use crate::support::{Home, Telling, in_memory, memory, resolved};

fn attempt(home: &Home, strict: bool) -> (Arc<Attempt>, PathBuf) {
    let path = home.path().join("audit.jsonl");
    let log = AuditLog::at(&path).with_strict(strict);
    (Audit::new("test 1").with_log(log).attempt("get", "s0:/"), path)
}

async fn fetch(home: &Home, witness: Arc<dyn Witness>) -> Result<Report, FetchError> {
    let parts = resolved(Target::new("s0:/")).await;
    let engine = crate::support::engine(&home.stores).with_witness(witness);
    let (settings, progress) = (home.settings.clone(), Arc::clone(&home.progress));
    let observer = Arc::clone(&home.events) as _;
    engine.fetch(&parts, &home.destination(), settings, observer, progress).await
}

fn events(path: &PathBuf) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(path).expect("a log");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_is_on_record_before_it_has_its_name() {
    let names: Vec<String> = (0..300).map(|at| format!("{at}")).collect();
    let objects: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let home = Home::new(memory(&objects));
    let (attempt, path) = attempt(&home, true);
    attempt.begin().expect("on record");
    let report = fetch(&home, Arc::clone(&attempt) as _).await.expect("fetched");
    attempt.reported(&report);
    assert_eq!(check_log(&path, None).expect("whole").unfinished, 1);
    attempt.end(&Ending::done()).expect("on record");
    let checked = check_log(&path, None).expect("whole");
    assert_eq!((checked.records, checked.unfinished), (302, 0));
    let events = events(&path);
    let mut files: Vec<&str> =
        events[1..301].iter().map(|event| event["path"].as_str().expect("a path")).collect();
    files.sort_unstable();
    let mut expected: Vec<&str> = names.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(files, expected);
    let last = &events[301];
    assert_eq!((&last["files"], &last["size_bytes"]), (&300.into(), &300.into()));
    assert_eq!(last["stores"][0]["backend"], "memory");
}

#[tokio::test]
async fn a_file_that_cannot_be_put_on_record_has_no_name() {
    for strict in [true, false] {
        let log = Arc::new(Mutex::new(None::<PathBuf>));
        let spoilt = Arc::clone(&log);
        let store = Telling::new(in_memory(&[("a", "a")])).answering(move |_| {
            let path = spoilt.lock().expect("not poisoned").clone().expect("set");
            fs::write(path, "somebody wrote here\n").expect("written");
        });
        let home = Home::new(Arc::new(store));
        let (attempt, path) = attempt(&home, strict);
        *log.lock().expect("not poisoned") = Some(path.clone());
        attempt.begin().expect("on record");
        let fetched = fetch(&home, Arc::clone(&attempt) as _).await;
        assert_eq!(fetched.is_err(), strict);
        assert_eq!(home.destination().join("a").exists(), !strict);
        if strict {
            let error = fetched.expect_err("not on record").to_string();
            assert!(error.contains("audit.jsonl") && error.contains("audit log"), "{error}");
        }
        assert!(attempt.end(&Ending::done()).is_err());
        assert_eq!(fs::read_to_string(path).expect("there"), "somebody wrote here\n");
    }
}

#[tokio::test]
async fn a_log_that_is_not_strict_has_one_record_for_each_attempt() {
    let home = Home::new(memory(&[("a", "aa")])).set(|settings| settings.manifest = true);
    let (attempt, path) = attempt(&home, false);
    attempt.begin().expect("nothing to write");
    assert!(!path.exists());
    let report = fetch(&home, Arc::clone(&attempt) as _).await.expect("fetched");
    attempt.reported(&report);
    attempt.end(&Ending::of_kind(ErrorKind::PermissionDenied, "no", 4)).expect("on record");
    let events = events(&path);
    assert_eq!(events.len(), 1);
    let record = &events[0];
    assert_eq!((&record["outcome"], &record["exit"]), (&"refused".into(), &4.into()));
    assert_eq!(record["error"]["kind"], "permission-denied");
    assert_eq!(record["file"]["path"], "a");
    assert_eq!(record["file"]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(record["tree_sha256"].as_str().map(str::len), Some(64));
}

/// Lets no file have its name.
#[derive(Debug)]
struct Never;

#[async_trait]
impl Witness for Never {
    fn opened(&self, _: &Target, _: &Arc<dyn Store>) {}
    async fn committing(&self, file: &Sealed<'_>) -> Result<(), FileError> {
        assert_eq!(file.path, &RelativePath::new("a").expect("a path"));
        Err(Error::new(ErrorKind::Refused, "commit", file.source).into())
    }
}

#[tokio::test]
async fn whoever_takes_part_can_keep_a_file_from_its_name() {
    let home = Home::new(memory(&[("a", "a")]));
    let report = crate::support::some(fetch(&home, Arc::new(Never)).await);
    assert_eq!((report.files, report.failures.len()), (0, 1));
    assert!(home.is_untouched());
}
