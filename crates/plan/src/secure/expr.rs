//! Typed scalar expressions over the columns of a shared relation.

use std::fmt;

use super::show::Named;
use crate::types::{Range, Type, Value};

/// Whether an exact result can leave its type, so that the engine has to look.
///
/// A test counts only for rows that are valid, whose operands are not NULL and
/// whose enclosing CASE branch is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// The operands' ranges rule it out.
    #[default]
    Impossible,
    /// The exact result fits in 127 bits; test it against the type's range.
    Test,
    /// The exact result can exceed 127 bits. Test the operands conservatively:
    /// the row fails unless |left| < 2^`left_bits` and |right| < 2^`right_bits`
    /// (for a sum over rows, each of its terms is a left operand), and then
    /// test the result as under `Test`.
    Conservative {
        /// Bits of the left operand's magnitude.
        left_bits: u32,
        /// Bits of the right operand's magnitude.
        right_bits: u32,
    },
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arith {
    /// `+`; both operands have the result's scale.
    Add,
    /// `-`; both operands have the result's scale.
    Sub,
    /// `*`; the operands' scales add up to the result's.
    Mul,
    /// `/`; `trunc(left · 10^up / (right · 10^down))` on unscaled values,
    /// towards zero. Fails on a zero divisor where the divisor's range has 0.
    Div {
        /// Digits by which the dividend is scaled up.
        up: u8,
        /// Digits by which the divisor is scaled up.
        down: u8,
    },
    /// `left · 10^up / (right · 10^down)` of unscaled numbers as a double, cut towards zero behind
    /// the 52nd binary digit. Fails on a zero divisor where the divisor's range has 0.
    Ratio {
        /// Digits by which the dividend is scaled up.
        up: u8,
        /// Digits by which the divisor is scaled up.
        down: u8,
    },
    /// `%`, with the dividend's sign; both operands have the result's scale.
    /// Fails on a zero divisor where the divisor's range has 0.
    Rem,
}

/// How digits are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// Towards zero.
    Cut,
    /// To the nearest, half away from zero.
    Nearest,
    /// Down.
    Floor,
    /// Up.
    Ceil,
}

/// A function of doubles that is computed by polynomials, to about 2^-23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Numeric {
    /// `e^x`, with an error below 2^-22 and as much of its size; the result's range has to hold
    /// `e^(x + 1/2)` for the largest argument.
    Exp,
    /// The natural logarithm, with an absolute error below 2^-22, as the other two.
    Ln,
    /// The logarithm to base two.
    Log2,
    /// The logarithm to base ten.
    Log10,
}

/// A function of text, on its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextFunc {
    /// How many characters.
    Length,
    /// How many bytes.
    OctetLength,
    /// The characters from one place to before another, counted from 0; ASCII alone.
    Substr {
        /// The first one.
        from: u32,
        /// The one after the last.
        to: u32,
    },
    /// In capitals; ASCII alone.
    Upper,
    /// In small letters; ASCII alone.
    Lower,
    /// One text behind the other.
    Concat {
        /// Whether a NULL is nothing; else it makes all of it NULL.
        skip_nulls: bool,
    },
    /// Whether the text is like the pattern: `%` for any characters, `_` for one (ASCII alone then).
    Like(String),
    /// The last characters, so many of them; ASCII alone.
    Right(u32),
    /// The characters from the last to the first; ASCII alone.
    Reverse,
    /// The place of the first that is like this, counted from 1, or 0; ASCII alone.
    Position(String),
    /// Without the signs of a set, all of them ASCII, at the ends that it says.
    Trim {
        /// The set.
        set: String,
        /// Whether at the beginning.
        start: bool,
        /// Whether at the end.
        end: bool,
    },
    /// With other bytes in place of some, as many of them; `from` does not overlap itself.
    Replace {
        /// What is replaced.
        from: String,
        /// By what.
        to: String,
    },
    /// With each sign of `from` as the sign of `to` at its place, all of them ASCII.
    Translate {
        /// The signs that change, each once.
        from: String,
        /// What they become.
        to: String,
    },
    /// A number, its only operand, in digits.
    Written(Writing),
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Writing {
    /// With so many digits behind the point and one at least before it.
    Decimal {
        /// Digits behind the point.
        scale: u8,
    },
    /// `yyyymmdd` as `yyyy-mm-dd`.
    Date,
}

