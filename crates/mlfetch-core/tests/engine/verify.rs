//! What is proven of the bytes, in each mode.

use std::sync::Arc;
use std::time::Duration;

use mlfetch_core::engine::{FetchError, FileError, Proof, Verify};
use mlfetch_store::{Algorithm, Checksum, Coverage, ErrorKind, Object, ObjectInfo};

use crate::support::{Home, Telling, in_memory};

/// The CRC-32C of "123456789", its published check value, and another.
const RIGHT: [u8; 4] = [0xe3, 0x06, 0x92, 0x83];
const WRONG: [u8; 4] = [0xe3, 0x06, 0x92, 0x84];

fn store() -> Telling {
    Telling::new(in_memory(&[("a", "123456789")]))
}

fn right(info: &mut ObjectInfo) {
    info.checksums = vec![Checksum::new(Algorithm::Crc32c, RIGHT.to_vec())];
}

fn wrong(info: &mut ObjectInfo) {
    info.checksums = vec![Checksum::new(Algorithm::Crc32c, WRONG.to_vec())];
}

/// The proof, or the kind of the failure. Nothing may be left of a failure.
async fn proof(store: Telling, verify: Verify) -> Result<Proof, ErrorKind> {
    let home = Home::new(Arc::new(store)).set(|settings| settings.verify = verify);
    match home.fetch().await {
        Ok(report) => Ok(report.proofs.into_keys().next().expect("one file")),
        Err(FetchError::File(failure)) => {
            assert!(home.is_untouched());
            match failure.error {
                FileError::Store(error) => Err(error.kind()),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_checksum_proves_the_bytes_whoever_tells_it() {
    let checksum = Ok(Proof::Checksum(Algorithm::Crc32c));
    for verify in [Verify::IfPresent, Verify::Required] {
        assert_eq!(proof(store().listing(right), verify).await, checksum);
        assert_eq!(proof(store().answering(|o| right(&mut o.info)), verify).await, checksum);
    }
    assert_eq!(proof(store().listing(right), Verify::Off).await, Ok(Proof::Size));
}

#[tokio::test]
async fn a_checksum_that_costs_a_request_is_asked_for_where_one_is_required() {
    let checksum = Ok(Proof::Checksum(Algorithm::Crc32c));
    assert_eq!(proof(store().stating(right), Verify::Required).await, checksum);
    assert_eq!(proof(store().stating(right), Verify::IfPresent).await, Ok(Proof::Size));
}

#[tokio::test]
async fn another_checksum_is_an_error_and_the_bytes_are_gone() {
    let integrity = Err(ErrorKind::Integrity);
    for verify in [Verify::IfPresent, Verify::Required] {
        assert_eq!(proof(store().listing(wrong), verify).await, integrity);
        assert_eq!(proof(store().answering(|o| wrong(&mut o.info)), verify).await, integrity);
    }
    assert_eq!(proof(store().stating(wrong), Verify::Required).await, integrity);
    assert_eq!(proof(store().listing(wrong), Verify::Off).await, Ok(Proof::Size));
}

#[tokio::test]
async fn no_checksum_is_an_error_only_where_one_is_required() {
    assert_eq!(proof(store(), Verify::IfPresent).await, Ok(Proof::Size));
    assert_eq!(proof(store(), Verify::Required).await, Err(ErrorKind::Integrity));
    let of_unknown_parts = |info: &mut ObjectInfo| {
        let sum = Checksum::new(Algorithm::Crc32c, WRONG.to_vec());
        info.checksums = vec![sum.with_coverage(Coverage::Parts(vec![]))];
    };
    let listed = || store().listing(of_unknown_parts);
    assert_eq!(proof(listed(), Verify::IfPresent).await, Ok(Proof::Size));
    assert_eq!(proof(listed(), Verify::Required).await, Err(ErrorKind::Integrity));
}

#[tokio::test]
async fn a_checksum_of_parts_is_checked() {
    let of_parts = |info: &mut ObjectInfo| {
        let sum = Checksum::new(Algorithm::Crc32c, WRONG.to_vec());
        info.checksums = vec![sum.with_coverage(Coverage::Parts(vec![4, 5]))];
    };
    let integrity = Err(ErrorKind::Integrity);
    assert_eq!(proof(store().listing(of_parts), Verify::IfPresent).await, integrity);
}

#[tokio::test]
async fn without_any_size_the_transfer_is_all_that_is_proven() {
    let none = |info: &mut ObjectInfo| info.size = None;
    let unsized_store = || store().listing(none).answering(|object| object.info.size = None);
    assert_eq!(proof(unsized_store(), Verify::IfPresent).await, Ok(Proof::Transfer));
    assert_eq!(proof(store().listing(none), Verify::IfPresent).await, Ok(Proof::Size));
    assert_eq!(proof(unsized_store(), Verify::Required).await, Err(ErrorKind::Integrity));
}

#[tokio::test]
async fn an_answer_of_another_size_tag_or_version_is_another_object() {
    let answers: [fn(&mut Object); 3] = [
        |object| object.info.size = Some(8),
        |object| object.info.etag = Some("\"another\"".into()),
        |object| object.info.version = Some("2".into()),
    ];
    for answer in answers {
        let store = store().listing(|info| info.version = Some("1".into())).answering(answer);
        assert_eq!(proof(store, Verify::IfPresent).await, Err(ErrorKind::Changed));
    }
}

#[tokio::test]
async fn an_object_that_changed_since_the_listing_is_an_error_also_without_conditional_reads() {
    for is_conditional in [true, false] {
        let mut store = store().listing(|info| info.etag = Some("\"old\"".into()));
        if !is_conditional {
            store = store.being(|info| info.capabilities.conditional_reads = false);
        }
        assert_eq!(proof(store, Verify::IfPresent).await, Err(ErrorKind::Changed));
    }
}

#[tokio::test]
async fn a_body_that_begins_elsewhere_is_refused() {
    let store = store().answering(|object| object.start = 3);
    assert_eq!(proof(store, Verify::IfPresent).await, Err(ErrorKind::Protocol));
}

#[tokio::test]
async fn a_body_that_is_longer_or_shorter_than_was_said_is_refused() {
    for text in ["1234567890", "12345678", ""] {
        let body = move || {
            let chunk = bytes::Bytes::from_static(text.as_bytes());
            Box::pin(futures_util::stream::iter([Ok(chunk)]))
        };
        let announced = store().answering(move |object| object.body = body());
        // The listing alone tells the size, and the answer none.
        let listed = store().answering(move |object| {
            object.info.size = None;
            object.body = body();
        });
        for store in [announced, listed] {
            let answered = proof(store, Verify::IfPresent).await;
            assert_eq!(answered, Err(ErrorKind::Integrity), "{text}");
        }
    }
}

#[tokio::test]
async fn a_body_that_was_too_long_is_fetched_again() {
    let times = std::sync::atomic::AtomicUsize::new(0);
    let store = store().answering(move |object| {
        if times.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 {
            let chunk = bytes::Bytes::from_static(b"1234567890");
            object.body = Box::pin(futures_util::stream::iter([Ok(chunk)]));
        }
    });
    assert_eq!(proof(store, Verify::IfPresent).await, Ok(Proof::Size));
}

#[tokio::test]
async fn a_body_without_an_end_is_left_at_the_size_of_the_listing() {
    let store = store().answering(|object| {
        object.info.size = None;
        let chunk = bytes::Bytes::from_static(b"123456789");
        object.body = Box::pin(futures_util::stream::repeat_with(move || Ok(chunk.clone())));
    });
    let proven = tokio::time::timeout(Duration::from_secs(10), proof(store, Verify::IfPresent));
    assert_eq!(proven.await.expect("it ends"), Err(ErrorKind::Integrity));
}

#[tokio::test]
async fn empty_files_arrive_and_are_proven_too() {
    let home = Home::new(Arc::new(Telling::new(in_memory(&[("empty", "")]))));
    let report = home.fetch().await.expect("fetched");
    assert_eq!((report.files, report.bytes), (1, 0));
    assert_eq!(home.tree(), crate::support::expected(&[("empty", "")]));
    assert_eq!(home.events.sorted(), ["committed empty 0 size"]);
}
