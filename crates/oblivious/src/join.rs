//! Joins: lookups among unique keys, membership in a set of keys, and pairs of equal keys.

mod expand;
mod pairs;

use mpc::{Label, ProtocolError, Session, SharedBits, and};

use crate::compare::all_ones;
use crate::rowwise::rowwise_one;
use crate::scan::{any_row, lead, with_first};
use crate::sort::{Method, SortedRows, merge, merge_is_cheaper, sort, sort_by_bit};
use crate::table::{Table, same};

pub use expand::{Expanded, expand};

/// One side of a join.
#[derive(Clone, Copy, Debug)]
pub struct JoinSide<'a> {
    /// The keys: the same planes on both sides.
    pub keys: &'a SharedBits,
    /// One plane: which rows take part. Rows with a NULL in their key must not.
    pub valid: &'a SharedBits,
    /// What the other side looks up, or what goes into the pairs.
    pub payload: &'a Table,
}

/// What a lookup gives: but for `used`, row by row of the side that looked up.
#[derive(Debug)]
pub struct Lookup {
    /// The payload of the row with the same key; zeros where there is none.
    pub payload: Table,
    /// One plane: which rows have found theirs.
    pub matched: SharedBits,
    /// One plane, row by row of the unique side: which rows have been found by another.
    pub used: SharedBits,
    /// One bit, for the whole join: whether the unique side is not what it was said to be. Then
    /// the rest is worth nothing.
    pub broken: SharedBits,
}

/// Looks up each key among unique ones: the heart of a join that keeps the other side's rows.
///
/// - **SQL:** `fk JOIN pk ON fk.key = pk.key` with `matched` as the result's valid bit, `LEFT
///   JOIN` with `fk`'s own and NULLs where nothing matched; `matched` alone is the semijoin. In
///   `pk LEFT JOIN fk`, rows of `pk` that are not `used` come on top of those that match.
/// - **Shape:** `keys` and `valid` have `n` rows, and so has the result, in the same order;
///   columns of that side beside its key do not travel. A row of `keys` whose `valid` is zero
///   matches nothing: clear it where the key is NULL.
/// - **Reveals:** nothing.
/// - **Cost:** for `m` unique rows and keys of `w` bits, a sort of `n + m` rows, key and
///   payload; then for each of these rows `w` ANDs (`⌈log₂ (w + 1)⌉` rounds), a partition by one
///   bit (6 rounds) and two moves of the payload (4). The check runs beside: 1 round and
///   [`any_row`]. With [`Method::Merge`], rows of either side have to come by key, and of one key
///   those that take part first. With [`Method::Auto`], small tables compare all `m·n` pairs instead: about
///   `log₂ w + log₂ n` rounds, `w + 1` ANDs per pair and as many as the payload has bits.
/// - **Source:** Asharov et al., "Secure Statistical Analysis on Multiple Datasets: Join and
///   Group-By", CCS 2023: the payload travels as differences of neighbours, whose running totals
///   give each row what the first one of its run holds. Here rows of the other side begin runs
///   of their own where their key is not among the unique ones, with a payload of zeros; so the
///   key need not travel to be compared again.
///
/// # Errors
/// `Shape`; as [`sort()`].
pub fn lookup(
    s: &mut Session,
    label: impl Into<Label>,
    unique: JoinSide<'_>,
    keys: &SharedBits,
    valid: &SharedBits,
    method: Method,
) -> Result<Lookup, ProtocolError> {
    s.scope(label, |s| {
        let (n_unique, n) = (unique.payload.n_rows(), keys.n_rows());
        same(s, n_unique, unique.keys.n_rows())?;
        same(s, n_unique, unique.valid.n_rows())?;
        same(s, n, valid.n_rows())?;
        same(s, keys.width(), unique.keys.width())?;
        same(s, 1, unique.valid.width())?;
        same(s, 1, valid.width())?;
        if pairs::is_cheaper(&unique, n, method, &s.params()) {
            return pairs::lookup(s, &unique, keys, valid);
        }
        let (sorted, goes_on) = sort_sides(s, &unique, keys, valid, method)?;
        let (found, broken) =
            s.join(|s| from_starts(s, &sorted, &goes_on), |s| any_inside(s, &sorted, &goes_on))?;
        let (bits, payload) = found.split_columns(2);
        let bit = |at: usize, rows| bits.columns()[at].bits().expect("one plane").copy_rows(rows);
        let (used, looked_up) = (bit(0, 0..n_unique), n_unique..n_unique + n);
        let matched = bit(1, looked_up.clone());
        Ok(Lookup { payload: payload.slice(looked_up), matched, used, broken })
    })
}

