//! What HDFS cannot hold, whoever asks.

use mlfetch_conformance::{KeyClass, Quirk};

const PATH: &str = "names in HDFS are segments of a path, and text";

pub(crate) const HDFS: &[Quirk] = &[
    Quirk::no_key(KeyClass::EmptySegments, PATH),
    Quirk::no_key(KeyClass::LeadingSlash, PATH),
    Quirk::no_key(KeyClass::TrailingSlash, PATH),
    Quirk::no_key(KeyClass::DotSegments, PATH),
    Quirk::no_key(KeyClass::ObjectBesideDirectory, PATH),
    Quirk::no_key(KeyClass::NotUtf8, PATH),
    Quirk::no_key(KeyClass::Reserved, "HDFS has no `:` in its names")
        .only(&["a:b", "in/a:b/file.txt"]),
];
