//! One text to one value, exactly or not at all; and the type that fits all
//! texts of a column.

use plan::types::{MAX_PRECISION, Type};

use crate::calendar;

/// The unscaled value that `text` stands for in a column of type `ty`; `None`
/// where it stands for none, or for one that the type cannot hold.
///
/// Text and doubles have no unscaled value.
pub(crate) fn exact(ty: Type, text: &str) -> Option<i128> {
    let value = match ty {
        Type::Bool => i128::from(boolean(text)?),
        Type::Date => calendar::parse_date(text)?,
        Type::Timestamp => calendar::parse_timestamp(text)?,
        Type::Decimal { scale, .. } => Number::read(text)?.unscaled(scale.into())?,
        Type::Utf8 | Type::Float64 => return None,
        _ => Number::read(text)?.unscaled(0)?,
    };
    ty.range()?.holds(value).then_some(value)
}

/// A double that is a number.
pub(crate) fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "t" | "1" => Some(true),
        "false" | "False" | "FALSE" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// A decimal number as written, without an exponent.
struct Number<'a> {
    negative: bool,
    whole: &'a str,
    part: &'a str,
}

impl<'a> Number<'a> {
    fn read(text: &'a str) -> Option<Number<'a>> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let has_digits = !whole.is_empty() || !part.is_empty();
        (has_digits && all_digits(whole) && all_digits(part)).then_some(Number { negative, whole, part })
    }

    /// The value times 10^scale, if that is a whole number of at most 38 digits.
    fn unscaled(&self, scale: usize) -> Option<i128> {
        let part = self.part.trim_end_matches('0');
        if part.len() > scale {
            return None;
        }
        let mut value: i128 = 0;
        let zeros = std::iter::repeat_n(b'0', scale - part.len());
        for digit in self.whole.bytes().chain(part.bytes()).chain(zeros) {
            value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        Some(if self.negative { -value } else { value })
    }
}

/// Finds the narrowest type that holds every text it is shown: int64, then a
/// decimal of exactly the digits seen, date, bool, and text for all else.
///
/// Numbers that a number would not give back, such as `007`, are text.
#[derive(Clone, Debug)]
pub(crate) struct Guess {
    seen: bool,
    number: bool,
    int64: bool,
    whole_digits: usize,
    part_digits: usize,
    date: bool,
    boolean: bool,
}

impl Guess {
    pub(crate) fn new() -> Guess {
        Guess {
            seen: false,
            number: true,
            int64: true,
            whole_digits: 0,
            part_digits: 0,
            date: true,
            boolean: true,
        }
    }

    /// Takes one text that is not NULL into account.
    pub(crate) fn see(&mut self, text: &str) {
        self.seen = true;
        if self.number {
            self.see_number(text);
        }
        self.date = self.date && calendar::parse_date(text).is_some();
        self.boolean = self.boolean && matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE");
    }

    fn see_number(&mut self, text: &str) {
        let number = Number::read(text).filter(|number| {
            let leading_zero = number.whole.len() > 1 && number.whole.starts_with('0');
            !leading_zero && !text.starts_with('+') && !text.ends_with('.')
        });
        let Some(number) = number else {
            (self.number, self.int64) = (false, false);
            return;
        };
        self.int64 = self.int64 && !text.contains('.') && text.parse::<i64>().is_ok();
        let whole = number.whole.trim_start_matches('0').len();
        self.whole_digits = self.whole_digits.max(whole);
        self.part_digits = self.part_digits.max(number.part.len());
    }

    /// Whether another text can still change the type.
    pub(crate) fn is_text(&self) -> bool {
        !(self.number || self.date || self.boolean)
    }

    /// The type.
    pub(crate) fn ty(&self) -> Type {
        let digits = (self.whole_digits + self.part_digits).max(1);
        if !self.seen {
            Type::Utf8
        } else if self.int64 {
            Type::Int64
        } else if self.number && digits <= usize::from(MAX_PRECISION) {
            Type::Decimal { precision: digits as u8, scale: self.part_digits as u8 }
        } else if self.date {
            Type::Date
        } else if self.boolean {
            Type::Bool
        } else {
            Type::Utf8
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(texts: &[&str]) -> String {
        let mut guess = Guess::new();
        texts.iter().for_each(|text| guess.see(text));
        guess.ty().to_string()
    }

    #[test]
    fn types_fit_what_was_seen_and_no_more() {
        for (texts, expected) in [
            (&["1", "-9223372036854775808"][..], "int64"),
            (&["1", "9223372036854775808"], "decimal(19,0)"),
            (&["1", "-12.50", "0.125"], "decimal(5,3)"),
            (&["0.00"], "decimal(2,2)"),
            (&["0", ".5"], "decimal(1,1)"),
            (&["1.0"], "decimal(2,1)"),
            (&["2024-02-29", "1969-12-31"], "date"),
            (&["2024-02-30"], "string"),
            (&["true", "FALSE"], "bool"),
            (&["true", "1"], "string"),
            (&["007"], "string"),
            (&["+1"], "string"),
            (&["1e5"], "string"),
            (&["5."], "string"),
            (&[" 1"], "string"),
            (&["-"], "string"),
            (&["1", "2024-01-01"], "string"),
            (&["123456789012345678901234567890123456789"], "string"),
            (&["99999999999999999999999999999999999999"], "decimal(38,0)"),
            (&[], "string"),
        ] {
            assert_eq!(guess(texts), expected, "{texts:?}");
        }
    }

    #[test]
    fn values_are_exact_or_refused() {
        let decimal = Type::Decimal { precision: 5, scale: 2 };
        for (ty, text, expected) in [
            (decimal, "-1.5", Some(-150)),
            (decimal, "1.500", Some(150)),
            (decimal, "1.505", None),
            (decimal, "1000", None),
            (decimal, "999.99", Some(99_999)),
            (decimal, "1e2", None),
            (Type::Int8, "-128", Some(-128)),
            (Type::Int8, "128", None),
            (Type::Int64, "5.0", Some(5)),
            (Type::UInt8, "-1", None),
            (Type::Bool, "true", Some(1)),
            (Type::Bool, "yes", None),
            (Type::Date, "1970-01-02", Some(1)),
            (Type::Int64, "", None),
            (Type::Int64, "999999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(exact(ty, text), expected, "{ty} {text}");
        }
        assert_eq!(float("1e3"), Some(1000.0));
        assert_eq!(float("inf"), None);
    }
}
