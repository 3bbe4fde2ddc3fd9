//! Group-by and DISTINCT: one sort, neighbours compared, running totals.

use math::{Z32, Z64};
use mpc::{Label, ProtocolError, Session, Shared, SharedBits, and};

use crate::convert::{bit_to_ring, equal_ring};
use crate::fork;
use crate::scan::{Running, boundaries, lead, segmented_scan};
use crate::select::keep_if;
use crate::sort::{Method, sort, sort_by_bit};
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
///   number of groups, which the caller knows to hold.
/// - **Reveals:** nothing, not even how many groups there are.
/// - **Cost:** a sort, one equality and a few ANDs per row, and a partition by one bit (6
///   rounds). `Sum`, `Count` and `Rows` add local running totals only, and 3 rounds where values
///   can be missing. The first `Min` or `Max` rides as the low bits of the sort key; each
///   further one takes a [`segmented_scan`].
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
        let sorted = Sorted::new(s, rows, inputs, method)?;
        let at_most = at_most.unwrap_or(n).min(n);
        sorted.groups(s, at_most)
    })
}

/// Columns that enter the sort, and what they are for.
struct Inputs {
    /// Whose last running total in a group, less the group's before, is the result.
    totals: Vec<Cells>,
    /// Whose greatest row in the group is the result: the first rides in the sort key.
    greatest: Vec<SharedBits>,
    /// How each aggregate comes of these.
    plans: Vec<Plan>,
}

/// How an aggregate is made.
enum Plan {
    /// Of a running total, and of the running count of rows that counted.
    Total { at: usize, counted: Option<usize> },
    /// Of a greatest row, which is inverted for the least; its top plane tells whether any counted.
    Greatest { at: usize, invert: bool, optional: bool },
}

/// What an aggregate brings into the sort.
enum Input {
    /// Values to sum up, and a one for each row that counts, if not all do.
    Totals(Cells, Option<Cells>),
    /// See [`Plan::Greatest`].
    Greatest { values: SharedBits, invert: bool, optional: bool },
}

impl Inputs {
    fn new(s: &mut Session, n: usize, aggregates: &[Aggregate]) -> Result<Self, ProtocolError> {
        let list = fork::each(s, "inputs", aggregates, &|s, aggregate| Input::of(s, n, aggregate))?;
        let mut inputs = Inputs { totals: Vec::new(), greatest: Vec::new(), plans: Vec::new() };
        for input in list {
            let plan = match input {
                Input::Totals(values, ones) => {
                    let at = inputs.total(values);
                    Plan::Total { at, counted: ones.map(|ones| inputs.total(ones)) }
                }
                Input::Greatest { values, invert, optional } => {
                    inputs.greatest.push(values);
                    Plan::Greatest { at: inputs.greatest.len() - 1, invert, optional }
                }
            };
            inputs.plans.push(plan);
        }
        Ok(inputs)
    }

    fn total(&mut self, column: Cells) -> usize {
        self.totals.push(column);
        self.totals.len() - 1
    }
}

impl Input {
    fn of(s: &mut Session, n: usize, aggregate: &Aggregate) -> Result<Self, ProtocolError> {
        Ok(match aggregate {
            Aggregate::Rows => Input::Totals(Shared::constant(s, n, Z64(1)).into(), None),
            Aggregate::Count(bit) => {
                same(s, n, bit.n_rows())?;
                Input::Totals(bit_to_ring::<Z64>(s, "count", bit)?.into(), None)
            }
            Aggregate::Sum { values, present } => {
                same(s, n, values.n_rows())?;
                refuse_bits(s, values)?;
                let Some(present) = present else { return Ok(Input::Totals(values.clone(), None)) };
                same(s, n, present.n_rows())?;
                let (kept, ones) = s.join(
                    |s| keep_present(s, present, values),
                    |s| bit_to_ring::<Z32>(s, "count", present),
                )?;
                Input::Totals(kept, Some(ones.into()))
            }
            Aggregate::Min { values, present } => Input::greatest(s, n, values, present.as_ref(), true)?,
            Aggregate::Max { values, present } => Input::greatest(s, n, values, present.as_ref(), false)?,
        })
    }

    /// The least number is the greatest inverted one. A row that does not count is less than any
    /// that does, by a plane on top.
    fn greatest(
        s: &Session,
        n: usize,
        values: &SharedBits,
        present: Option<&SharedBits>,
        invert: bool,
    ) -> Result<Self, ProtocolError> {
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
        Ok(Input::Greatest { values, invert, optional })
    }
}

/// Sums are over ring elements: what planes add up to depends on how wide the caller wants it.
fn refuse_bits(s: &Session, cells: &Cells) -> Result<(), ProtocolError> {
    match cells {
        Cells::Bits(_) => {
            let reason = "sums are over ring elements; convert the bits first";
            Err(ProtocolError::Unsupported { step: s.step().clone(), reason })
        }
        _ => Ok(()),
    }
}

fn keep_present(s: &mut Session, present: &SharedBits, values: &Cells) -> Result<Cells, ProtocolError> {
    Ok(match values {
        Cells::Bits(_) => return refuse_bits(s, values).map(|()| values.clone()),
        Cells::Ring8(x) => Cells::Ring8(keep_if(s, "present", present, x)?),
        Cells::Ring16(x) => Cells::Ring16(keep_if(s, "present", present, x)?),
        Cells::Ring32(x) => Cells::Ring32(keep_if(s, "present", present, x)?),
        Cells::Ring64(x) => Cells::Ring64(keep_if(s, "present", present, x)?),
        Cells::Ring128(x) => Cells::Ring128(keep_if(s, "present", present, x)?),
    })
}

