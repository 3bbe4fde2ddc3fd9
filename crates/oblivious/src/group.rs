//! Group-by and DISTINCT: one sort, neighbours compared, running totals.

use math::{Group, Ring, Z32, Z64};
use mpc::{Label, ProtocolError, Session, Shared, SharedBits, and};

use crate::convert::{bit_to_ring, equal_ring};
use crate::fork;
use crate::permute::apply;
use crate::scan::{Running, boundaries, lead, segmented_scan};
use crate::select::keep_where;
use crate::sort::{Method, bit_positions, sort};
use crate::table::{Cells, Table, same};

/// One result per group.
#[derive(Clone, Debug)]
pub enum Aggregate {
    /// How many rows the group has, in `Z64`.
    Rows,
    /// How many of its rows have their bit set, in `Z64`.
    Count(SharedBits),
    /// The sum of a column of ring elements, in its ring.
    Sum {
        /// The column.
        values: Cells,
        /// Which rows count, if not all: those that are not NULL.
        present: Option<SharedBits>,
    },
    /// The least of a column of unsigned numbers.
    Min {
        /// The column.
        values: SharedBits,
        /// Which rows count, if not all.
        present: Option<SharedBits>,
    },
    /// The greatest of a column of unsigned numbers.
    Max {
        /// The column.
        values: SharedBits,
        /// Which rows count, if not all.
        present: Option<SharedBits>,
    },
}

/// One aggregate of all groups.
#[derive(Clone, Debug)]
pub struct Aggregated {
    /// The results.
    pub values: Cells,
    /// Which groups had a row that counted; `None` if all had: then the group's own `valid` holds.
    pub present: Option<SharedBits>,
}

/// The groups, ascending by key; rows beyond the last group are not valid and hold anything.
#[derive(Debug)]
pub struct Groups {
    /// Each group's key.
    pub keys: SharedBits,
    /// One plane: which rows hold a group. These come first.
    pub valid: SharedBits,
    /// Of the columns that went along, one of each group's rows.
    pub along: Table,
    /// The aggregates, in the order they were asked for.
    pub aggregates: Vec<Aggregated>,
    /// One bit: whether there were more groups than the bound, so that some are missing. `None`
    /// if there cannot be.
    pub overflow: Option<SharedBits>,
}

/// What is grouped.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The keys. Rows with equal planes form a group; NULL, where it is a key of its own, is
    /// one plane more.
    pub keys: &'a SharedBits,
    /// One plane: which rows take part.
    pub valid: &'a SharedBits,
    /// Columns that do not differ within a group, and come out beside its key.
    pub along: &'a Table,
}

/// Groups rows by their key.
///
/// - **SQL:** `SELECT key, SUM(…), COUNT(…), MIN(…), MAX(…) FROM … GROUP BY key`
/// - **Shape:** `n` rows in; out come `n`, or `at_most` if that is less: a public bound on the
///   number of groups. If it does not hold, the groups with the greatest keys are cut off, and
///   `overflow` says so: the caller must not pass the rest on as the answer.
/// - **Reveals:** nothing, not even how many groups there are.
/// - **Cost:** a sort, one equality per row, and a partition by one bit (6 rounds). `Sum` and
///   `Rows` add local running totals only; bits that say which rows count become ring elements
///   while keys are compared: 2 rounds, 3 with values. The first `Min` or `Max` rides as the
///   low bits of the sort key; each further one takes a [`segmented_scan`].
/// - **Model:** one passive corruption of three.
/// - **Source:** Asharov et al., "Secure Statistical Analysis on Multiple Datasets: Join and
///   Group-By", CCS 2023.
///
/// # Errors
/// `Shape`; `Unsupported` for a sum over bits; as [`sort()`].
pub fn group_by(
    s: &mut Session,
    label: impl Into<Label>,
    rows: Rows<'_>,
    aggregates: &[Aggregate],
    at_most: Option<usize>,
    method: Method,
) -> Result<Groups, ProtocolError> {
    s.scope(label, |s| {
        let n = rows.keys.n_rows();
        same(s, n, rows.valid.n_rows())?;
        same(s, n, rows.along.n_rows())?;
        same(s, 1, rows.valid.width())?;
        let inputs = Inputs::new(s, n, aggregates)?;
        Sorted::new(s, rows, inputs, method)?.groups(s, at_most)
    })
}

/// Columns that enter the sort, and what they are for.
#[derive(Default)]
struct Inputs {
    /// What is summed up.
    values: Vec<Cells>,
    /// Which rows count.
    counted: Vec<SharedBits>,
    /// Whose greatest row in the group is the result: the first rides in the sort key.
    greatest: Vec<SharedBits>,
    /// How each aggregate comes of these.
    plans: Vec<Plan>,
}

