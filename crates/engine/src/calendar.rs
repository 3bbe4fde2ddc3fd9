//! ISO dates and times as days and microseconds since 1970-01-01, strictly.

use plan::calendar::{DAY_MICROS, existing_day};

const MICROS_PER_SECOND: i128 = 1_000_000;

/// `YYYY-MM-DD` to days.
pub(crate) fn parse_date(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..])?);
    existing_day(year, month, day)
}

/// `YYYY-MM-DD`, then perhaps a `T` or a space and `HH:MM:SS`, then perhaps up
/// to six digits of a second, to microseconds.
pub(crate) fn parse_timestamp(text: &str) -> Option<i128> {
    let days = parse_date(text.get(..10)?)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(days * DAY_MICROS);
    }
    let bytes = rest.as_bytes();
    if bytes.len() < 9 || !matches!(bytes[0], b'T' | b' ') || bytes[3] != b':' || bytes[6] != b':' {
        return None;
    }
    let (hour, minute, second) =
        (digits(rest.get(1..3)?)?, digits(rest.get(4..6)?)?, digits(rest.get(7..9)?)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let micros = match rest.get(9..)? {
        "" => 0,
        part => {
            let part = part.strip_prefix('.')?;
            if part.len() > 6 {
                return None;
            }
            digits(part)? * 10i128.pow(6 - part.len() as u32)
        }
    };
    Some(days * DAY_MICROS + ((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + micros)
}

fn digits(text: &str) -> Option<i128> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::types::{Type, show_unscaled};

    #[test]
    fn every_day_of_eight_centuries_survives_writing() {
        for days in -146_097..146_097 {
            assert_eq!(parse_date(&show_unscaled(days, Type::Date)), Some(days));
        }
        assert_eq!(parse_date("2000-02-29"), Some(11_016));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2023-02-29",
            "2023-13-01",
            "2023-00-10",
            "2023-1-01",
            "2023-01-32",
            "20230101",
            "2023-01-0é",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps_keep_their_microseconds() {
        for text in ["1969-12-31T23:59:59.999999", "2024-02-29T00:00:00", "1970-01-01T00:00:01.500000"] {
            assert_eq!(show_unscaled(parse_timestamp(text).unwrap(), Type::Timestamp), text);
        }
        assert_eq!(parse_timestamp("1970-01-01 00:00:01.5"), Some(1_500_000));
        assert_eq!(parse_timestamp("1970-01-02"), Some(86_400_000_000));
        for text in ["1970-01-01T24:00:00", "1970-01-01T00:00", "1970-01-01T00:00:00.1234567", "1970-01-01x"]
        {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }
}