/// The rows, those that take part first, by key and then by the first greatest.
struct Sorted {
    /// Below: the first greatest, if there is one. Above: the key. On top: whether the row is out.
    keys: SharedBits,
    /// Planes of the first greatest.
    rides: usize,
    totals: Table,
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
        let (n_totals, n_greatest) = (inputs.totals.len(), inputs.greatest.len().saturating_sub(1));
        let columns = inputs.totals.into_iter();
        let columns = columns.chain(inputs.greatest.iter().skip(1).cloned().map(Cells::from));
        let table = Table::try_new(s, n, columns.collect())?.beside(s, rows.along.clone())?;
        let sorted = sort(s, "sort", &SharedBits::stack(&keys), &table, method)?;
        let (totals, rest) = sorted.table.split_columns(n_totals);
        let (greatest, along) = rest.split_columns(n_greatest);
        let greatest = greatest.into_columns().into_iter();
        let greatest = greatest.map(|cells| cells.try_into().expect("bits stay bits")).collect();
        Ok(Sorted { keys: sorted.keys, rides, totals, greatest, along, plans: inputs.plans })
    }

    /// Each group's last row, moved up to the groups' place.
    fn groups(self, s: &mut Session, at_most: usize) -> Result<Groups, ProtocolError> {
        let n = self.keys.n_rows();
        let (rides, top) = (self.rides, self.keys.width() - 1);
        let starts = boundaries(s, "starts", &self.keys.planes(rides..top + 1))?;
        let mut greatest = vec![self.keys.planes(0..rides)];
        greatest.extend(fork::each(s, "greatest", &self.greatest, &|s, values| {
            segmented_scan(s, "scan", &starts, values, Running::Max)
        })?);
        let valid = self.keys.plane(top).not(s);
        let last = and(s, "last", &lead(s, &starts, true), &valid)?;
        let own = Table::try_new(s, n, vec![last.clone().into(), self.keys.planes(rides..top).into()])?;
        let n_greatest = greatest.len();
        let greatest = Table::try_new(s, n, greatest.into_iter().map(Cells::from).collect())?;
        let (n_own, n_totals) = (own.columns().len(), self.totals.columns().len());
        let all = own.beside(s, greatest)?.beside(s, self.totals.prefix_sum())?.beside(s, self.along)?;
        let (_, moved) = sort_by_bit(s, "first", &last.not(s), &all)?;
        let (own, moved) = moved.slice(0..at_most).split_columns(n_own);
        let (greatest, moved) = moved.split_columns(n_greatest);
        let (totals, along) = moved.split_columns(n_totals);
        // The running total at a group's end, less that at the end of the group before.
        let totals = totals.deltas();
        let mut own = own.into_columns().into_iter();
        let mut bits = || SharedBits::try_from(own.next().expect("two columns")).expect("bits stay bits");
        let (valid, keys) = (bits(), bits());
        let result = |s: &mut Session, plan: &Plan| plan.result(s, &totals, &greatest);
        let aggregates = fork::each(s, "outputs", &self.plans, &result)?;
        Ok(Groups { keys, valid, along, aggregates })
    }
}

impl Plan {
    fn result(&self, s: &mut Session, totals: &Table, greatest: &Table) -> Result<Aggregated, ProtocolError> {
        match *self {
            Plan::Total { at, counted } => {
                let values = totals.columns()[at].clone();
                let present = match counted {
                    None => None,
                    Some(counted) => {
                        let counted = Shared::<Z32>::try_from(totals.columns()[counted].clone());
                        let counted = counted.expect("counts are in Z32");
                        let zero = Shared::constant(s, counted.len(), Z32(0));
                        Some(equal_ring(s, "none", &counted, &zero)?.not(s))
                    }
                };
                Ok(Aggregated { values, present })
            }
            Plan::Greatest { at, invert, optional } => {
                let found = greatest.columns()[at].bits().expect("bits stay bits");
                let width = found.width() - usize::from(optional);
                let values = found.planes(0..width);
                let values = if invert { values.not(s) } else { values };
                Ok(Aggregated { values: values.into(), present: optional.then(|| found.plane(width)) })
            }
        }
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
}

/// Keeps one of several rows with equal keys.
///
/// - **SQL:** `SELECT DISTINCT`
/// - **Shape:** as many rows as before.
/// - **Reveals:** nothing.
/// - **Cost:** a sort, one equality per row, and 1 round.
///
/// # Errors
/// As [`group_by`].
pub fn distinct(
    s: &mut Session,
    label: impl Into<Label>,
    rows: Rows<'_>,
    method: Method,
) -> Result<Distinct, ProtocolError> {
    s.scope(label, |s| {
        same(s, rows.keys.n_rows(), rows.valid.n_rows())?;
        same(s, 1, rows.valid.width())?;
        let out = rows.valid.not(s);
        let sorted = sort(s, "sort", &SharedBits::stack(&[rows.keys, &out]), rows.along, method)?;
        let width = rows.keys.width();
        let starts = boundaries(s, "starts", &sorted.keys)?;
        let valid = and(s, "first", &starts, &sorted.keys.plane(width).not(s))?;
        Ok(Distinct { keys: sorted.keys.planes(0..width), valid, along: sorted.table })
    })
}

#[cfg(test)]
mod tests;
