//! URIs of buckets: `gs://bucket/key`, `gs://bucket/key#generation`.

use mlfetch_store::{Error, ErrorKind, Key, Location, Result};

/// The fewest digits of a generation: it is a time in microseconds, and has had sixteen since 2001.
/// `plot#1` is the name of an object.
const GENERATION_DIGITS: usize = 16;

/// What a URI names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bucket: String,
    /// The rest, exactly: nothing is decoded, and nothing is cut at `?`.
    pub(crate) key: Key,
    /// The generation of the object, if the URI ends with one.
    pub(crate) generation: Option<String>,
}

impl Place {
    /// Reads a URI.
    ///
    /// # Errors
    /// `InvalidInput` without a bucket.
    pub(crate) fn parse(location: &Location) -> Result<Self> {
        let bucket = location.authority().unwrap_or_default();
        // A login or a query that stands in its place is none, and must not be shown as one.
        if bucket.is_empty() || bucket.contains(['@', ':', '?', '#']) {
            return Err(Error::new(ErrorKind::InvalidInput, "open", location.to_string())
                .with_message("the location names no bucket")
                .with_hint("write gs://BUCKET/PATH"));
        }
        let path = location.path();
        // MLflow takes one `/` away, and only one: a key may begin with others.
        let (key, generation) = split_generation(path.strip_prefix('/').unwrap_or(path));
        Ok(Self {
            bucket: bucket.to_owned(),
            key: Key::from(key),
            generation: generation.map(str::to_owned),
        })
    }
}

/// Cuts `#` and the digits of a generation off the end of a name.
fn split_generation(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once('#') {
        Some((key, digits)) if !key.is_empty() && is_generation(digits) => (key, Some(digits)),
        _ => (name, None),
    }
}

fn is_generation(text: &str) -> bool {
    text.len() >= GENERATION_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Place> {
        Place::parse(&Location::parse(text).expect("a location"))
    }

    #[test]
    fn bucket_and_key_are_what_stands_there() {
        for (uri, bucket, key) in [
            ("gs://bucket", "bucket", ""),
            ("gs://bucket/", "bucket", ""),
            ("GS://buck.et_1/a/b", "buck.et_1", "a/b"),
            ("gs://bucket//a//b/", "bucket", "/a//b/"),
            ("gs://bucket/a?generation=1", "bucket", "a?generation=1"),
            ("gs://bucket/%41+%2F/../.", "bucket", "%41+%2F/../."),
            ("gs://bucket/plot#1", "bucket", "plot#1"),
            ("gs://bucket/a#b", "bucket", "a#b"),
            ("gs://bucket/#1360887697105000", "bucket", "#1360887697105000"),
        ] {
            let place = parse(uri).expect("a place");
            assert_eq!((place.bucket.as_str(), place.key), (bucket, Key::from(key)), "{uri}");
            assert_eq!(place.generation, None, "{uri}");
        }
    }

    #[test]
    fn a_generation_is_cut_off_once() {
        let place = parse("gs://bucket/a/b#1#1360887697105000").expect("a place");
        assert_eq!(place.key, Key::from("a/b#1"));
        assert_eq!(place.generation.as_deref(), Some("1360887697105000"));
    }

    #[test]
    fn a_location_without_a_bucket_is_refused_with_the_right_shape() {
        for uri in [
            "gs://",
            "gs:///key",
            "gs:bucket/key",
            "gs://me:s3cret@bucket/key",
            "gs://?X-Goog-Signature=s3cret",
        ] {
            let error = parse(uri).expect_err("no bucket");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{uri}");
            assert!(error.hint().is_some_and(|hint| hint.contains("gs://BUCKET")), "{uri}");
        }
    }
}
