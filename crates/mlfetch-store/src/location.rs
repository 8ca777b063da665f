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
        if text.is_empty() || text.contains('\0') {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "read the location",
                escape(text.as_bytes()),
            )
            .with_message("a location is a URI or a path, and not empty"));
        }
        let scheme_end = text.find(':').filter(|end| is_scheme(&text[..*end]));
        let (scheme, rest) = match scheme_end {
            Some(end) => (text[..end].to_ascii_lowercase(), end + 1),
            None => (String::new(), 0),
        };
        Ok(Self { text, scheme, rest })
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

    /// What stands between `//` and the next `/`, if there is a `//`.
    pub fn authority(&self) -> Option<&str> {
        let after = self.rest().strip_prefix("//")?;
        (!self.scheme.is_empty()).then(|| after.split('/').next().unwrap_or_default())
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
        let divided = match self.scheme.as_str() {
            "http" | "https" => path.split('#').next().unwrap_or_default().split_once('?'),
            "az" | "wasb" | "wasbs" | "abfs" | "abfss" => {
                path.rsplit_once('?').filter(|(_, query)| names_a_version_or_signature(query))
            }
            _ => None,
        };
        match divided {
            Some((path, query)) => (path, Some(query)),
            None if matches!(self.scheme.as_str(), "http" | "https") => {
                (path.split('#').next().unwrap_or_default(), None)
            }
            None => (path, None),
        }
    }

    /// The same location with another text behind the scheme's authority.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn with_path(&self, path: &str) -> Result<Self> {
        let keep = self.text.len() - self.path().len();
        Self::parse(format!("{}{path}", &self.text[..keep]))
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

/// Safe to show: user and password are left out, and so is the query where one may be a signature.
impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(authority) = self.authority() else {
            return formatter.write_str(&escape(self.text.as_bytes()));
        };
        let host = authority.rsplit('@').next().unwrap_or_default();
        // In these schemes what stands before `@` is the container or bucket, never a password.
        let names_a_container =
            matches!(self.scheme.as_str(), "wasb" | "wasbs" | "abfs" | "abfss" | "r2" | "b2")
                && !authority.contains(':');
        let shown = if names_a_container { authority } else { host };
        let (path, _) = self.path_and_query();
        let text = format!("{}://{shown}{path}", self.scheme);
        formatter.write_str(&escape(text.as_bytes()))
    }
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
