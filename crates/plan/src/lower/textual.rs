//! Functions of text, and patterns.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr as LogicalExpr, Like};

use super::scalar::Scalars;
use super::typed;
use crate::error::PlanError;
use crate::secure::{Comparison, Expr, ExprKind, TextFunc};
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
        let constant = || PlanError::unsupported(format!("{name}() by an expression on shares"), "");
        Ok(Some(match (name, args) {
            ("character_length" | "length" | "char_length", [text]) => {
                length(TextFunc::Length, self.text(text)?)
            }
            ("octet_length", [text]) => length(TextFunc::OctetLength, self.text(text)?),
            ("upper", [text]) => changed(TextFunc::Upper, self.text(text)?),
            ("lower", [text]) => changed(TextFunc::Lower, self.text(text)?),
            ("substr" | "substring", [text, from]) => {
                let from = whole(from).ok_or_else(constant)?;
                part(self.text(text)?, from, None)
            }
            ("substr" | "substring", [text, from, many]) => {
                let (from, many) = whole(from).zip(whole(many)).ok_or_else(constant)?;
                part(self.text(text)?, from, Some(many))
            }
            ("left", [text, many]) => {
                let many = whole(many).filter(|many| *many >= 0).ok_or_else(constant)?;
                part(self.text(text)?, 1, Some(many))
            }
            ("concat", args) => {
                let args = args.iter().map(|arg| self.text(arg)).collect::<Result<Vec<_>, _>>()?;
                concat(args, true)
            }
            ("starts_with", [text, LogicalExpr::Literal(start, _)]) => {
                let start = start.try_as_str().flatten().ok_or_else(constant)?;
                if start.contains(['%', '_', '\\']) {
                    return Ok(None);
                }
                like(self.text(text)?, &format!("{start}%"))
            }
            _ => return Ok(None),
        }))
    }

    /// An operand that is text.
    pub(super) fn text(&self, expr: &LogicalExpr) -> Result<Expr, PlanError> {
        let text = self.lower(expr)?;
        if typed::is_null_literal(&text) {
            return Ok(typed::literal(Value::Null, Type::Utf8));
        }
        match text.ty {
            Type::Utf8 => Ok(text),
            other => Err(PlanError::unsupported(format!("a {other} as text on shares"), "")),
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
        if pattern.escape_char.is_some() || text.contains('\\') {
            return Err(refuse("an escape"));
        }
        let mut operand = self.text(&pattern.expr)?;
        let mut text = text.to_owned();
        if pattern.case_insensitive {
            if !text.is_ascii() {
                return Err(refuse("letters beyond ASCII"));
            }
            (operand, text) = (changed(TextFunc::Lower, operand), text.to_ascii_lowercase());
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

/// From a character counted from 1, so many of them.
fn part(text: Expr, from: i64, many: Option<i64>) -> Expr {
    let width = i64::from(text.width_bytes);
    let end = many.map_or(i64::MAX, |many| from.saturating_add(many.max(0)));
    let (from, to) = ((from.max(1) - 1).min(width), (end.max(1) - 1).min(width));
    let to = to.max(from);
    let func = TextFunc::Substr { from: from as u32, to: to as u32 };
    function(func, vec![text], Type::Utf8, None, (to - from) as u32)
}

/// One text behind the other.
pub(super) fn concat(args: Vec<Expr>, skip_nulls: bool) -> Expr {
    let width = args.iter().map(|arg| arg.width_bytes).sum();
    function(TextFunc::Concat { skip_nulls }, args, Type::Utf8, None, width)
}
