//! The files of a logged model, by the route that MLflow's web page uses.
//!
//! MLflow 3.17 checks the path of this route but hands it on as it came: on a server that keeps
//! its artifacts in S3 it carries `%41`, `a?` and tabs, which the proxy's own route reads as other
//! names. On a server's own disk the path is decoded again further down, so the route is taken for
//! S3 only, and only for a name that the listing has, with the size that the listing says.

use mlfetch_http::StatusCode;
use mlfetch_store::{Error, ErrorKind, Key, Object, ObjectInfo, ReadRequest, Result};

use super::answer::object;
use super::error::{is_directory, missing, refuse_page};
use super::listing::Found;
use super::names::{encode, not_carried};
use super::server::Server;
use super::signed::Signed;

/// The part of the key behind the model's own root, if it has one that the route may carry.
///
/// MLflow 3.17 refuses a `#` with something behind it, and writes control characters into a header,
/// where only a tab is allowed (RFC 9110, 5.5).
pub(super) fn relative<'k>(server: &Server, key: &'k Key) -> Option<&'k [u8]> {
    let relative = key.strip_prefix(&server.config.model.as_ref()?.root)?;
    let before_last = &relative[..relative.len().saturating_sub(1)];
    let refused = key.is_prefix()
        || before_last.contains(&b'#')
        || relative.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
    (!relative.is_empty() && !refused).then_some(relative)
}

/// The same, if the server keeps its artifacts in S3.
pub(super) async fn below_model<'k>(
    server: &Server,
    signed: &Signed,
    key: &'k Key,
) -> Option<&'k [u8]> {
    let relative = relative(server, key)?;
    signed.offered(server).await.then_some(relative)
}

/// What the listing says of a name that only this route carries.
pub(super) async fn stat(
    server: &Server,
    key: &Key,
    operation: &'static str,
) -> Result<ObjectInfo> {
    match server.look_lately(key).await {
        Ok(Found::File(size)) => Ok(ObjectInfo::new(key.clone()).with_size(size)),
        Ok(Found::Directory) => Err(is_directory(operation, key)),
        Ok(Found::Nothing) => Err(missing(operation, key)),
        Err(error) if error.kind() == ErrorKind::InvalidKey => Err(not_carried(operation, key)),
        Err(error) => Err(error),
    }
}

/// Reads the whole object. There are no ranges and no tags: the server makes a new temporary copy
/// for each request, and its tag is that copy's.
pub(super) async fn read(
    server: &Server,
    key: &Key,
    relative: &[u8],
    read: &ReadRequest,
) -> Result<Object> {
    let listed = stat(server, key, "read").await?;
    if read.range.is_some() || read.if_match.is_some() {
        return Err(Error::new(ErrorKind::Unsupported, "read", key.to_string())
            .with_message("the server gives an object of this name only as a whole"));
    }
    let model = server.config.model.as_ref().ok_or_else(|| not_carried("read", key))?;
    let id = encode(model.model_id.as_bytes());
    let route = format!("/ajax-api/2.0/mlflow/logged-models/{id}/artifacts/files");
    let mut url = server.config.server_url(&route);
    url.set_query(Some(&format!("artifact_file_path={}", encode(relative))));
    let response = server.send(server.get(url, "read", key)).await?;
    if matches!(response.status().as_u16(), 400 | 404 | 500 | 501) {
        return Err(not_carried("read", key));
    }
    if response.status() != StatusCode::OK {
        super::error::success(response).await?;
        return Err(not_carried("read", key));
    }
    refuse_page(&response)?;
    if response.content_length() != Some(listed.size.unwrap_or(0)) {
        return Err(not_carried("read", key));
    }
    let mut object = object(key, read, response, listed.size)?;
    object.info.etag = None;
    object.info.modified = None;
    Ok(object)
}
