//! Typed scalar expressions over the columns of a shared relation.

use std::fmt;

use crate::types::{Range, Type, Value, show_unscaled};

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
    /// `e^x`, with a relative error below 2^-22.
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
}

impl TextFunc {
    /// Whether characters are told apart one by one, so that all have to be of one byte.
    pub fn counts_characters(&self) -> bool {
        match self {
            TextFunc::Substr { .. } | TextFunc::Upper | TextFunc::Lower => true,
            TextFunc::Like(pattern) => pattern.contains('_'),
            TextFunc::Length | TextFunc::OctetLength | TextFunc::Concat { .. } => false,
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
            ExprKind::Column(_) | ExprKind::Literal(_) => Vec::new(),
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
        }
    }

    /// The expression over the input whose columns these are: column `i`
    /// becomes column `columns[i]`.
    pub(crate) fn with_columns(mut self, columns: &[usize]) -> Expr {
        fn visit(expr: &mut Expr, columns: &[usize]) {
            match &mut expr.kind {
                ExprKind::Column(index) => *index = columns[*index],
                ExprKind::Literal(_) => {}
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
        Named { expr: self, names }
    }
}

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

struct Named<'a> {
    expr: &'a Expr,
    names: &'a [String],
}

impl Named<'_> {
    fn of<'b>(&'b self, expr: &'b Expr) -> Named<'b> {
        Named { expr, names: self.names }
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
