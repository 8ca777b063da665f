//! Who runs this, where, and when.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::user;

/// The time of now, UTC, as RFC 3339 writes it.
pub(super) fn now() -> String {
    humantime::format_rfc3339_micros(SystemTime::now()).to_string()
}

/// The user by number and name, the machine, the process.
pub(super) fn who() -> Map<String, Value> {
    let host = rustix::system::uname();
    let mut members = Map::new();
    members.insert("uid".into(), json!(user::id()));
    members.insert("user".into(), json!(user::name()));
    members.insert("host".into(), json!(host.nodename().to_string_lossy()));
    members.insert("pid".into(), json!(std::process::id()));
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_of_one_length() {
        let now = now();
        assert_eq!((now.len(), &now[now.len() - 1..]), ("2026-01-31T12:00:00.000000Z".len(), "Z"));
    }
}