/// Which keys are in a set: the heart of `IN` and `EXISTS`.
///
/// - **SQL:** `key IN (SELECT …)`, as the valid bit of a semijoin, or inverted of an antijoin.
/// - **Shape:** `set` and `keys` have the same planes; a key may be in the set any number of times. A row
///   whose `valid` is zero takes no part: clear it where a key is NULL. One plane comes out, row by row of `keys`.
/// - **Reveals:** nothing.
/// - **Cost:** as [`lookup`] without a payload and without its check.
/// - **Source:** as [`lookup`].
///
/// # Errors
/// `Shape`; as [`sort()`].
pub fn member(
    s: &mut Session,
    label: impl Into<Label>,
    (set, set_valid): (&SharedBits, &SharedBits),
    keys: &SharedBits,
    valid: &SharedBits,
    method: Method,
) -> Result<SharedBits, ProtocolError> {
    s.scope(label, |s| {
        let (n_set, n) = (set.n_rows(), keys.n_rows());
        same(s, n_set, set_valid.n_rows())?;
        same(s, n, valid.n_rows())?;
        same(s, keys.width(), set.width())?;
        same(s, 1, set_valid.width())?;
        same(s, 1, valid.width())?;
        let set = JoinSide { keys: set, valid: set_valid, payload: &Table::empty(n_set) };
        if pairs::is_cheaper(&set, n, method, &s.params()) {
            return pairs::member(s, &set, keys, valid);
        }
        // A run starts with a row of the set if there is one; those that follow must hold zeros.
        let (SortedRows { keys, table, order }, goes_on) = sort_sides(s, &set, keys, valid, method)?;
        let in_set = table.columns()[0].bits().expect("one plane");
        let first = and(s, "first", in_set, &goes_on.not(s))?;
        let table = Table::try_new(s, n_set + n, vec![first.into()])?;
        let found = from_starts(s, &SortedRows { keys, table, order }, &goes_on)?;
        Ok(found.columns()[1].bits().expect("one plane").copy_rows(n_set..n_set + n))
    })
}

/// Both sides' rows by key, with what the unique side holds and zeros for the other; and which
/// rows go on with the run of the row before.
fn sort_sides(
    s: &mut Session,
    unique: &JoinSide<'_>,
    keys: &SharedBits,
    valid: &SharedBits,
    method: Method,
) -> Result<(SortedRows, SharedBits), ProtocolError> {
    // Sorts are stable: of one key, the unique row comes first, then those that look it up;
    // behind them, by a bit below the key, rows that take no part.
    let (n_unique, n) = (unique.keys.n_rows(), keys.n_rows());
    let out = SharedBits::concat(&[unique.valid, valid]).not(s);
    let keys = SharedBits::concat(&[unique.keys, keys]);
    let holds = Table::try_new(s, n_unique, vec![unique.valid.clone().into()])?;
    let holds = holds.beside(s, unique.payload.clone())?;
    let zeros = holds.columns().iter().map(|column| column.zeros_like(s, n)).collect();
    let holds = holds.concat(s, &Table::try_new(s, n, zeros)?)?;
    let sorted = sort_both(s, &SharedBits::stack(&[&out, &keys]), &holds, [n_unique, n], method)?;
    let goes_on = goes_on(s, &sorted.keys)?;
    Ok((sorted, goes_on))
}

/// The rows of both sides by their keys, the first side's first of equal ones.
fn sort_both(
    s: &mut Session,
    keys: &SharedBits,
    table: &Table,
    sides: [usize; 2],
    method: Method,
) -> Result<SortedRows, ProtocolError> {
    if method == Method::Merge && merge_is_cheaper(s, sides, keys.width()) {
        merge(s, "merge", keys, table, &sides)
    } else {
        sort(s, "sort", keys, table, method)
    }
}

/// Which rows go on with the run of the row before: they take part, and have its key. The
/// first row never does.
fn goes_on(s: &mut Session, keys: &SharedBits) -> Result<SharedBits, ProtocolError> {
    let (out, keys) = (keys.plane(0), keys.planes(1..keys.width()));
    let goes_on = rowwise_one(s, "goes on", &[&keys, &keys.lag(1), &out], |s, rows| {
        let same = rows[0].xor(&rows[1]);
        all_ones(s, "all", &SharedBits::stack(&[&rows[2], &same]).not(s))
    })?;
    Ok(with_first(s, &goes_on.not(s)).not(s))
}

/// For each row whether its run goes on below, and what the first row of its run holds, brought
/// back to where it came from.
///
/// Rows that go on hold zeros, so that they have no part in the running totals: moved before
/// those that start a run, their differences are zero, and so is what the first start's is
/// taken from.
fn from_starts(s: &mut Session, sorted: &SortedRows, goes_on: &SharedBits) -> Result<Table, ProtocolError> {
    let (order, apart) = sort_by_bit(s, "starts", &goes_on.not(s), &sorted.table)?;
    let deltas = order.restore(s, "among", &apart.deltas())?;
    let below = lead(s, goes_on, false);
    let found = Table::try_new(s, below.n_rows(), vec![below.into()])?.beside(s, deltas.prefix_sum())?;
    sorted.order.restore(s, "back", &found)
}

/// Whether a unique row that takes part goes on with a run: then its key comes twice.
fn any_inside(
    s: &mut Session,
    sorted: &SortedRows,
    goes_on: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    let unique = sorted.table.columns()[0].bits().expect("one plane");
    let twice = and(s, "twice", unique, goes_on)?;
    any_row(s, "any", &twice)
}

#[cfg(test)]
mod tests;
