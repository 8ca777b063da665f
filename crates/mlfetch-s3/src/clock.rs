//! Times as S3 writes them.

use std::time::{Duration, SystemTime};

const DAY_SECONDS: u64 = 86_400;

/// Days before each month of a common year.
const DAYS_BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// `20150830T123600Z`, as signatures have it. Before 1970 it is 1970.
pub(crate) fn timestamp(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (year, month, day) = date(seconds / DAY_SECONDS);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// `2015-08-30T12:36:00.000Z`, as listings have it. Fractions of a second are left out.
pub(crate) fn parse_iso(text: &str) -> Option<SystemTime> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let time = time.split('.').next()?;
    let [year, month, day] = numbers(day, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_before_year(year) + days_before_month(year, month) + day - 1;
    let seconds = days * DAY_SECONDS + hour * 3600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse::<u16>().ok().map(u64::from));
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// The Gregorian date of a day counted from 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    // A year has at most 366 days: this is the year, or one not far before it.
    let mut year = 1970 + days / 366;
    while days_before_year(year + 1) <= days {
        year += 1;
    }
    let rest = days - days_before_year(year);
    let month = (1..=12).rev().find(|month| days_before_month(year, *month) <= rest).unwrap_or(1);
    (year, month, rest - days_before_month(year, month) + 1)
}

fn days_before_year(year: u64) -> u64 {
    let leap_days = |last: u64| last / 4 - last / 100 + last / 400;
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
}

fn days_before_month(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let index = usize::try_from(month - 1).unwrap_or(0);
    DAYS_BEFORE[index] + u64::from(leap && month > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (0, (1970, 1, 1)),
            (364, (1970, 12, 31)),
            (11_016, (2000, 2, 29)),
            (19_782, (2024, 2, 29)),
            (20_088, (2024, 12, 31)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(date(days), expected, "{days}");
        }
    }

    #[test]
    fn a_time_of_a_listing_is_the_time_it_says() {
        assert_eq!(parse_iso("2015-08-30T12:36:00.123Z"), Some(at(1_440_938_160)));
        assert_eq!(parse_iso("2015-08-30T12:36:00Z"), Some(at(1_440_938_160)));
        for day in 0..60_000 {
            let (year, month, number) = date(day);
            let text = format!("{year:04}-{month:02}-{number:02}T00:00:01Z");
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
