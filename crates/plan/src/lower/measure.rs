//! What an aggregate function is made of: columns, window functions over them, a few aggregates
//! that the engine has, and an expression over their results.

use super::facts::Facts;
use super::float;
use super::functions::without_cast;
use super::typed::{self, ArithOp};
use crate::error::PlanError;
use crate::secure::{AggFunc, Arith, Comparison, Expr, Overflow};
use crate::types::{MAX_PRECISION, Range, Type, Value};

/// A statistic of one or two columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statistic {
    VarPop,
    VarSamp,
    StddevPop,
    StddevSamp,
    CovarPop,
    CovarSamp,
    Corr,
    Slope,
    Intercept,
    R2,
    Count,
    AvgX,
    AvgY,
    Sxx,
    Syy,
    Sxy,
}

impl Statistic {
    /// The function of this name.
    pub(super) fn of(name: &str) -> Option<Statistic> {
        use Statistic::*;
        Some(match name {
            "var_pop" => VarPop,
            "var" | "var_samp" => VarSamp,
            "stddev_pop" => StddevPop,
            "stddev" | "stddev_samp" => StddevSamp,
            "covar_pop" => CovarPop,
            "covar_samp" | "covar" => CovarSamp,
            "corr" => Corr,
            "regr_slope" => Slope,
            "regr_intercept" => Intercept,
            "regr_r2" => R2,
            "regr_count" => Count,
            "regr_avgx" => AvgX,
            "regr_avgy" => AvgY,
            "regr_sxx" => Sxx,
            "regr_syy" => Syy,
            "regr_sxy" => Sxy,
            _ => return None,
        })
    }
}

/// An aggregate that the engine has: its function, its input column and its result's type.
pub(super) type Basic = (AggFunc, Option<usize>, Type);

/// The basic aggregates of one relation, each different one once.
#[derive(Default)]
pub(super) struct Basics {
    pub(super) all: Vec<Basic>,
}

impl Basics {
    pub(super) fn index(&mut self, basic: Basic) -> usize {
        self.all.iter().position(|known| *known == basic).unwrap_or_else(|| {
            self.all.push(basic);
            self.all.len() - 1
        })
    }
}

/// The sums behind a statistic, as basic aggregates; those of `y` are those of `x` where there is
/// one column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub(super) n: usize,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) xx: usize,
    pub(super) xy: usize,
    pub(super) yy: usize,
}

/// The numbers that the statistic of this name is of, each there where the other and `filter` are: `x`, and
/// `y`, which comes first in SQL, or the same twice. DataFusion makes doubles of exact ones.
pub(super) fn pair(name: &str, arguments: Vec<Expr>, filter: Option<&Expr>) -> Result<[Expr; 2], PlanError> {
    let arguments: Vec<Expr> = arguments.into_iter().map(without_cast).collect();
    if let Some(wrong) = arguments.iter().find(|argument| !argument.ty.is_exact_number()) {
        let hint = if wrong.ty == Type::Float64 { float::TO_DECIMAL } else { "" };
        return Err(PlanError::unsupported(format!("{name}() of {} values on shares", wrong.ty), hint));
    }
    let filtered = |value: Expr| match filter {
        Some(condition) => only_if(condition.clone(), value),
        None => Ok(value),
    };
    let arguments = arguments.into_iter().map(filtered).collect::<Result<Vec<_>, _>>()?;
    match arguments.as_slice() {
        [x] => Ok([x.clone(), x.clone()]),
        [y, x] => Ok([beside(x, y)?, beside(y, x)?]),
        _ => Err(PlanError::unsupported(format!("{name}() of {} arguments", arguments.len()), "")),
    }
}

/// The value where there is another beside it.
fn beside(value: &Expr, other: &Expr) -> Result<Expr, PlanError> {
    if !other.nullable || value == other {
        return Ok(value.clone());
    }
    only_if(typed::not(typed::is_null(other.clone())), value.clone())
}

