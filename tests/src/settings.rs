//! What the tests are told from outside.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A variable that the servers' start gives to the tests.
///
/// # Panics
/// Without it: a test without its server must not pass.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: run `cargo xtask test`, or export what `cargo xtask services up` \
             prints"
        )
    })
}

/// The directory of the workspace.
///
/// # Panics
/// Never: this package lies in it.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

/// The built binary: `MLFETCH_TEST_PROGRAM`, else the one that Cargo put beside these tests.
///
/// # Panics
/// If there is none.
pub fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("MLFETCH_TEST_PROGRAM") {
        return program.into();
    }
    let own = std::env::current_exe().expect("a running test has a path");
    let name = format!("mlfetch{}", std::env::consts::EXE_SUFFIX);
    // Tests lie in `target/<profile>/deps/`, programs one above.
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(&name))
        .find(|p| p.is_file())
        .unwrap_or_else(|| {
            panic!("no mlfetch was built: run `cargo xtask test`, or set MLFETCH_TEST_PROGRAM")
        })
}

/// The binary in `directory`, in surroundings that know nothing of whoever runs the tests: its home
/// and its temporary directory are there too.
pub fn mlfetch(directory: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .current_dir(directory)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("HOME", directory)
        .env("TMPDIR", directory);
    command
}
