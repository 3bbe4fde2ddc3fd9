//! Moving rows by an order that nobody knows.

use math::{Column, Group, X32, Z32};
use mpc::{
    Deviation, Label, Lane, ProtocolError, Session, Shared, SharedBits, Shuffler, open, open_bits, verify,
};

use crate::table::{Table, same};

/// Puts the rows into a fresh random order.
///
/// - **Reveals:** nothing.
/// - **Cost:** 2 rounds; four messages of the rows' bytes in all.
///
/// # Errors
/// `Link`.
pub fn shuffle(s: &mut Session, label: impl Into<Label>, table: &Table) -> Result<Table, ProtocolError> {
    s.scope(label, |s| {
        let shuffler = Shuffler::new(s, "draw", table.n_rows())?;
        let lanes = shuffler.shuffle(s, "move", &table.to_lanes())?;
        Ok(table.with_lanes(&lanes))
    })
}

/// Moves row `i` to `to[i]`, for a secret permutation `to`.
///
/// - **Shape:** `to` has a row per row of the table.
/// - **Reveals:** nothing: what is opened is the permutation in a fresh random order.
/// - **Cost:** 3 rounds; four messages of the rows' and `to`'s bytes in all, and `4·n` bytes
///   from each compute party.
/// - **Model:** as the shuffle's; an opened vector that is no permutation stops the session.
/// - **Source:** Asharov et al., "Efficient Secure Three-Party Sorting with Applications to
///   Data Analysis and Heavy Hitters", CCS 2022.
///
/// # Errors
/// `Shape`; `PeerDeviated` if `to` is no permutation; `Link`.
pub fn apply(
    s: &mut Session,
    label: impl Into<Label>,
    to: &Shared<Z32>,
    table: &Table,
) -> Result<Table, ProtocolError> {
    Ok(Order::of_positions(s, label, to, table)?.1)
}

/// The permutation that moves rows back: if `to` moves `i` to `k`, the result moves `k` to `i`.
///
/// - **Reveals:** nothing.
/// - **Cost:** as [`apply`] to a column of `Z32`.
///
/// # Errors
/// As [`apply`].
pub fn invert(
    s: &mut Session,
    label: impl Into<Label>,
    to: &Shared<Z32>,
) -> Result<Shared<Z32>, ProtocolError> {
    s.scope(label, |s| {
        let rows = Table::try_new(s, to.len(), vec![row_numbers(s, to.len()).into()])?;
        let moved = apply(s, "apply", to, &rows)?;
        let column = moved.into_columns().pop().expect("one column");
        Ok(column.try_into().expect("the kind of the column applied to"))
    })
}

/// First `first`, then `second`: row `i` goes to `second[first[i]]`.
///
/// - **Reveals:** nothing: what is opened is `first` in a fresh random order.
/// - **Cost:** 5 rounds; eight messages of `4·n` bytes in all, and `4·n` from each compute party.
/// - **Source:** as [`apply`].
///
/// # Errors
/// As [`apply`].
pub fn compose(
    s: &mut Session,
    label: impl Into<Label>,
    first: &Shared<Z32>,
    second: &Shared<Z32>,
) -> Result<Shared<Z32>, ProtocolError> {
    s.scope(label, |s| {
        same(s, first.len(), second.len())?;
        let shuffler = Shuffler::new(s, "draw", first.len())?;
        let moved = shuffler.shuffle(s, "there", &[first.clone().into()])?;
        let at = open_positions(s, "at", positions_of(&moved[0]))?;
        let met = at.map_or_else(|| second.clone(), |at| second.gather(&at));
        let back = shuffler.unshuffle(s, "back", &[met.into()])?.pop().expect("one lane per lane");
        Ok(back.try_into().expect("the kind of the lane that left"))
    })
}

/// A secret order of rows, ready for use: it brings tables into the order, and back.
///
/// What parties know of it is where each row of the order lies in a random permutation that
/// nobody knows; that says nothing.
pub struct Order {
    shuffler: Shuffler,
    n_rows: usize,
    /// Row `k` of the order is row `from[k]` of the shuffled rows.
    from: Option<Vec<u32>>,
}

impl Order {
    /// The order whose row `from[k]`, shuffled, comes `k`-th.
    pub(crate) fn new(shuffler: Shuffler, n_rows: usize, from: Option<Vec<u32>>) -> Self {
        Order { shuffler, n_rows, from }
    }

