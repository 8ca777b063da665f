//! How records are tied together.
//!
//! The hash of a record is the SHA-256 of its line without the last member, `hash`; the next record
//! holds it as `prev`, and counts on in `seq`.

use serde_json::{Map, Value, json};

use super::FORM;
use crate::manifest::Sha256Sum;

/// Where a chain stands: what the next record is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) hash: Option<Sha256Sum>,
}

impl Link {
    /// Before the first record.
    pub(super) const NONE: Self = Self { seq: 0, hash: None };

    /// What the first record has in place of a hash.
    pub(super) fn prev(&self) -> String {
        self.hash.map_or_else(|| "0".repeat(64), |hash| hash.to_string())
    }
}

/// Writes a record behind `link`, with its newline; gives where the chain stands then.
pub(super) fn push(lines: &mut Vec<u8>, record: &Map<String, Value>, link: Link) -> Link {
    let seq = link.seq + 1;
    // The members that tie it come first, then the others in the order of their names.
    let tie = [("audit", json!(FORM)), ("seq", json!(seq)), ("prev", json!(link.prev()))];
    let mut members: Vec<String> = tie.iter().map(|(name, value)| member(name, value)).collect();
    members.extend(record.iter().map(|(name, value)| member(name, value)));
    let members = members.join(",");
    let hash = Sha256Sum::of(format!("{{{members}}}").as_bytes());
    lines.extend_from_slice(format!("{{{members},\"hash\":\"{hash}\"}}\n").as_bytes());
    Link { seq, hash: Some(hash) }
}

fn member(name: &str, value: &Value) -> String {
    format!("{}:{value}", Value::from(name))
}

/// A record as it was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) seq: u64,
    pub(super) prev: String,
    pub(super) hash: Sha256Sum,
    pub(super) value: Value,
}

/// Reads a line without its newline.
///
/// # Errors
/// Why it is no record, or not the one that was written.
pub(super) fn read(line: &[u8]) -> Result<Read, &'static str> {
    let value: Value = serde_json::from_slice(line).map_err(|_| "it is no JSON object")?;
    if value["audit"] != FORM {
        return Err("it is no record of this form");
    }
    let hash = value["hash"].as_str().and_then(|hash| hash.parse::<Sha256Sum>().ok());
    // Behind the last number that there is no record can follow.
    let seq = value["seq"].as_u64().filter(|seq| *seq < u64::MAX);
    let (Some(seq), Some(prev), Some(hash)) = (seq, value["prev"].as_str(), hash) else {
        return Err("it has no `seq`, `prev` or `hash`");
    };
    let end = format!(",\"hash\":\"{hash}\"}}");
    let members = line.strip_suffix(end.as_bytes()).ok_or("`hash` is not its last member")?;
    if Sha256Sum::of(&[members, b"}"].concat()) != hash {
        return Err("it was changed: its hash is another");
    }
    let prev = prev.to_owned();
    Ok(Read { seq, prev, hash, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(behind: Link) -> (Vec<u8>, Link) {
        let record = json!({ "event": "end", "uri": "a\n\"b" });
        let mut written = Vec::new();
        let next = push(&mut written, record.as_object().expect("an object"), behind);
        assert_eq!(written.pop(), Some(b'\n'));
        (written, next)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (first, link) = line(Link::NONE);
        let (second, _) = line(link);
        let (first, second) = (read(&first).expect("read"), read(&second).expect("read"));
        assert_eq!((first.seq, first.prev.as_str()), (1, "0".repeat(64).as_str()));
        assert_eq!((second.seq, second.prev), (2, first.hash.to_string()));
        assert_eq!(second.value["uri"], "a\n\"b");
    }

    #[test]
    fn a_record_that_none_can_follow_is_none() {
        let (_, first) = line(Link::NONE);
        let (last, _) = line(Link { seq: u64::MAX - 1, ..first });
        assert!(read(&last).is_err());
    }

    #[test]
    fn each_changed_byte_is_seen() {
        let (line, _) = line(Link::NONE);
        for at in 0..line.len() {
            let mut changed = line.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "byte {at}");
        }
    }
}
