//! Expressions as people read them.

use std::fmt;

use super::expr::{Arith, Comparison, Expr, ExprKind, Numeric, Overflow, Rounding, TextFunc};
use crate::types::{Type, Value, show_unscaled};

impl fmt::Display for Arith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arith::Add => "+",
            Arith::Sub => "-",
            Arith::Mul => "*",
            Arith::Div { .. } | Arith::Ratio { .. } => "/",
            Arith::Rem => "%",
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Eq => "=",
            Comparison::Ne => "<>",
            Comparison::Lt => "<",
            Comparison::Le => "<=",
            Comparison::Gt => ">",
            Comparison::Ge => ">=",
        })
    }
}

/// An expression with the names of its columns.
pub(super) struct Named<'a> {
    pub(super) expr: &'a Expr,
    pub(super) names: &'a [String],
    /// The number of the first value that the innermost LET gives a name.
    pub(super) first_bound: usize,
    /// How many values that one has.
    pub(super) n_bound: usize,
}

impl Named<'_> {
    fn of<'b>(&'b self, expr: &'b Expr) -> Named<'b> {
        Named { expr, ..*self }
    }

    fn joined(&self, f: &mut fmt::Formatter<'_>, all: &[Expr], word: &str) -> fmt::Result {
        f.write_str("(")?;
        for (index, expr) in all.iter().enumerate() {
            if index > 0 {
                write!(f, " {word} ")?;
            }
            write!(f, "{}", self.of(expr))?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tested = if self.expr.overflow == Overflow::Impossible { "" } else { "!" };
        match &self.expr.kind {
            ExprKind::Column(index) => match self.names.get(*index) {
                Some(name) => f.write_str(name),
                None => write!(f, "#{index}"),
            },
            ExprKind::Literal(value) => show_value(f, value, self.expr.ty),
            ExprKind::Arith { op, left, right } => {
                write!(f, "({} {op}{tested} {})", self.of(left), self.of(right))
            }
            ExprKind::Neg(x) => write!(f, "(-{tested}{})", self.of(x)),
            ExprKind::Compare { op, left, right } => write!(f, "({} {op} {})", self.of(left), self.of(right)),
            ExprKind::And(all) => self.joined(f, all, "AND"),
            ExprKind::Or(all) => self.joined(f, all, "OR"),
            ExprKind::Not(x) => write!(f, "NOT {}", self.of(x)),
            ExprKind::IsNull(x) => write!(f, "({} IS NULL)", self.of(x)),
            ExprKind::Case { branches, otherwise } => {
                f.write_str("CASE")?;
                for (condition, value) in branches {
                    write!(f, " WHEN {} THEN {}", self.of(condition), self.of(value))?;
                }
                write!(f, " ELSE {} END", self.of(otherwise))
            }
            ExprKind::InList { operand, list } => {
                write!(f, "({} IN (", self.of(operand))?;
                for (index, value) in list.iter().enumerate() {
                    f.write_str(if index > 0 { ", " } else { "" })?;
                    show_value(f, value, operand.ty)?;
                }
                f.write_str("))")
            }
            ExprKind::Cast(x) => write!(f, "CAST{tested}({} AS {})", self.of(x), self.expr.ty),
            ExprKind::Round { operand, digits, rounding } => {
                let name = match rounding {
                    Rounding::Cut => "TRUNC",
                    Rounding::Nearest => "ROUND",
                    Rounding::Floor => "FLOOR",
                    Rounding::Ceil => "CEIL",
                };
                let kept = i16::from(operand.ty.scale()) - i16::from(*digits);
                write!(f, "{name}{tested}({}, {kept})", self.of(operand))
            }
            ExprKind::Steps { operand, steps, .. } => {
                write!(f, "STEPS[{}]({})", steps.len(), self.of(operand))
            }
            ExprKind::Text { func, args } => {
                let all: Vec<String> = args.iter().map(|arg| self.of(arg).to_string()).collect();
                let all = all.join(", ");
                match func {
                    TextFunc::Like(pattern) => write!(f, "({all} LIKE {})", Value::Utf8(pattern.clone())),
                    TextFunc::Substr { from, to } => write!(f, "SUBSTR({all}, {}, {})", from + 1, to - from),
                    TextFunc::Length => write!(f, "LENGTH({all})"),
                    TextFunc::OctetLength => write!(f, "OCTET_LENGTH({all})"),
                    TextFunc::Upper => write!(f, "UPPER({all})"),
                    TextFunc::Lower => write!(f, "LOWER({all})"),
                    TextFunc::Concat { .. } => write!(f, "CONCAT({all})"),
                    TextFunc::Right(many) => write!(f, "RIGHT({all}, {many})"),
                    TextFunc::Reverse => write!(f, "REVERSE({all})"),
                    TextFunc::Position(part) => write!(f, "STRPOS({all}, {})", Value::Utf8(part.clone())),
                    TextFunc::Trim { set, start, end } => {
                        let name = match (start, end) {
                            (true, true) => "BTRIM",
                            (true, false) => "LTRIM",
                            _ => "RTRIM",
                        };
                        write!(f, "{name}({all}, {})", Value::Utf8(set.clone()))
                    }
                    TextFunc::Replace { from, to } | TextFunc::Translate { from, to } => {
                        let name =
                            if matches!(func, TextFunc::Replace { .. }) { "REPLACE" } else { "TRANSLATE" };
                        let [from, to] = [from, to].map(|text| Value::Utf8(text.clone()));
                        write!(f, "{name}({all}, {from}, {to})")
                    }
                    TextFunc::Written(_) => write!(f, "CAST({all} AS string)"),
                }
            }
            ExprKind::Numeric(func, x) => {
                let name = match func {
                    Numeric::Exp => "EXP",
                    Numeric::Ln => "LN",
                    Numeric::Log2 => "LOG2",
                    Numeric::Log10 => "LOG10",
                };
                write!(f, "{name}({})", self.of(x))
            }
            ExprKind::Sqrt(x) => write!(f, "SQRT({})", self.of(x)),
            ExprKind::Bound(index) => write!(f, "v{}", self.first_bound + index),
            ExprKind::Let { values, body } => {
                // Names that no LET around it has given; those inside of its values end with them.
                let first_bound = self.first_bound + self.n_bound;
                f.write_str("(LET")?;
                for (index, value) in values.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma} v{} = {}", first_bound + index, self.of(value))?;
                }
                let body = Named { expr: body, first_bound, n_bound: values.len(), ..*self };
                write!(f, " IN {body})")
            }
            ExprKind::Same(x) => write!(f, "({} AS {})", self.of(x), self.expr.ty),
        }
    }
}

fn show_value(f: &mut fmt::Formatter<'_>, value: &Value, ty: Type) -> fmt::Result {
    match value {
        Value::Int(unscaled) => f.write_str(&show_unscaled(*unscaled, ty)),
        _ => write!(f, "{value}"),
    }
}