/// The columns of `x`, `y`, `x²`, `x·y` and `y²`.
pub(super) fn moments(
    [x, y]: [Expr; 2],
    column: &mut dyn FnMut(Expr) -> usize,
) -> Result<[usize; 5], PlanError> {
    let mut product = |a: &Expr, b: &Expr| {
        let product = combined(ArithOp::Mul, a.clone(), b.clone())?;
        let square = a == b && product.range.is_some_and(|range| range.low < 0);
        let product = match (square, product.range) {
            (true, Some(range)) => Expr { range: Some(Range::new(0, range.high.max(0))), ..product },
            _ => product,
        };
        Ok::<usize, PlanError>(column(product))
    };
    let products = [product(&x, &x)?, product(&x, &y)?, product(&y, &y)?];
    let [xx, xy, yy] = products;
    Ok([column(x), column(y), xx, xy, yy])
}

/// The value of an aggregate over the results of the basic ones.
pub(super) enum Final {
    Basic(usize),
    /// A sum or an extreme of whole numbers of 2^-52, as a double.
    Double(usize),
    /// The mean of such numbers: their sum and how many there are.
    DoubleMean {
        sum: usize,
        n: usize,
    },
    /// A sum or an extreme of exact numbers, as a double.
    Cast(usize),
    /// The mean of exact numbers, as a double.
    Mean {
        sum: usize,
        n: usize,
    },
    Statistic(Statistic, Moments),
    /// The values at two places in the order, and how many there are: at a share `part / whole` of
    /// the way from the first to the last.
    Percentile {
        low: usize,
        high: usize,
        n: usize,
        part: i128,
        whole: i128,
        ty: Type,
    },
}

/// Expressions over the results, which begin at column `first`.
pub(super) struct Results<'a> {
    pub(super) facts: &'a Facts,
    pub(super) first: usize,
}

fn whole(value: i128) -> Expr {
    typed::literal(Value::Int(value), Type::Int64)
}

pub(super) fn combined(op: ArithOp, left: Expr, right: Expr) -> Result<Expr, PlanError> {
    let scale = match op {
        ArithOp::Mul => left.ty.scale() + right.ty.scale(),
        _ => left.ty.scale().max(right.ty.scale()),
    };
    if scale > MAX_PRECISION {
        let expression = format!("a statistic of numbers with {} digits after the point", left.ty.scale());
        return Err(PlanError::TooWide { expression });
    }
    typed::arith(op, left, right, Type::Decimal { precision: MAX_PRECISION, scale })
}

/// The number without its point.
fn unscaled(expr: Expr) -> Expr {
    let range = expr.range.or(expr.ty.range()).unwrap_or(Range::point(0));
    float::assumed(expr, Type::Decimal { precision: MAX_PRECISION, scale: 0 }, range)
}

/// The same number, known to be positive wherever it is looked at.
fn positive(expr: Expr) -> Expr {
    let high = expr.range.or(expr.ty.range()).map_or(1, |range| range.high.max(1));
    let ty = expr.ty;
    float::assumed(expr, ty, Range::new(1, high))
}

fn not_negative(expr: Expr) -> Expr {
    let high = expr.range.or(expr.ty.range()).map_or(0, |range| range.high.max(0));
    let ty = expr.ty;
    Expr { overflow: Overflow::Impossible, ..float::assumed(expr, ty, Range::new(0, high)) }
}

fn only_if(condition: Expr, value: Expr) -> Result<Expr, PlanError> {
    let null = typed::literal(Value::Null, value.ty);
    typed::case(vec![(condition, value)], null)
}

