//! Dates and timestamps: their parts, sums with intervals, and units they are cut to.
//!
//! What a calendar makes of a day is constant between public days, so it costs comparisons with
//! those that lie in the column's range.

use datafusion::arrow::datatypes::{IntervalDayTime, IntervalMonthDayNano};
use datafusion::common::ScalarValue;

use super::float::assumed;
use super::typed::{self, ArithOp};
use crate::calendar::{DAY_MICROS, civil_from_days, days_from_civil};
use crate::error::PlanError;
use crate::secure::{Expr, ExprKind};
use crate::types::{Range, Type, Value};

/// The most thresholds that one expression may be compared with.
const MAX_STEPS: usize = 4096;
const SECOND: i128 = 1_000_000;

fn range_of(expr: &Expr) -> Range {
    expr.range.or(expr.ty.range()).unwrap_or(Range::point(0))
}

fn whole(value: i128) -> Expr {
    typed::literal(Value::Int(value), Type::Int64)
}

fn combined(op: ArithOp, left: Expr, right: Expr) -> Result<Expr, PlanError> {
    typed::arith(op, left, right, Type::Int64)
}

/// Days or microseconds as a number.
fn number(expr: Expr) -> Expr {
    let range = range_of(&expr);
    assumed(expr, Type::Int64, range)
}

/// `⌊expr / unit⌋`, and `expr − unit·⌊expr / unit⌋`.
fn split(expr: Expr, unit: i128) -> Result<(Expr, Expr), PlanError> {
    let range = range_of(&expr);
    let base = range.low.div_euclid(unit);
    // From its least value on, the number is not negative.
    let above = combined(ArithOp::Sub, number(expr), whole(base * unit))?;
    let above = assumed(above, Type::Int64, Range::new(0, range.high - base * unit));
    let quotient = combined(ArithOp::Div, above.clone(), whole(unit))?;
    let rest = combined(ArithOp::Rem, above, whole(unit))?;
    Ok((combined(ArithOp::Add, quotient, whole(base))?, rest))
}

/// A function of days that changes nowhere but on some of them.
fn steps(days: Expr, value: impl Fn(i128) -> i128) -> Result<Expr, PlanError> {
    let range = range_of(&days);
    let too_many = || {
        PlanError::unsupported(
            "this function of a date without a narrow range",
            format!(
                "it is compared with calendar days; declare a range in catalog.toml ({MAX_STEPS} changes at most)"
            ),
        )
    };
    if range.n_values() > 400 * 366 {
        return Err(too_many());
    }
    let first = value(range.low);
    let (mut last, mut changes, mut values) = (first, Vec::new(), Range::point(first));
    for day in range.low + 1..=range.high {
        let next = value(day);
        if next != last {
            changes.push((day, next));
            values = values.union(Range::point(next));
            last = next;
        }
    }
    if changes.len() > MAX_STEPS {
        return Err(too_many());
    }
    let nullable = days.nullable;
    let kind = ExprKind::Steps { operand: Box::new(days), first, steps: changes };
    Ok(typed::plain(kind, Type::Int64, nullable, Some(values)))
}

/// A function of a number that has few values.
pub(super) fn table(operand: Expr, ty: Type, value: impl Fn(i128) -> i128) -> Option<Expr> {
    let range = range_of(&operand);
    if !operand.ty.is_integer() || range.n_values() > MAX_STEPS as u128 {
        return None;
    }
    let table = steps(number(operand), value).ok()?;
    let values = range_of(&table);
    ty.range().filter(|possible| possible.contains(values))?;
    Some(assumed(table, ty, values))
}

/// The days of a date, or those of a timestamp.
fn days(expr: Expr) -> Result<Expr, PlanError> {
    match expr.ty {
        Type::Date => Ok(number(expr)),
        Type::Timestamp => Ok(split(expr, DAY_MICROS)?.0),
        other => Err(PlanError::unsupported(format!("a date of {other}"), "")),
    }
}

fn year_start(day: i128) -> i128 {
    days_from_civil(civil_from_days(day).0, 1, 1)
}

fn month_start(day: i128) -> i128 {
    let (year, month, _) = civil_from_days(day);
    days_from_civil(year, month, 1)
}

fn quarter_start(day: i128) -> i128 {
    let (year, month, _) = civil_from_days(day);
    days_from_civil(year, (month - 1) / 3 * 3 + 1, 1)
}