    /// The order that moves row `i` to `to[i]`, and a table brought into it.
    ///
    /// - **Reveals:** nothing.
    /// - **Cost:** as [`apply`].
    ///
    /// # Errors
    /// As [`apply`].
    pub fn of_positions(
        s: &mut Session,
        label: impl Into<Label>,
        to: &Shared<Z32>,
        table: &Table,
    ) -> Result<(Self, Table), ProtocolError> {
        s.scope(label, |s| {
            same(s, table.n_rows(), to.len())?;
            let shuffler = Shuffler::new(s, "draw", table.n_rows())?;
            let mut lanes = table.to_lanes();
            lanes.push(to.clone().into());
            let mut lanes = shuffler.shuffle(s, "move", &lanes)?;
            let to = lanes.pop().expect("one lane per lane");
            let from = open_positions(s, "to", positions_of(&to))?.map(|to| inverse(&to));
            let order = Order::new(shuffler, table.n_rows(), from);
            let table = table.with_lanes(&order.place(&lanes));
            Ok((order, table))
        })
    }

    /// Brings a table into the order.
    ///
    /// - **Reveals:** nothing.
    /// - **Cost:** 2 rounds; four messages of the rows' bytes in all.
    ///
    /// # Errors
    /// `Shape`; `Link`.
    pub fn apply(
        &self,
        s: &mut Session,
        label: impl Into<Label>,
        table: &Table,
    ) -> Result<Table, ProtocolError> {
        s.scope(label, |s| {
            same(s, self.n_rows, table.n_rows())?;
            let lanes = self.shuffler.shuffle(s, "move", &table.to_lanes())?;
            Ok(table.with_lanes(&self.place(&lanes)))
        })
    }

    /// Brings a table from the order back to where its rows were: undoes [`Order::apply`].
    ///
    /// - **Reveals, cost:** as [`Order::apply`].
    ///
    /// # Errors
    /// As [`Order::apply`].
    pub fn restore(
        &self,
        s: &mut Session,
        label: impl Into<Label>,
        table: &Table,
    ) -> Result<Table, ProtocolError> {
        s.scope(label, |s| {
            same(s, self.n_rows, table.n_rows())?;
            let back =
                |lane: &Lane| self.from.as_ref().map_or_else(|| lane.clone(), |from| lane.scatter(from));
            let lanes: Vec<Lane> = table.to_lanes().iter().map(back).collect();
            let lanes = self.shuffler.unshuffle(s, "move", &lanes)?;
            Ok(table.with_lanes(&lanes))
        })
    }

    /// Shuffled lanes in the order.
    pub(crate) fn place(&self, lanes: &[Lane]) -> Vec<Lane> {
        lanes
            .iter()
            .map(|lane| self.from.as_ref().map_or_else(|| lane.clone(), |from| lane.gather(from)))
            .collect()
    }

    /// What was opened: row `k` of the order is row `opened[k]` of the shuffled rows. `None`
    /// where there are no values. With it a counting run gives the exact cost of a sort.
    pub fn opened(&self) -> Option<&[u32]> {
        self.from.as_deref()
    }
}

// The permutation is a secret.
impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Order(<{} rows hidden>)", self.n_rows)
    }
}

/// The numbers 0, 1, 2, … as a column.
pub(crate) fn row_numbers(s: &Session, n: usize) -> Shared<Z32> {
    Shared::public(s, &Column::from_fn(n, |row| Z32(row as u32)))
}

/// The positions in a lane that came from some.
fn positions_of(lane: &Lane) -> Shared<Z32> {
    lane.clone().try_into().expect("the kind of the lane that left")
}

/// Opens a column of positions of at most 32 bits, which must be a permutation; `None` where there are no values.
pub(crate) fn open_positions<G: Group>(
    s: &mut Session,
    label: impl Into<Label>,
    positions: Shared<G>,
) -> Result<Option<Vec<u32>>, ProtocolError> {
    let checked = verify(s, positions)?;
    let Some(opened) = open(s, label, checked)? else { return Ok(None) };
    permutation(s, opened.items().iter().map(|position| position.word() as u32)).map(Some)
}

/// [`open_positions`] of a column of bits.
pub(crate) fn open_bit_positions(
    s: &mut Session,
    label: impl Into<Label>,
    positions: SharedBits,
) -> Result<Option<Vec<u32>>, ProtocolError> {
    let checked = verify(s, positions)?;
    let Some(opened) = open_bits(s, label, checked)? else { return Ok(None) };
    let opened: Column<X32> = math::pack::elements(&opened);
    permutation(s, opened.items().iter().map(|position| position.0)).map(Some)
}

/// The positions, if they are a permutation.
fn permutation(s: &Session, positions: impl Iterator<Item = u32>) -> Result<Vec<u32>, ProtocolError> {
    let positions: Vec<u32> = positions.collect();
    if is_permutation(&positions) {
        Ok(positions)
    } else {
        let (step, deviation) = (s.step().clone(), Deviation::NotAPermutation);
        Err(ProtocolError::PeerDeviated { step, deviation, culprit: None })
    }
}

/// Whether the numbers are 0 to `n − 1`, each once.
fn is_permutation(positions: &[u32]) -> bool {
    let mut seen = vec![false; positions.len()];
    positions
        .iter()
        .all(|position| seen.get_mut(*position as usize).is_some_and(|seen| !std::mem::replace(seen, true)))
}

