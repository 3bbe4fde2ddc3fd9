//! The totals and extremes that aggregates are made of, each asked for once.

use math::Z64;
use mpc::{Shared, SharedBits};
use oblivious::{Aggregate, Aggregated, Cells};
use plan::secure::{Agg, AggFunc, Node, Overflow};
use plan::types::Range;

use super::super::keys;
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::expr::{WIDEST, outside};
use crate::kernel;
use crate::number::{Number, Ring, RingKind};
use crate::relation::Relation;

/// Something to gather over the rows of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Rows.
    Rows,
    /// Rows where a column is not NULL.
    Count(usize),
    /// The sum of a column.
    Sum(usize),
    /// The least of a column.
    Min(usize),
    /// The greatest of a column.
    Max(usize),
}

/// All that is to be gathered, with its input.
pub(super) struct Requests {
    wants: Vec<(Want, Aggregate)>,
}

/// What has been gathered, per group.
pub(super) struct Gathered {
    found: Vec<(Want, Cells, Option<SharedBits>)>,
}

/// Whether a result is looked at, or has to be tested.
pub(super) fn is_wanted(node: &Node, index: usize, agg: &Agg) -> bool {
    agg.overflow != Overflow::Impossible || node.schema.get(index).is_some_and(|field| field.needs.any())
}

/// What an aggregate is made of.
pub(super) fn parts(agg: &Agg, input: &Relation) -> Vec<Want> {
    let nullable = |column: usize| input.columns.get(column).is_some_and(|column| column.present.is_some());
    let count = |column| if nullable(column) { Want::Count(column) } else { Want::Rows };
    match (agg.func, agg.input) {
        (AggFunc::Count, Some(column)) => vec![count(column)],
        (AggFunc::Sum | AggFunc::Avg, Some(column)) => vec![Want::Sum(column), count(column)],
        (AggFunc::Min, Some(column)) => vec![Want::Min(column)],
        (AggFunc::Max, Some(column)) => vec![Want::Max(column)],
        _ => vec![Want::Rows],
    }
}

/// The range of sums of up to `n_rows` numbers; `None` if it has more than 127 bits.
pub(super) fn total_range(term: Range, n_rows: u64) -> Option<Range> {
    let n_rows = i128::from(n_rows);
    let range =
        Range { low: term.low.min(0).checked_mul(n_rows)?, high: term.high.max(0).checked_mul(n_rows)? };
    WIDEST.contains(range).then_some(range)
}

impl Requests {
    pub(super) fn new(
        cx: &mut Context,
        node: &Node,
        n_group: usize,
        aggs: &[Agg],
        input: &Relation,
        bound: u64,
    ) -> Result<Requests> {
        let mut requests = Requests { wants: Vec::new() };
        let wanted = aggs.iter().enumerate().filter(|(index, agg)| is_wanted(node, n_group + index, agg));
        for (_, agg) in wanted {
            if let (Overflow::Conservative { left_bits, .. }, Some(column)) = (agg.overflow, agg.input) {
                limit_terms(cx, input, column, left_bits)?;
            }
            for want in parts(agg, input) {
                if requests.wants.iter().all(|(known, _)| *known != want) {
                    let aggregate = aggregate(cx, input, want, bound)?;
                    requests.wants.push((want, aggregate));
                }
            }
        }
        Ok(requests)
    }

    pub(super) fn aggregates(&self) -> Vec<Aggregate> {
        self.wants.iter().map(|(_, aggregate)| aggregate.clone()).collect()
    }

    /// Gathers over all valid rows: one row comes out.
    pub(super) fn over_all(&self, cx: &mut Context, input: &Relation) -> Result<Gathered> {
        let mut found = Vec::with_capacity(self.wants.len());
        for (want, aggregate) in &self.wants {
            let (cells, present) = match aggregate {
                Aggregate::Rows => (count(cx, &input.valid)?, None),
                Aggregate::Count(bit) => {
                    let bit = kernel::and(cx, bit, &input.valid)?;
                    (count(cx, &bit)?, None)
                }
                Aggregate::Sum { values, present } => {
                    let mask = masked(cx, &input.valid, present.as_ref())?;
                    let total = match values {
                        Cells::Ring64(x) => kernel::inject(cx, &mask, &Ring::Z64(x.clone()))?.total(),
                        Cells::Ring128(x) => kernel::inject(cx, &mask, &Ring::Z128(x.clone()))?.total(),
                        _ => return Err(cx.wrong_plan("a sum over planes")),
                    };
                    (total, None)
                }
                Aggregate::Min { values, present } => {
                    let mask = masked(cx, &input.valid, present.as_ref())?;
                    let (least, any) = greatest(cx, values.not(cx.session()), mask)?;
                    (least.not(cx.session()).into(), Some(any))
                }
                Aggregate::Max { values, present } => {
                    let mask = masked(cx, &input.valid, present.as_ref())?;
                    let (most, any) = greatest(cx, values.clone(), mask)?;
                    (most.into(), Some(any))
                }
            };
            found.push((*want, cells, present));
        }
        Ok(Gathered { found })
    }
}

