//! All that was written.

use std::fmt::Write as _;
use std::path::Path;

/// All files below a directory, as text, but for some.
pub(crate) fn files(directory: &Path, except: &[&str]) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            all.push_str(&files(&path, except));
        } else if !except.contains(&name.as_str()) {
            let bytes = std::fs::read(&path).expect("a file");
            let _ = writeln!(all, "{}: {}", path.display(), String::from_utf8_lossy(&bytes));
        }
    }
    all
}
