//! A URI as far as every backend agrees on it.

use std::fmt;

use crate::{Error, ErrorKind, Result, escape};

/// A URI split at its scheme, and nothing else done to it.
///
/// What follows the scheme belongs to the backend: in `s3://b/50%.txt` and `s3://b/a#1` the `%`
/// and the `#` are part of the key. Text without a scheme, and a one-letter scheme (a drive), is a
/// path.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    text: String,
    scheme: String,
    rest: usize,
}

impl Location {
    /// Splits a URI or path.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if it is empty or holds a NUL.
    ///
    /// ```
    /// let location = mlfetch_store::Location::parse("S3://bucket/a b#1").unwrap();
    /// assert_eq!(location.scheme(), "s3");
    /// assert_eq!(location.authority(), Some("bucket"));
    /// assert_eq!(location.path(), "/a b#1");
    /// ```
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let scheme_end = text.find(':').filter(|end| is_scheme(&text[..*end]));
        let (scheme, rest) = match scheme_end {
            Some(end) => (text[..end].to_ascii_lowercase(), end + 1),
            None => (String::new(), 0),
        };
        let location = Self { text, scheme, rest };
        if location.text.is_empty() || location.text.contains('\0') {
            let shown = location.to_string();
            return Err(Error::new(ErrorKind::InvalidInput, "read the location", shown)
                .with_message("a location is a URI or a path, and not empty"));
        }
        Ok(location)
    }

    /// The scheme in lower case; empty for a path.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The whole text as it was given. May hold credentials: not for display.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What follows `scheme:`, untouched.
    pub fn rest(&self) -> &str {
        &self.text[self.rest..]
    }

    /// What stands between `//` and the next `/`, if there is a `//`. Where the scheme has a query,
    /// it ends the authority too.
    pub fn authority(&self) -> Option<&str> {
        let after = self.rest().strip_prefix("//")?;
        let ends = |letter: char| match letter {
            '/' => true,
            '?' => self.is_url() || self.is_azure(),
            '#' => self.is_url(),
            _ => false,
        };
        (!self.scheme.is_empty()).then(|| after.split(ends).next().unwrap_or_default())
    }

    /// What follows the authority, its leading `/` included.
    pub fn path(&self) -> &str {
        match self.authority() {
            Some(authority) => &self.rest()[2 + authority.len()..],
            None => self.rest(),
        }
    }

    /// The path, and the query where the scheme has one. A URL's begins at its first `?` and ends
    /// before `#`. In names of Azure a `?` is part of the name, unless a signature, a version or a
    /// snapshot follows the last one. No other scheme has a query.
    ///
    /// ```
    /// let location = mlfetch_store::Location::parse("az://models/a?b?sv=1&sig=c").unwrap();
    /// assert_eq!(location.path_and_query(), ("/a?b", Some("sv=1&sig=c")));
    /// ```
    pub fn path_and_query(&self) -> (&str, Option<&str>) {
        let path = self.path();
        let path = if self.is_url() { path.split('#').next().unwrap_or_default() } else { path };
        let divided = if self.is_url() {
            path.split_once('?')
        } else if self.is_azure() {
            path.rsplit_once('?').filter(|(_, query)| names_a_version_or_signature(query))
        } else {
            None
        };
        divided.map_or((path, None), |(path, query)| (path, Some(query)))
    }

    /// Whether what looks like the query of a URL stands in a name, and holds a credential: one that
    /// was pasted where it is no query. The location is shown without it, and whoever opens such a
    /// location sends a credential as a name.
    ///
    /// ```
    /// let holds = |text| mlfetch_store::Location::parse(text).unwrap().names_a_credential();
    /// assert!(holds("webhdfs://namenode:9870/a?delegation=HAAE"));
    /// assert!(!holds("s3://bucket/what?"));
    /// ```
    pub fn names_a_credential(&self) -> bool {
        let (path, _) = self.path_and_query();
        let parts = [path, self.authority().unwrap_or_default()];
        !self.is_url() && parts.into_iter().any(|part| credential_at(part).is_some())
    }

    /// The same location with another text behind the scheme's authority.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn with_path(&self, path: &str) -> Result<Self> {
        let keep = self.text.len() - self.path().len();
        Self::parse(format!("{}{path}", &self.text[..keep]))
    }

    fn is_url(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https")
    }

    fn is_azure(&self) -> bool {
        matches!(self.scheme.as_str(), "az" | "wasb" | "wasbs" | "abfs" | "abfss")
    }
}

fn names_a_version_or_signature(query: &str) -> bool {
    let names = query.split('&').map(|pair| pair.split_once('=').map(|(name, _)| name));
    let known = |name: &str| {
        ["sig", "versionid", "snapshot"].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let all_are_pairs = names
        .clone()
        .all(|name| name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic())));
    all_are_pairs && names.flatten().any(known)
}

/// A letter, then letters, digits, `+`, `-`, `.` (RFC 3986, 3.1). One letter alone is a drive.
fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|next| next.is_ascii_alphanumeric() || "+-.".contains(next))
}