/// 1970-01-01 was a Thursday; Mondays are 4 after a multiple of 7.
fn week_start(day: i128) -> i128 {
    day - (day + 3).rem_euclid(7)
}

/// The ISO week, that of its Thursday.
fn iso_week(day: i128) -> i128 {
    let thursday = week_start(day) + 3;
    (thursday - year_start(thursday)) / 7 + 1
}

/// EXTRACT and DATE_PART.
pub(super) fn part(part: &str, value: Expr, ty: Type) -> Result<Expr, PlanError> {
    let unknown = || PlanError::unsupported(format!("the date part {part} on shares"), "");
    let time = |unit: i128, most: i128, value: Expr| -> Result<Expr, PlanError> {
        if value.ty != Type::Timestamp {
            // A date is midnight; one that is NULL has no hour.
            return combined(ArithOp::Mul, number(value), whole(0));
        }
        let (_, micros) = split(value, DAY_MICROS)?;
        let (units, _) = split(micros, unit)?;
        combined(ArithOp::Rem, units, whole(most))
    };
    let since = |start: fn(i128) -> i128, most: i128| -> Result<Expr, PlanError> {
        typed::shared([days(value.clone())?], |[days]| {
            let start = steps(days.clone(), start)?;
            let passed = combined(ArithOp::Sub, days, start)?;
            combined(ArithOp::Add, assumed(passed, Type::Int64, Range::new(0, most - 1)), whole(1))
        })
    };
    let result = match part {
        "year" | "years" => steps(days(value)?, |day| civil_from_days(day).0)?,
        "month" | "months" => steps(days(value)?, |day| civil_from_days(day).1)?,
        "quarter" | "qtr" => steps(days(value)?, |day| (civil_from_days(day).1 - 1) / 3 + 1)?,
        "isoyear" => steps(days(value)?, |day| civil_from_days(week_start(day) + 3).0)?,
        "week" | "weeks" => steps(days(value)?, iso_week)?,
        "day" | "days" => since(month_start, 31)?,
        "doy" => since(year_start, 366)?,
        // Sunday is 0; the day 3 was one.
        "dow" => split(combined(ArithOp::Add, days(value)?, whole(4))?, 7)?.1,
        "isodow" => {
            let (_, day) = split(combined(ArithOp::Add, days(value)?, whole(3))?, 7)?;
            combined(ArithOp::Add, day, whole(1))?
        }
        "hour" | "hours" => time(3600 * SECOND, 24, value)?,
        "minute" | "minutes" => time(60 * SECOND, 60, value)?,
        "second" | "seconds" => time(SECOND, 60, value)?,
        "epoch" if value.ty == Type::Date => combined(ArithOp::Mul, number(value), whole(86_400))?,
        _ => return Err(unknown()),
    };
    if ty == Type::Float64 {
        return typed::cast(result, ty);
    }
    let range = range_of(&result);
    Ok(assumed(result, ty, range))
}

/// DATE_TRUNC: the unit's start, of the same type.
pub(super) fn truncated(unit: &str, value: Expr) -> Result<Expr, PlanError> {
    let ty = value.ty;
    let start: fn(i128) -> i128 = match unit {
        "year" => year_start,
        "quarter" => quarter_start,
        "month" => month_start,
        "week" => week_start,
        "day" => |day| day,
        "hour" | "minute" | "second" => {
            let micros = match unit {
                "hour" => 3600 * SECOND,
                "minute" => 60 * SECOND,
                _ => SECOND,
            };
            let (units, _) = split(value, micros)?;
            return Ok(retyped(combined(ArithOp::Mul, units, whole(micros))?, ty));
        }
        _ => return Err(PlanError::unsupported(format!("date_trunc to {unit} on shares"), "")),
    };
    let days = days(value)?;
    let days = match unit {
        "day" => days,
        "week" => typed::shared([days], |[days]| {
            let (_, passed) = split(combined(ArithOp::Add, days.clone(), whole(3))?, 7)?;
            combined(ArithOp::Sub, days, passed)
        })?,
        _ => steps(days, start)?,
    };
    match ty {
        Type::Date => Ok(retyped(days, ty)),
        _ => Ok(retyped(combined(ArithOp::Mul, days, whole(DAY_MICROS))?, ty)),
    }
}

