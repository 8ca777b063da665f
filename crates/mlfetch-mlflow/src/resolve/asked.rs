//! What a user names, as a target.

use mlfetch_core::resolve::{Placement, Target};
use mlfetch_store::{Location, Result};
use percent_encoding::percent_decode_str;

/// What a URI or path asks for. Of a `runs:/` or `models:/` URI the resolvers say where it lands;
/// of any other the last segment is kept, and a trailing `/` asks for the contents, as with MLflow.
///
/// # Errors
/// `InvalidInput` for text that is neither a URI nor a path.
pub fn asked_for(uri: &str) -> Result<Target> {
    let location = Location::parse(uri)?;
    let target = Target::new(uri);
    if matches!(location.scheme(), "runs" | "models") {
        return Ok(target);
    }
    Ok(target.with_placement(Placement::last_segment(last_segment(&location))))
}

/// The last segment of a location, with its trailing `/` if it has one; empty for a root, `.` and
/// `..`, whose contents are meant.
fn last_segment(location: &Location) -> Vec<u8> {
    let (path, _) = location.path_and_query();
    let segment_of = |path: &str| {
        let bare = path.trim_end_matches('/');
        let start = bare.rfind('/').map_or(0, |at| at + 1);
        path[start..].to_owned()
    };
    let segment = match location.scheme() {
        "gs" => segment_of(without_generation(path)),
        _ => segment_of(path),
    };
    let bytes = match location.scheme() {
        // Written percent-encoded; all other schemes name things as they are.
        "abfs" | "abfss" | "file" | "http" | "https" => percent_decode_str(&segment).collect(),
        _ => segment.into_bytes(),
    };
    let bare = bytes.strip_suffix(b"/").unwrap_or(&bytes);
    if matches!(bare, b"" | b"." | b"..") { Vec::new() } else { bytes }
}

/// A name of Google Cloud Storage without the generation behind it, by the rule of `mlfetch-gcs`: `#`
/// and sixteen or more digits.
fn without_generation(path: &str) -> &str {
    let is_generation =
        |text: &str| text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    match path.rsplit_once('#') {
        Some((name, generation)) if is_generation(generation) => name,
        _ => path,
    }
}

/// The URI that MLflow makes of a run and a path in it. An empty path counts as none.
pub fn run_uri(run_id: &str, path: Option<&str>) -> String {
    match path.filter(|path| !path.is_empty()) {
        Some(path) => format!("runs:/{run_id}/{path}"),
        None => format!("runs:/{run_id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segment_is_what_is_kept() {
        let rows = [
            ("s3://bucket/a/b", "b"),
            ("s3://bucket/a/b/", "b/"),
            ("s3://bucket", ""),
            ("s3://bucket/", ""),
            ("/p/artifacts", "artifacts"),
            ("file:///p/a%20b", "a b"),
            ("s3://bucket/a%20b#1", "a%20b#1"),
            ("gs://bucket/a/b#1764000000123456", "b"),
            ("gs://bucket/a/b#1", "b#1"),
            (".", ""),
            ("./x/..", ""),
            ("https://h/x?sig=a/b", "x"),
            ("wasbs://c@a.blob.core.windows.net/d/a%20b?sp=r&sig=x/y", "a%20b"),
            ("abfss://c@a.dfs.core.windows.net/d/a%20b", "a b"),
            ("az://c", ""),
            ("mlflow-artifacts:/1/run/artifacts", "artifacts"),
        ];
        for (uri, kept) in rows {
            let target = asked_for(uri).expect(uri);
            assert_eq!(target.placement.asked, kept.as_bytes(), "{uri}");
        }
    }
}
