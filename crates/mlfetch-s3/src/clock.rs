//! Times as S3 writes them.

use std::time::{Duration, SystemTime};

/// `20150830T123600Z`, as signatures have it. Before 1970 it is 1970.
pub(crate) fn timestamp(at: SystemTime) -> String {
    let at = humantime::format_rfc3339_seconds(at.max(SystemTime::UNIX_EPOCH));
    at.to_string().replace(['-', ':'], "")
}

/// `2015-08-30T12:36:00.000Z`, as listings have it. Fractions of a second are left out.
pub(crate) fn parse_iso(text: &str) -> Option<SystemTime> {
    let since = humantime::parse_rfc3339(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_SECONDS: u64 = 86_400;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_timestamp_is_the_one_of_the_published_signatures() {
        assert_eq!(timestamp(at(1_440_938_160)), "20150830T123600Z");
        assert_eq!(timestamp(at(0)), "19700101T000000Z");
    }

    #[test]
    fn dates_around_leap_days_are_right() {
        for (days, expected) in [
            (0, "19700101"),
            (364, "19701231"),
            (11_016, "20000229"),
            (19_782, "20240229"),
            (20_088, "20241231"),
            (47_541, "21000301"),
        ] {
            let timestamp = timestamp(at(days * DAY_SECONDS));
            assert_eq!(timestamp, format!("{expected}T000000Z"), "{days}");
        }
    }

    #[test]
    fn a_time_of_a_listing_is_the_time_it_says() {
        assert_eq!(parse_iso("2015-08-30T12:36:00.123Z"), Some(at(1_440_938_160)));
        assert_eq!(parse_iso("2015-08-30T12:36:00Z"), Some(at(1_440_938_160)));
        for day in 0..60_000 {
            let written = timestamp(at(day * DAY_SECONDS + 1));
            let (year, month, number) = (&written[..4], &written[4..6], &written[6..8]);
            let text = format!("{year}-{month}-{number}T00:00:01Z");
            assert_eq!(parse_iso(&text), Some(at(day * DAY_SECONDS + 1)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "yesterday", "2015-08-30", "2015-13-30T00:00:00Z", "0001-01-01T00:00:00Z"]
        {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }
}
