//! From a location to a path, and what is said when nothing is there.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use mlfetch_store::{Error, ErrorKind, Location, Result, escape};
use percent_encoding::percent_decode_str;
use rustix::io::Errno;

use crate::error::system;

/// The path that a location means.
///
/// Text without a scheme is the path, byte for byte. In a `file:` URI escapes are decoded once; a
/// `%` that begins no escape stays, and so do `#` and `?`, because a name is never cut.
///
/// # Errors
/// `Refused` for a `file:` URI of another host, `InvalidInput` for one without a path.
pub fn local_path(location: &Location) -> Result<PathBuf> {
    if location.scheme().is_empty() {
        return Ok(PathBuf::from(location.as_str()));
    }
    let host = location.authority().unwrap_or_default();
    if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
        return Err(foreign_host(location, host));
    }
    let bytes: Vec<u8> = percent_decode_str(location.path()).collect();
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(Error::new(ErrorKind::InvalidInput, "open", location.to_string())
            .with_message("it names no path")
            .with_hint("write `file:///absolute/path` or `file:relative/path`"));
    }
    Ok(PathBuf::from(OsString::from_vec(bytes)))
}

/// MLflow reads the path on this machine whatever the host is (CVE-2023-6977 began like that).
fn foreign_host(location: &Location, host: &str) -> Error {
    let host = escape(host.rsplit('@').next().unwrap_or_default().as_bytes());
    Error::new(ErrorKind::Refused, "open", location.to_string())
        .with_message(format!("it names the host `{host}`, and files are read from this one only"))
        .with_hint("write `file:///path` with three slashes for a path of this machine")
}

/// The error of opening a root.
pub(crate) fn open_error(path: &Path, errno: Errno) -> Error {
    let error = system(errno, "open", escape(path.as_os_str().as_bytes()));
    match errno {
        Errno::NOTDIR if path.is_file() => {
            let subject = error.subject().to_owned();
            Error::new(ErrorKind::InvalidInput, "open", subject)
                .with_message("it is a file, and the artifact root is a directory")
                .with_hint("open the directory that it lies in")
        }
        Errno::NOENT | Errno::NOTDIR => missing(path, error),
        _ => error,
    }
}

/// Says how far the path goes before nothing is there.
fn missing(path: &Path, error: Error) -> Error {
    let nearest = path.ancestors().skip(1).find(|above| above.exists());
    let (message, hint) = match nearest.filter(|above| !above.as_os_str().is_empty()) {
        Some(above) => {
            let above = escape(above.as_os_str().as_bytes());
            let message = format!("it does not exist; the nearest that does is `{above}`");
            (message, "check the path behind that")
        }
        None => (
            "it does not exist in the current directory".to_owned(),
            "a relative path begins at the current directory",
        ),
    };
    error.with_message(message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Result<PathBuf> {
        local_path(&Location::parse(text).expect("a location"))
    }

    #[test]
    fn a_plain_path_is_taken_as_it_is() {
        for text in ["a/b", "/a/%41", "a#b?c", " a ", "./x", "a%2Fb", "C:\\x", "100%"] {
            assert_eq!(path(text).expect("a path"), PathBuf::from(text));
        }
    }

    #[test]
    fn a_file_uri_is_decoded_exactly_once() {
        let cases = [
            ("file:///a/b%20c", "/a/b c"),
            ("file:/a/%2541", "/a/%41"),
            ("FILE://localhost/a", "/a"),
            ("file://LocalHost/a", "/a"),
            ("file:rel/path", "rel/path"),
            ("file:./x", "./x"),
            ("file:///a/100%", "/a/100%"),
            ("file:///a#b?c", "/a#b?c"),
            ("file:///a/%23", "/a/#"),
        ];
        for (text, expected) in cases {
            assert_eq!(path(text).expect("a path"), PathBuf::from(expected), "{text}");
        }
    }

    #[test]
    fn a_file_uri_may_name_bytes_that_are_not_utf_8() {
        let path = path("file:///%ff").expect("a path");
        assert_eq!(path.as_os_str().as_bytes(), b"/\xff");
    }

    #[test]
    fn another_host_is_refused_by_name() {
        for text in ["file://otherhost/etc/passwd", "file://localhost:80/a", "file://u@h/a"] {
            let error = path(text).expect_err("another host");
            assert_eq!(error.kind(), ErrorKind::Refused, "{text}");
        }
        let error = path("file://otherhost/x").expect_err("another host");
        assert!(error.to_string().contains("the host `otherhost`"), "{error}");
    }

    #[test]
    fn a_uri_without_a_path_is_not_the_current_directory() {
        for text in ["file:", "file://", "file://localhost", "file:///a%00b"] {
            assert_eq!(path(text).expect_err("no path").kind(), ErrorKind::InvalidInput, "{text}");
        }
    }
}
