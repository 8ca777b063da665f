//! The bytes of a file on disk, in order.

use std::fs::File;
use std::io::{ErrorKind, Result};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

/// What is read of a file at a time.
const READ_BYTES: usize = 256 * 1024;

/// Passes the bytes of a range on, and counts them: fewer than the range where the file ends before.
pub(super) fn pass(file: &File, range: Range<u64>, mut to: impl FnMut(&[u8])) -> Result<u64> {
    let room = |at: u64| usize::try_from(range.end - at).unwrap_or(usize::MAX).min(READ_BYTES);
    let mut buffer = vec![0; room(range.start)];
    let mut at = range.start;
    while at < range.end {
        match file.read_at(&mut buffer[..room(at)], at) {
            Ok(0) => break,
            Ok(count) => {
                to(&buffer[..count]);
                at += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(at - range.start)
}
