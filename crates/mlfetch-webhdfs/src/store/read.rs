//! Facts and bytes of one file.

use std::ops::Range;
use std::time::Duration;

use futures_util::future::try_join;
use futures_util::{StreamExt as _, stream};
use mlfetch_http::answer::exactly;
use mlfetch_store::{Error, ErrorKind, Key, Object, ObjectInfo, ReadRequest, Result, Retry};

use super::{WebHdfsStore, info_of};
use crate::error::Refusal;
use crate::request::{Call, Operation};
use crate::session::Answered;
use crate::wire::{self, BlockLocation, FileStatus, Kind};

/// The longest answer about one file, in bytes (`docs/concepts/limits.md`).
pub(super) const MAX_FACTS_BYTES: usize = 1024 * 1024;

/// The longest list of a file's blocks that is read, in bytes (`docs/concepts/limits.md`).
pub(super) const MAX_BLOCKS_BYTES: usize = 64 * 1024 * 1024;

impl WebHdfsStore {
    /// The facts of one file.
    pub(super) async fn stat_one(&self, key: &Key, checksums: bool) -> Result<ObjectInfo> {
        let status = self.status("stat", key).await?;
        let info = info_of(key.clone(), &status);
        if !checksums || !self.checksums || status.length == 0 || !status.has_plain_checksum() {
            return Ok(info);
        }
        let sum = self.file_sum(key).await?;
        Ok(info.with_checksums(self.checksums_of(key, sum, status.length).await?))
    }

    async fn status(&self, operation: &'static str, key: &Key) -> Result<FileStatus> {
        let call = Call::new(Operation::Status, operation, key)?;
        let body =
            self.session.ask(&call, MAX_FACTS_BYTES).await.map_err(|refusal| refusal.error)?;
        let status = wire::file_status(&body).ok_or_else(|| {
            call.error(ErrorKind::Protocol).with_message("the answer holds no facts of a file")
        })?;
        match status.kind {
            Kind::File if key.is_prefix() => Err(call
                .error(ErrorKind::NotFound)
                .with_message("it is a file, and the name is one of a directory")),
            Kind::File => Ok(status),
            Kind::Directory => Err(call.error(ErrorKind::IsDirectory)),
            Kind::Symlink | Kind::Other => Err(call
                .error(ErrorKind::Unsupported)
                .with_message("it is neither file nor directory")),
        }
    }

    /// The bytes of one file.
    pub(super) async fn read_one(&self, key: &Key, request: &ReadRequest) -> Result<Object> {
        if key.is_prefix() {
            // HDFS gives the file for `file/`, and says of a directory that it is none.
            self.status("read", key).await?;
        }
        match &request.range {
            Some(range) if range.start == range.end => {
                let status = self.status("read", key).await?;
                let info = tied(info_of(key.clone(), &status), request.if_match.as_deref())?;
                Ok(Object::new(info, range.start, stream::empty().boxed()))
            }
            Some(range) if range.start > range.end => {
                Err(Error::new(ErrorKind::InvalidInput, "read", key.to_string())
                    .with_message("the range ends before it begins"))
            }
            range => self.read_bytes(key, range.as_ref(), request.if_match.as_deref()).await,
        }
    }

    /// Opens the file and then looks which one it was: HDFS cannot be asked for a certain one, but a
    /// file that is the same afterwards was the same when it was opened.
    async fn read_bytes(
        &self,
        key: &Key,
        range: Option<&Range<u64>>,
        if_match: Option<&str>,
    ) -> Result<Object> {
        let wants_sum = self.checksums && range.is_none();
        let sum = async { if wants_sum { self.file_sum(key).await } else { Ok(None) } };
        let (answered, sum) = try_join(self.open_file(key, range), sum).await?;
        let status = self.status("read", key).await?;
        let mut info = tied(info_of(key.clone(), &status), if_match)?;
        if status.has_plain_checksum() {
            info.checksums = self.checksums_of(key, sum, status.length).await?;
        }
        let range = range.cloned().unwrap_or(0..status.length);
        let length = range.end.min(status.length).saturating_sub(range.start);
        check_length(&answered, length)?;
        let body = exactly(self.session.body(answered), length, key);
        Ok(Object::new(info, range.start, body))
    }

