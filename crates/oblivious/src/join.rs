//! Joins against a table whose keys are unique.

use math::Planes;
use mpc::{Label, ProtocolError, Session, SharedBits, and};

use crate::compare::{equal, less_than};
use crate::fork;
use crate::rowwise::rowwise_one;
use crate::scan::{any_row, keep_bits};
use crate::select::keep_if;
use crate::sort::{Method, Order, sort, sort_by_bit};
use crate::table::{Cells, Table, same};

/// The side of a join that holds each key at most once.
#[derive(Clone, Copy, Debug)]
pub struct UniqueSide<'a> {
    /// The keys: the same planes as the other side's.
    pub keys: &'a SharedBits,
    /// One plane: which rows take part. Rows with a NULL in their key must not.
    pub valid: &'a SharedBits,
    /// What the other side looks up.
    pub payload: &'a Table,
    /// Whether the rows that take part come first, by ascending key. It saves moving the
    /// payload twice; whether it is true is checked.
    pub ascending: bool,
}

/// What a lookup gives, row by row of the side that looked up.
#[derive(Debug)]
pub struct Lookup {
    /// The payload of the row with the same key. Of rows without one, anything: see [`keep_rows`].
    pub payload: Table,
    /// One plane: which rows have found theirs.
    pub matched: SharedBits,
    /// One bit, for the whole join: whether the unique side is not what it was said to be. Then
    /// the rest is worth nothing.
    pub broken: SharedBits,
}

/// Looks up each key among unique ones: the heart of a join that keeps the other side's rows.
///
/// - **SQL:** `fk JOIN pk ON fk.key = pk.key` with `matched` as the result's valid bit, `LEFT
///   JOIN` with `fk`'s own and NULLs where nothing matched; `matched` alone is the semijoin.
/// - **Shape:** `keys` and `valid` have `n` rows, and so has the result, in the same order;
///   columns of that side beside its key do not travel. A row of `keys` whose `valid` is zero
///   matches nothing: clear it where the key is NULL.
/// - **Reveals:** nothing.
/// - **Cost:** for `m` unique rows: a sort of `n + m` rows, key and payload; if they are not
///   ascending already, a partition of them by one bit (6 rounds) and back (2); one equality per
///   row; 2 rounds to bring the results back; and 1. The check runs beside: `⌈log₂ m⌉ + ⌈log₂ w⌉`
///   rounds and a few.
/// - **Source:** Asharov et al., "Secure Statistical Analysis on Multiple Datasets: Join and
///   Group-By", CCS 2023. The payload travels as differences of neighbours, whose running
///   totals give each row what the last unique row before it holds.
///
/// # Errors
/// `Shape`; as [`sort()`].
pub fn lookup(
    s: &mut Session,
    label: impl Into<Label>,
    unique: UniqueSide<'_>,
    keys: &SharedBits,
    valid: &SharedBits,
    method: Method,
) -> Result<Lookup, ProtocolError> {
    s.scope(label, |s| {
        let n_unique = unique.payload.n_rows();
        same(s, n_unique, unique.keys.n_rows())?;
        same(s, n_unique, unique.valid.n_rows())?;
        same(s, keys.n_rows(), valid.n_rows())?;
        same(s, keys.width(), unique.keys.width())?;
        same(s, 1, unique.valid.width())?;
        same(s, 1, valid.width())?;
        let join = Join { unique, keys, method };
        let ((payload, found), broken) = if unique.ascending {
            s.join(|s| join.with_ascending(s), |s| not_ascending(s, unique.keys, unique.valid))?
        } else {
            join.with_unordered(s)?
        };
        let rows = n_unique..n_unique + keys.n_rows();
        let matched = and(s, "matched", &found.copy_rows(rows.clone()), valid)?;
        Ok(Lookup { payload: payload.slice(rows), matched, broken })
    })
}

struct Join<'a> {
    unique: UniqueSide<'a>,
    keys: &'a SharedBits,
    method: Method,
}

/// Columns of the differences that travel with each row of the unique side: its valid bit and
/// its key, then the payload.
const OWN_COLUMNS: usize = 2;

