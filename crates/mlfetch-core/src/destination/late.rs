//! File systems that tell late that they could not keep what was written.

use std::os::fd::OwnedFd;

/// NFS, SMB and what runs as a program of its own say that a disk or a quota is full when a file is
/// closed, and closing tells nobody. They write the bytes through at that moment anyway, so that asking
/// for it before costs little.
#[cfg(target_os = "linux")]
pub(super) fn tells_late(directory: &OwnedFd) -> bool {
    rustix::fs::fstatfs(directory).is_ok_and(|found| is_late(i128::from(found.f_type)))
}

/// Elsewhere a file system is not known by a number.
#[cfg(not(target_os = "linux"))]
pub(super) fn tells_late(_: &OwnedFd) -> bool {
    false
}

/// By the numbers of `man 2 statfs`. On some machines their type has a sign.
#[cfg(target_os = "linux")]
fn is_late(number: i128) -> bool {
    const NFS: i128 = 0x6969;
    const SMB: [i128; 3] = [0x517b, 0xfe53_4d42, 0xff53_4d42];
    const FUSE: i128 = 0x6573_5546;
    let number = number & 0xffff_ffff;
    number == NFS || number == FUSE || SMB.contains(&number)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_elsewhere_tells_late_and_a_disk_does_not() {
        let (ext4, tmpfs, xfs) = (0xef53, 0x0102_1994, 0x5846_5342);
        assert!([ext4, tmpfs, xfs].into_iter().all(|number| !is_late(number)));
        let smb_with_a_sign = i128::from(i32::from_ne_bytes(0xff53_4d42_u32.to_ne_bytes()));
        assert!([0x6969, 0xfe53_4d42, smb_with_a_sign].into_iter().all(is_late));
    }
}
