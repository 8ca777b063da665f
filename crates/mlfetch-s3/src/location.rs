//! URIs of buckets: `s3://`, `s3a://`, `r2://`, `b2://`, and access points by their ARN.

use mlfetch_store::{Error, ErrorKind, Key, Location, Result};

use crate::Addressing;

/// What a URI names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// A bucket's name or an access point's ARN.
    pub(crate) bucket: String,
    /// The rest, exactly: nothing is decoded, and nothing is cut at `?` or `#`.
    pub(crate) key: Key,
    /// Where the URI itself says that the bucket is.
    pub(crate) host: Option<Host>,
}

/// A host that a URI names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) addressing: Addressing,
}

impl Place {
    /// Reads a URI.
    ///
    /// # Errors
    /// `InvalidInput` without a bucket, or for a host that is none of its scheme.
    pub(crate) fn parse(location: &Location) -> Result<Self> {
        let after = location.rest().strip_prefix("//").unwrap_or_default();
        let (name, path) = match arn_end(after) {
            Some(end) => after.split_at(end),
            None => after.split_at(after.find('/').unwrap_or(after.len())),
        };
        // MLflow takes one `/` away, and only one: a key may begin with others.
        let key = Key::from(path.strip_prefix('/').unwrap_or(path));
        let place = match location.scheme() {
            "r2" => split_host(name).map(|(bucket, host)| (bucket, Some(r2(host)))),
            "b2" => split_host(name).and_then(|(bucket, host)| Some((bucket, Some(b2(host)?)))),
            _ => Some((name, None)),
        };
        match place {
            Some((bucket, host)) if is_bucket(bucket, host.is_some()) => {
                Ok(Self { bucket: bucket.to_owned(), key, host })
            }
            _ => Err(malformed(location)),
        }
    }
}

/// Where the ARN ends that a text begins with, if it does: `/` stands inside it as well as `:`.
fn arn_end(text: &str) -> Option<usize> {
    let resource = text.strip_prefix("arn:").and_then(|_| text.match_indices(':').nth(4))?.0 + 1;
    let separators = |text: &str, count: usize| {
        let mut found = text.match_indices([':', '/']);
        found.nth(count).map_or(text.len(), |(at, _)| at)
    };
    let named = &text[resource..];
    // `accesspoint/name`, or `outpost/id/accesspoint/name`.
    let parts = if named.starts_with("outpost") { 3 } else { 1 };
    Some(resource + separators(named, parts))
}

/// Whether it may be a bucket's name. What a name is says the server; a login or a query that stands
/// in its place is none, and must not be shown as one. Ceph has names such as `tenant:bucket`.
fn is_bucket(name: &str, has_host: bool) -> bool {
    let strange = |letter: char| "@?#".contains(letter) || (has_host && letter == ':');
    !name.is_empty() && !name.contains(strange)
}

fn split_host(authority: &str) -> Option<(&str, &str)> {
    let (bucket, _) = authority.split_once('@')?;
    let (_, host) = authority.rsplit_once('@')?;
    (!host.is_empty()).then_some((bucket, host))
}

/// Cloudflare: one region, named `auto`; buckets are in the host's name.
fn r2(host: &str) -> Host {
    Host {
        endpoint: format!("https://{host}"),
        region: "auto".to_owned(),
        addressing: Addressing::Virtual,
    }
}

/// Backblaze: the region is in the host's name, buckets are in the path.
fn b2(host: &str) -> Option<Host> {
    let labels: Vec<&str> = host.split('.').collect();
    let ["s3", region, "backblazeb2", "com"] = labels[..] else { return None };
    Some(Host {
        endpoint: format!("https://{host}"),
        region: region.to_owned(),
        addressing: Addressing::Path,
    })
}