impl Gathered {
    /// The groups' results.
    pub(super) fn of_groups(cx: &Context, requests: &Requests, found: Vec<Aggregated>) -> Result<Gathered> {
        if found.len() != requests.wants.len() {
            return Err(cx.wrong_plan("an aggregate is missing"));
        }
        let found = requests.wants.iter().zip(found);
        Ok(Gathered { found: found.map(|((want, _), one)| (*want, one.values, one.present)).collect() })
    }

    /// One result, and where there is any.
    pub(super) fn get(&self, cx: &Context, want: Want) -> Result<(&Cells, Option<&SharedBits>)> {
        let found = self.found.iter().find(|(known, _, _)| *known == want);
        let (_, cells, present) = found.ok_or_else(|| cx.wrong_plan("an aggregate is missing"))?;
        Ok((cells, present.as_ref()))
    }

    /// A sum or count as a number of a range.
    pub(super) fn number(&self, cx: &Context, want: Want, range: Range) -> Result<Number> {
        match self.get(cx, want)?.0 {
            Cells::Ring64(x) => Ok(Number::from_ring(range, Ring::Z64(x.clone()))),
            Cells::Ring128(x) => Ok(Number::from_ring(range, Ring::Z128(x.clone()))),
            _ => Err(cx.wrong_plan("a total over planes")),
        }
    }
}

fn aggregate(cx: &mut Context, input: &Relation, want: Want, bound: u64) -> Result<Aggregate> {
    Ok(match want {
        Want::Rows => Aggregate::Rows,
        Want::Count(column) => {
            let column = input.column(cx, column)?;
            Aggregate::Count(column.present(cx, input.n_rows()))
        }
        Want::Sum(column) => {
            let column = input.column(cx, column)?;
            let number = column.as_number(cx)?;
            // Beyond 127 bits terms are tested, and totals wrap for no row that passes.
            let kind = total_range(number.range(), bound).map_or(RingKind::Z128, RingKind::of);
            let present = column.present.clone().filter(|_| !column.zeroed);
            let values = match number.ring(cx, kind)? {
                Ring::Z64(x) => Cells::from(x),
                Ring::Z128(x) => Cells::from(x),
            };
            Aggregate::Sum { values, present }
        }
        Want::Min(column) => {
            let column = input.column(cx, column)?.clone();
            Aggregate::Min { values: keys::order(cx, &column)?, present: column.present }
        }
        Want::Max(column) => {
            let column = input.column(cx, column)?.clone();
            Aggregate::Max { values: keys::order(cx, &column)?, present: column.present }
        }
    })
}

/// Reports terms that do not fit in `bits` bits, where totals could wrap.
fn limit_terms(cx: &mut Context, input: &Relation, column: usize, bits: u32) -> Result<()> {
    let column = input.column(cx, column)?.clone();
    let most = (1i128 << bits.min(126)) - 1;
    let number = column.as_number(cx)?;
    if let Some(failed) = outside(cx, number, Range { low: -most, high: most })? {
        let mask = masked(cx, &input.valid, column.present.as_ref())?;
        let rows = kernel::and(cx, &failed, &mask)?;
        cx.report(FailureKind::Overflow, rows);
    }
    Ok(())
}

fn masked(cx: &mut Context, valid: &SharedBits, present: Option<&SharedBits>) -> Result<SharedBits> {
    match present {
        Some(present) => kernel::and(cx, valid, present),
        None => Ok(valid.clone()),
    }
}

fn count(cx: &mut Context, bit: &SharedBits) -> Result<Cells> {
    let ones: Shared<Z64> = kernel::bit_to_ring(cx, bit)?;
    Ok(ones.total().into())
}

/// The greatest of the rows with their mask set, and whether there is one.
fn greatest(cx: &mut Context, values: SharedBits, mask: SharedBits) -> Result<(SharedBits, SharedBits)> {
    let mut rows = SharedBits::stack(&[&values, &mask]);
    while rows.n_rows() > 1 {
        let (n, half) = (rows.n_rows(), rows.n_rows() / 2);
        let (top, bottom) = (rows.copy_rows(0..half), rows.copy_rows(half..2 * half));
        let less = kernel::less(cx, &top, &bottom, false)?;
        let winner = kernel::select(cx, &less, &bottom, &top)?;
        rows = if n % 2 == 1 { SharedBits::concat(&[&winner, &rows.copy_rows(n - 1..n)]) } else { winner };
    }
    let width = values.width();
    Ok((rows.planes(0..width), rows.plane(width)))
}
