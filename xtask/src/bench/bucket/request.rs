//! What is asked of the bucket.

use std::ops::RangeInclusive;

/// A request without a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) is_head: bool,
    /// Below the bucket; empty for the bucket itself.
    pub(super) key: String,
    query: String,
    pub(super) range: Option<RangeInclusive<u64>>,
}

impl Request {
    pub(super) fn parse(head: &str) -> Self {
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let key = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        let fields = head.lines().filter_map(|line| line.split_once(": "));
        let mut ranges = fields.filter(|(name, _)| name.eq_ignore_ascii_case("range"));
        Self {
            is_head: method == "HEAD",
            key: key.map_or("", |(_, key)| key).to_owned(),
            query: query.to_owned(),
            range: ranges.next().and_then(|(_, value)| range(value)),
        }
    }

    /// A parameter, if it is there, also without a value.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let mut found = pairs.filter(|(found, _)| *found == name);
        // Nothing here has a name that is escaped, but for the slash.
        found.next().map(|(_, value)| value.replace("%2F", "/"))
    }
}

fn range(value: &str) -> Option<RangeInclusive<u64>> {
    let (start, end) = value.strip_prefix("bytes=")?.split_once('-')?;
    Some(start.parse().ok()?..=end.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_query_and_range_are_understood() {
        let head =
            "GET /made-up/a/b?list-type=2&prefix=a%2F&x HTTP/1.1\r\nRange: bytes=5-9\r\n\r\n";
        let request = Request::parse(head);
        assert_eq!((request.key.as_str(), request.is_head), ("a/b", false));
        assert_eq!(request.range, Some(5..=9));
        assert_eq!(request.parameter("prefix").as_deref(), Some("a/"));
        assert_eq!(request.parameter("x").as_deref(), Some(""));
        assert_eq!(request.parameter("y"), None);
    }

    #[test]
    fn the_bucket_itself_has_no_key() {
        for head in ["HEAD /made-up HTTP/1.1\r\n\r\n", "HEAD /made-up/ HTTP/1.1\r\n\r\n"] {
            assert_eq!(Request::parse(head), Request { is_head: true, ..Request::default() });
        }
    }
}
