//! The SQL types that travel between parties, their values and their ranges.

use std::fmt;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::calendar::{DAY_MICROS, civil_from_days, existing_day};

/// The widest decimal: 38 digits, the most that 127 bits always hold.
pub const MAX_PRECISION: u8 = 38;

/// A column's SQL type.
///
/// Everything but `Float64` and `Utf8` is an integer on the wire: a decimal is
/// its unscaled value, a date counts days and a timestamp microseconds since
/// 1970-01-01, a boolean is 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Type {
    /// True or false.
    Bool,
    /// 8-bit signed integer.
    Int8,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// 8-bit unsigned integer.
    UInt8,
    /// 16-bit unsigned integer.
    UInt16,
    /// 32-bit unsigned integer.
    UInt32,
    /// 64-bit unsigned integer.
    UInt64,
    /// Exact decimal of `precision` digits, `scale` of them after the point.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since 1970-01-01, no time zone.
    Timestamp,
    /// UTF-8 text.
    Utf8,
    /// Double. On shares it is only what AVG over integers gives, or an opaque
    /// payload that comes from a local stage and goes to the answer.
    Float64,
}

impl Type {
    /// The Arrow type that holds it in clear.
    pub fn arrow(self) -> DataType {
        match self {
            Type::Bool => DataType::Boolean,
            Type::Int8 => DataType::Int8,
            Type::Int16 => DataType::Int16,
            Type::Int32 => DataType::Int32,
            Type::Int64 => DataType::Int64,
            Type::UInt8 => DataType::UInt8,
            Type::UInt16 => DataType::UInt16,
            Type::UInt32 => DataType::UInt32,
            Type::UInt64 => DataType::UInt64,
            Type::Decimal { precision, scale } => DataType::Decimal128(precision, scale as i8),
            Type::Date => DataType::Date32,
            Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Type::Utf8 => DataType::Utf8,
            Type::Float64 => DataType::Float64,
        }
    }

    /// The type whose values the Arrow type's are, or `None` if there is none. Timestamps of any
    /// unit are ours, whose values then have to be whole microseconds.
    pub fn from_arrow(arrow: &DataType) -> Option<Type> {
        Some(match arrow {
            DataType::Boolean => Type::Bool,
            DataType::Int8 => Type::Int8,
            DataType::Int16 => Type::Int16,
            DataType::Int32 => Type::Int32,
            DataType::Int64 => Type::Int64,
            DataType::UInt8 => Type::UInt8,
            DataType::UInt16 => Type::UInt16,
            DataType::UInt32 => Type::UInt32,
            DataType::UInt64 => Type::UInt64,
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s)
                if *s >= 0 && *s as u8 <= *p && *p <= MAX_PRECISION =>
            {
                Type::Decimal { precision: *p, scale: *s as u8 }
            }
            DataType::Date32 => Type::Date,
            DataType::Timestamp(_, None) => Type::Timestamp,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Type::Utf8,
            DataType::Float64 => Type::Float64,
            _ => return None,
        })
    }

    /// Whether values are integers of any width and sign.
    pub fn is_integer(self) -> bool {
        use Type::*;
        matches!(self, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64)
    }

    /// Whether values are exact numbers: integers or decimals.
    pub fn is_exact_number(self) -> bool {
        self.is_integer() || matches!(self, Type::Decimal { .. })
    }

    /// Digits after the point; 0 for everything but decimals.
    pub fn scale(self) -> u8 {
        match self {
            Type::Decimal { scale, .. } => scale,
            _ => 0,
        }
    }

    /// The least and the greatest unscaled value, or `None` for text and doubles.
    pub fn range(self) -> Option<Range> {
        Some(match self {
            Type::Bool => Range::new(0, 1),
            Type::Int8 => Range::new(i8::MIN.into(), i8::MAX.into()),
            Type::Int16 => Range::new(i16::MIN.into(), i16::MAX.into()),
            Type::Int32 | Type::Date => Range::new(i32::MIN.into(), i32::MAX.into()),
            Type::Int64 | Type::Timestamp => Range::new(i64::MIN.into(), i64::MAX.into()),
            Type::UInt8 => Range::new(0, u8::MAX.into()),
            Type::UInt16 => Range::new(0, u16::MAX.into()),
            Type::UInt32 => Range::new(0, u32::MAX.into()),
            Type::UInt64 => Range::new(0, u64::MAX.into()),
            Type::Decimal { precision, .. } => {
                let most = 10i128.pow(precision.into()) - 1;
                Range::new(-most, most)
            }
            Type::Utf8 | Type::Float64 => return None,
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Type::Bool => "bool",
            Type::Int8 => "int8",
            Type::Int16 => "int16",
            Type::Int32 => "int32",
            Type::Int64 => "int64",
            Type::UInt8 => "uint8",
            Type::UInt16 => "uint16",
            Type::UInt32 => "uint32",
            Type::UInt64 => "uint64",
            Type::Decimal { precision, scale } => return write!(f, "decimal({precision},{scale})"),
            Type::Date => "date",
            Type::Timestamp => "timestamp",
            Type::Utf8 => "string",
            Type::Float64 => "float64",
        };
        f.write_str(name)
    }
}

