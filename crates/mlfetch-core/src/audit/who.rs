//! Who runs this, where, and when.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

/// The time of now, UTC, as RFC 3339 writes it.
pub(super) fn now() -> String {
    humantime::format_rfc3339_micros(SystemTime::now()).to_string()
}

/// The user by number and name, the machine, the process. The name is that of the system's own
/// list: variables such as `USER` say what their user wants.
pub(super) fn who() -> Map<String, Value> {
    let uid = rustix::process::getuid().as_raw();
    let host = rustix::system::uname();
    let mut members = Map::new();
    members.insert("uid".into(), json!(uid));
    members.insert("user".into(), json!(user_name(uid)));
    members.insert("host".into(), json!(host.nodename().to_string_lossy()));
    members.insert("pid".into(), json!(std::process::id()));
    members
}

fn user_name(uid: u32) -> Option<String> {
    let list = std::fs::read_to_string("/etc/passwd").ok()?;
    name_in(&list, uid)
}

/// `name:password:uid:…` (passwd(5)).
fn name_in(list: &str, uid: u32) -> Option<String> {
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_number() {
        let list = "root:x:0:0:root:/root:/bin/sh\n# no line\nme:x:1000:1000::/home/me:\n";
        assert_eq!(name_in(list, 1000).as_deref(), Some("me"));
        assert_eq!(name_in(list, 7), None);
    }

    #[test]
    fn times_are_utc_and_of_one_length() {
        let now = now();
        assert_eq!((now.len(), &now[now.len() - 1..]), ("2026-01-31T12:00:00.000000Z".len(), "Z"));
    }
}