/// How an aggregate is made.
#[derive(Clone, Copy)]
enum Plan {
    /// Of the number of a group's last row.
    Rows,
    /// Of a running count of rows that count.
    Count { counted: usize },
    /// Of a running total, and of a running count of rows that count.
    Sum { values: usize, counted: Option<usize> },
    /// Of a greatest row, which is inverted for the least; its top plane tells whether any counted.
    Greatest { at: usize, invert: bool, optional: bool },
}

impl Inputs {
    fn new(s: &Session, n: usize, aggregates: &[Aggregate]) -> Result<Self, ProtocolError> {
        let mut inputs = Inputs::default();
        for aggregate in aggregates {
            let plan = match aggregate {
                Aggregate::Rows => Plan::Rows,
                Aggregate::Count(bit) => Plan::Count { counted: inputs.counted(s, n, bit)? },
                Aggregate::Sum { values, present } => {
                    same(s, n, values.n_rows())?;
                    if values.bits().is_some() {
                        // What planes add up to depends on how wide the caller wants it.
                        let reason = "sums are over ring elements; convert the bits first";
                        return Err(ProtocolError::Unsupported { step: s.step().clone(), reason });
                    }
                    inputs.values.push(values.clone());
                    let counted = present.as_ref().map(|bit| inputs.counted(s, n, bit)).transpose()?;
                    Plan::Sum { values: inputs.values.len() - 1, counted }
                }
                Aggregate::Min { values, present } => {
                    inputs.greatest(s, n, values, present.as_ref(), true)?
                }
                Aggregate::Max { values, present } => {
                    inputs.greatest(s, n, values, present.as_ref(), false)?
                }
            };
            inputs.plans.push(plan);
        }
        Ok(inputs)
    }

    fn counted(&mut self, s: &Session, n: usize, bit: &SharedBits) -> Result<usize, ProtocolError> {
        same(s, n, bit.n_rows())?;
        self.counted.push(bit.clone());
        Ok(self.counted.len() - 1)
    }

    /// The least number is the greatest inverted one. A row that does not count is less than any
    /// that does, by a plane on top.
    fn greatest(
        &mut self,
        s: &Session,
        n: usize,
        values: &SharedBits,
        present: Option<&SharedBits>,
        invert: bool,
    ) -> Result<Plan, ProtocolError> {
        same(s, n, values.n_rows())?;
        let values = if invert { values.not(s) } else { values.clone() };
        let optional = present.is_some();
        let values = match present {
            None => values,
            Some(present) => {
                same(s, n, present.n_rows())?;
                SharedBits::stack(&[&values, present])
            }
        };
        self.greatest.push(values);
        Ok(Plan::Greatest { at: self.greatest.len() - 1, invert, optional })
    }
}

/// The rows, those that take part first, by key and then by the first greatest.
struct Sorted {
    /// Below: the first greatest, if there is one. Above: the key. On top: whether the row is out.
    keys: SharedBits,
    /// Planes of the first greatest.
    rides: usize,
    values: Vec<Cells>,
    counted: Vec<SharedBits>,
    /// All but the first.
    greatest: Vec<SharedBits>,
    along: Table,
    plans: Vec<Plan>,
}

impl Sorted {
    fn new(s: &mut Session, rows: Rows<'_>, inputs: Inputs, method: Method) -> Result<Self, ProtocolError> {
        let n = rows.keys.n_rows();
        let out = rows.valid.not(s);
        let rides = inputs.greatest.first().map_or(0, SharedBits::width);
        let keys: Vec<&SharedBits> = inputs.greatest.iter().take(1).chain([rows.keys, &out]).collect();
        let (n_values, n_counted) = (inputs.values.len(), inputs.counted.len());
        let n_greatest = inputs.greatest.len().saturating_sub(1);
        let bits = inputs.counted.into_iter().chain(inputs.greatest.iter().skip(1).cloned());
        let columns = inputs.values.into_iter().chain(bits.map(Cells::from)).collect();
        let table = Table::try_new(s, n, columns)?.beside(s, rows.along.clone())?;
        let sorted = sort(s, "sort", &SharedBits::stack(&keys), &table, method)?;
        let (values, rest) = sorted.table.split_columns(n_values);
        let (counted, rest) = rest.split_columns(n_counted);
        let (greatest, along) = rest.split_columns(n_greatest);
        Ok(Sorted {
            keys: sorted.keys,
            rides,
            values: values.into_columns(),
            counted: planes(counted),
            greatest: planes(greatest),
            along,
            plans: inputs.plans,
        })
    }

