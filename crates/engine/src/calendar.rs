//! ISO dates and times as days and microseconds since 1970-01-01, strictly.

const MICROS_PER_SECOND: i128 = 1_000_000;
const MICROS_PER_DAY: i128 = 86_400 * MICROS_PER_SECOND;

/// `YYYY-MM-DD` to days.
pub(crate) fn parse_date(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..])?);
    let days = days_from_civil(year, month, day);
    // A day that does not exist comes back as another one.
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

/// `YYYY-MM-DD`, then perhaps a `T` or a space and `HH:MM:SS`, then perhaps up
/// to six digits of a second, to microseconds.
pub(crate) fn parse_timestamp(text: &str) -> Option<i128> {
    let days = parse_date(text.get(..10)?)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(days * MICROS_PER_DAY);
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
    Some(days * MICROS_PER_DAY + ((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + micros)
}

fn digits(text: &str) -> Option<i128> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_from_civil(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i128) -> (i128, i128, i128) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i128::from(month <= 2), month, day)
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