    /// Opens a file, at a DataNode that did not fail a moment ago if there is another.
    async fn open_file(&self, key: &Key, range: Option<&Range<u64>>) -> Result<Answered> {
        let mut call = Call::new(Operation::Open, "read", key)?;
        if let Some(range) = range {
            call = call.with("offset", range.start.to_string());
            call = call.with("length", (range.end - range.start).to_string());
        }
        let avoided = self.avoided(key, range).await?;
        let answer = match avoided {
            None => self.session.ask_datanode(&call).await,
            Some(names) => {
                let others = call.clone().with("excludedatanodes", names);
                match self.session.ask_datanode(&others).await {
                    Err(refusal) if has_no_other(&refusal) => {
                        self.session.avoid_none();
                        self.session.ask_datanode(&call).await
                    }
                    answer => answer,
                }
            }
        };
        answer.map_err(|refusal| refusal.error)
    }

    /// The DataNodes of a file that failed a moment ago, as `excludedatanodes` takes them: it knows
    /// addresses, and redirects have names.
    async fn avoided(&self, key: &Key, range: Option<&Range<u64>>) -> Result<Option<String>> {
        let hosts = self.session.avoided();
        if hosts.is_empty() {
            return Ok(None);
        }
        let call = Call::new(Operation::Blocks, "read", key)?;
        let start = range.map_or(0, |range| range.start).to_string();
        let call = call.with("offset", start).with("length", "1");
        let Ok(body) = self.session.ask(&call, MAX_BLOCKS_BYTES).await else { return Ok(None) };
        let blocks = wire::block_locations(&body).unwrap_or_default();
        let names = names_of(&blocks, &hosts);
        Ok((!names.is_empty()).then(|| names.join(",")))
    }
}

/// The addresses that belong to some hosts' names.
fn names_of(blocks: &[BlockLocation], hosts: &[String]) -> Vec<String> {
    let pairs = blocks.iter().flat_map(|block| block.hosts.iter().zip(&block.names));
    let meant =
        pairs.filter(|(host, _)| hosts.iter().any(|known| known.eq_ignore_ascii_case(host)));
    let mut names: Vec<String> = meant.map(|(_, name)| name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether the NameNode has no other DataNode for the block than those that were excluded.
fn has_no_other(refusal: &Refusal) -> bool {
    refusal.exception.is_some() && refusal.error.kind() == ErrorKind::Unavailable
}

/// The facts, if they are those that a read is tied to.
fn tied(info: ObjectInfo, if_match: Option<&str>) -> Result<ObjectInfo> {
    if if_match.is_some() && if_match != info.etag.as_deref() {
        return Err(Error::new(ErrorKind::Changed, "read", info.key.to_string()));
    }
    Ok(info)
}

/// How soon two nodes that do not agree are asked again: they may have been asked while the file
/// grew, and an answer may have been cut on its way.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// The length that a DataNode announces is that of what was asked for.
fn check_length(answered: &Answered, length: u64) -> Result<()> {
    match answered.answer.content_length() {
        Some(announced) if announced != length => {
            let error = answered.answer.error(ErrorKind::Changed).with_message(format!(
                "{length} bytes should come by what the NameNode says, and {announced} are sent"
            ));
            Err(error.with_retry(Retry::After(AGAIN_AFTER)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_by_name_is_excluded_by_address() {
        let block = |hosts: &[&str], names: &[&str]| BlockLocation {
            offset: 0,
            length: 1,
            hosts: hosts.iter().map(ToString::to_string).collect(),
            names: names.iter().map(ToString::to_string).collect(),
        };
        let blocks = [
            block(&["dn1", "dn2"], &["10.0.0.1:9866", "10.0.0.2:9866"]),
            block(&["DN2", "dn3"], &["10.0.0.2:9866", "10.0.0.3:9866"]),
        ];
        assert_eq!(names_of(&blocks, &["dn2".to_owned()]), ["10.0.0.2:9866"]);
        assert!(names_of(&blocks, &["dn9".to_owned()]).is_empty());
    }

    #[test]
    fn facts_of_another_file_are_a_change() {
        let info = || ObjectInfo::new(Key::from("x")).with_etag("\"1\"".to_owned());
        assert!(tied(info(), None).is_ok() && tied(info(), Some("\"1\"")).is_ok());
        assert_eq!(tied(info(), Some("\"2\"")).expect_err("another").kind(), ErrorKind::Changed);
    }
}