/// Where a credential begins that stands as a query in a text: at the `?` before it.
fn credential_at(text: &str) -> Option<usize> {
    text.match_indices('?').map(|(at, _)| at).find(|at| {
        let mut names = text[at + 1..].split(['&', ';', '?']).map(|pair| pair.split('=').next());
        names.any(|name| is_credential(&name.unwrap_or_default().to_ascii_lowercase()))
    })
}

/// Parameters that are a credential, or part of one: signatures of all clouds, tokens, passwords.
fn is_credential(name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "token",
        "delegation",
        "password",
        "passwd",
        "secret",
        "credential",
        "signature",
        "accesskey",
        "x-amz-",
        "x-goog-",
    ];
    name == "sig" || WORDS.iter().any(|word| name.contains(word))
}

/// What stands behind user and password. A password that nobody encoded may hold `/` and `?`: what
/// seems to be a port is none then.
fn behind_login(after: &str) -> &str {
    let authority = |text| str::split(text, ['/', '?', '#']).next().unwrap_or_default();
    let after = authority(after).rfind('@').map_or(after, |at| &after[at + 1..]);
    match after.rfind('@') {
        Some(at) if !is_host(authority(after)) => &after[at + 1..],
        _ => after,
    }
}

/// Whether a port is one, where there is a port.
fn is_host(text: &str) -> bool {
    let is_port = |(_, port): (&str, &str)| port.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with('[') || text.split_once(':').is_none_or(is_port)
}

/// Safe to show: user and password are left out, and so is the query where one may be a signature.
impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.without_login();
        let text = match credential_at(&shown) {
            // In a URL that is its query; elsewhere the name goes on, and another one is not shown.
            Some(at) if !self.scheme.is_empty() || self.may_be_a_uri() => {
                format!("{}?[left out]", &shown[..at])
            }
            _ => shown,
        };
        formatter.write_str(&escape(text.as_bytes()))
    }
}

impl Location {
    /// Whether there is a `://` behind what is no scheme: a path like any other, and more often a URI
    /// with a quotation mark before it, or from a script whose variable was empty.
    fn may_be_a_uri(&self) -> bool {
        self.scheme.is_empty() && self.text.contains("://")
    }

    fn without_login(&self) -> String {
        if self.scheme.is_empty()
            && let Some((before, after)) = self.text.split_once("://")
        {
            return format!("{before}://{}", behind_logins(after));
        }
        let after = match self.rest().strip_prefix("//") {
            Some(after) if !self.scheme.is_empty() => after,
            // URL parsers read `https:host` and `https:/host` as well.
            _ if self.is_url() => self.rest().trim_start_matches('/'),
            _ => return pieces(&self.text, [|scheme| scheme, behind_login]),
        };
        let after = match self.scheme.as_str() {
            // What stands before `@` is the container or bucket, never a password.
            "wasb" | "wasbs" | "abfs" | "abfss" | "r2" | "b2" if !has_password(after) => {
                pieces(after, [|name| name, behind_password])
            }
            // Neither names nor ARNs of buckets are hosts: `:` and `@` are letters of a name.
            "s3" | "s3a" | "gs" => {
                let bucket = after.split('/').next().unwrap_or_default();
                let after = bucket.rfind('@').map_or(after, |at| &after[at + 1..]);
                pieces(after, [|name| name, behind_password])
            }
            _ => behind_logins(after),
        };
        let text = format!("{}://{after}", self.scheme);
        let shown = Self { rest: self.scheme.len() + 1, text, scheme: self.scheme.clone() };
        let (path, _) = shown.path_and_query();
        format!("{}://{}{path}", self.scheme, shown.authority().unwrap_or_default())
    }
}

/// The same with every `://` in it: more often a URI behind another one than a name.
fn behind_logins(after: &str) -> String {
    pieces(after, [behind_login; 2])
}

/// What stands before the first `://`, and what stands behind each, made safe to show.
fn pieces(text: &str, [first, later]: [fn(&str) -> &str; 2]) -> String {
    let mut pieces = text.split("://");
    let shown = first(pieces.next().unwrap_or_default()).to_owned();
    pieces.fold(shown, |shown, piece| shown + "://" + later(piece))
}

/// In names, where `@` is a letter, only a password is no part of the name.
fn behind_password(piece: &str) -> &str {
    if has_password(piece) { behind_login(piece) } else { piece }
}

