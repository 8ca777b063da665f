//! What servers say, as JSON (WebHDFS REST API, "JSON Schemas").

use serde::Deserialize;

/// Why something was refused.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemoteException {
    pub(crate) exception: String,
    #[serde(default)]
    pub(crate) message: Option<String>,
}

/// One file, directory or link.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileStatus {
    #[serde(default)]
    pub(crate) path_suffix: String,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    pub(crate) length: u64,
    /// In milliseconds since 1970.
    pub(crate) modification_time: u64,
    /// The inode's number; gateways do not tell it.
    #[serde(default)]
    pub(crate) file_id: u64,
    /// Where a link leads.
    #[serde(default)]
    pub(crate) symlink: Option<String>,
    /// Whether what is on the disks is encrypted.
    #[serde(default)]
    enc_bit: bool,
    /// Whether it is erasure coded.
    #[serde(default)]
    ec_bit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
    #[serde(other)]
    Other,
}

impl FileStatus {
    /// Whether HDFS's checksum is one of the bytes that a reader gets. That of an encrypted file is of
    /// what is on the disks, and that of an erasure coded one depends on how it is striped.
    pub(crate) fn has_plain_checksum(&self) -> bool {
        !self.enc_bit && !self.ec_bit
    }
}

/// One page of a directory, and how much is left.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) rows: Vec<FileStatus>,
    pub(crate) has_more: bool,
}

/// The checksum of a whole file.
#[derive(Debug, Deserialize)]
pub(crate) struct FileChecksum {
    pub(crate) algorithm: String,
    /// In hexadecimal, and longer than `length` says.
    pub(crate) bytes: String,
    pub(crate) length: usize,
}

/// A block of a file, and the DataNodes that have it.
#[derive(Debug, Deserialize)]
pub(crate) struct BlockLocation {
    pub(crate) offset: u64,
    pub(crate) length: u64,
    /// Names of hosts, as redirects have them.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    /// Addresses, as `excludedatanodes` takes them; one for each of `hosts`.
    #[serde(default)]
    pub(crate) names: Vec<String>,
}

/// The refusal in a body, if it is one.
pub(crate) fn remote_exception(body: &[u8]) -> Option<RemoteException> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body {
        remote_exception: RemoteException,
    }
    serde_json::from_slice::<Body>(body).ok().map(|body| body.remote_exception)
}

pub(crate) fn file_status(body: &[u8]) -> Option<FileStatus> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body {
        file_status: FileStatus,
    }
    serde_json::from_slice::<Body>(body).ok().map(|body| body.file_status)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FileStatuses {
    file_statuses: Rows,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rows {
    file_status: Vec<FileStatus>,
}

/// The answer to `LISTSTATUS`: everything at once.
pub(crate) fn whole_listing(body: &[u8]) -> Option<Listing> {
    let body = serde_json::from_slice::<FileStatuses>(body).ok()?;
    Some(Listing { rows: body.file_statuses.file_status, has_more: false })
}

/// The answer to `LISTSTATUS_BATCH`.
pub(crate) fn listing(body: &[u8]) -> Option<Listing> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body {
        directory_listing: Directory,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Directory {
        partial_listing: FileStatuses,
        remaining_entries: u64,
    }
    let body = serde_json::from_slice::<Body>(body).ok()?.directory_listing;
    Some(Listing {
        rows: body.partial_listing.file_statuses.file_status,
        has_more: body.remaining_entries > 0,
    })
}

pub(crate) fn file_checksum(body: &[u8]) -> Option<FileChecksum> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body {
        file_checksum: FileChecksum,
    }
    serde_json::from_slice::<Body>(body).ok().map(|body| body.file_checksum)
}

/// The delegation token in an answer. A server without security gives `null`.
pub(crate) fn token(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body {
        token: Option<Token>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Token {
        url_string: String,
    }
    Some(serde_json::from_slice::<Body>(body).ok()?.token?.url_string)
}

pub(crate) fn block_locations(body: &[u8]) -> Option<Vec<BlockLocation>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body {
        block_locations: Blocks,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Blocks {
        block_location: Vec<BlockLocation>,
    }
    serde_json::from_slice::<Body>(body).ok().map(|body| body.block_locations.block_location)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_directory_says_whether_there_is_more() {
        let page = listing(include_bytes!("../tests/data/batch.json")).expect("a page");
        let names: Vec<&str> = page.rows.iter().map(|row| row.path_suffix.as_str()).collect();
        assert_eq!(names, ["dir", "größe.txt"]);
        assert!(page.has_more);
        assert_eq!(page.rows.map_kinds(), [Kind::Directory, Kind::File]);
    }

    trait Kinds {
        fn map_kinds(&self) -> Vec<Kind>;
    }

    impl Kinds for Vec<FileStatus> {
        fn map_kinds(&self) -> Vec<Kind> {
            self.iter().map(|row| row.kind).collect()
        }
    }

    #[test]
    fn a_gateway_tells_less_of_a_file() {
        let status =
            file_status(include_bytes!("../tests/data/httpfs_status.json")).expect("facts");
        assert_eq!((status.file_id, status.length, status.kind), (0, 5, Kind::File));
        assert!(status.has_plain_checksum());
    }

    #[test]
    fn a_kind_of_file_that_nobody_knows_is_no_reason_to_lose_its_neighbours() {
        let body = br#"{"FileStatuses":{"FileStatus":[
            {"pathSuffix":"x","type":"SOCKET","length":0,"modificationTime":0}]}}"#;
        assert_eq!(whole_listing(body).expect("rows").rows[0].kind, Kind::Other);
    }

    #[test]
    fn a_server_without_security_gives_no_token() {
        let given = br#"{"Token":{"urlString":"HgAFYWxpY2U"}}"#;
        assert_eq!(token(given).as_deref(), Some("HgAFYWxpY2U"));
        assert_eq!(token(br#"{"Token":null}"#), None);
    }

    #[test]
    fn a_refusal_is_found_and_a_page_for_people_is_none() {
        let found = remote_exception(include_bytes!("../tests/data/denied.json")).expect("one");
        assert_eq!(found.exception, "AccessControlException");
        assert!(remote_exception(b"<html>Sign in</html>").is_none());
    }
}