impl From<Type> for String {
    fn from(ty: Type) -> String {
        ty.to_string()
    }
}

impl TryFrom<String> for Type {
    type Error = String;

    fn try_from(text: String) -> Result<Type, String> {
        text.parse()
    }
}

impl std::str::FromStr for Type {
    type Err = String;

    fn from_str(text: &str) -> Result<Type, String> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(inside) = text.strip_prefix("decimal(").and_then(|t| t.strip_suffix(')')) {
            let (precision, scale) = inside.split_once(',').unwrap_or((inside, "0"));
            let number = |t: &str| t.trim().parse::<u8>();
            if let (Ok(precision), Ok(scale)) = (number(precision), number(scale))
                && (1..=MAX_PRECISION).contains(&precision)
                && scale <= precision
            {
                return Ok(Type::Decimal { precision, scale });
            }
            return Err(format!(
                "`{text}`: a decimal has 1 to {MAX_PRECISION} digits and at most as many after the point"
            ));
        }
        Ok(match text.as_str() {
            "bool" | "boolean" => Type::Bool,
            "int8" | "tinyint" => Type::Int8,
            "int16" | "smallint" => Type::Int16,
            "int32" | "int" | "integer" => Type::Int32,
            "int64" | "bigint" => Type::Int64,
            "uint8" => Type::UInt8,
            "uint16" => Type::UInt16,
            "uint32" => Type::UInt32,
            "uint64" => Type::UInt64,
            "date" => Type::Date,
            "timestamp" => Type::Timestamp,
            "string" | "text" | "utf8" | "varchar" => Type::Utf8,
            "float64" | "double" => Type::Float64,
            _ => {
                return Err(format!(
                    "`{text}` is no type; there are bool, int8…int64, uint8…uint64, decimal(p,s), date, \
                     timestamp, string and float64"
                ));
            }
        })
    }
}

/// An interval of unscaled integers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// The least value.
    pub low: i128,
    /// The greatest value.
    pub high: i128,
}

impl Range {
    /// The interval from `low` to `high`, which are swapped if out of order.
    pub fn new(low: i128, high: i128) -> Range {
        Range { low: low.min(high), high: low.max(high) }
    }

    /// The interval of one value.
    pub fn point(value: i128) -> Range {
        Range { low: value, high: value }
    }

    /// Whether every value of `other` lies in it.
    pub fn contains(&self, other: Range) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    /// Whether `value` lies in it.
    pub fn holds(&self, value: i128) -> bool {
        self.low <= value && value <= self.high
    }

    /// The least interval that contains both.
    pub fn union(self, other: Range) -> Range {
        Range { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// What both have in common; `other` where they have nothing in common.
    pub fn clip(self, other: Range) -> Range {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        if low <= high { Range { low, high } } else { other }
    }

    /// How many values it holds; `u128::MAX` at most.
    pub fn n_values(&self) -> u128 {
        self.high.wrapping_sub(self.low).cast_unsigned().saturating_add(1)
    }

    /// Bits of a two's complement number that holds every value, or of an
    /// unsigned one where none is negative.
    pub fn width_bits(&self) -> u32 {
        let bits = |v: i128| 128 - if v < 0 { (!v).leading_zeros() } else { v.leading_zeros() };
        let magnitude = bits(self.low).max(bits(self.high));
        if self.low < 0 { magnitude + 1 } else { magnitude }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.low, self.high)
    }
}

/// A public constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// NULL of whatever type stands beside it.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer, an unscaled decimal, days or microseconds.
    #[serde(with = "as_text")]
    Int(i128),
    /// A double.
    Float(f64),
    /// Text.
    Utf8(String),
}

/// JSON numbers lose digits beyond 2^53 in most readers; text does not.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &i128, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<i128, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Int(i) => write!(f, "{i}"),
            Value::Float(x) => write!(f, "{x:?}"),
            Value::Utf8(s) => write!(f, "'{}'", s.replace('\'', "''")),
        }
    }
}

/// An unscaled value as its type reads: decimals with their point, dates as
/// dates, booleans as words.
pub fn show_unscaled(value: i128, ty: Type) -> String {
    match ty {
        Type::Decimal { scale, .. } if scale > 0 => {
            let unit = 10u128.pow(scale.into());
            let (whole, part) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
            let sign = if value < 0 { "-" } else { "" };
            format!("{sign}{whole}.{part:0width$}", width = scale.into())
        }
        Type::Date => {
            let (year, month, day) = civil_from_days(value);
            format!("{year:04}-{month:02}-{day:02}")
        }
        Type::Timestamp => {
            let (days, micros) = (value.div_euclid(DAY_MICROS), value.rem_euclid(DAY_MICROS));
            let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
            let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            let day = show_unscaled(days, Type::Date);
            let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
            format!("{day}T{hour:02}:{minute:02}:{second:02}{fraction}")
        }
        Type::Bool => (value != 0).to_string(),
        _ => value.to_string(),
    }
}