impl Results<'_> {
    fn column(&self, basic: usize) -> Expr {
        let index = self.first + basic;
        typed::column(index, &self.facts.fields[index])
    }

    pub(super) fn value(&self, of: &Final) -> Result<Expr, PlanError> {
        match of {
            Final::Basic(index) => Ok(self.column(*index)),
            Final::Double(index) => Ok(float::of_raw(self.column(*index))),
            Final::DoubleMean { sum, n } => {
                let unit = typed::literal(Value::Int(1 << 52), Type::Int64);
                let units = combined(ArithOp::Mul, positive(self.column(*n)), unit)?;
                Ok(float::exact_ratio(self.column(*sum), units))
            }
            Final::Cast(index) => typed::cast(self.column(*index), Type::Float64),
            Final::Mean { sum, n } => Ok(float::exact_ratio(self.column(*sum), positive(self.column(*n)))),
            Final::Statistic(statistic, moments) => self.statistic(*statistic, *moments),
            Final::Percentile { low, high, n, part, whole, ty } => {
                self.percentile(self.column(*low), self.column(*high), self.column(*n), (*part, *whole), *ty)
            }
        }
    }

    /// `n·Σxy − Σx·Σy`: n² times the covariance.
    fn spread(&self, m: Moments, [x, y, xy]: [usize; 3]) -> Result<Expr, PlanError> {
        let first = combined(ArithOp::Mul, self.column(m.n), self.column(xy))?;
        let second = combined(ArithOp::Mul, self.column(x), self.column(y))?;
        let spread = combined(ArithOp::Sub, first, second)?;
        Ok(if x == y { not_negative(spread) } else { spread })
    }

    fn statistic(&self, statistic: Statistic, m: Moments) -> Result<Expr, PlanError> {
        use Statistic::*;
        let n = || positive(self.column(m.n));
        let x_spread = || self.spread(m, [m.x, m.x, m.xx]);
        let y_spread = || self.spread(m, [m.y, m.y, m.yy]);
        let both = || self.spread(m, [m.x, m.y, m.xy]);
        let squared = || combined(ArithOp::Mul, n(), n());
        // Samples of one have no spread.
        let sampled = || -> Result<Expr, PlanError> {
            Ok(positive(combined(ArithOp::Mul, n(), combined(ArithOp::Sub, n(), whole(1))?)?))
        };
        let several = || typed::compare(Comparison::Gt, self.column(m.n), whole(1));
        let differs = |spread: Expr| {
            let zero = typed::literal(Value::Int(0), spread.ty);
            typed::compare(Comparison::Gt, spread, zero)
        };
        Ok(match statistic {
            VarPop => float::exact_ratio(x_spread()?, squared()?),
            VarSamp => only_if(several()?, float::exact_ratio(x_spread()?, sampled()?))?,
            StddevPop => float::sqrt(float::exact_ratio(x_spread()?, squared()?)),
            StddevSamp => only_if(several()?, float::sqrt(float::exact_ratio(x_spread()?, sampled()?)))?,
            CovarPop => float::exact_ratio(both()?, squared()?),
            CovarSamp => only_if(several()?, float::exact_ratio(both()?, sampled()?))?,
            Corr => self.correlation(m)?,
            R2 => {
                let corr = self.correlation(m)?;
                let square = typed::shared([corr], |[corr]| float::arith(Arith::Mul, corr.clone(), corr))?;
                Expr { range: Some(Range::new(0, 1)), ..square }
            }
            Slope => {
                let slope = float::exact_ratio(both()?, positive(x_spread()?));
                only_if(differs(x_spread()?)?, slope)?
            }
            Intercept => {
                let first = combined(ArithOp::Mul, self.column(m.y), self.column(m.xx))?;
                let second = combined(ArithOp::Mul, self.column(m.x), self.column(m.xy))?;
                let above = combined(ArithOp::Sub, first, second)?;
                only_if(differs(x_spread()?)?, float::exact_ratio(above, positive(x_spread()?)))?
            }
            Count => {
                let n = self.column(m.n);
                let range = n.range.unwrap_or(Range::point(0));
                float::assumed(n, Type::UInt64, range)
            }
            AvgX => float::exact_ratio(self.column(m.x), n()),
            AvgY => float::exact_ratio(self.column(m.y), n()),
            Sxx => float::exact_ratio(x_spread()?, n()),
            Syy => float::exact_ratio(y_spread()?, n()),
            Sxy => float::exact_ratio(both()?, n()),
        })
    }

    /// The covariance over both deviations, each without its point and `n` times as large or n² times.
    /// `s / √xx / √yy` is `(s / m) / √yy · (m / √xx)` for `m = round(√xx)`: so no dividend but the first
    /// one has to be a double, and that one is whole.
    fn correlation(&self, m: Moments) -> Result<Expr, PlanError> {
        let spread = |columns| Ok::<Expr, PlanError>(unscaled(self.spread(m, columns)?));
        let (xs, ys) = (spread([m.x, m.x, m.xx])?, spread([m.y, m.y, m.yy])?);
        let deviation = |spread: &Expr| {
            let root = float::sqrt(spread.clone());
            let high = root.range.map_or(1, |range| range.high.max(1));
            // Not zero where the result is looked at.
            Expr { range: Some(Range::new(1, high)), overflow: Overflow::Impossible, ..root }
        };
        let (dx, dy) = (deviation(&xs), deviation(&ys));
        let most = dy.range.map_or(1, |range| range.high);
        // A covariance is at most the product of the deviations, and no root is half of itself rounded.
        let bounded = |value: Expr, most: i128| Expr {
            overflow: Overflow::Impossible,
            range: Some(Range::new(-most, most)),
            ..value
        };
        let quotient = |left, right| float::arith(Arith::Ratio { up: 0, down: 0 }, left, right);
        let corr = typed::shared([dx], |[dx]| {
            let whole = Type::Decimal { precision: MAX_PRECISION, scale: 0 };
            let rounded = positive(typed::cast(dx.clone(), whole)?);
            let part = float::ratio(spread([m.x, m.y, m.xy])?, rounded.clone(), 0, 0);
            let part = bounded(quotient(bounded(part, 2 * most), dy)?, 2);
            let rest = bounded(quotient(typed::cast(rounded, Type::Float64)?, dx)?, 2);
            Ok(bounded(float::arith(Arith::Mul, part, rest)?, 1))
        })?;
        let zero = || typed::literal(Value::Int(0), Type::Decimal { precision: MAX_PRECISION, scale: 0 });
        let differ = typed::and(vec![
            typed::compare(Comparison::Gt, xs, zero())?,
            typed::compare(Comparison::Gt, ys, zero())?,
        ]);
        only_if(differ, corr)
    }

    /// Between the values at both places, exactly; DataFusion knows the way to a millionth.
    fn percentile(
        &self,
        low: Expr,
        high: Expr,
        n: Expr,
        (part, of): (i128, i128),
        ty: Type,
    ) -> Result<Expr, PlanError> {
        let (_, way) = place(n, part, of)?;
        let between = typed::compare(Comparison::Gt, way.clone(), whole(0))?;
        let high = typed::case(vec![(between, high)], low.clone())?;
        let step = combined(ArithOp::Mul, combined(ArithOp::Sub, high, low.clone())?, way)?;
        let value = combined(ArithOp::Add, combined(ArithOp::Mul, low, whole(of))?, step)?;
        match ty {
            Type::Float64 => Ok(float::exact_ratio(value, whole(of))),
            _ => typed::arith(ArithOp::Div, value, whole(of), ty),
        }
    }
}