    /// Each group's last row, moved up to the groups' place.
    fn groups(self, s: &mut Session, at_most: Option<usize>) -> Result<Groups, ProtocolError> {
        let n = self.keys.n_rows();
        let (rides, top) = (self.rides, self.keys.width() - 1);
        let (starts, totals) = s.join(
            |s| boundaries(s, "starts", &self.keys.planes(rides..top + 1)),
            |s| fork::each(s, "totals", &self.plans, &|s, plan| self.totals(s, *plan)),
        )?;
        let scan =
            |s: &mut Session, values: &SharedBits| segmented_scan(s, "scan", &starts, values, Running::Max);
        let in_part = self.keys.plane(top).not(s);
        let (further, last) = s.join(
            |s| fork::each(s, "greatest", &self.greatest, &scan),
            |s| Front::new(s, &lead(s, &starts, true), &in_part),
        )?;
        let greatest: Vec<SharedBits> = [self.keys.planes(0..rides)].into_iter().chain(further).collect();
        let n_greatest = greatest.len();
        let n_totals: Vec<usize> = totals.iter().map(Vec::len).collect();
        let own = [self.keys.planes(rides..top)].into_iter().chain(greatest).map(Cells::from);
        let totals = totals.into_iter().flatten().map(|column| column.prefix_sum());
        let rows = Table::try_new(s, n, own.chain(totals).collect())?.beside(s, self.along)?;
        let (valid, moved, overflow) = last.move_up(s, &rows, at_most)?;
        let (own, moved) = moved.split_columns(1 + n_greatest);
        let (totals, along) = moved.split_columns(n_totals.iter().sum());
        let mut own = planes(own).into_iter();
        let keys = own.next().expect("the key comes first");
        let greatest: Vec<SharedBits> = own.collect();
        // The running total at a group's end, less that at the end of the group before.
        let mut totals = totals.deltas().into_columns().into_iter();
        let plans: Vec<(Plan, Vec<Cells>)> = (self.plans.iter().zip(n_totals))
            .map(|(plan, n)| (*plan, totals.by_ref().take(n).collect()))
            .collect();
        let result = |s: &mut Session, (plan, totals): &(Plan, Vec<Cells>)| plan.result(s, totals, &greatest);
        let aggregates = fork::each(s, "outputs", &plans, &result)?;
        Ok(Groups { keys, valid, along, aggregates, overflow })
    }

    /// The columns of which an aggregate takes running totals.
    fn totals(&self, s: &mut Session, plan: Plan) -> Result<Vec<Cells>, ProtocolError> {
        Ok(match plan {
            Plan::Rows => vec![Shared::constant(s, self.keys.n_rows(), Z64(1)).into()],
            Plan::Count { counted } => vec![bit_to_ring::<Z64>(s, "count", &self.counted[counted])?.into()],
            Plan::Sum { values, counted: None } => vec![self.values[values].clone()],
            Plan::Sum { values, counted: Some(counted) } => {
                let counted = &self.counted[counted];
                match &self.values[values] {
                    Cells::Bits(_) => unreachable!("refused with the other inputs"),
                    Cells::Ring8(x) => kept_and_counted(s, counted, x)?,
                    Cells::Ring16(x) => kept_and_counted(s, counted, x)?,
                    Cells::Ring32(x) => kept_and_counted(s, counted, x)?,
                    Cells::Ring64(x) => kept_and_counted(s, counted, x)?,
                    Cells::Ring128(x) => kept_and_counted(s, counted, x)?,
                }
            }
            Plan::Greatest { .. } => Vec::new(),
        })
    }
}

/// The values of rows that count, zeros elsewhere, and a one in `Z32` for each of these rows.
fn kept_and_counted<R: Ring>(
    s: &mut Session,
    counted: &SharedBits,
    values: &Shared<R>,
) -> Result<Vec<Cells>, ProtocolError>
where
    Cells: From<Shared<R>>,
{
    let bit = bit_to_ring::<R>(s, "bit", counted)?;
    let (kept, ones) = s.join(
        |s| keep_where(s, "keep", &bit, values),
        |s| if R::BITS < Z32::BITS { bit_to_ring(s, "count", counted) } else { Ok(bit.narrow::<Z32>()) },
    )?;
    Ok(vec![kept.into(), ones.into()])
}

fn planes(table: Table) -> Vec<SharedBits> {
    let bits = |cells: Cells| SharedBits::try_from(cells).expect("bits stay bits");
    table.into_columns().into_iter().map(bits).collect()
}

/// Rows that are to move before all others, and which of them are valid: the first ones.
struct Front {
    to: Shared<Z32>,
    valid: SharedBits,
}

