//! What aggregate functions need beneath them: window functions, products, and the aggregates that
//! the engine has.

use super::calls::{At, Windows};
use super::measure::{Basics, Final, Moments, Statistic, first_reached, place};
use super::operators::Extended;
use super::typed::{self, ArithOp};
use super::{Relation, float};
use crate::error::PlanError;
use crate::secure::{AggFunc, BitFunc, Comparison, Expr, Field, Frame, FrameEdge, SortKey, WindowFunc};
use crate::types::{MAX_PRECISION, Range, Type, Value};

/// An aggregate function over columns that are counted in `Columns`.
pub(super) enum Measure {
    Basic(AggFunc, Option<usize>, Type),
    /// A sum, a mean or an extreme that is a double: of exact numbers, or of whole numbers of 2^-52.
    Double(AggFunc, usize, Kind),
    /// Each different value once.
    Distinct(AggFunc, usize, Type),
    /// Over the columns of `x`, `y`, `x²`, `x·y` and `y²`.
    Statistic(Statistic, [usize; 5]),
    /// The value in the first row of an order.
    First(usize, Vec<SortKey>),
    Percentile {
        column: usize,
        part: i128,
        whole: i128,
        ty: Type,
    },
    /// The first value that a share of the rows does not exceed.
    Rank {
        column: usize,
        part: i128,
        whole: i128,
        descending: bool,
    },
    Bits(BitFunc, usize),
}

/// What a double is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Exact,
    Raw,
}

/// Window functions that some measures need.
enum Prepared {
    Ready(Final),
    /// All bits of the group in each of its rows, and the rows' numbers.
    Bits(At, At),
    Distinct(AggFunc, usize, Type, At),
    Percentile {
        column: usize,
        part: i128,
        whole: i128,
        ty: Type,
        number: At,
        count: At,
    },
    Rank {
        column: usize,
        part: i128,
        whole: i128,
        number: At,
        count: At,
    },
}

/// The rows' numbers in the order of a column, whose NULLs come last, and how many values it has.
fn ordered(
    windows: &mut Windows,
    input: &Relation,
    group: &[usize],
    column: usize,
    descending: bool,
) -> (At, At) {
    let order = vec![SortKey { column, descending, nulls_first: false }];
    let rows = windows.group(group.to_vec(), order);
    let number = windows.call(rows, WindowFunc::RowNumber, None, Type::UInt64);
    let frame = Frame { start: FrameEdge::Partition, end: FrameEdge::Partition };
    let nullable = input.facts.fields[column].nullable;
    (number, windows.call(rows, WindowFunc::Count(frame), nullable.then_some(column), Type::Int64))
}

