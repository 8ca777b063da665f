//! Names on their way into a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// What stands as it is: letters, digits, `-`, `_`, `.`, `~`. All else is escaped, once: to the JSON
/// API a key is one segment of the path, whatever `/` it holds.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A name as it stands in a path or query.
pub(crate) fn escaped(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, ESCAPED)
}