impl TextFunc {
    /// Whether characters are told apart one by one, so that all have to be of one byte.
    pub fn counts_characters(&self) -> bool {
        match self {
            TextFunc::Substr { .. } | TextFunc::Upper | TextFunc::Lower => true,
            TextFunc::Right(_) | TextFunc::Reverse | TextFunc::Position(_) => true,
            TextFunc::Like(pattern) => pattern.contains('_'),
            TextFunc::Length
            | TextFunc::OctetLength
            | TextFunc::Concat { .. }
            | TextFunc::Trim { .. }
            | TextFunc::Replace { .. }
            | TextFunc::Translate { .. }
            | TextFunc::Written(_) => false,
        }
    }
}

/// A comparison operator; both operands have the same type, decimals the same scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// What an expression computes.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A column of the input, by index.
    Column(usize),
    /// A public constant, in the unscaled form of the expression's type.
    Literal(Value),
    /// Arithmetic on exact numbers; NULL if an operand is NULL.
    Arith {
        /// The operator.
        op: Arith,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// Minus.
    Neg(Box<Expr>),
    /// A comparison; NULL if an operand is NULL. Text compares by its bytes.
    Compare {
        /// The operator.
        op: Comparison,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// Three-valued AND of two or more.
    And(Vec<Expr>),
    /// Three-valued OR of two or more.
    Or(Vec<Expr>),
    /// Three-valued NOT.
    Not(Box<Expr>),
    /// Whether the operand is NULL; never NULL itself.
    IsNull(Box<Expr>),
    /// The value beside the first condition that is true (not false, not NULL),
    /// or else `otherwise`.
    Case {
        /// Conditions and values.
        branches: Vec<(Expr, Expr)>,
        /// The value if no condition is true.
        otherwise: Box<Expr>,
    },
    /// Whether the operand is one of two or more constants, none of them NULL;
    /// NULL if the operand is NULL.
    InList {
        /// The operand.
        operand: Box<Expr>,
        /// The constants, in the unscaled form of the operand's type.
        list: Vec<Value>,
    },
    /// The operand as the expression's type. Between exact numbers only; a
    /// decimal that loses digits to another decimal rounds half away from
    /// zero, and one that becomes an integer is cut towards zero; so with a mean
    /// of integers. A boolean becomes 0 or 1, a number becomes `value <> 0`.
    Cast(Box<Expr>),
    /// A decimal with `digits` fewer after the point, in the expression's scale.
    Round {
        /// The operand.
        operand: Box<Expr>,
        /// Digits of the operand's unscaled value that are cut off.
        digits: u8,
        /// How.
        rounding: Rounding,
    },
    /// A function of a whole number that is constant between thresholds: `first` below all of
    /// them, and from each threshold on the value beside it.
    Steps {
        /// The operand.
        operand: Box<Expr>,
        /// The value below the first threshold.
        first: i128,
        /// Thresholds, ascending, and values.
        steps: Vec<(i128, i128)>,
    },
    /// The square root of a number that is not negative, as a double, cut behind the 52nd binary
    /// digit. Anything where the operand is negative.
    Sqrt(Box<Expr>),
    /// The same unscaled value under another type.
    Same(Box<Expr>),
    /// A function of a double. A logarithm fails for what is not positive.
    Numeric(Numeric, Box<Expr>),
    /// A function of texts; NULL if one of them is, where it does not say otherwise.
    Text {
        /// The function.
        func: TextFunc,
        /// The texts.
        args: Vec<Expr>,
    },
    /// The value of `body`, which reads `values` as often as it likes: they are computed once, in the
    /// rows that `body` is computed in.
    Let {
        /// What is computed once.
        values: Vec<Expr>,
        /// What is made of it; of what is bound it reads these values alone.
        body: Box<Expr>,
    },
    /// A value of the innermost `Let` around it, by index.
    Bound(usize),
}

/// A typed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
    /// Whether it can be NULL.
    pub nullable: bool,
    /// Between which unscaled values it lies, once tested for overflow.
    /// `None` for text and doubles.
    pub range: Option<Range>,
    /// The most bytes of a text; 0 for everything else.
    pub width_bytes: u32,
    /// What the engine has to test here.
    pub overflow: Overflow,
}

