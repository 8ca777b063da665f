//! AWS Signature Version 4, for one region or for several, as pure functions. The key of a day is
//! derived once and kept: that is four of the six hashes of each request.

mod regions;

use std::fmt::{self, Write as _};
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mlfetch_store::Result;
use sha2::{Digest as _, Sha256};

use crate::credentials::Keys;
use regions::RegionsKey;

/// The SHA-256 of no bytes: none of our requests has a body.
pub(crate) const EMPTY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a request's signature covers, in its canonical form.
#[derive(Debug)]
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'a str,
    /// As it is sent: S3 does not escape it a second time.
    pub(crate) path: &'a str,
    /// Escaped, sorted.
    pub(crate) query: &'a str,
    /// Lower-case names with values, sorted.
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

/// For whom requests are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One region.
    Region(String),
    /// Those of a multi-region access point, as the header `x-amz-region-set` names them.
    Regions(String),
}

impl Scope {
    /// Whether it is this one region.
    pub(crate) fn is_region(&self, name: &str) -> bool {
        matches!(self, Self::Region(region) if region == name)
    }

    /// What the header `x-amz-region-set` says, which only several regions have.
    pub(crate) fn region_set(&self) -> Option<&str> {
        match self {
            Self::Region(_) => None,
            Self::Regions(set) => Some(set),
        }
    }
}

/// Signs for one day, scope and service.
pub(crate) struct Signer {
    keys: Arc<Keys>,
    day: String,
    scope: Scope,
    service: String,
    key: Key,
}

enum Key {
    OfRegion([u8; 32]),
    OfRegions(Box<RegionsKey>),
}

impl Signer {
    /// Derives the key of a day, which is the beginning of a timestamp: `20150830`.
    ///
    /// # Errors
    /// `InvalidInput` for keys from which none can be derived.
    pub(crate) fn new(keys: Arc<Keys>, day: &str, scope: &Scope, service: &str) -> Result<Self> {
        let key = match scope {
            Scope::Region(region) => Key::OfRegion(region_key(&keys, day, region, service)),
            Scope::Regions(_) => Key::OfRegions(Box::new(RegionsKey::derive(&keys)?)),
        };
        let (day, scope, service) = (day.to_owned(), scope.clone(), service.to_owned());
        Ok(Self { keys, day, scope, service, key })
    }

    /// Whether this is the signer for these.
    pub(crate) fn is_for(&self, keys: &Arc<Keys>, day: &str, scope: &Scope, service: &str) -> bool {
        Arc::ptr_eq(&self.keys, keys)
            && self.day == day
            && self.scope == *scope
            && self.service == service
    }

    /// The value of the header `authorization`.
    ///
    /// # Errors
    /// `Other` if the machine gives no random numbers, which a signature for several regions takes.
    pub(crate) fn authorization(&self, request: &Unsigned<'_>, timestamp: &str) -> Result<String> {
        let canonical = canonical(request);
        let (day, service) = (&self.day, &self.service);
        let (algorithm, scope) = match &self.scope {
            Scope::Region(region) => {
                ("AWS4-HMAC-SHA256", format!("{day}/{region}/{service}/aws4_request"))
            }
            Scope::Regions(_) => {
                ("AWS4-ECDSA-P256-SHA256", format!("{day}/{service}/aws4_request"))
            }
        };
        let mut to_sign = format!("{algorithm}\n{timestamp}\n{scope}\n");
        push_hex(&mut to_sign, &Sha256::digest(canonical));
        let mut value = format!("{algorithm} Credential={}/{scope}, ", self.keys.id);
        value.push_str("SignedHeaders=");
        push_names(&mut value, request.headers);
        value.push_str(", Signature=");
        match &self.key {
            Key::OfRegion(key) => push_hex(&mut value, &hmac(key, to_sign.as_bytes())),
            Key::OfRegions(key) => push_hex(&mut value, key.sign(to_sign.as_bytes())?.as_ref()),
        }
        Ok(value)
    }
}

fn region_key(keys: &Keys, day: &str, region: &str, service: &str) -> [u8; 32] {
    let mut key = hmac(format!("AWS4{}", keys.secret.expose()).as_bytes(), day.as_bytes());
    for part in [region, service, "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    key
}

fn canonical(request: &Unsigned<'_>) -> String {
    let mut text = String::with_capacity(512);
    text.extend([request.method, "\n", request.path, "\n", request.query, "\n"]);
    for (name, value) in request.headers {
        text.extend([name, ":", value.trim(), "\n"]);
    }
    text.push('\n');
    push_names(&mut text, request.headers);
    text.extend(["\n", EMPTY_SHA256]);
    text
}

fn push_names(text: &mut String, headers: &[(&str, &str)]) {
    for (index, (name, _)) in headers.iter().enumerate() {
        text.extend([if index == 0 { "" } else { ";" }, name]);
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// Without the derived key, which is as good as the secret for a day.
impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = (&self.day, &self.scope, &self.service);
        formatter.debug_struct("Signer").field("scope", &scope).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str) -> Scope {
        Scope::Region(name.to_owned())
    }

    /// The keys, scope and time of the examples in S3's documentation.
    fn signature(path: &str, query: &str, range: Option<&str>) -> String {
        let keys = Keys::of("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let signer = Signer::new(Arc::new(keys), "20130524", &region("us-east-1"), "s3");
        let signer = signer.expect("a signer");
        let timestamp = "20130524T000000Z";
        let mut headers = vec![
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", EMPTY_SHA256),
            ("x-amz-date", timestamp),
        ];
        headers.extend(range.map(|range| ("range", range)));
        headers.sort_unstable();
        let request = Unsigned { method: "GET", path, query, headers: &headers };
        let value = signer.authorization(&request, timestamp).expect("signed");
        assert!(value.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;"
        ));
        value.rsplit_once("Signature=").expect("a signature").1.to_owned()
    }

    #[test]
    fn the_published_signatures_are_met() {
        for (path, query, range, expected) in [
            (
                "/test.txt",
                "",
                Some("bytes=0-9"),
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "/",
                "lifecycle=",
                None,
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                "/",
                "max-keys=2&prefix=J",
                None,
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            assert_eq!(signature(path, query, range), expected, "{path}?{query}");
        }
    }

    #[test]
    fn a_signer_is_for_its_keys_day_region_and_service_only() {
        let keys = Arc::new(Keys::of("id", "secret"));
        let us = region("us-east-1");
        let signer = Signer::new(Arc::clone(&keys), "20130524", &us, "s3").expect("a signer");
        assert!(signer.is_for(&keys, "20130524", &us, "s3"));
        assert!(!signer.is_for(&keys, "20130525", &us, "s3"));
        assert!(!signer.is_for(&keys, "20130524", &region("eu-west-1"), "s3"));
        assert!(!signer.is_for(&keys, "20130524", &Scope::Regions("us-east-1".into()), "s3"));
        assert!(!signer.is_for(&keys, "20130524", &us, "s3express"));
        assert!(!signer.is_for(&Arc::new(Keys::of("id", "secret")), "20130524", &us, "s3"));
        assert!(!format!("{signer:?}").contains("secret"));
    }
}
