//! Large bodies, many bodies, bodies that nobody reads to the end.

use std::os::unix::fs::FileExt as _;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use mlfetch_store::{Key, ReadRequest};

use crate::space::{Space, noise};
use crate::{Behaviour, Fixture};

const LARGE_BYTES: usize = 8 << 20;

async fn large(fixture: &dyn Fixture) -> (Space, Bytes) {
    let bytes = noise(LARGE_BYTES);
    (Space::with(fixture, &[(Key::from("large.bin"), bytes.clone())]).await, bytes)
}

/// Eight mebibytes without a pattern arrive as they are, and lie in the file if one comes with them.
pub async fn a_large_object(fixture: &dyn Fixture) {
    let (space, bytes) = large(fixture).await;
    let key = space.key("large.bin");
    let object = space.store().read(&key, ReadRequest::new()).await.expect("an object");
    if let Some(file) = &object.file {
        assert!(space.store().info().capabilities.files, "it says that it gives none");
        let found = file.metadata().expect("an open file");
        assert_eq!(
            (found.len(), found.modified().ok()),
            (LARGE_BYTES as u64, object.info.modified)
        );
        let mut there = vec![0; LARGE_BYTES];
        file.read_exact_at(&mut there, 0).expect("bytes");
        assert!(there == bytes, "the file holds other bytes");
    }
    let arrived = crate::space::collect(object.body).await.expect("bytes");
    assert!(arrived == bytes, "{} of {LARGE_BYTES} bytes arrived, or others", arrived.len());
}

/// The middle of a large object, across the borders of whatever pieces the store reads in.
pub async fn ranges_of_a_large_object(fixture: &dyn Fixture) {
    let (space, bytes) = large(fixture).await;
    if !space.store().info().capabilities.ranges {
        return;
    }
    for range in [(1 << 20) - 1..(2 << 20) + 1, 5_000_000..8_000_000, (8 << 20) - 7..8 << 20] {
        let request = ReadRequest::new().with_range(range.start as u64..range.end as u64);
        let arrived = space.read_as("large.bin", request).await.expect("a range");
        assert!(arrived == bytes[range.clone()], "{range:?}");
    }
}

/// The first bytes come before the last: nobody holds the whole object.
pub async fn a_body_is_a_stream(fixture: &dyn Fixture) {
    let (space, _) = large(fixture).await;
    let key = space.key("large.bin");
    let mut object = space.store().read(&key, ReadRequest::new()).await.expect("an object");
    let first = object.body.next().await.expect("a chunk").expect("bytes").len();
    if space.has(Behaviour::BodyInOneChunk) {
        assert_eq!(first, LARGE_BYTES, "the quirk BodyInOneChunk is out of date");
    } else {
        assert!(first < LARGE_BYTES, "the first chunk is the whole object");
    }
}

/// A body that is dropped half-way is no trouble for the next.
pub async fn a_dropped_body(fixture: &dyn Fixture) {
    let (space, bytes) = large(fixture).await;
    let key = space.key("large.bin");
    for _ in 0..8 {
        let mut object = space.store().read(&key, ReadRequest::new()).await.expect("an object");
        object.body.next().await.expect("a chunk").expect("bytes");
    }
    assert!(space.read("large.bin").await.expect("an object") == bytes);
}

/// Sixty-four at a time, each with its own bytes.
pub async fn many_at_a_time(fixture: &dyn Fixture) {
    let objects: Vec<(Key, Bytes)> = (0..64_usize)
        .map(|number| (Key::from(format!("many/{number}.bin")), noise(1000 * number)))
        .collect();
    let space = Space::with(fixture, &objects).await;
    let reads = objects.iter().map(|(name, _)| space.read(name.as_bytes()));
    for (arrived, (name, bytes)) in join_all(reads).await.into_iter().zip(&objects) {
        assert!(arrived.expect("an object") == *bytes, "{name}");
    }
}
