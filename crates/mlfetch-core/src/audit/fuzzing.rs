//! What fuzz targets assert of audit logs.

use std::io::Cursor;

use mlfetch_store::fuzzing::assert_harmless_error;
use mlfetch_store::{ErrorKind, Result};
use serde_json::{Map, Value, json};

use super::chain::{Link, push};
use super::check::{Checked, check};
use crate::manifest::Sha256Sum;

/// Any bytes as a log; then a log of ours, cut, and with one byte changed.
pub fn audit(data: &[u8]) {
    if let Err(error) = checked(data, None) {
        assert_harmless_error(&error);
        assert_eq!(error.kind(), ErrorKind::Integrity);
    }
    let Some((change, texts)) = data.split_first_chunk::<3>() else { return };
    let log = log_of(texts);
    let whole = checked(&log, None).expect("it is as it was written");
    assert_eq!(whole.records, log.split_inclusive(|byte| *byte == b'\n').count() as u64);
    checked(&log, whole.hash).expect("its last record is there");
    let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % log.len();
    let mut changed = log.clone();
    changed[at] ^= change[2];
    assert_eq!(checked(&changed, whole.hash).is_ok(), change[2] == 0, "changed at {at}");
    assert!(checked(&log[..at], whole.hash).is_err(), "cut at {at}");
}

fn checked(log: &[u8], noted: Option<Sha256Sum>) -> Result<Checked> {
    check(Cursor::new(log), "name", noted)
}

/// At least one record, and at most eight: JSON objects, and other text as a member.
fn log_of(texts: &[u8]) -> Vec<u8> {
    let (mut log, mut link) = (Vec::new(), Link::NONE);
    for text in texts.split(|byte| *byte == b'\n').take(8) {
        let mut record = match serde_json::from_slice(text) {
            Ok(Value::Object(record)) => record,
            _ => Map::from_iter([("uri".to_owned(), json!(String::from_utf8_lossy(text)))]),
        };
        // What ties a record is ours.
        record.retain(|name, _| !["audit", "seq", "prev", "hash"].contains(&name.as_str()));
        link = push(&mut log, &record, link);
    }
    log
}
