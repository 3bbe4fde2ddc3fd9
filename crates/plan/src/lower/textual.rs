//! Functions of text, and patterns.

use std::collections::BTreeSet;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr as LogicalExpr, Like};

use super::scalar::Scalars;
use super::typed::{self, ArithOp};
use super::{calendar, float};
use crate::error::PlanError;
use crate::secure::{Comparison, Expr, ExprKind, TextFunc, Writing};
use crate::types::{Range, Type, Value};

impl Scalars<'_> {
    /// A function of text; `None` if it is no such.
    pub(super) fn text_function(&self, name: &str, args: &[LogicalExpr]) -> Result<Option<Expr>, PlanError> {
        let whole = |expr: &LogicalExpr| match expr {
            LogicalExpr::Literal(value, _) => match value.cast_to(&Type::Int64.arrow()) {
                Ok(ScalarValue::Int64(value)) => value,
                _ => None,
            },
            _ => None,
        };
        let word = |expr: &LogicalExpr| match expr {
            LogicalExpr::Literal(value, _) => {
                value.try_as_str().flatten().filter(|text| !text.contains('\0')).map(str::to_owned)
            }
            _ => None,
        };
        let constant = || PlanError::unsupported(format!("{name}() by an expression on shares"), "");
        Ok(Some(match (name, args) {
            ("character_length" | "length" | "char_length", [text]) => {
                length(TextFunc::Length, self.text(text)?)
            }
            ("octet_length", [text]) => length(TextFunc::OctetLength, self.text(text)?),
            ("upper", [text]) => self.with_case(TextFunc::Upper, self.text(text)?),
            ("lower", [text]) => self.with_case(TextFunc::Lower, self.text(text)?),
            ("substr" | "substring", [text, from]) => {
                let from = whole(from).ok_or_else(constant)?;
                self.part(self.text(text)?, from, None)
            }
            ("substr" | "substring", [text, from, many]) => {
                let (from, many) = whole(from).zip(whole(many)).ok_or_else(constant)?;
                self.part(self.text(text)?, from, Some(many))
            }
            ("left", [text, many]) => {
                let many = whole(many).filter(|many| *many >= 0).ok_or_else(constant)?;
                self.part(self.text(text)?, 1, Some(many))
            }
            ("concat", args) => {
                let args = args.iter().map(|arg| self.text(arg)).collect::<Result<Vec<_>, _>>()?;
                concat(args, true)
            }
            ("right", [text, many]) => {
                let many = whole(many).filter(|many| *many >= 0).ok_or_else(constant)?;
                let text = self.text(text)?;
                let width = text.width_bytes;
                match u32::try_from(many) {
                    Ok(0) => self.part(text, 1, Some(0)),
                    Ok(many) if many < width => {
                        let width = width.min(many.saturating_mul(self.character_bytes));
                        function(TextFunc::Right(many), vec![text], Type::Utf8, None, width)
                    }
                    _ => text,
                }
            }
            ("reverse", [text]) => changed(TextFunc::Reverse, self.text(text)?),
            ("starts_with" | "ends_with" | "contains", [text, sought]) => {
                let sought = word(sought).ok_or_else(constant)?;
                if sought.contains(['%', '_', '\\']) {
                    let reason = "the text that is sought has a sign that patterns use";
                    return Err(PlanError::unsupported(format!("{name}() on shares"), reason));
                }
                let pattern = match name {
                    "starts_with" => format!("{sought}%"),
                    "ends_with" => format!("%{sought}"),
                    _ => format!("%{sought}%"),
                };
                like(self.text(text)?, &pattern)
            }
            ("strpos" | "position" | "instr", [text, sought]) => {
                let sought = word(sought).ok_or_else(constant)?;
                let text = self.text(text)?;
                let range = Range::new(0, i128::from(text.width_bytes).max(1));
                function(TextFunc::Position(sought), vec![text], Type::Int32, Some(range), 0)
            }
            ("btrim" | "trim" | "ltrim" | "rtrim", [text, set @ ..]) if set.len() < 2 => {
                let set = set.first().map_or(Some(" ".to_owned()), word).ok_or_else(constant)?;
                if !set.is_ascii() {
                    let reason = "the signs that go are beyond ASCII";
                    return Err(PlanError::unsupported(format!("{name}() on shares"), reason));
                }
                let text = self.text(text)?;
                let (start, end) = (name != "rtrim", name != "ltrim");
                if set.is_empty() { text } else { changed(TextFunc::Trim { set, start, end }, text) }
            }
            ("replace", [text, from, to]) => {
                let (from, to) = word(from).zip(word(to)).ok_or_else(constant)?;
                let text = self.text(text)?;
                let overlaps = (1..from.len()).any(|by| from.as_bytes().starts_with(&from.as_bytes()[by..]));
                if from.len() != to.len() || overlaps {
                    let reason =
                        "both texts have to have as many bytes, and the first must not overlap itself";
                    return Err(PlanError::unsupported("replace() on shares", reason));
                }
                if from.is_empty() { text } else { changed(TextFunc::Replace { from, to }, text) }
            }
            ("translate", [text, from, to]) => {
                let (signs, to) = word(from).zip(word(to)).ok_or_else(constant)?;
                let text = self.text(text)?;
                let different: BTreeSet<char> = signs.chars().collect();
                let once = different.len() == signs.chars().count();
                if !once || !signs.is_ascii() || !to.is_ascii() || signs.len() > to.len() {
                    let reason = "signs have to be ASCII, each once, and none may vanish";
                    return Err(PlanError::unsupported("translate() on shares", reason));
                }
                let to = to[..signs.len()].to_owned();
                if signs.is_empty() { text } else { changed(TextFunc::Translate { from: signs, to }, text) }
            }
            _ => return Ok(None),
        }))
    }

    /// From a character counted from 1, so many of them.
    fn part(&self, text: Expr, from: i64, many: Option<i64>) -> Expr {
        let width = i64::from(text.width_bytes);
        let end = many.map_or(i64::MAX, |many| from.saturating_add(many.max(0)));
        let (from, to) = ((from.max(1) - 1).min(width), (end.max(1) - 1).min(width));
        let to = to.max(from);
        let func = TextFunc::Substr { from: from as u32, to: to as u32 };
        let bytes = ((to - from) as u32).saturating_mul(self.character_bytes).min(text.width_bytes);
        function(func, vec![text], Type::Utf8, None, bytes)
    }

    /// Letters beyond ASCII can become longer, at most threefold.
    fn with_case(&self, func: TextFunc, text: Expr) -> Expr {
        let width = text.width_bytes.saturating_mul(self.character_bytes.min(3));
        function(func, vec![text], Type::Utf8, None, width)
    }

    /// An operand that is text.
    pub(super) fn text(&self, expr: &LogicalExpr) -> Result<Expr, PlanError> {
        let text = self.lower(expr)?;
        if typed::is_null_literal(&text) {
            return Ok(typed::literal(Value::Null, Type::Utf8));
        }
        match text.ty {
            Type::Utf8 => Ok(text),
            _ => typed::cast(text, Type::Utf8),
        }
    }

    /// LIKE and ILIKE with a constant pattern.
    pub(super) fn lower_like(&self, pattern: &Like) -> Result<Expr, PlanError> {
        let word = if pattern.case_insensitive { "ILIKE" } else { "LIKE" };
        let refuse = |what: &str| {
            let place = self.locator.word(word);
            PlanError::unsupported(format!("{word} with {what} on shares"), "").placed(place)
        };
        let LogicalExpr::Literal(value, _) = pattern.pattern.as_ref() else {
            return Err(refuse("a pattern that is no constant"));
        };
        let Some(text) = value.try_as_str().flatten() else { return Err(refuse("a pattern that is NULL")) };
        if text.contains('\0') {
            return Err(refuse("a NUL character"));
        }
        if pattern.escape_char.is_some() || text.contains('\\') {
            return Err(refuse("an escape"));
        }
        let mut operand = self.text(&pattern.expr)?;
        let mut text = text.to_owned();
        if pattern.case_insensitive {
            if !text.is_ascii() {
                return Err(refuse("letters beyond ASCII"));
            }
            (operand, text) = (self.with_case(TextFunc::Lower, operand), text.to_ascii_lowercase());
        }
        let matches = match text.contains(['%', '_']) {
            true => like(operand, &text),
            false => typed::compare(Comparison::Eq, operand, typed::literal(Value::Utf8(text), Type::Utf8))?,
        };
        Ok(if pattern.negated { typed::not(matches) } else { matches })
    }
}

