//! `meta.yaml`: a flat mapping of names to scalars.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use mlfetch_store::{Error, ErrorKind, Result, escape};
use saphyr_parser::{Event, Parser, ScalarStyle};

/// The name of the file that describes an experiment, a run, a model, a version.
pub(super) const META_FILE: &str = "meta.yaml";

/// The longest `meta.yaml` that is read, in bytes (`docs/concepts/limits.md`).
const MAX_BYTES: u64 = 1024 * 1024;
/// A file that is being written anew is empty for a moment (MLflow 3.17 asks again too).
const EMPTY_ATTEMPTS: u32 = 3;
const EMPTY_WAIT: Duration = Duration::from_millis(50);

/// The scalars of a `meta.yaml`, as they are written.
#[derive(Debug)]
pub(super) struct Meta(BTreeMap<String, String>);

impl Meta {
    /// Reads the `meta.yaml` of a directory; `None` if it has none.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(META_FILE);
        for attempt in 1..=EMPTY_ATTEMPTS {
            let Some(text) = read_text(&path)? else { return Ok(None) };
            if !text.trim().is_empty() {
                let scalars = parse(&text).map_err(|why| malformed(&path, why))?;
                return Ok(Some(Self(scalars)));
            }
            if attempt < EMPTY_ATTEMPTS {
                sleep(EMPTY_WAIT);
            }
        }
        Err(malformed(&path, "the file is empty".to_owned()))
    }

    /// A value that is there and not null.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A value that must be there.
    pub(super) fn required(&self, directory: &Path, name: &str) -> Result<&str> {
        let missing = || malformed(&directory.join(META_FILE), format!("it has no `{name}`"));
        self.text(name).ok_or_else(missing)
    }
}

/// The error of a `meta.yaml` that cannot be what MLflow wrote.
pub(super) fn malformed(path: &Path, why: String) -> Error {
    Error::new(ErrorKind::Protocol, "read", escape(path.as_os_str().as_encoded_bytes()))
        .with_message(why)
        .with_hint("the file is damaged, or not MLflow's: compare it with its neighbours")
}

/// A file's text; `None` if there is no such file.
pub(super) fn read_text(path: &Path) -> Result<Option<String>> {
    let fail = |cause: std::io::Error| {
        let kind = match cause.kind() {
            std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            _ => ErrorKind::Io,
        };
        let message = cause.to_string();
        Error::new(kind, "read", escape(path.as_os_str().as_encoded_bytes()))
            .with_message(message)
            .with_source(cause)
    };
    match std::fs::metadata(path) {
        Err(cause) => match cause.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => return Ok(None),
            _ => return Err(fail(cause)),
        },
        Ok(metadata) if metadata.len() > MAX_BYTES => {
            return Err(malformed(path, format!("it is longer than {MAX_BYTES} bytes")));
        }
        Ok(_) => {}
    }
    let bytes = std::fs::read(path).map_err(fail)?;
    String::from_utf8(bytes).map(Some).map_err(|_| malformed(path, "it is not UTF-8".to_owned()))
}

/// The scalars of the mapping at the top. What is nested (old tags, new things) is passed over.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut scalars = BTreeMap::new();
    let mut depth = 0_u32;
    // Names and values come in turn. That of the value that is next, if it can be one.
    let mut name: Option<Option<String>> = None;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|cause| format!("it is not YAML: {cause}"))?;
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if depth == 0 && matches!(event, Event::SequenceStart(..)) {
                    return Err("it is a list, not a mapping".to_owned());
                }
                depth += 1;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                depth -= 1;
                if depth == 1 {
                    name = name.is_none().then_some(None);
                }
            }
            Event::Alias(_) if depth == 1 => name = name.is_none().then_some(None),
            Event::Scalar(_, _, _, _) if depth == 0 => {
                return Err("it is a word, not a mapping".to_owned());
            }
            Event::Scalar(value, style, _, _) if depth == 1 => match name.take() {
                None => name = Some(Some(value.into_owned())),
                Some(Some(name)) if !is_null(&value, style) => {
                    scalars.insert(name, value.into_owned());
                }
                Some(_) => {}
            },
            _ => {}
        }
    }
    Ok(scalars)
}

fn is_null(value: &str, style: ScalarStyle) -> bool {
    style == ScalarStyle::Plain && matches!(value, "" | "~" | "null" | "Null" | "NULL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_kept_as_they_are_written() {
        let text = "run_id: '007'\nversion: 2\nuri: /a b/ü%20#x\nempty: ''\nnothing: null\n\
                    word: 'null'\nlong: one\n  two\ntags:\n- a: b\nstage: None\n\
                    escaped: \"a\\tb\"\naliases:\n  x: '1'\nlast: yes\n";
        let scalars = parse(text).expect("a mapping");
        let get = |name: &str| scalars.get(name).map(String::as_str);
        assert_eq!(get("run_id"), Some("007"));
        assert_eq!(get("version"), Some("2"));
        assert_eq!(get("uri"), Some("/a b/ü%20#x"));
        assert_eq!(get("empty"), Some(""));
        assert_eq!((get("nothing"), get("word")), (None, Some("null")));
        assert_eq!(get("long"), Some("one two"));
        assert_eq!((get("stage"), get("last")), (Some("None"), Some("yes")));
        assert_eq!((get("escaped"), get("x"), get("a")), (Some("a\tb"), None, None));
    }

    #[test]
    fn what_is_no_scalar_does_not_put_names_and_values_out_of_turn() {
        for text in [
            "tags: &t\n  x: y\nsame: *t\nuri: /a\n",
            "? [a, b]\n: c\nuri: /a\n",
            "? {a: b}\n: [c]\nuri: /a\n",
            "w: &w v\n? *w\n: other\nuri: /a\n",
        ] {
            let scalars = parse(text).expect("a mapping");
            assert_eq!(scalars.get("uri").map(String::as_str), Some("/a"), "{text}");
            assert!(!scalars.contains_key("c") && !scalars.contains_key("other"), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_mapping_is_refused_in_words() {
        for (text, why) in [
            ("- a", "a list"),
            ("just words", "a word"),
            ("a: [", "not YAML"),
            ("a: b: c", "not YAML"),
        ] {
            assert!(parse(text).expect_err(text).contains(why), "{text}");
        }
    }

    #[test]
    fn an_empty_file_and_a_file_that_is_not_text_are_named() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(Meta::read(directory.path()).expect("no error").is_none());
        for bytes in [b"".as_slice(), b"\xff\xfe"] {
            std::fs::write(directory.path().join(META_FILE), bytes).expect("written");
            let error = Meta::read(directory.path()).expect_err("malformed");
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(error.subject().ends_with(META_FILE));
        }
    }
}