/// A time cut towards zero to whole units of so many microseconds, as a cast to another unit does.
pub(super) fn in_units(value: Expr, micros: i128) -> Result<Expr, PlanError> {
    let range = range_of(&value);
    let cut = typed::shared([value], |[value]| {
        let rest = combined(ArithOp::Rem, number(value.clone()), whole(micros))?;
        combined(ArithOp::Sub, number(value), rest)
    })?;
    let end = |time: i128| time - time % micros;
    Ok(assumed(cut, Type::Timestamp, Range::new(end(range.low), end(range.high))))
}

fn retyped(expr: Expr, ty: Type) -> Expr {
    let range = range_of(&expr);
    assumed(expr, ty, range)
}

/// Between dates and timestamps: midnight of the day, and the day of the time.
pub(super) fn cast(value: Expr, ty: Type) -> Result<Expr, PlanError> {
    match (value.ty, ty) {
        (Type::Date, Type::Timestamp) => {
            Ok(retyped(combined(ArithOp::Mul, number(value), whole(DAY_MICROS))?, ty))
        }
        (Type::Timestamp, Type::Date) => Ok(retyped(days(value)?, ty)),
        _ => Ok(retyped(value, ty)),
    }
}

/// An interval: months, then days, then microseconds.
pub(super) fn interval(value: &ScalarValue) -> Option<(i32, i32, i64)> {
    Some(match value {
        ScalarValue::IntervalYearMonth(Some(months)) => (*months, 0, 0),
        ScalarValue::IntervalDayTime(Some(IntervalDayTime { days, milliseconds })) => {
            (0, *days, i64::from(*milliseconds) * 1000)
        }
        ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano { months, days, nanoseconds }))
            if nanoseconds % 1000 == 0 =>
        {
            (*months, *days, nanoseconds / 1000)
        }
        _ => return None,
    })
}

/// The same day so many months later, or the last one of a shorter month.
fn months_later(day: i128, months: i128) -> i128 {
    let (year, month, day) = civil_from_days(day);
    let month = year * 12 + month - 1 + months;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let next = days_from_civil(year + month / 12, month % 12 + 1, 1);
    (days_from_civil(year, month, 1) + day - 1).min(next - 1)
}

/// A date or timestamp and an interval; `sign` is −1 for one that is taken away.
pub(super) fn plus(value: Expr, interval: (i32, i32, i64), sign: i128) -> Result<Expr, PlanError> {
    typed::shared([value], |[value]| later(value, interval, sign))
}

fn later(value: Expr, (months, days_more, micros): (i32, i32, i64), sign: i128) -> Result<Expr, PlanError> {
    let ty = value.ty;
    let (months, days_more, micros) =
        (sign * i128::from(months), sign * i128::from(days_more), sign * i128::from(micros));
    let unit = if ty == Type::Date { 1 } else { DAY_MICROS };
    let mut sum = number(value.clone());
    if months != 0 {
        // How many days later that is depends on the day alone.
        let later = steps(days(value)?, |day| months_later(day, months) - day)?;
        let later = if unit == 1 { later } else { combined(ArithOp::Mul, later, whole(unit))? };
        sum = combined(ArithOp::Add, sum, later)?;
    }
    let rest = days_more * unit + if ty == Type::Date { micros.div_euclid(DAY_MICROS) } else { micros };
    if ty == Type::Date && micros % DAY_MICROS != 0 {
        return Err(PlanError::unsupported("a date and an interval of hours", "cast it to a timestamp"));
    }
    if rest != 0 {
        sum = combined(ArithOp::Add, sum, whole(rest))?;
    }
    let range = range_of(&sum);
    match ty.range() {
        Some(possible) if possible.contains(range) => Ok(assumed(sum, ty, range)),
        _ => Err(PlanError::TooWide { expression: format!("a {ty} and an interval") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_where_they_end() {
        let day = |year, month, day| days_from_civil(year, month, day);
        assert_eq!(months_later(day(2020, 1, 31), 1), day(2020, 2, 29));
        assert_eq!(months_later(day(2021, 1, 31), 1), day(2021, 2, 28));
        assert_eq!(months_later(day(2020, 3, 31), -1), day(2020, 2, 29));
        assert_eq!(months_later(day(2020, 12, 15), 1), day(2021, 1, 15));
        assert_eq!(months_later(day(2020, 2, 29), 12), day(2021, 2, 28));
        assert_eq!(months_later(day(2020, 11, 30), 1), day(2020, 12, 30));
        assert_eq!(iso_week(day(2021, 1, 3)), 53);
        assert_eq!(iso_week(day(2021, 1, 4)), 1);
        assert_eq!(week_start(day(2026, 11, 21)), day(2026, 11, 16));
    }
}
