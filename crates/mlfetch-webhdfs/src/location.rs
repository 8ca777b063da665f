//! URIs of HDFS.

use mlfetch_store::{Error, ErrorKind, Key, Location, Result};

/// How a URI names its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `hdfs:`, by the NameNode's address for programs, or a nameservice.
    Hdfs,
    /// `webhdfs:`, by the NameNode's address for HTTP.
    WebHdfs,
    /// `swebhdfs:`, the same with TLS.
    SecureWebHdfs,
    /// `viewfs:`, by a table of mounts.
    ViewFs,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hdfs => "hdfs",
            Self::WebHdfs => "webhdfs",
            Self::SecureWebHdfs => "swebhdfs",
            Self::ViewFs => "viewfs",
        }
    }
}

/// A URI, split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) scheme: Scheme,
    /// Host with or without a port, nameservice or mount table; `None` for the default one.
    pub(crate) authority: Option<String>,
    /// The path, without its leading `/`, as it is written.
    pub(crate) key: Key,
}

impl Place {
    /// Splits a URI. Nothing in its path is decoded: `%`, `?` and `#` are letters of a name, as
    /// Hadoop's own `Path` has it. `//` is `/` there, so it is here.
    ///
    /// # Errors
    /// `InvalidInput` for another scheme, or a path that is relative.
    pub(crate) fn parse(location: &Location) -> Result<Self> {
        let invalid = |why: &'static str| {
            Error::new(ErrorKind::InvalidInput, "read the location", location.to_string())
                .with_message(why)
                .with_hint(
                    "such as hdfs://namenode:8020/path, or hdfs:///path with HADOOP_CONF_DIR",
                )
        };
        let scheme = match location.scheme() {
            "hdfs" => Scheme::Hdfs,
            "webhdfs" => Scheme::WebHdfs,
            "swebhdfs" => Scheme::SecureWebHdfs,
            "viewfs" => Scheme::ViewFs,
            _ => return Err(invalid("it is no URI of HDFS")),
        };
        if location.names_a_credential() {
            let error =
                Error::new(ErrorKind::InvalidInput, "read the location", location.to_string());
            return Err(error
                .with_message("a URI of HDFS has no query, and behind this `?` stands a credential")
                .with_hint("give a delegation token in `MLFETCH_DELEGATION_TOKEN`, and cut the URI at the `?`"));
        }
        let path = location.path();
        if location.authority().is_none() && !path.starts_with('/') {
            return Err(invalid("a path in HDFS begins with `/`"));
        }
        // MLflow passes over a user in the URI, and so does Hadoop.
        let host = location.authority().map(|text| text.rsplit('@').next().unwrap_or_default());
        let authority = host.filter(|host| !host.is_empty()).map(str::to_owned);
        Ok(Self { scheme, authority, key: key_of(path) })
    }
}

/// A path without its leading `/`, and with single ones elsewhere.
pub(crate) fn key_of(path: &str) -> Key {
    let mut key = String::with_capacity(path.len());
    for letter in path.trim_start_matches('/').chars() {
        if letter != '/' || !key.ends_with('/') {
            key.push(letter);
        }
    }
    Key::from(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Place> {
        Place::parse(&Location::parse(text).expect("a location"))
    }

    #[test]
    fn a_uri_is_split_and_its_path_is_left_as_it_is() {
        for (uri, scheme, authority, key) in [
            ("hdfs://nn:8020/a/50% #1?.txt", Scheme::Hdfs, Some("nn:8020"), "a/50% #1?.txt"),
            ("hdfs://NS1/a", Scheme::Hdfs, Some("NS1"), "a"),
            ("hdfs:///a/b/", Scheme::Hdfs, None, "a/b/"),
            ("hdfs:/a", Scheme::Hdfs, None, "a"),
            ("hdfs://nn//a///b", Scheme::Hdfs, Some("nn"), "a/b"),
            ("hdfs://me@nn", Scheme::Hdfs, Some("nn"), ""),
            ("webhdfs://nn:9870/%41", Scheme::WebHdfs, Some("nn:9870"), "%41"),
            ("swebhdfs://nn/x", Scheme::SecureWebHdfs, Some("nn"), "x"),
            ("viewfs://cluster/user/me", Scheme::ViewFs, Some("cluster"), "user/me"),
        ] {
            let place = parse(uri).expect(uri);
            assert_eq!((place.scheme, place.authority.as_deref()), (scheme, authority), "{uri}");
            assert_eq!(place.key, Key::from(key), "{uri}");
        }
    }

    #[test]
    fn a_token_that_was_pasted_into_a_uri_is_refused_and_not_shown() {
        for uri in [
            "webhdfs://nn:9870/a?delegation=s3cret",
            "hdfs://nn?op=OPEN&delegation=s3cret",
            "swebhdfs://nn/a?b?Delegation=s3cret",
        ] {
            let error = parse(uri).expect_err(uri);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{uri}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
            assert!(error.hint().is_some_and(|hint| hint.contains("MLFETCH_DELEGATION_TOKEN")));
        }
    }

    #[test]
    fn a_relative_path_is_refused() {
        for uri in ["hdfs:a/b", "hdfs:", "s3://x/y"] {
            assert_eq!(parse(uri).expect_err(uri).kind(), ErrorKind::InvalidInput);
        }
    }
}