/// Whether `:` stands before the `@`.
fn has_password(after: &str) -> bool {
    after
        .split('/')
        .next()
        .unwrap_or_default()
        .split_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Location({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Location {
        Location::parse(text).expect("a location")
    }

    #[test]
    fn a_path_has_no_scheme() {
        for path in ["a/b", "/a:b/c", "C:\\x", "./a", "a b:c"] {
            assert_eq!(parse(path).scheme(), "", "{path}");
            assert_eq!(parse(path).path(), path);
        }
    }

    #[test]
    fn scheme_authority_and_path_are_found_and_left_as_they_are() {
        let location = parse("S3://buck.et/a//b/?x#y%41");
        assert_eq!(location.scheme(), "s3");
        assert_eq!(location.authority(), Some("buck.et"));
        assert_eq!(location.path(), "/a//b/?x#y%41");
    }

    #[test]
    fn a_scheme_without_slashes_has_no_authority() {
        let location = parse("mlflow-artifacts:/1/x");
        assert_eq!((location.authority(), location.path()), (None, "/1/x"));
    }

    #[test]
    fn display_leaves_credentials_out() {
        assert_eq!(parse("https://u:p@h/x?sig=1").to_string(), "https://h/x");
        assert_eq!(parse("wasbs://c@a.blob/x").to_string(), "wasbs://c@a.blob/x");
        assert_eq!(parse("wasbs://c@a.blob/x?sv=1&sig=y").to_string(), "wasbs://c@a.blob/x");
        assert_eq!(parse("s3://b/x?y").to_string(), "s3://b/x?y");
    }

    #[test]
    fn display_leaves_out_what_was_pasted_where_it_is_no_query_or_no_login() {
        for (text, shown) in [
            ("https://h?sig=1", "https://h"),
            ("https://u:p@h#x@y", "https://h"),
            ("https:/u:p@h/x?sig=1", "https://h/x"),
            ("https://u:p/w?d@h/x", "https://h/x"),
            ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
            ("https://h:80/a@b", "https://h:80/a@b"),
            ("postgresql://u:p/w@h/db", "postgresql://h/db"),
            ("az://c?sv=1&sig=y", "az://c"),
            ("az://c/x?sp=r&sig=y&z", "az://c/x?[left out]"),
            ("hdfs://me@nn/x?op=OPEN&delegation=y", "hdfs://nn/x?[left out]"),
            ("webhdfs://nn?delegation=y", "webhdfs://nn?[left out]"),
            ("swebhdfs://nn/a?b?Delegation=y", "swebhdfs://nn/a?[left out]"),
            ("s3://key:p@b/x?X-Amz-Signature=y", "s3://b/x?[left out]"),
            ("s3://arn:aws:s3:r:1:accesspoint/a/x@y", "s3://arn:aws:s3:r:1:accesspoint/a/x@y"),
            ("gs://b/x?X-Goog-Signature=y#1", "gs://b/x?[left out]"),
            ("runs:/id/x?access_token=y", "runs:/id/x?[left out]"),
            ("://me:p@h/x?sig=y", "://h/x?[left out]"),
            ("models:m://u:p@h/x", "models:m://h/x"),
            ("s3://b/x://u:p@h/x", "s3://b/x://h/x"),
            ("gs://b/x://u@h/x", "gs://b/x://u@h/x"),
            ("wasbs://c@a.blob/x://u:p@h/x", "wasbs://c@a.blob/x://h/x"),
            ("\"https://u:p@h/x?sig=y", "\"https://h/x?[left out]"),
            (" https://u:p@h/x", " https://h/x"),
            ("a/b://c/d://u:p@h/x", "a/b://c/d://h/x"),
            ("http://t://u:p@h/x", "http://t://h/x"),
            ("httpgre://u:p@t/x://u:p@h/x?sig=y", "httpgre://t/x://h/x?[left out]"),
            ("./x?sig=y", "./x?sig=y"),
            ("hdfs://nn/design?=1&signal=2", "hdfs://nn/design?=1&signal=2"),
        ] {
            assert_eq!(parse(text).to_string(), shown, "{text}");
        }
        let error = Location::parse("https://u:hunter2@h/\0").expect_err("a NUL");
        assert_eq!(error.subject(), "https://h/\\u{0}");
    }

    #[test]
    fn the_query_of_a_root_is_no_part_of_its_host() {
        let root = parse("az://models?sv=1&sig=y");
        assert_eq!(
            (root.authority(), root.path_and_query()),
            (Some("models"), ("", Some("sv=1&sig=y")))
        );
        let root = parse("https://h:81?a#b");
        assert_eq!((root.authority(), root.path_and_query()), (Some("h:81"), ("", Some("a"))));
        assert_eq!(parse("s3://b?x/y").authority(), Some("b?x"));
    }

    #[test]
    fn a_query_is_one_where_the_scheme_has_it() {
        for (text, path, query) in [
            ("https://h/x?y#z", "/x", Some("y")),
            ("https://h/x#z?y", "/x", None),
            ("s3://b/x?sig=y", "/x?sig=y", None),
            ("az://c/x?y", "/x?y", None),
            ("az://c/x?b=c&d=e", "/x?b=c&d=e", None),
            ("az://c/x?sp=r&SIG=%2F", "/x", Some("sp=r&SIG=%2F")),
            ("wasbs://c@a/x?snapshot=1", "/x", Some("snapshot=1")),
            ("abfss://c@a/x?y?versionid=1", "/x?y", Some("versionid=1")),
            ("az://c/x?sig=1&y", "/x?sig=1&y", None),
        ] {
            assert_eq!(parse(text).path_and_query(), (path, query), "{text}");
        }
    }
}
