//! Keys as URLs, and URLs as keys.

mod spelling;

use std::fmt::Write as _;

use mlfetch_store::{Error, ErrorKind, Key, Location, Result, Secret, escape};
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::Credential;
use spelling::{legal, unreserved};

/// Where the keys of a store are: the URL of its root, and how each key is written behind it.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// Ends in `/`; without user, password, query and fragment.
    root: Url,
    /// What stands behind `?` in each request: it may be a signature.
    query: Option<Secret>,
    /// The key that the location named, as it was spelled there: a signature may cover the letters.
    given: Option<(Key, String)>,
}

/// What a location says: where, which key, and who is asking.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) address: Address,
    pub(crate) key: Key,
    pub(crate) credential: Option<Credential>,
}

impl Address {
    /// An address whose keys lie directly behind `root`, whose query is sent with each request.
    pub(crate) fn new(root: &Url) -> Result<Self> {
        let mut bare = root.clone();
        let query = root.query().map(Secret::new);
        bare.set_query(None);
        let fits = matches!(root.scheme(), "http" | "https")
            && root.fragment().is_none()
            && root.path().ends_with('/')
            && bare.set_username("").is_ok()
            && bare.set_password(None).is_ok();
        if !fits {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "open",
                escape(bare.as_str().as_bytes()),
            )
            .with_message("the root of a store is an http or https URL that ends in `/`"));
        }
        Ok(Self { root: bare, query, given: None })
    }

    /// Takes a location apart: the directory is the root, the last part the key.
    pub(crate) fn parse(location: &Location) -> Result<Parsed> {
        let parts = Parts::split(location)?;
        let origin = format!("{}://{}/", location.scheme(), parts.authority);
        let mut root = Url::parse(&origin)
            .map_err(|cause| parts.error("the host or port is malformed").with_source(cause))?;
        let credential = credential_of(&root);
        // Both fail only for URLs without a host, which have no http scheme.
        let _ = root.set_username("");
        let _ = root.set_password(None);
        let cut = parts.path.rfind('/').map_or(0, |at| at + 1);
        let (directory, name) = parts.path.split_at(cut);
        if !directory.is_empty() {
            root.set_path(&legal(directory));
        }
        let key = Key::new(percent_decode_str(name).collect::<Vec<u8>>());
        let given = (!name.is_empty()).then(|| (key.clone(), legal(name)));
        let address = Self { root, query: parts.query.map(Secret::new), given };
        Ok(Parsed { address, key, credential })
    }

    /// The root, safe to show.
    pub(crate) fn root(&self) -> &str {
        self.root.as_str()
    }

    /// Whether each request carries a query, which may be a signature over its method.
    pub(crate) fn has_query(&self) -> bool {
        self.query.is_some()
    }

    /// What of the query a server might echo and nobody may see: the whole, and each value.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let Some(query) = &self.query else { return Vec::new() };
        let mut secrets = vec![query.clone()];
        for pair in query.expose().split('&') {
            let value = pair.split_once('=').map_or(pair, |(_, value)| value);
            let decoded = percent_decode_str(value).decode_utf8_lossy().into_owned();
            secrets.extend([Secret::new(value), Secret::new(decoded)]);
        }
        secrets
    }

    /// The URL of a key: each segment percent-encoded exactly once.
    ///
    /// # Errors
    /// `InvalidKey` for what a URL cannot carry exactly: `.` and `..` as segments (parsers and
    /// servers fold them, also as `%2e`; RFC 3986, 5.2.4 and 6.2.2.2), and NUL.
    pub(crate) fn url_of(&self, operation: &'static str, key: &Key) -> Result<Url> {
        let invalid =
            |why| Error::new(ErrorKind::InvalidKey, operation, key.to_string()).with_message(why);
        if key.as_bytes().contains(&0) {
            return Err(invalid("its name holds a NUL, which no server accepts in a URL"));
        }
        let mut text = self.root.as_str().to_owned();
        match &self.given {
            Some((given, spelling)) if given == key => text.push_str(spelling),
            _ => {
                for (at, segment) in key.as_bytes().split(|byte| *byte == b'/').enumerate() {
                    if matches!(segment, b"." | b"..") {
                        return Err(invalid("a URL cannot carry a segment of one or two dots"));
                    }
                    let _ =
                        write!(text, "{}{}", if at > 0 { "/" } else { "" }, unreserved(segment));
                }
            }
        }
        let parsed = Url::parse(&text).ok().filter(|url| url.as_str() == text);
        // Whatever the parser would change would be another name.
        let mut url = parsed.ok_or_else(|| invalid("a URL cannot carry this name exactly"))?;
        url.set_query(self.query.as_ref().map(Secret::expose));
        Ok(url)
    }
}

/// The parts of a location's text, not decoded.
struct Parts<'a> {
    location: &'a Location,
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(location: &'a Location) -> Result<Self> {
        let rest = location.rest();
        let text = rest.strip_prefix("//").unwrap_or_default();
        let (before_query, query) = match text.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (text, None),
        };
        let end = before_query.find('/').unwrap_or(before_query.len());
        let (authority, path) = before_query.split_at(end);
        let parts = Self { location, authority, path, query };
        parts.check(text).map(|()| parts)
    }

    fn check(&self, text: &str) -> Result<()> {
        let host = self.authority.rsplit('@').next().unwrap_or_default();
        if host.is_empty() {
            return Err(self.error("it has no host").with_hint("write `http://host/path`"));
        }
        if text.contains('#') {
            let error = self.error("a `#` begins a fragment, which is never sent to a server");
            return Err(error.with_hint("if it is part of the name, write it as `%23`"));
        }
        if text.contains(|character: char| character.is_ascii_control()) {
            let error = self.error("it holds a control character, which URL parsers drop");
            return Err(error.with_hint("if it is part of the name, write it as `%09`, `%0A`"));
        }
        if self.authority.contains('\\') || self.path.contains('\\') {
            let error = self.error("URL parsers take a backslash for a `/`");
            return Err(error.with_hint("if it is part of the name, write it as `%5C`"));
        }
        self.check_path()
    }

    fn check_path(&self) -> Result<()> {
        for segment in self.path.split('/') {
            let decoded: Vec<u8> = percent_decode_str(segment).collect();
            if matches!(decoded.as_slice(), b"." | b"..") {
                let error = self.error("it holds a segment of one or two dots");
                return Err(error.with_hint("write the path that it leads to"));
            }
        }
        let name = self.path.rsplit('/').next().unwrap_or_default();
        if percent_decode_str(name).any(|byte| matches!(byte, b'/' | 0)) {
            return Err(self.error("its last part holds an encoded `/` or NUL"));
        }
        Ok(())
    }

    /// An error about the location, which shows neither user nor query.
    fn error(&self, why: &'static str) -> Error {
        Error::new(ErrorKind::InvalidInput, "open", self.location.to_string()).with_message(why)
    }
}

/// `user:password@` as a Basic credential, percent-decoded (RFC 3986, 3.2.1).
pub(crate) fn credential_of(url: &Url) -> Option<Credential> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some(Credential::Basic {
        username: decode(url.username()),
        password: Secret::new(decode(url.password().unwrap_or_default())),
    })
}

#[cfg(test)]
mod tests;
