//! A file of this machine: the kernel copies it, or lets both names share its blocks where the file
//! system can. No byte of it passes through here.

use std::fs::File;
use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Object, ObjectInfo, ReadRequest};
use rustix::io::Errno;

use super::answer::Broken;
use super::transfer::{Content, Planned, SMALL_BYTES, Transferred, Transfers};
use super::verify::{Verify, strongest};
use crate::destination::StagedFile;

/// What is copied in one go: so little that a fetch that is stopped need not wait for it.
const COPY_BYTES: u64 = 16 * 1024 * 1024;

impl Transfers {
    /// Copies a file that lies on this machine; `None` if there is none, its bytes are to be looked
    /// at on the way, or the kernel cannot.
    pub(super) async fn copy(&self, planned: &Planned) -> Result<Option<Transferred>, Broken> {
        if !self.may_copy(planned) {
            return Ok(None);
        }
        let Object { info, file, .. } = self.read(&planned.info, ReadRequest::new()).await?;
        let (Some(file), Some(size), None) = (file, info.size, strongest(&info.checksums)) else {
            return Ok(None);
        };
        let Some(staged) = self.copy_all(planned, &file, size).await? else {
            planned.meter.take_back();
            return Ok(None);
        };
        let was = info.clone();
        let as_it_was = move || Ok(is_as_it_was(&file, &was));
        if !self.hands.step(as_it_was).await? {
            return Err(Error::new(ErrorKind::Changed, "read", info.key.to_string())
                .with_message("it was written to while it was copied")
                .with_hint("fetch it again when nobody writes to it")
                .into());
        }
        let bytes = Content::Staged(staged);
        Ok(Some(Transferred { bytes, info, checksum: None, ranges: None, sha256: None, size }))
    }

    /// Whether nobody wants to see the bytes: to digest them, or to hold them to a rate. Small files
    /// take fewer calls when they are read.
    fn may_copy(&self, planned: &Planned) -> bool {
        let Self { store, settings, pace, .. } = self;
        let ObjectInfo { size, checksums, .. } = &planned.info;
        store.info().capabilities.files
            && size.is_some_and(|size| size > SMALL_BYTES)
            && strongest(checksums).is_none()
            && settings.verify != Verify::Required
            && !settings.takes_sha256()
            && pace.is_none()
    }

    async fn copy_all(
        &self,
        planned: &Planned,
        from: &Arc<File>,
        size: u64,
    ) -> Result<Option<StagedFile>, Broken> {
        let mut to = self.stage(planned).await?;
        let mut at = 0;
        while at < size {
            let from = Arc::clone(from);
            let piece = move || {
                let count = kernel::copy(&from, to.file(), at, size - at);
                Ok((to, count))
            };
            let (staged, count) = self.hands.step(piece).await?;
            to = staged;
            match count {
                Err(errno @ (Errno::NOSPC | Errno::DQUOT)) => {
                    return Err(self.destination.error(&planned.path, errno).into());
                }
                // Another disk, a file system that cannot, or a fault of either: those who read and
                // write get there, or can tell.
                Ok(0) | Err(_) => return Ok(None),
                Ok(count) => {
                    at += count as u64;
                    planned.meter.add(count);
                }
            }
        }
        Ok(Some(to))
    }
}

/// Whether a file still has the size and the time that were told of it.
fn is_as_it_was(file: &File, told: &ObjectInfo) -> bool {
    let Ok(found) = file.metadata() else { return false };
    let has_same_time = |time| found.modified().is_ok_and(|found| found == time);
    told.size == Some(found.len()) && told.modified.is_none_or(has_same_time)
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::fs::File;

    use rustix::fs::{copy_file_range, ioctl_ficlone};
    use rustix::io::{Result, retry_on_intr};

    use super::COPY_BYTES;

    /// Copies some of what is left from a place on; says how much.
    pub(super) fn copy(from: &File, to: &File, at: u64, left: u64) -> Result<usize> {
        let count = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        if at == 0 && ioctl_ficlone(to, from).is_ok() {
            return Ok(count(left));
        }
        let (mut from_at, mut to_at) = (at, at);
        let length = count(left.min(COPY_BYTES));
        retry_on_intr(|| copy_file_range(from, Some(&mut from_at), to, Some(&mut to_at), length))
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::fs::File;

    pub(super) fn copy(_: &File, _: &File, _: u64, _: u64) -> rustix::io::Result<usize> {
        Err(rustix::io::Errno::NOSYS)
    }
}