impl Front {
    /// Of sorted rows: those that take part come first.
    fn new(s: &mut Session, chosen: &SharedBits, in_part: &SharedBits) -> Result<Self, ProtocolError> {
        let others = chosen.not(s);
        let (to, valid) =
            s.join(|s| bit_positions(s, "to", &others), |s| and(s, "valid", chosen, in_part))?;
        Ok(Front { to, valid })
    }

    /// Moves the rows of a table, and keeps `at_most`: which are valid, the rows, and whether a
    /// valid one was cut off.
    fn move_up(
        self,
        s: &mut Session,
        table: &Table,
        at_most: Option<usize>,
    ) -> Result<(SharedBits, Table, Option<SharedBits>), ProtocolError> {
        let n = table.n_rows();
        let all = Table::try_new(s, n, vec![self.valid.into()])?.beside(s, table.clone())?;
        let (valid, moved) = apply(s, "first", &self.to, &all)?.split_columns(1);
        let valid = valid.columns()[0].bits().expect("one plane");
        let at_most = at_most.unwrap_or(n).min(n);
        let overflow = (at_most < n).then(|| valid.copy_rows(at_most..at_most + 1));
        Ok((valid.copy_rows(0..at_most), moved.slice(0..at_most), overflow))
    }
}

impl Plan {
    fn result(
        self,
        s: &mut Session,
        totals: &[Cells],
        greatest: &[SharedBits],
    ) -> Result<Aggregated, ProtocolError> {
        if let Plan::Greatest { at, invert, optional } = self {
            let found = &greatest[at];
            let width = found.width() - usize::from(optional);
            let values = found.planes(0..width);
            let values = if invert { values.not(s) } else { values };
            return Ok(Aggregated { values: values.into(), present: optional.then(|| found.plane(width)) });
        }
        let present = match totals.get(1) {
            None => None,
            Some(counted) => {
                let counted = Shared::<Z32>::try_from(counted.clone()).expect("counts are in Z32");
                let zero = Shared::constant(s, counted.len(), Z32(0));
                Some(equal_ring(s, "none", &counted, &zero)?.not(s))
            }
        };
        Ok(Aggregated { values: totals[0].clone(), present })
    }
}

/// Rows in the order of their keys, of which only the first of equal ones stays valid.
#[derive(Debug)]
pub struct Distinct {
    /// The keys, ascending; those that take no part behind.
    pub keys: SharedBits,
    /// One plane: which rows remain.
    pub valid: SharedBits,
    /// The columns that went along.
    pub along: Table,
    /// One bit: whether more keys differ than the bound says, so that some are missing. `None`
    /// if there cannot be more.
    pub overflow: Option<SharedBits>,
}

/// Keeps one of several rows with equal keys.
///
/// - **SQL:** `SELECT DISTINCT`
/// - **Shape:** as many rows as before; or `at_most`, if that is less: a public bound on the
///   number of keys, as that of [`group_by`]. Then the rows that remain come first.
/// - **Reveals:** nothing.
/// - **Cost:** a sort, one equality per row, and 1 round; with a bound that cuts rows, a
///   partition by one bit (6 rounds) instead.
///
/// # Errors
/// As [`group_by`].
pub fn distinct(
    s: &mut Session,
    label: impl Into<Label>,
    rows: Rows<'_>,
    at_most: Option<usize>,
    method: Method,
) -> Result<Distinct, ProtocolError> {
    s.scope(label, |s| {
        let n = rows.keys.n_rows();
        same(s, n, rows.valid.n_rows())?;
        same(s, 1, rows.valid.width())?;
        let out = rows.valid.not(s);
        let sorted = sort(s, "sort", &SharedBits::stack(&[rows.keys, &out]), rows.along, method)?;
        let width = rows.keys.width();
        let starts = boundaries(s, "starts", &sorted.keys)?;
        let (keys, in_part) = (sorted.keys.planes(0..width), sorted.keys.plane(width).not(s));
        if at_most.is_none_or(|at_most| at_most >= n) {
            let valid = and(s, "first", &starts, &in_part)?;
            return Ok(Distinct { keys, valid, along: sorted.table, overflow: None });
        }
        let table = Table::try_new(s, n, vec![keys.into()])?.beside(s, sorted.table)?;
        let (valid, moved, overflow) = Front::new(s, &starts, &in_part)?.move_up(s, &table, at_most)?;
        let (keys, along) = moved.split_columns(1);
        let keys = keys.columns()[0].bits().expect("the keys").clone();
        Ok(Distinct { keys, valid, along, overflow })
    })
}

#[cfg(test)]
mod tests;
