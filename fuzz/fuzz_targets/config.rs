//! Configuration: the program's own, that of a machine, and the files that credentials lie in.

#![no_main]

use std::cell::RefCell;
use std::fs;

use tempfile::TempDir;

#[path = "../../crates/mlfetch-cli/src/config/mod.rs"]
#[expect(unused_imports, reason = "the program uses more of it")]
mod config;

/// In place of the program's own: what the reading of configuration needs of it.
mod failure {
    use mlfetch_store::fuzzing::assert_harmless;

    #[derive(Debug)]
    pub(crate) struct Failure;

    impl Failure {
        pub(crate) fn usage_said(message: &str, hint: &str) -> Self {
            assert_harmless(message);
            assert_harmless(hint);
            Self
        }
    }
}

thread_local! {
    static HOME: RefCell<TempDir> = RefCell::new(tempfile::tempdir().expect("a directory"));
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    mlfetch_mlflow::fuzzing::settings(text);
    let path = HOME.with_borrow(|home| home.path().join("config.toml"));
    fs::write(&path, text).expect("written");
    if let Ok(config) = config::Config::read(Some(&path), &mlfetch::Environment::default()) {
        assert!(config.rewrite.is_empty() || text.contains("rewrite"));
    }
    if let Ok(system) = config::SystemConfig::read(&path) {
        assert_eq!(system.audit.is_some(), text.contains("audit") && system.audit.is_some());
        assert!(system.audit.is_none_or(|log| log.path().is_absolute()));
    }
});
