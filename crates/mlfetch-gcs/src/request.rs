//! Questions to a bucket, and the URLs that ask them. No network here.

use std::borrow::Cow;
use std::fmt::Write as _;

use mlfetch_http::Url;
use mlfetch_store::{Error, ErrorKind, Key, Result};

use crate::encode::escaped;

/// One question to a bucket.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    /// A verb, for errors.
    pub(crate) operation: &'static str,
    /// `None` asks the bucket itself.
    pub(crate) key: Option<&'a Key>,
    query: Vec<(&'static str, Cow<'a, str>)>,
}

impl<'a> Call<'a> {
    /// Asks the bucket.
    pub(crate) fn of_bucket(operation: &'static str) -> Self {
        Self { operation, key: None, query: Vec::with_capacity(8) }
    }

    /// Asks for an object.
    pub(crate) fn of_object(operation: &'static str, key: &'a Key) -> Self {
        Self { key: Some(key), ..Self::of_bucket(operation) }
    }

    /// With a parameter, if it has a value.
    pub(crate) fn query(
        mut self,
        name: &'static str,
        value: impl Into<Option<Cow<'a, str>>>,
    ) -> Self {
        self.query.extend(value.into().map(|value| (name, value)));
        self
    }

    /// Where it is asked.
    ///
    /// # Errors
    /// `InvalidKey` for a key that is not text, or is one that no URL can carry.
    pub(crate) fn url(&self, server: &str, bucket: &str) -> Result<Url> {
        let mut text = format!("{server}/storage/v1/b/{}/o", escaped(bucket));
        if let Some(key) = self.key {
            // Writing to a String cannot fail.
            let _ = write!(text, "/{}", escaped(self.checked(key)?));
        }
        for (at, (name, value)) in self.query.iter().enumerate() {
            let mark = if at == 0 { '?' } else { '&' };
            let _ = write!(text, "{mark}{name}={}", escaped(value));
        }
        Url::parse(&text).map_err(|cause| {
            let subject = self.key.map_or_else(|| bucket.to_owned(), Key::to_string);
            Error::new(ErrorKind::InvalidKey, self.operation, subject)
                .with_message("no URL can be made of it")
                .with_source(cause)
        })
    }

    /// The key as text. As a segment of a path `.` and `..` are no names, however they are escaped
    /// (WHATWG URL, 4.1), and Cloud Storage has no objects of that name.
    fn checked(&self, key: &'a Key) -> Result<&'a str> {
        match key.to_str() {
            Ok("." | "..") => {
                Err(Error::new(ErrorKind::InvalidKey, self.operation, key.to_string())
                    .with_message("Cloud Storage has no objects of this name"))
            }
            text => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(key: &str) -> String {
        let key = Key::from(key);
        let call = Call::of_object("read", &key);
        call.url("http://h:9000", "b").expect("a URL").to_string()
    }

    #[test]
    fn a_key_is_one_segment_whatever_it_holds() {
        for (key, expected) in [
            ("a b+%41", "a%20b%2B%2541"),
            ("/a//b/", "%2Fa%2F%2Fb%2F"),
            ("a/../b/.", "a%2F..%2Fb%2F."),
            ("a?b#c", "a%3Fb%23c"),
            ("%2e", "%252e"),
            ("🦀\u{1}\n", "%F0%9F%A6%80%01%0A"),
        ] {
            assert_eq!(url(key), format!("http://h:9000/storage/v1/b/b/o/{expected}"));
        }
    }

    #[test]
    fn parameters_are_escaped_and_left_out_without_a_value() {
        let call = Call::of_bucket("list")
            .query("prefix", Cow::from("a b&c/"))
            .query("pageToken", None)
            .query("fields", Cow::from("items(name)"));
        let url = call.url("https://h/base", "bu/cket").expect("a URL");
        let expected = "https://h/base/storage/v1/b/bu%2Fcket/o?prefix=a%20b%26c%2F\
                        &fields=items%28name%29";
        assert_eq!(url.as_str(), expected);
    }

    #[test]
    fn a_key_that_no_url_carries_is_refused_by_name() {
        for key in [&b"a\xff"[..], b".", b".."] {
            let key = Key::new(key.to_vec());
            let error = Call::of_object("read", &key).url("http://h", "b").expect_err("no key");
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            assert!(error.to_string().contains(&key.to_string()), "{error}");
        }
    }
}
