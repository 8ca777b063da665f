//! Which of a blob's versions: Azure has versions and snapshots, and names both by times.

use std::fmt;

/// A version or a snapshot of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Version {
    Id(String),
    Snapshot(String),
}

/// Before the time of a snapshot, where it stands for a version.
const SNAPSHOT: &str = "snapshot:";

impl Version {
    /// Reads what [`Display`](fmt::Display) writes: `snapshot:2026-…` is a snapshot, all else a version.
    pub(crate) fn read(text: &str) -> Self {
        match text.strip_prefix(SNAPSHOT) {
            Some(time) => Self::Snapshot(time.to_owned()),
            None => Self::Id(text.to_owned()),
        }
    }

    /// The parameter that asks for it.
    pub(crate) fn query(&self) -> (&'static str, &str) {
        match self {
            Self::Id(id) => ("versionid", id),
            Self::Snapshot(time) => ("snapshot", time),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => formatter.write_str(id),
            Self::Snapshot(time) => write!(formatter, "{SNAPSHOT}{time}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_it_is_written() {
        let time = "2026-11-24T12:00:00.0000000Z".to_owned();
        for version in [Version::Id(time.clone()), Version::Snapshot(time)] {
            assert_eq!(Version::read(&version.to_string()), version);
        }
    }
}