impl Join<'_> {
    /// The keys of both sides, unique rows first, and those of them that take no part last of all.
    ///
    /// Sorts are stable, so a unique row comes before the rows that look up its key.
    fn sort_keys(&self, s: &Session) -> SharedBits {
        let out = self.unique.valid.not(s);
        let none_out = SharedBits::constant(s, self.keys.n_rows(), 1, 0);
        let unique = SharedBits::stack(&[self.unique.keys, &out]);
        let other = SharedBits::stack(&[self.keys, &none_out]);
        SharedBits::concat(&[&unique, &other])
    }

    /// A table of unique rows with zeros for the other side's.
    fn padded(&self, s: &Session, table: &Table) -> Result<Table, ProtocolError> {
        let n = self.keys.n_rows();
        let zeros = table.columns().iter().map(|column| column.zeros_like(s, n)).collect();
        table.concat(s, &Table::try_new(s, n, zeros)?)
    }

    /// The payload and whether it matches, for all rows of both sides in their own order.
    fn with_ascending(&self, s: &mut Session) -> Result<(Table, SharedBits), ProtocolError> {
        let columns = vec![self.unique.valid.clone().into(), self.unique.keys.clone().into()];
        let own = Table::try_new(s, self.unique.keys.n_rows(), columns)?;
        let deltas = own.beside(s, self.unique.payload.clone())?.deltas();
        let deltas = self.padded(s, &deltas)?;
        let sorted = sort(s, "sort", &self.sort_keys(s), &deltas, self.method)?;
        self.finish(s, &sorted.keys, &sorted.table, &sorted.order)
    }

    /// The same, and whether two unique rows have one key.
    fn with_unordered(&self, s: &mut Session) -> Result<((Table, SharedBits), SharedBits), ProtocolError> {
        let (n_unique, n) = (self.unique.keys.n_rows(), self.keys.n_rows());
        let side =
            Planes::concat(&[&Planes::zeroed(n_unique, 1), &Planes::zeroed(n, 1).map(|_, bits| !bits)]);
        let side = Table::try_new(s, n_unique + n, vec![SharedBits::public(s, &side).into()])?;
        let payload = self.padded(s, self.unique.payload)?;
        let sorted = sort(s, "sort", &self.sort_keys(s), &side.beside(s, payload)?, self.method)?;
        let (side, payload) = sorted.table.split_columns(1);
        let side = side.columns()[0].bits().expect("one plane");
        // The unique rows, in the order of their keys, become neighbours, so that their
        // differences are local; then these go back among the others.
        let width = self.keys.width();
        let own = vec![sorted.keys.plane(width).not(s).into(), sorted.keys.planes(0..width).into()];
        let rows = Table::try_new(s, n_unique + n, own)?.beside(s, payload)?;
        let (order, apart) = sort_by_bit(s, "apart", side, &rows)?;
        let unique = apart.slice(0..n_unique);
        let deltas = self.padded(s, &unique.deltas())?;
        let valid = unique.columns()[0].bits().expect("the valid bit");
        let keys = unique.columns()[1].bits().expect("the key");
        s.join(
            |s| {
                let deltas = order.restore(s, "among", &deltas)?;
                self.finish(s, &sorted.keys, &deltas, &sorted.order)
            },
            |s| any_equal(s, keys, valid),
        )
    }

    /// Sums up the differences of sorted rows, compares keys, and brings the results back.
    fn finish(
        &self,
        s: &mut Session,
        keys: &SharedBits,
        deltas: &Table,
        order: &Order,
    ) -> Result<(Table, SharedBits), ProtocolError> {
        let n_rows = deltas.n_rows();
        let (own, payload) = deltas.prefix_sum().split_columns(OWN_COLUMNS);
        let last_valid = own.columns()[0].bits().expect("the valid bit");
        let last_key = own.columns()[1].bits().expect("the key");
        let key = keys.planes(0..self.keys.width());
        // Before the first unique row `last_valid` is zero, so that its key of zeros matches nothing.
        let found = rowwise_one(s, "match", &[&key, last_key, last_valid], |s, rows| {
            let same = equal(s, "equal", &rows[0], &rows[1])?;
            and(s, "seen", &same, &rows[2])
        })?;
        let results = Table::try_new(s, n_rows, vec![found.into()])?.beside(s, payload)?;
        let (found, payload) = order.restore(s, "back", &results)?.split_columns(1);
        Ok((payload, found.columns()[0].bits().expect("one plane").clone()))
    }
}

/// Whether two neighbours that take part have one key.
fn any_equal(s: &mut Session, keys: &SharedBits, valid: &SharedBits) -> Result<SharedBits, ProtocolError> {
    let above = [keys.lag(1), valid.lag(1)];
    let twice = rowwise_one(s, "twice", &[keys, &above[0], valid, &above[1]], |s, rows| {
        let same = equal(s, "equal", &rows[0], &rows[1])?;
        let both = and(s, "both", &rows[2], &rows[3])?;
        and(s, "twice", &same, &both)
    })?;
    any_row(s, "any", &twice)
}

/// Whether a row that takes part comes first of all but for one that takes part and has a lesser key.
fn not_ascending(
    s: &mut Session,
    keys: &SharedBits,
    valid: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    if keys.n_rows() < 2 {
        return Ok(SharedBits::constant(s, 1, 1, 0));
    }
    let n = keys.n_rows();
    let above = [keys.lag(1), valid.lag(1)];
    let wrong = rowwise_one(s, "wrong", &[keys, &above[0], valid, &above[1]], |s, rows| {
        let less = match rows[0].width() {
            0 => SharedBits::constant(s, rows[0].n_rows(), 1, 0),
            _ => less_than(s, "less", &rows[1], &rows[0], false)?,
        };
        let fine = and(s, "fine", &less, &rows[3])?;
        and(s, "wrong", &rows[2], &fine.not(s))
    })?;
    any_row(s, "any", &wrong.copy_rows(1..n))
}

/// The rows where `bit` is one as they are, the others as zeros.
///
/// - **Shape:** one plane, a row per row of the table.
/// - **Cost:** 1 round and an AND per bit for bits, 3 rounds for ring elements.
///
/// # Errors
/// `Shape`; `Link`.
pub fn keep_rows(
    s: &mut Session,
    label: impl Into<Label>,
    bit: &SharedBits,
    table: &Table,
) -> Result<Table, ProtocolError> {
    s.scope(label, |s| {
        same(s, 1, bit.width())?;
        same(s, table.n_rows(), bit.n_rows())?;
        let columns = fork::each(s, "columns", table.columns(), &|s, column| {
            Ok(match column {
                Cells::Bits(x) => Cells::Bits(keep_bits(s, "keep", bit, x)?),
                Cells::Ring8(x) => Cells::Ring8(keep_if(s, "keep", bit, x)?),
                Cells::Ring16(x) => Cells::Ring16(keep_if(s, "keep", bit, x)?),
                Cells::Ring32(x) => Cells::Ring32(keep_if(s, "keep", bit, x)?),
                Cells::Ring64(x) => Cells::Ring64(keep_if(s, "keep", bit, x)?),
                Cells::Ring128(x) => Cells::Ring128(keep_if(s, "keep", bit, x)?),
            })
        })?;
        Table::try_new(s, table.n_rows(), columns)
    })
}

#[cfg(test)]
mod tests;
