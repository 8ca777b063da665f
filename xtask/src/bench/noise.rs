//! Files that are made up: always the same, and nothing that a file system or a network makes
//! smaller.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::trees::File;

/// So many files of a size, a hundred to a directory.
pub(super) fn files(count: u64, size_bytes: u64) -> Vec<File> {
    let name = |number| format!("d{:02}/f{number:05}.bin", number / 100);
    (0..count).map(|number| File { name: name(number), size_bytes }).collect()
}

/// Writes them below a directory.
pub(super) fn write(files: &[File], root: &Path) -> Result<()> {
    for (number, file) in files.iter().enumerate() {
        let path = root.join(&file.name);
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, bytes(number, file.size_bytes)))
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

fn bytes(number: usize, size_bytes: u64) -> Vec<u8> {
    let mut state = number as u64 + 1;
    let words = std::iter::repeat_with(move || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state ^ (state >> 29)).to_le_bytes()
    });
    words.flatten().take(usize::try_from(size_bytes).unwrap_or(usize::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_as_long_as_they_say_and_differ() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = files(101, 13);
        write(&files, directory.path()).expect("written");
        super::super::trees::check(&files, directory.path()).expect("all are there");
        let read = |name: &str| fs::read(directory.path().join(name)).expect("it is there");
        assert_ne!(read("d00/f00000.bin"), read("d01/f00100.bin"));
    }
}