/// The relation with all columns that the basic aggregates read, and what to make of them.
pub(super) fn prepared(
    input: Relation,
    group: &[usize],
    measures: Vec<Measure>,
    moved: &[usize],
    real: Option<usize>,
) -> Result<(Relation, Basics, Vec<Final>), PlanError> {
    let mut basics = Basics::default();
    let mut windows = Windows::default();
    let mut plans = Vec::new();
    for measure in measures {
        plans.push(match measure {
            Measure::Basic(func, column, ty) => {
                let basic = match (func, real) {
                    (AggFunc::CountStar, Some(real)) => (AggFunc::Count, Some(real), ty),
                    _ => (func, column.map(|column| moved[column]), ty),
                };
                // Each stands at its own place, so that a plain aggregate needs nothing after it.
                basics.all.push(basic);
                Prepared::Ready(Final::Basic(basics.all.len() - 1))
            }
            Measure::Double(func, column, kind) => {
                let column = moved[column];
                let ty =
                    Type::Decimal { precision: MAX_PRECISION, scale: input.facts.fields[column].ty.scale() };
                let (func, ty, mean) = match func {
                    AggFunc::Min | AggFunc::Max => (func, input.facts.fields[column].ty, false),
                    _ => (AggFunc::Sum, ty, func == AggFunc::Avg),
                };
                let sum = basics.index((func, Some(column), ty));
                Prepared::Ready(match (kind, mean) {
                    (Kind::Exact, false) => Final::Cast(sum),
                    (Kind::Raw, false) => Final::Double(sum),
                    (kind, true) => {
                        let n = counted(&mut basics, column, &input.facts.fields);
                        match kind {
                            Kind::Exact => Final::Mean { sum, n },
                            Kind::Raw => Final::DoubleMean { sum, n },
                        }
                    }
                })
            }
            Measure::Statistic(statistic, sums) => {
                let fields = &input.facts.fields;
                let [x, y, xx, xy, yy] = sums.map(|column| {
                    let column = moved[column];
                    let ty = Type::Decimal { precision: MAX_PRECISION, scale: fields[column].ty.scale() };
                    basics.index((AggFunc::Sum, Some(column), ty))
                });
                let n = counted(&mut basics, moved[sums[0]], fields);
                Prepared::Ready(Final::Statistic(statistic, Moments { n, x, y, xx, xy, yy }))
            }
            Measure::Distinct(func, column, ty) => {
                let column = moved[column];
                let mut partition = group.to_vec();
                partition.push(column);
                let rows = windows.group(partition, Vec::new());
                let number = windows.call(rows, WindowFunc::RowNumber, None, Type::UInt64);
                Prepared::Distinct(func, column, ty, number)
            }
            Measure::First(column, order) => {
                // A row that stands for a set comes behind all others.
                let real = real.map(|column| SortKey { column, descending: false, nulls_first: false });
                let order = order.into_iter().map(|key| SortKey { column: moved[key.column], ..key });
                let rows = windows.group(group.to_vec(), real.into_iter().chain(order).collect());
                let number = windows.call(rows, WindowFunc::RowNumber, None, Type::UInt64);
                let column = moved[column];
                // One row for each group: its least value is its value.
                Prepared::Distinct(AggFunc::Min, column, input.facts.fields[column].ty, number)
            }
            Measure::Bits(func, column) => {
                let column = moved[column];
                let rows = windows.group(group.to_vec(), Vec::new());
                let number = windows.call(rows, WindowFunc::RowNumber, None, Type::UInt64);
                let ty = input.facts.fields[column].ty;
                Prepared::Bits(windows.call(rows, WindowFunc::Bits(func), Some(column), ty), number)
            }
            Measure::Percentile { column, part, whole, ty } => {
                let column = moved[column];
                let (number, count) = ordered(&mut windows, &input, group, column, false);
                Prepared::Percentile { column, part, whole, ty, number, count }
            }
            Measure::Rank { column, part, whole, descending } => {
                let column = moved[column];
                let (number, count) = ordered(&mut windows, &input, group, column, descending);
                Prepared::Rank { column, part, whole, number, count }
            }
        });
    }
    let input = windows.over(input)?;
    let mut columns = Extended::new(&input);
    let mut finals = Vec::new();
    for plan in plans {
        finals.push(match plan {
            Prepared::Ready(of) => of,
            Prepared::Bits(value, number) => {
                let value = windows.column(value, &input.facts);
                let first = number_is(windows.column(number, &input.facts), 1)?;
                let (null, ty) = (typed::literal(Value::Null, value.ty), value.ty);
                let once = columns.index(typed::case(vec![(first, value)], null)?);
                Final::Basic(basics.index((AggFunc::Min, Some(once), ty)))
            }
            Prepared::Distinct(func, column, ty, number) => {
                let value = typed::column(column, &input.facts.fields[column]);
                let first = number_is(windows.column(number, &input.facts), 1)?;
                let null = typed::literal(Value::Null, value.ty);
                let once = columns.index(typed::case(vec![(first, value)], null)?);
                Final::Basic(basics.index((func, Some(once), ty)))
            }
            Prepared::Rank { column, part, whole, number, count } => {
                let value = typed::column(column, &input.facts.fields[column]);
                let number = windows.column(number, &input.facts);
                let at = first_reached(windows.column(count, &input.facts), part, whole)?;
                let range = at.range.unwrap_or(Range::point(1));
                let here =
                    typed::compare(Comparison::Eq, number.clone(), float::assumed(at, number.ty, range))?;
                let (null, ty) = (typed::literal(Value::Null, value.ty), value.ty);
                let chosen = columns.index(typed::case(vec![(here, value)], null)?);
                Final::Basic(basics.index((AggFunc::Min, Some(chosen), ty)))
            }
            Prepared::Percentile { column, part, whole, ty, number, count } => {
                let value = typed::column(column, &input.facts.fields[column]);
                let number = windows.column(number, &input.facts);
                let (at, _) = place(windows.column(count, &input.facts), part, whole)?;
                let mut chosen = |further: i128| -> Result<usize, PlanError> {
                    let at = typed::arith(
                        ArithOp::Add,
                        at.clone(),
                        typed::literal(Value::Int(further), Type::Int64),
                        Type::Int64,
                    )?;
                    let range = at.range.unwrap_or(Range::point(0));
                    let at = float::assumed(at, number.ty, range);
                    let here = typed::compare(Comparison::Eq, number.clone(), at)?;
                    let null = typed::literal(Value::Null, value.ty);
                    let chosen = columns.index(typed::case(vec![(here, value.clone())], null)?);
                    Ok(basics.index((AggFunc::Min, Some(chosen), value.ty)))
                };
                let (low, high) = (chosen(1)?, chosen(2)?);
                let n = counted(&mut basics, column, &input.facts.fields);
                Final::Percentile { low, high, n, part, whole, ty }
            }
        });
    }
    Ok((columns.over(input), basics, finals))
}

/// How many values a column has.
fn counted(basics: &mut Basics, column: usize, fields: &[Field]) -> usize {
    match fields[column].nullable {
        true => basics.index((AggFunc::Count, Some(column), Type::Int64)),
        false => basics.index((AggFunc::CountStar, None, Type::Int64)),
    }
}

fn number_is(number: Expr, value: i128) -> Result<Expr, PlanError> {
    let value = typed::literal(Value::Int(value), number.ty);
    typed::compare(Comparison::Eq, number, value)
}
