use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::ConfigProblem;
use crate::clock::UnixTime;
use crate::text::timestamp::{parse_seconds, parse_with_fraction};
use crate::window::{Validity, Window};

/// The format in which a sender writes the time of a delivery. The signature covers the text as it was written.
///
/// ```
/// use tower_sso::scheme::TimeFormat;
///
/// assert_ne!(TimeFormat::Seconds, TimeFormat::Milliseconds);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeFormat {
    /// Whole seconds since 1970: `1700000000`.
    Seconds,
    /// Seconds since 1970, perhaps with one to nine digits behind a point: `1700000000.25`.
    FractionalSeconds,
    /// Whole milliseconds since 1970: `1700000000000`.
    Milliseconds,
    /// RFC 3339: `2023-11-14T22:13:20Z`, with any fraction and offset.
    Rfc3339,
    /// The date of HTTP headers (RFC 9110, 5.6.7): `Tue, 14 Nov 2023 22:13:20 GMT`.
    HttpDate,
    /// A date and a time without their zone: `2023-11-15 06:13:20`. A wrong number of hours refuses every request,
    /// unless `max_age` is as long.
    WallTime {
        /// How many hours the sender's clock is ahead of UTC, from -12 to 14, all year: 8 in China.
        hours_ahead: i8,
    },
}