/// Reads what [`show_unscaled`] writes, and shorter forms of it.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn parse_unscaled(text: &str, ty: Type) -> Result<i128, String> {
    let text = text.trim();
    let value = match ty {
        Type::Bool => match text {
            "true" => Some(1),
            "false" => Some(0),
            _ => None,
        },
        Type::Date => days(text),
        Type::Timestamp => timestamp(text),
        Type::Decimal { scale, .. } => decimal(text, scale),
        Type::Utf8 | Type::Float64 => None,
        _ => text.parse().ok(),
    };
    let value = value.ok_or_else(|| format!("`{text}` is no {ty}"))?;
    match ty.range() {
        Some(range) if !range.holds(value) => Err(format!("{text} does not fit {ty}")),
        _ => Ok(value),
    }
}

fn decimal(text: &str, scale: u8) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || !all_digits(whole) || !all_digits(part) || part.len() > scale.into() {
        return None;
    }
    let unscaled = format!("{whole}{part:0<width$}", width = scale.into());
    if unscaled.is_empty() { Some(0) } else { unscaled.parse::<i128>().ok().map(|value| sign * value) }
}

fn days(text: &str) -> Option<i128> {
    let mut parts = text.split('-');
    let mut next = || parts.next()?.parse::<i128>().ok();
    let (year, month, day) = (next()?, next()?, next()?);
    if parts.next().is_some() || !(0..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    existing_day(year, month, day)
}

fn timestamp(text: &str) -> Option<i128> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.split(':');
    let mut next = |most: i128| {
        parts.next().map_or(Some(0), |part| part.parse().ok()).filter(|v| (0..=most).contains(v))
    };
    let (hour, minute, second) = (next(23)?, next(59)?, next(59)?);
    let micros = decimal(&format!("0.{fraction}"), 6)?;
    Some(days(date)? * DAY_MICROS + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_back_what_they_print() {
        for ty in [
            Type::Bool,
            Type::Int8,
            Type::UInt64,
            Type::Decimal { precision: 12, scale: 2 },
            Type::Date,
            Type::Timestamp,
            Type::Utf8,
            Type::Float64,
        ] {
            assert_eq!(ty.to_string().parse::<Type>(), Ok(ty));
            assert_eq!(Type::from_arrow(&ty.arrow()), Some(ty));
        }
        assert!("decimal(39,2)".parse::<Type>().is_err());
        assert!("decimal(3,4)".parse::<Type>().is_err());
        assert!("colour".parse::<Type>().is_err());
    }

    #[test]
    fn widths_of_ranges() {
        assert_eq!(Range::new(0, 0).width_bits(), 0);
        assert_eq!(Range::new(0, 1).width_bits(), 1);
        assert_eq!(Range::new(0, 255).width_bits(), 8);
        assert_eq!(Range::new(-128, 127).width_bits(), 8);
        assert_eq!(Range::new(-1, 0).width_bits(), 1);
        assert_eq!(Range::new(i128::MIN, i128::MAX).width_bits(), 128);
        assert_eq!(Range::new(i128::MIN, i128::MAX).n_values(), u128::MAX);
        assert_eq!(Range::new(-2, 2).n_values(), 5);
    }

    #[test]
    fn values_read_back_what_they_print() {
        let money = Type::Decimal { precision: 12, scale: 2 };
        for (text, ty, value) in [
            ("0", Type::Int64, 0),
            ("-12", Type::Int8, -12),
            ("-0.05", money, -5),
            ("12.50", money, 1250),
            ("1970-01-01", Type::Date, 0),
            ("1969-12-31", Type::Date, -1),
            ("2000-02-29", Type::Date, 11_016),
            ("0000-03-01", Type::Date, -719_468),
            ("1970-01-02T00:00:01", Type::Timestamp, 86_401_000_000),
            ("1969-12-31T23:59:59.999999", Type::Timestamp, -1),
            ("true", Type::Bool, 1),
        ] {
            assert_eq!(parse_unscaled(text, ty), Ok(value));
            assert_eq!(show_unscaled(value, ty), text);
        }
        for (text, ty) in [
            ("300", Type::Int8),
            ("1.234", money),
            ("99999999999.00", money),
            ("-", money),
            ("1.2.3", money),
            ("2001-02-29", Type::Date),
            ("2001-13-01", Type::Date),
            ("yesterday", Type::Date),
            ("1970-01-01T25:00:00", Type::Timestamp),
            ("x", Type::Bool),
            ("1", Type::Utf8),
        ] {
            assert!(parse_unscaled(text, ty).is_err(), "{text} as {ty}");
        }
    }
}