impl Expr {
    /// The operands, left to right.
    pub fn operands(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Bound(_) => Vec::new(),
            ExprKind::Arith { left, right, .. } | ExprKind::Compare { left, right, .. } => vec![left, right],
            ExprKind::Neg(x)
            | ExprKind::Not(x)
            | ExprKind::IsNull(x)
            | ExprKind::Cast(x)
            | ExprKind::Sqrt(x)
            | ExprKind::Same(x)
            | ExprKind::Numeric(_, x)
            | ExprKind::Round { operand: x, .. }
            | ExprKind::Steps { operand: x, .. } => vec![x],
            ExprKind::And(all) | ExprKind::Or(all) | ExprKind::Text { args: all, .. } => all.iter().collect(),
            ExprKind::Case { branches, otherwise } => {
                let pairs = branches.iter().flat_map(|(condition, value)| [condition, value]);
                pairs.chain([otherwise.as_ref()]).collect()
            }
            ExprKind::InList { operand, .. } => vec![operand],
            ExprKind::Let { values, body } => values.iter().chain([body.as_ref()]).collect(),
        }
    }

    /// The expression over the input whose columns these are: column `i`
    /// becomes column `columns[i]`.
    pub(crate) fn with_columns(mut self, columns: &[usize]) -> Expr {
        fn visit(expr: &mut Expr, columns: &[usize]) {
            match &mut expr.kind {
                ExprKind::Column(index) => *index = columns[*index],
                ExprKind::Literal(_) | ExprKind::Bound(_) => {}
                ExprKind::Arith { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                    visit(left, columns);
                    visit(right, columns);
                }
                ExprKind::Neg(x)
                | ExprKind::Not(x)
                | ExprKind::IsNull(x)
                | ExprKind::Cast(x)
                | ExprKind::Sqrt(x)
                | ExprKind::Same(x)
                | ExprKind::Numeric(_, x)
                | ExprKind::Round { operand: x, .. }
                | ExprKind::Steps { operand: x, .. } => visit(x, columns),
                ExprKind::And(all) | ExprKind::Or(all) | ExprKind::Text { args: all, .. } => {
                    all.iter_mut().for_each(|x| visit(x, columns))
                }
                ExprKind::Case { branches, otherwise } => {
                    for (condition, value) in branches {
                        visit(condition, columns);
                        visit(value, columns);
                    }
                    visit(otherwise, columns);
                }
                ExprKind::InList { operand, .. } => visit(operand, columns),
                ExprKind::Let { values, body } => {
                    values.iter_mut().for_each(|x| visit(x, columns));
                    visit(body, columns);
                }
            }
        }
        visit(&mut self, columns);
        self
    }

    /// Whether evaluating it can fail: overflow, division by zero, a function that is not defined.
    pub fn can_fail(&self) -> bool {
        self.overflow != Overflow::Impossible
            || self.divides_by_zero()
            || self.leaves_domain()
            || matches!(&self.kind, ExprKind::Text { func, .. } if func.counts_characters())
            || self.operands().into_iter().any(Expr::can_fail)
    }

    /// Whether its own function is a logarithm of what may not be positive.
    fn leaves_domain(&self) -> bool {
        match &self.kind {
            ExprKind::Numeric(Numeric::Exp, _) => false,
            ExprKind::Numeric(_, x) => x.range.is_none_or(|range| range.low <= 0),
            _ => false,
        }
    }

    /// Whether its own operator divides by what may be zero.
    pub fn divides_by_zero(&self) -> bool {
        match &self.kind {
            ExprKind::Arith { op: Arith::Div { .. } | Arith::Ratio { .. } | Arith::Rem, right, .. } => {
                right.range.is_none_or(|range| range.holds(0))
            }
            _ => false,
        }
    }

    /// The input columns that it reads, ascending, each once.
    pub fn columns(&self) -> Vec<usize> {
        fn visit(expr: &Expr, into: &mut Vec<usize>) {
            if let ExprKind::Column(index) = expr.kind {
                into.push(index);
            }
            expr.operands().into_iter().for_each(|operand| visit(operand, into));
        }
        let mut columns = Vec::new();
        visit(self, &mut columns);
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The expression with column names from `names`.
    pub fn display<'a>(&'a self, names: &'a [String]) -> impl fmt::Display + 'a {
        Named { expr: self, names, first_bound: 1, n_bound: 0 }
    }
}