impl TimeFormat {
    /// # Errors
    /// If no clock on earth is that far ahead of UTC.
    pub(crate) fn check(self, setting: &'static str) -> Result<(), ConfigProblem> {
        match self {
            Self::WallTime { hours_ahead } if !(-12..=14).contains(&hours_ahead) => {
                Err(ConfigProblem::setting(setting, "has a clock that is no zone's: give -12 to 14 hours"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn parse(self, text: &str) -> Result<UnixTime, &'static str> {
        match self {
            Self::Seconds => parse_seconds(text).ok_or("is not a whole number of seconds"),
            Self::FractionalSeconds => parse_with_fraction(text).ok_or("is not a number of seconds in plain digits"),
            Self::Milliseconds => {
                // One spelling, as for seconds.
                let number = parse_seconds(text).and_then(|_| text.parse::<i64>().ok());
                let nanos = number.and_then(|number| number.checked_mul(1_000_000));
                nanos.map(UnixTime::from_nanos).ok_or("is not a whole number of milliseconds")
            }
            Self::Rfc3339 => {
                let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "is not an RFC 3339 time")?;
                unix_time(time)
            }
            Self::HttpDate => {
                const PROBLEM: &str = "is not an HTTP date";
                let is_fixed = text.len() == "Tue, 14 Nov 2023 22:13:20 GMT".len() && text.ends_with(" GMT");
                let time = OffsetDateTime::parse(text, &Rfc2822).ok().filter(|_| is_fixed);
                unix_time(time.ok_or(PROBLEM)?)
            }
            Self::WallTime { hours_ahead } => {
                const PROBLEM: &str = "is not a date and time as in `2023-11-15 06:13:20`";
                let is_fixed = text.len() == "2023-11-15 06:13:20".len();
                let (date, time) = text.split_once(' ').filter(|_| is_fixed).ok_or(PROBLEM)?;
                let wall = OffsetDateTime::parse(&format!("{date}T{time}Z"), &Rfc3339).map_err(|_| PROBLEM)?;
                unix_time(wall.checked_sub(time::Duration::hours(hours_ahead.into())).ok_or("is out of range")?)
            }
        }
    }

    /// The time, if the format is a number.
    #[cfg(feature = "sign")]
    pub(crate) fn number(self, time: UnixTime) -> Option<i64> {
        match self {
            Self::Seconds | Self::FractionalSeconds => Some(time.as_secs()),
            Self::Milliseconds => Some(time.as_nanos().div_euclid(1_000_000)),
            Self::Rfc3339 | Self::HttpDate | Self::WallTime { .. } => None,
        }
    }

    /// The time as partners write it, to the second or the millisecond.
    #[cfg(feature = "sign")]
    pub(crate) fn write(self, time: UnixTime) -> String {
        if let Some(number) = self.number(time) {
            return number.to_string();
        }
        let ahead = if let Self::WallTime { hours_ahead } = self { i64::from(hours_ahead) * 3600 } else { 0 };
        let seconds = time.as_secs().saturating_add(ahead);
        let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = time.to_calendar_date();
        let (hour, minute, second) = time.to_hms();
        match self {
            Self::HttpDate => {
                let short = |name: String| name.chars().take(3).collect::<String>();
                let (weekday, month) = (short(time.weekday().to_string()), short(month.to_string()));
                format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
            }
            Self::WallTime { .. } => {
                format!("{year:04}-{:02}-{day:02} {hour:02}:{minute:02}:{second:02}", u8::from(month))
            }
            _ => format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month)),
        }
    }

    /// How many characters such a time has from 2001 to 2286, if that is fixed. A part of a fixed length needs no
    /// separator after it.
    pub(crate) fn length(self) -> Option<usize> {
        match self {
            Self::Seconds => Some(10),
            Self::Milliseconds => Some(13),
            Self::FractionalSeconds | Self::Rfc3339 => None,
            Self::HttpDate => Some(29),
            Self::WallTime { .. } => Some(19),
        }
    }

    /// Whether each such time has this character, digits apart.
    pub(crate) fn always_has(self, letter: char) -> bool {
        let letters = match self {
            Self::Seconds | Self::FractionalSeconds | Self::Milliseconds => "",
            Self::Rfc3339 => "-:",
            Self::HttpDate => ", :",
            Self::WallTime { .. } => "- :",
        };
        letters.contains(letter)
    }

    /// When a delivery with this time is valid. The time names a whole second or an instant, depending on the format.
    pub(crate) fn validity(self, time: UnixTime, window: &Window) -> Validity {
        match self {
            Self::Seconds | Self::HttpDate | Self::WallTime { .. } => Validity::around_second(time, window),
            Self::FractionalSeconds | Self::Milliseconds | Self::Rfc3339 => Validity::around(time, window),
        }
    }
}

fn unix_time(time: OffsetDateTime) -> Result<UnixTime, &'static str> {
    let nanos = i64::try_from(time.unix_timestamp_nanos()).map_err(|_| "is out of range")?;
    Ok(UnixTime::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_senders_write_them() {
        use TimeFormat::{FractionalSeconds, HttpDate, Milliseconds, Rfc3339, Seconds, WallTime};
        const CHINA: TimeFormat = WallTime { hours_ahead: 8 };
        const NO_DATE: Result<UnixTime, &str> = Err("is not a date and time as in `2023-11-15 06:13:20`");
        const HALF: i64 = 500_000_000;
        let second = UnixTime::from_secs(1_700_000_000);
        let later = |nanos| Ok(UnixTime::from_nanos(second.as_nanos() + nanos));
        let never = |what| Err(what);
        for (format, text, expected) in [
            (Seconds, "1700000000", later(0)),
            (Seconds, "1700000000.5", never("is not a whole number of seconds")),
            (FractionalSeconds, "1700000000", later(0)),
            (FractionalSeconds, "1700000000.5", later(HALF)),
            (FractionalSeconds, "1700000000.", never("is not a number of seconds in plain digits")),
            (Milliseconds, "1700000000500", later(HALF)),
            (Milliseconds, "9223372036854775807", never("is not a whole number of milliseconds")),
            (Milliseconds, "-1", never("is not a whole number of milliseconds")),
            (Rfc3339, "2023-11-14T22:13:20Z", later(0)),
            (Rfc3339, "2023-11-14T22:13:20.500000Z", later(HALF)),
            (Rfc3339, "2023-11-14T15:13:20-07:00", later(0)),
            (Rfc3339, "2023-11-14 22:13:20", never("is not an RFC 3339 time")),
            (Rfc3339, "12023-11-14T22:13:20Z", never("is not an RFC 3339 time")),
            (Rfc3339, "9999-12-31T23:59:59Z", never("is out of range")),
            (HttpDate, "Tue, 14 Nov 2023 22:13:20 GMT", later(0)),
            (HttpDate, "Tue, 14 Nov 2023 22:13:20 +0000", never("is not an HTTP date")),
            (HttpDate, "14 Nov 2023 22:13:20 GMT", never("is not an HTTP date")),
            (CHINA, "2023-11-15 06:13:20", later(0)),
            (WallTime { hours_ahead: 0 }, "2023-11-14 22:13:20", later(0)),
            (WallTime { hours_ahead: -7 }, "2023-11-14 15:13:20", later(0)),
            (CHINA, "2023-11-15T06:13:20", NO_DATE),
            (CHINA, "2023-11-15 6:13:20", NO_DATE),
            (CHINA, "2023-11-15 06:13:2", NO_DATE),
            (CHINA, "2023-11-15 06:13:20Z", NO_DATE),
            (CHINA, "2023-02-30 06:13:20", NO_DATE),
            (CHINA, "2023-11-15  6:13:20", NO_DATE),
            (CHINA, "9999-12-31 23:59:59", never("is out of range")),
            (WallTime { hours_ahead: 127 }, "0000-01-01 00:00:00", never("is out of range")),
        ] {
            assert_eq!(format.parse(text), expected, "{format:?} {text}");
        }
    }

    #[test]
    #[cfg(feature = "sign")]
    fn times_are_written_as_they_are_read() {
        use TimeFormat::{FractionalSeconds, HttpDate, Milliseconds, Rfc3339, Seconds, WallTime};
        let time = UnixTime::from_secs(1_700_000_000);
        for (format, expected) in [
            (Seconds, "1700000000"),
            (FractionalSeconds, "1700000000"),
            (Milliseconds, "1700000000000"),
            (Rfc3339, "2023-11-14T22:13:20Z"),
            (HttpDate, "Tue, 14 Nov 2023 22:13:20 GMT"),
            (WallTime { hours_ahead: 8 }, "2023-11-15 06:13:20"),
            (WallTime { hours_ahead: -3 }, "2023-11-14 19:13:20"),
        ] {
            assert_eq!(format.write(time), expected);
            assert_eq!(format.parse(expected), Ok(time), "{format:?}");
        }
    }
}
