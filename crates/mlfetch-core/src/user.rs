//! Who runs this, as the machine has it: variables such as `USER` say what their user wants.

/// The user by number.
pub(crate) fn id() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The user by name, from the system's own list.
pub(crate) fn name() -> Option<String> {
    let list = std::fs::read_to_string("/etc/passwd").ok()?;
    name_in(&list, id())
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
}