/// `⌈n·part / of⌉`, or 1 if that is 0.
pub(super) fn first_reached(n: Expr, part: i128, of: i128) -> Result<Expr, PlanError> {
    let most = n.range.map_or(1, |range| range.high.max(1));
    // Of nothing there is no place.
    let n = float::assumed(n, Type::Int64, Range::new(1, most));
    if part == 0 {
        return Ok(whole(1));
    }
    let parts = typed::arith(ArithOp::Mul, n, whole(part), Type::Int64)?;
    let above = typed::arith(ArithOp::Add, parts, whole(of - 1), Type::Int64)?;
    typed::arith(ArithOp::Div, above, whole(of), Type::Int64)
}

/// `(n − 1)·part / of`, whole, and what is left of it in parts.
pub(super) fn place(n: Expr, part: i128, of: i128) -> Result<(Expr, Expr), PlanError> {
    let most = n.range.map_or(1, |range| range.high.max(1));
    // Of nothing there is no place.
    let n = float::assumed(n, Type::Int64, Range::new(1, most));
    let last = typed::arith(ArithOp::Sub, n, whole(1), Type::Int64)?;
    let parts = typed::arith(ArithOp::Mul, last, whole(part), Type::Int64)?;
    let place = typed::arith(ArithOp::Div, parts.clone(), whole(of), Type::Int64)?;
    Ok((place, typed::arith(ArithOp::Rem, parts, whole(of), Type::Int64)?))
}
