//! In which groups of the machine a user is.

use crate::user;

/// The machine's list of groups.
const LIST: &str = "/etc/group";

/// The groups of this machine, and in which of them the user of this process is: by what the kernel
/// says of the process, and by the list. No variable counts.
#[derive(Debug, Clone)]
pub struct Groups {
    list: String,
    user: Option<String>,
    ids: Vec<u32>,
}

impl Groups {
    /// Those of the user who runs this process.
    ///
    /// # Errors
    /// What the file system or the kernel says.
    ///
    /// ```
    /// let groups = mlfetch_core::policy::Groups::of_this_process()?;
    /// assert_eq!(groups.has("no group has this name"), None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn of_this_process() -> std::io::Result<Self> {
        let mut ids = vec![rustix::process::getgid(), rustix::process::getegid()];
        ids.extend(rustix::process::getgroups()?);
        Ok(Self {
            list: std::fs::read_to_string(LIST)?,
            user: user::name(),
            ids: ids.into_iter().map(rustix::process::Gid::as_raw).collect(),
        })
    }

    /// Whether the user is in the group of this name or number; `None` if there is no such group. A
    /// group of a directory such as LDAP has its number, and need not be in the list.
    pub fn has(&self, group: &str) -> Option<bool> {
        let lines = self.list.lines().filter_map(Line::read);
        let mut lines = lines.filter(|line| line.name == group).peekable();
        if lines.peek().is_some() {
            return Some(lines.any(|line| self.is_in(&line)));
        }
        let number: u32 = group.parse().ok()?;
        let mut lines = self.list.lines().filter_map(Line::read);
        Some(self.ids.contains(&number) || lines.any(|line| line.id == number && self.is_in(&line)))
    }

    fn is_in(&self, line: &Line<'_>) -> bool {
        let listed = self
            .user
            .as_deref()
            .is_some_and(|user| line.members.split(',').any(|member| member == user));
        self.ids.contains(&line.id) || listed
    }
}

/// `name:password:number:member,member` (group(5)).
struct Line<'a> {
    name: &'a str,
    id: u32,
    members: &'a str,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id = fields.nth(1)?.parse().ok()?;
        Some(Self { name, id, members: fields.next().unwrap_or_default().trim() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_in_a_group_by_the_kernel_or_by_the_list() {
        let groups = Groups {
            list: "root:x:0:\nml:x:10:you,me\nweb:x:20:you\nother:x:30:met\n# no line\n".to_owned(),
            user: Some("me".to_owned()),
            ids: vec![20, 77],
        };
        for (group, is_in) in [
            ("ml", Some(true)),
            ("web", Some(true)),
            ("other", Some(false)),
            ("root", Some(false)),
            ("10", Some(true)),
            ("77", Some(true)),
            ("78", Some(false)),
            ("ML", None),
            ("", None),
            ("# no line", None),
        ] {
            assert_eq!(groups.has(group), is_in, "{group}");
        }
    }

    #[test]
    fn nobody_is_in_no_list() {
        let groups = Groups { list: "ml:x:10:\n".to_owned(), user: None, ids: Vec::new() };
        assert_eq!(groups.has("ml"), Some(false));
        Groups::of_this_process().expect("this machine has groups");
    }
}
