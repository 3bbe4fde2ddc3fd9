//! Sorting: rows into the order of secret keys.
//!
//! Keys are unsigned numbers as bits, several columns one above the other, the
//! most significant highest. Sorts are stable. Two ways, by cost:
//!
//! - [`Method::Quick`] shuffles the rows, then compares them and opens the
//!   outcomes. Every key has its row number below it, so that all keys differ:
//!   the order of distinct keys in a random permutation is a random order,
//!   whatever the keys, and the outcomes follow from it.
//! - [`Method::Radix`] moves rows by two bits at a time: for short keys.
//!
//! Rows that come in sorted runs, as owners can give them, are [merged](merge()) where that is cheaper.

mod digits;
mod levels;
mod merge;
mod quick;
mod radix;

use mpc::{Label, Lane, Params, ProtocolError, Session, SharedBits};

pub use crate::permute::Order;
use crate::table::{Table, same};

pub use merge::merge;
pub(crate) use merge::merge_is_cheaper;
pub(crate) use radix::bit_positions;
pub use radix::sort_by_bit;

/// How to sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The cheaper one, by the shape of the keys and what the links are taken for.
    #[default]
    Auto,
    /// Shuffle and quicksort.
    Quick,
    /// Radix sort.
    Radix,
    /// For joins, both sides of which come in order: [merged](merge()) where that is cheaper, and
    /// sorted as by `Auto` elsewhere.
    Merge,
}

/// What a sort gives.
#[derive(Debug)]
pub struct SortedRows {
    /// The keys, ascending.
    pub keys: SharedBits,
    /// The table's rows in the keys' order.
    pub table: Table,
    /// The order, for more tables of these rows, and for bringing results back.
    pub order: Order,
}

/// Sorts a table by secret keys. Rows of equal keys keep their order.
///
/// - **SQL:** `ORDER BY`
/// - **Shape:** `keys` has a row per row of the table, plane 0 the least significant.
/// - **Reveals:** nothing. What is opened is a uniform random order.
/// - **Cost:** for `n` rows of `w` bits, quick: the rows' shuffle (2 rounds), a round that unrolls
///   digits of keys, then about `1.15·n·log₂ n` comparisons of `w + log₂ n` bits, two bits of
///   message for each, in about `1.8·log₂ n` levels of `⌈log₂(w + log₂ n)⌉ + 1` rounds; in
///   malicious sessions four rounds more per level, for its proof. Radix: `⌈w/2⌉` passes of 7 rounds, and 5 rounds.
/// - **Model:** that of the session.
/// - **Source:** Hamada et al., "Practically Efficient Multi-party Sorting Protocols from
///   Comparison Sort Algorithms", ICISC 2012; Asharov et al., CCS 2022.
///
/// # Errors
/// `Shape`; `PeerDeviated` if what is opened is no order; `Link`.
pub fn sort(
    s: &mut Session,
    label: impl Into<Label>,
    keys: &SharedBits,
    table: &Table,
    method: Method,
) -> Result<SortedRows, ProtocolError> {
    s.scope(label, |s| {
        same(s, keys.n_rows(), table.n_rows())?;
        match method.for_shape(keys.n_rows(), keys.width(), &s.params()) {
            Method::Radix => radix::sort(s, keys, table),
            _ => quick::sort(s, keys, table, quick::Suffix::RowNumber),
        }
    })
}

/// Counts a quicksort whose shuffled rows turn out in a given order, in a counting run:
/// exactly what [`sort`] costs where [`Order::opened`] is that order.
///
/// # Errors
/// `Shape`.
pub fn count_quicksort(
    s: &mut Session,
    label: impl Into<Label>,
    keys: &SharedBits,
    table: &Table,
    opened: &[u32],
) -> Result<(), ProtocolError> {
    s.scope(label, |s| {
        same(s, keys.n_rows(), table.n_rows())?;
        same(s, keys.n_rows(), opened.len())?;
        quick::count(s, keys, table, opened)
    })
}

impl Method {
    /// The method for `n` keys of `width` bits: itself, or the one that takes less time by rounds
    /// and bytes, over the links that `params` tell of. Parties agree on those, and so choose alike.
    pub fn for_shape(self, n: usize, width: usize, params: &Params) -> Self {
        let of = |method: Method| method.typical_time(n, width, params);
        match self {
            Method::Auto | Method::Merge if of(Method::Radix) < of(Method::Quick) => Method::Radix,
            Method::Auto | Method::Merge => Method::Quick,
            Method::Quick | Method::Radix => self,
        }
    }

    /// The time to sort `n` keys of `width` bits, without their rows.
    pub(crate) fn typical_time(self, n: usize, width: usize, params: &Params) -> f64 {
        let (rounds, bytes) = match self {
            Method::Auto | Method::Merge => {
                return self.for_shape(n, width, params).typical_time(n, width, params);
            }
            Method::Quick => quick::typical_cost(params.security, n, width),
            Method::Radix => radix::typical_cost(params.security, n, width),
        };
        time(params, rounds, bytes)
    }
}

/// What ways to do the same are compared by, in nanoseconds: 0.2 ms a round and 2 ns for each
/// byte that a party sends, as measured between processes of one machine, or more where the link
/// takes more.
pub(crate) fn time(params: &Params, rounds: f64, bytes: f64) -> f64 {
    let link = &params.link;
    let late = (link.delay + link.jitter / 2).as_nanos() as f64;
    let per_byte = link.bits_per_second.map_or(0.0, |bits| 8e9 / bits.max(1) as f64);
    rounds * (2e5 + late) + bytes * per_byte.max(2.0)
}

/// The keys' bits and the table's lanes, split where the keys' lanes end.
fn split_lanes(lanes: &[Lane], n_keys: usize) -> (&[Lane], &[Lane]) {
    lanes.split_at(n_keys)
}

#[cfg(test)]
mod tests;
