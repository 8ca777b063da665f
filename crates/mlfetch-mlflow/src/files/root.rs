//! Which directory a file store's URI means.

use std::path::PathBuf;

use mlfetch_store::{Error, ErrorKind, Location, Result};
use percent_encoding::percent_decode_str;

use crate::Environment;

/// Where runs are, and where registered models are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Roots {
    pub(super) runs: PathBuf,
    pub(super) registry: PathBuf,
}

/// A path, `file:path` or `file:///path`. An empty one is `MLFLOW_TRACKING_DIR` (and for the
/// registry `MLFLOW_REGISTRY_DIR`), else `./mlruns`.
///
/// A `file:` URI is percent-decoded once. MLflow decodes a plain path too; here a directory that
/// has the name as it is written wins over the decoded one.
pub(super) fn find(uri: &str, environment: &Environment) -> Result<Roots> {
    let (path, is_uri) = match uri.strip_prefix("file:").or_else(|| uri.strip_prefix("FILE:")) {
        Some(_) => (path_of_uri(uri)?, true),
        None => (uri.to_owned(), false),
    };
    if path.is_empty() {
        let runs = environment
            .path("MLFLOW_TRACKING_DIR")
            .unwrap_or_else(|| environment.current_directory().join("mlruns"));
        let registry = environment.path("MLFLOW_REGISTRY_DIR").unwrap_or_else(|| runs.clone());
        return Ok(Roots { runs, registry });
    }
    let written = environment.current_directory().join(&path);
    let decoded = percent_decode_str(&path).decode_utf8().map(std::borrow::Cow::into_owned);
    let root = match decoded {
        Ok(decoded) if is_uri || !written.exists() => environment.current_directory().join(decoded),
        _ => written,
    };
    Ok(Roots { runs: root.clone(), registry: root })
}

/// The path of a `file:` URI. One that names another host is refused: MLflow 3.17 drops the host
/// and reads the path on this machine.
fn path_of_uri(uri: &str) -> Result<String> {
    let location = Location::parse(uri)?;
    let refuse = |message: &'static str| {
        Error::new(ErrorKind::InvalidInput, "open the file store", location.to_string())
            .with_message(message)
            .with_hint("write file:///absolute/path, or the path alone")
    };
    if location.authority().is_some_and(|host| !host.is_empty() && host != "localhost") {
        return Err(refuse("the URI names another host"));
    }
    if location.path().contains(['?', '#']) {
        return Err(refuse(
            "a query or fragment means nothing in it; write `?` as %3F, `#` as %23",
        ));
    }
    Ok(location.path().to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn paths_and_file_uris_name_the_same_directory() {
        let environment = Environment::new("/here");
        for (uri, expected) in [
            ("mlruns", "/here/mlruns"),
            ("/there/runs", "/there/runs"),
            ("file:///a%20b", "/a b"),
            ("file:/a", "/a"),
            ("file://localhost/a", "/a"),
            ("file:rel", "/here/rel"),
            ("/a%20b", "/a b"),
        ] {
            assert_eq!(find(uri, &environment).expect(uri).runs, Path::new(expected), "{uri}");
        }
        for uri in ["file://other/a", "file:///a?b", "file:///a#b"] {
            assert_eq!(find(uri, &environment).expect_err(uri).kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn without_a_path_the_variables_count() {
        let environment = Environment::new("/here");
        assert_eq!(find("", &environment).expect("roots").runs, Path::new("/here/mlruns"));
        let environment = environment.with_variable("MLFLOW_TRACKING_DIR", "/runs");
        assert_eq!(find("file:", &environment).expect("roots").registry, Path::new("/runs"));
        let environment = environment.with_variable("MLFLOW_REGISTRY_DIR", "models");
        assert_eq!(find("", &environment).expect("roots").registry, Path::new("/here/models"));
    }

    #[test]
    fn a_directory_that_is_named_as_written_wins_over_the_decoded_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let environment = Environment::new(directory.path());
        let written = directory.path().join("a%20b");
        assert_eq!(find("a%20b", &environment).expect("roots").runs, directory.path().join("a b"));
        std::fs::create_dir(&written).expect("created");
        assert_eq!(find("a%20b", &environment).expect("roots").runs, written);
    }
}