fn malformed(location: &Location) -> Error {
    let shape = match location.scheme() {
        "r2" => "r2://BUCKET@ACCOUNT.r2.cloudflarestorage.com/KEY",
        "b2" => "b2://BUCKET@s3.REGION.backblazeb2.com/KEY",
        _ => "s3://BUCKET/KEY",
    };
    Error::new(ErrorKind::InvalidInput, "read the location", location.to_string())
        .with_message("it names no bucket")
        .with_hint(format!("write {shape}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Place> {
        Place::parse(&Location::parse(text).expect("a location"))
    }

    fn bucket_and_key(text: &str) -> (String, String) {
        let place = parse(text).expect("a place");
        (place.bucket, place.key.to_str().expect("text").to_owned())
    }

    #[test]
    fn bucket_and_key_are_what_stands_there() {
        for (uri, bucket, key) in [
            ("s3://bucket", "bucket", ""),
            ("s3://bucket/", "bucket", ""),
            ("s3a://bucket/a/b", "bucket", "a/b"),
            ("S3://Bucket.Name/a b", "Bucket.Name", "a b"),
            ("s3://bucket//a//b/", "bucket", "/a//b/"),
            ("s3://bucket/a?versionId=1#x", "bucket", "a?versionId=1#x"),
            ("s3://bucket/%41+%2F/../.", "bucket", "%41+%2F/../."),
        ] {
            assert_eq!(bucket_and_key(uri), (bucket.to_owned(), key.to_owned()), "{uri}");
        }
    }

    #[test]
    fn an_access_point_is_named_by_its_arn() {
        let point = "arn:aws:s3:us-west-2:123456789012:accesspoint";
        let outpost = "arn:aws:s3-outposts:us-west-2:123456789012:outpost";
        for (arn, key) in [
            (format!("{point}/mine"), "a/b:c"),
            (format!("{point}:mine"), "a/b:c"),
            (format!("{outpost}/op-01/accesspoint/mine"), "a/b"),
            (format!("{outpost}:op-01:accesspoint:mine"), ""),
        ] {
            let uri = format!("s3://{arn}/{key}");
            assert_eq!(bucket_and_key(&uri), (arn.clone(), key.to_owned()), "{uri}");
        }
        assert_eq!(bucket_and_key(&format!("s3://{point}/mine")).0, format!("{point}/mine"));
    }

    #[test]
    fn r2_and_b2_name_their_host() {
        let place = parse("r2://models@acc.r2.cloudflarestorage.com/a/b").expect("a place");
        let host = place.host.expect("a host");
        assert_eq!(place.bucket, "models");
        assert_eq!(host.endpoint, "https://acc.r2.cloudflarestorage.com");
        assert_eq!((host.region.as_str(), host.addressing), ("auto", Addressing::Virtual));
        let place = parse("b2://models@s3.us-west-004.backblazeb2.com/a@b").expect("a place");
        let host = place.host.expect("a host");
        assert_eq!(host.endpoint, "https://s3.us-west-004.backblazeb2.com");
        assert_eq!((host.region.as_str(), host.addressing), ("us-west-004", Addressing::Path));
        assert_eq!(place.key, Key::from("a@b"));
    }

    #[test]
    fn a_location_without_a_bucket_is_refused_with_the_right_shape() {
        for (uri, shape) in [
            ("s3://", "s3://BUCKET"),
            ("s3:///key", "s3://BUCKET"),
            ("s3:bucket/key", "s3://BUCKET"),
            ("r2://bucket/key", "r2://BUCKET@"),
            ("r2://@host/key", "r2://BUCKET@"),
            ("b2://bucket@elsewhere.example/key", "b2://BUCKET@"),
            ("s3://id:s3cret@bucket/key", "s3://BUCKET"),
            ("s3://?X-Amz-Signature=s3cret", "s3://BUCKET"),
            ("r2://id:s3cret@acc.r2.cloudflarestorage.com/key", "r2://BUCKET@"),
        ] {
            let error = parse(uri).expect_err("no bucket");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{uri}");
            assert!(error.hint().is_some_and(|hint| hint.contains(shape)), "{uri}: {error:?}");
        }
    }
}