/// The permutation the other way round.
pub(crate) fn inverse(permutation: &[u32]) -> Vec<u32> {
    let mut inverse = vec![0; permutation.len()];
    for (from, to) in permutation.iter().enumerate() {
        inverse[*to as usize] = from as u32;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Cells;
    use math::{Prg, X64};
    use mpc::Security;
    use mpc::lab::{self, Lab};

    const SECURITIES: [Security; 2] = [Security::SemiHonest, Security::Malicious];

    fn random_permutation(n: usize, key: u8) -> Vec<u32> {
        Prg::new(&[key; 16]).permutation(n)
    }

    fn deal(s: &Session, seed: u64, items: &[u32]) -> Shared<Z32> {
        lab::deal(s, seed, &Column::from_fn(items.len(), |row| Z32(items[row])))
    }

    fn opened(
        s: &mut Session,
        label: &'static str,
        x: &Shared<Z32>,
    ) -> Result<Option<Vec<u32>>, ProtocolError> {
        let x = verify(s, x.clone())?;
        Ok(open(s, label, x)?.map(|x| x.items().iter().map(|x| x.0).collect()))
    }

    #[test]
    fn permutations_apply_compose_and_invert() {
        let sizes = [0, 1, 2, 65, 1030].into_iter();
        for (n, security) in sizes.flat_map(|n| SECURITIES.map(|security| (n, security))) {
            let lab = Lab::seeded(n as u64).security(security);
            let (first, second) = (random_permutation(n, 1), random_permutation(n, 2));
            let f = |s: &mut Session| {
                let (a, b) = (deal(s, 1, &first), deal(s, 2, &second));
                let numbers: Vec<i128> = (0..n as i128).collect();
                let table =
                    vec![Cells::from(lab::deal_numbers(s, 3, 70, &numbers)), row_numbers(s, n).into()];
                let table = Table::try_new(s, n, table)?;
                let moved = apply(s, "apply", &a, &table)?.into_columns();
                let bits = verify(s, moved[0].bits().expect("bits").clone())?;
                let bits = mpc::open_bits(s, "bits", bits)?.map(|bits| lab::signed_rows(&bits));
                let rows = opened(s, "rows", &moved[1].clone().try_into().expect("Z32"))?;
                let composed = compose(s, "compose", &a, &b)?;
                let composed = opened(s, "composed", &composed)?;
                let inverted = invert(s, "invert", &a)?;
                Ok((bits, rows, composed, opened(s, "inverted", &inverted)?))
            };
            let run = lab.run(f);
            assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
            for (bits, rows, composed, inverted) in [run.agreed(), lab.plain(f).expect("the oracle")] {
                let back = inverse(&first);
                assert_eq!(
                    bits.expect("opened"),
                    back.iter().map(|row| i128::from(*row)).collect::<Vec<_>>()
                );
                assert_eq!(rows.expect("opened"), back);
                assert_eq!(inverted.expect("opened"), back);
                let both: Vec<u32> = first.iter().map(|via| second[*via as usize]).collect();
                assert_eq!(composed.expect("opened"), both);
            }
        }
    }

    #[test]
    fn what_is_no_permutation_stops_the_session() {
        let wrong = [[0, 0, 1], [0, 1, 3]].into_iter();
        for (to, security) in wrong.flat_map(|to| SECURITIES.map(|security| (to, security))) {
            let run = Lab::seeded(1).security(security).run(|s| {
                let to = deal(s, 1, &to);
                apply(s, "apply", &to, &Table::empty(3)).map(|table| table.n_rows())
            });
            assert!(run.outcomes.iter().any(|outcome| matches!(
                outcome,
                Err(ProtocolError::PeerDeviated { deviation: Deviation::NotAPermutation, .. })
            )));
        }
    }

    #[test]
    fn shuffles_keep_rows_whole() {
        let f = |s: &mut Session| {
            let n = 300;
            let words = lab::deal(s, 1, &Column::from_fn(n, |row| X64(row as u64)));
            let columns = vec![Cells::from(SharedBits::from_words(&words, 9)), row_numbers(s, n).into()];
            let table = Table::try_new(s, n, columns)?;
            let moved = shuffle(s, "shuffle", &table)?.into_columns();
            let bits = verify(s, moved[0].bits().expect("bits").clone())?;
            let bits = mpc::open_bits(s, "bits", bits)?
                .map(|bits| (0..n).map(|row| bits.row(row) as u32).collect::<Vec<_>>());
            Ok((bits, opened(s, "rows", &moved[1].clone().try_into().expect("Z32"))?))
        };
        let (bits, rows) = Lab::seeded(1).run(f).agreed();
        let rows = rows.expect("opened");
        assert_eq!(bits.expect("opened"), rows);
        assert!(is_permutation(&rows));
        assert_ne!(rows, (0..300).collect::<Vec<_>>());
    }

    use mpc::SharedBits;
}
