//! Where the workspace is, whatever directory the command was typed in.

use std::env;
use std::path::{Path, PathBuf};

/// The directory that holds the root `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    // `cargo run` sets the variable at run time, which keeps a moved checkout working.
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or(package.clone(), Path::to_path_buf)
}

/// Files that this tool makes inside the checkout; git ignores the directory.
pub(crate) fn scratch() -> PathBuf {
    root().join(".cache")
}