fn function(func: TextFunc, args: Vec<Expr>, ty: Type, range: Option<Range>, width_bytes: u32) -> Expr {
    let nullable = match func {
        TextFunc::Concat { skip_nulls: true } => false,
        _ => args.iter().any(|arg| arg.nullable),
    };
    Expr { width_bytes, ..typed::plain(ExprKind::Text { func, args }, ty, nullable, range) }
}

fn length(func: TextFunc, text: Expr) -> Expr {
    let range = Range::new(0, text.width_bytes.into());
    function(func, vec![text], Type::Int32, Some(range), 0)
}

fn changed(func: TextFunc, text: Expr) -> Expr {
    let width = text.width_bytes;
    function(func, vec![text], Type::Utf8, None, width)
}

fn like(text: Expr, pattern: &str) -> Expr {
    function(TextFunc::Like(pattern.to_owned()), vec![text], Type::Bool, Type::Bool.range(), 0)
}

/// A value as text: truths in words, numbers in digits, dates as `yyyy-mm-dd`.
pub(super) fn written(value: Expr) -> Result<Expr, PlanError> {
    let refuse = |ty: Type, reason: &str| {
        Err(PlanError::unsupported(format!("a cast from {ty} to string on shares"), reason))
    };
    let word = |word: &str| typed::literal(Value::Utf8(word.to_owned()), Type::Utf8);
    let number = |value: Expr, writing, width| {
        function(TextFunc::Written(writing), vec![value], Type::Utf8, None, width)
    };
    match value.ty {
        Type::Bool if !value.nullable => typed::case(vec![(value, word("true"))], word("false")),
        Type::Bool => typed::shared([value], |[value]| {
            let branches = vec![(value.clone(), word("true")), (typed::not(value), word("false"))];
            typed::case(branches, typed::literal(Value::Null, Type::Utf8))
        }),
        ty if ty.is_exact_number() => {
            let range = typed::exact_range(&value).narrow().or(ty.range()).unwrap_or(Range::point(0));
            let scale = u32::from(ty.scale());
            let most = range.low.unsigned_abs().max(range.high.unsigned_abs());
            let digits = (most.checked_ilog10().unwrap_or(0) + 1).max(scale + 1);
            let width = digits + u32::from(scale > 0) + u32::from(range.low < 0);
            Ok(number(value, Writing::Decimal { scale: ty.scale() }, width))
        }
        Type::Date => typed::shared([value], |[value]| {
            let part = |part: &str| calendar::part(part, value.clone(), Type::Int64);
            let add = |op, x, y: Expr| typed::arith(op, x, y, Type::Int64);
            let times = |x: Expr, by: i128| add(ArithOp::Mul, x, typed::literal(Value::Int(by), Type::Int64));
            let year = part("year")?;
            if year.range.is_none_or(|range| range.low < 0 || range.high > 9999) {
                return refuse(Type::Date, "its years may have more than four digits");
            }
            let days = add(ArithOp::Add, times(part("month")?, 100)?, part("day")?)?;
            let all = add(ArithOp::Add, times(year, 10_000)?, days)?;
            let all = float::assumed(all, Type::Int64, Range::new(0, 99_991_231));
            Ok(number(all, Writing::Date, 10))
        }),
        ty => refuse(ty, "only its owner can do that, in an expression over one party's columns"),
    }
}

/// One text behind the other.
pub(super) fn concat(args: Vec<Expr>, skip_nulls: bool) -> Expr {
    let width = args.iter().fold(0u32, |width, arg| width.saturating_add(arg.width_bytes));
    function(TextFunc::Concat { skip_nulls }, args, Type::Utf8, None, width)
}
