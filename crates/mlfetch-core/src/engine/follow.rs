//! Digesting a file behind those who write it: for checksums that take the bytes in order, of a
//! file whose ranges arrive several at once. What was just written is still in memory.

use std::fs::File;
use std::io::Result;
use std::ops::Range;
use std::sync::Arc;

use super::digest::Digests;
use super::hands::{Hands, Lent};
use super::pass::pass;

/// A digest that is given one range after the other.
pub(super) struct Follower(Lent<Behind>);

struct Behind {
    file: File,
    digest: Digests,
}

impl Follower {
    pub(super) fn new(hands: &Arc<Hands>, file: File, digest: Digests) -> Self {
        Self(Lent::new(hands, Behind { file, digest }))
    }

    /// Takes the next range of the file, which is written; waits only for the one before.
    pub(super) async fn add(&mut self, range: Range<u64>) -> Result<()> {
        self.0.work(|behind| digest_range(&behind.file, &mut behind.digest, range)).await
    }

    /// The value of all ranges.
    pub(super) async fn finish(self) -> Result<Vec<u8>> {
        Ok(self.0.back().await?.digest.finish())
    }
}

/// Digests a range of a file.
pub(super) fn digest_range(file: &File, digest: &mut Digests, range: Range<u64>) -> Result<()> {
    let size = range.end - range.start;
    let passed = pass(file, range, |chunk| digest.update(chunk))?;
    if passed == size { Ok(()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use mlfetch_store::{Algorithm, Checksum};

    use super::*;

    fn follower() -> Follower {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(b"123456789", 0).expect("written");
        let sum = Checksum::new(Algorithm::Md5, vec![]);
        Follower::new(&Arc::default(), file, Digests::of(&sum).expect("computed here"))
    }

    #[tokio::test]
    async fn ranges_in_order_come_to_the_value_of_the_file() {
        for ends in [&[9][..], &[4, 4, 9]] {
            let mut follower = follower();
            let mut start = 0;
            for end in ends {
                follower.add(start..*end).await.expect("digested");
                start = *end;
            }
            let ours = Checksum::new(Algorithm::Md5, follower.finish().await.expect("digested"));
            assert_eq!(ours.hex(), "25f9e794323b453885f5181f1b624d0b");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_than_it_should_be_has_no_digest() {
        let mut follower = follower();
        follower.add(0..10).await.expect("on its way");
        assert!(follower.add(10..11).await.is_err());
        assert!(follower.finish().await.is_err());
    }
}
