//! File systems, by what they do with what is written.

use std::os::fd::OwnedFd;

/// What is known of one; nothing where it is not known by a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FileSystem {
    /// NFS, SMB and what runs as a program of its own say that a disk or a quota is full when a file
    /// is closed, and closing tells nobody. They write the bytes through at that moment anyway, so
    /// that asking for it before costs little.
    pub(super) tells_late: bool,
}

impl FileSystem {
    #[cfg(target_os = "linux")]
    pub(super) fn of(directory: &OwnedFd) -> Self {
        let found = rustix::fs::fstatfs(directory);
        found.map_or_else(|_| Self::default(), |found| Self::by_number(i128::from(found.f_type)))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_: &OwnedFd) -> Self {
        Self::default()
    }

    /// By the numbers of `man 2 statfs`. On some machines their type has a sign.
    #[cfg(target_os = "linux")]
    fn by_number(number: i128) -> Self {
        const NFS: i128 = 0x6969;
        const SMB: [i128; 3] = [0x517b, 0xfe53_4d42, 0xff53_4d42];
        const FUSE: i128 = 0x6573_5546;
        let number = number & 0xffff_ffff;
        Self { tells_late: number == NFS || number == FUSE || SMB.contains(&number) }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_elsewhere_tells_late_and_a_disk_does_not() {
        let is_late = |number| FileSystem::by_number(number).tells_late;
        let (ext4, tmpfs, xfs) = (0xef53, 0x0102_1994, 0x5846_5342);
        assert!([ext4, tmpfs, xfs].into_iter().all(|number| !is_late(number)));
        let smb_with_a_sign = i128::from(i32::from_ne_bytes(0xff53_4d42_u32.to_ne_bytes()));
        assert!([0x6969, 0xfe53_4d42, smb_with_a_sign].into_iter().all(is_late));
    }
}
