//! Columns whose rows move together.

use std::ops::Range;

use math::{Group, X8, X16, X32, X64, Z8, Z16, Z32, Z64, Z128};
use mpc::{Lane, ProtocolError, Session, Shared, SharedBits};

/// One column of a table: bits, or elements of a ring.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Bit-sliced rows of any width.
    Bits(SharedBits),
    /// Elements of `Z8`.
    Ring8(Shared<Z8>),
    /// Elements of `Z16`.
    Ring16(Shared<Z16>),
    /// Elements of `Z32`.
    Ring32(Shared<Z32>),
    /// Elements of `Z64`.
    Ring64(Shared<Z64>),
    /// Elements of `Z128`.
    Ring128(Shared<Z128>),
}

/// Runs `$body` with `$column` bound to the cells' column, whatever it holds, and makes cells of the result.
macro_rules! map_cells {
    ($cells:expr, $bits:ident => $on_bits:expr, $ring:ident => $on_ring:expr) => {
        match $cells {
            Cells::Bits($bits) => Cells::Bits($on_bits),
            Cells::Ring8($ring) => Cells::Ring8($on_ring),
            Cells::Ring16($ring) => Cells::Ring16($on_ring),
            Cells::Ring32($ring) => Cells::Ring32($on_ring),
            Cells::Ring64($ring) => Cells::Ring64($on_ring),
            Cells::Ring128($ring) => Cells::Ring128($on_ring),
        }
    };
}

macro_rules! rings {
    ($($variant:ident $ring:ident),*) => {
        $(impl From<Shared<$ring>> for Cells {
            fn from(column: Shared<$ring>) -> Self {
                Cells::$variant(column)
            }
        }

        impl TryFrom<Cells> for Shared<$ring> {
            type Error = Cells;
            fn try_from(cells: Cells) -> Result<Self, Cells> {
                match cells {
                    Cells::$variant(column) => Ok(column),
                    other => Err(other),
                }
            }
        })*
    };
}

rings!(Ring8 Z8, Ring16 Z16, Ring32 Z32, Ring64 Z64, Ring128 Z128);

impl From<SharedBits> for Cells {
    fn from(column: SharedBits) -> Self {
        Cells::Bits(column)
    }
}

impl TryFrom<Cells> for SharedBits {
    type Error = Cells;
    fn try_from(cells: Cells) -> Result<Self, Cells> {
        match cells {
            Cells::Bits(column) => Ok(column),
            other => Err(other),
        }
    }
}

impl Cells {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Cells::Bits(bits) => bits.n_rows(),
            Cells::Ring8(ring) => ring.len(),
            Cells::Ring16(ring) => ring.len(),
            Cells::Ring32(ring) => ring.len(),
            Cells::Ring64(ring) => ring.len(),
            Cells::Ring128(ring) => ring.len(),
        }
    }

    /// Bits per row.
    pub fn width_bits(&self) -> usize {
        match self {
            Cells::Bits(bits) => bits.width(),
            Cells::Ring8(_) => 8,
            Cells::Ring16(_) => 16,
            Cells::Ring32(_) => 32,
            Cells::Ring64(_) => 64,
            Cells::Ring128(_) => 128,
        }
    }

    /// The bits, if that is what the cells are.
    pub fn bits(&self) -> Option<&SharedBits> {
        match self {
            Cells::Bits(bits) => Some(bits),
            _ => None,
        }
    }

    /// The cells with row `index[row]` in each row, for public positions.
    pub fn gather(&self, index: &[u32]) -> Self {
        map_cells!(self, bits => bits.gather(index), ring => ring.gather(index))
    }

    /// A range of rows.
    ///
    /// # Panics
    /// If it leaves the column.
    pub fn slice(&self, rows: Range<usize>) -> Self {
        map_cells!(self, bits => bits.copy_rows(rows), ring => ring.rows(rows))
    }

    /// Cells of the same kind as `self` that are all zero.
    pub fn zeros_like(&self, s: &Session, n_rows: usize) -> Self {
        fn zeros<G: Group>(s: &Session, _: &Shared<G>, n: usize) -> Shared<G> {
            Shared::constant(s, n, G::ZERO)
        }
        map_cells!(
            self,
            bits => SharedBits::constant(s, n_rows, bits.width(), 0),
            ring => zeros(s, ring, n_rows)
        )
    }

    /// The rows of both, `other`'s last; `None` if they hold different things.
    pub fn concat(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Cells::Bits(a), Cells::Bits(b)) if a.width() == b.width() => {
                Cells::Bits(SharedBits::concat(&[a, b]))
            }
            (Cells::Ring8(a), Cells::Ring8(b)) => Cells::Ring8(Shared::concat(&[a, b])),
            (Cells::Ring16(a), Cells::Ring16(b)) => Cells::Ring16(Shared::concat(&[a, b])),
            (Cells::Ring32(a), Cells::Ring32(b)) => Cells::Ring32(Shared::concat(&[a, b])),
            (Cells::Ring64(a), Cells::Ring64(b)) => Cells::Ring64(Shared::concat(&[a, b])),
            (Cells::Ring128(a), Cells::Ring128(b)) => Cells::Ring128(Shared::concat(&[a, b])),
            _ => return None,
        })
    }

    /// Each row less the one before it, the first row as it is: XOR on bits, subtraction in rings.
    pub fn deltas(&self) -> Self {
        map_cells!(self, bits => bits.xor(&bits.lag(1)), ring => ring.deltas())
    }

    /// Running totals, which undo [`Cells::deltas`]: XOR on bits, addition in rings.
    pub fn prefix_sum(&self) -> Self {
        map_cells!(self, bits => prefix_xor(bits), ring => ring.prefix_sum())
    }
}

/// Running XOR down the rows of each plane.
fn prefix_xor(bits: &SharedBits) -> SharedBits {
    bits.map_linear(bits.n_rows(), bits.width(), |planes| {
        math::Planes::build(planes.n_rows(), planes.width(), |plane, out| {
            let mut carry = 0;
            for (out, word) in out.iter_mut().zip(planes.plane(plane)) {
                let mut running = *word;
                for shift in [1, 2, 4, 8, 16, 32] {
                    running ^= running << shift;
                }
                *out = running ^ carry;
                carry = ((*out >> 63) as i64).wrapping_neg() as u64;
            }
        })
    })
}

/// Columns of one number of rows, which are shuffled and sorted together.
#[derive(Clone, Debug)]
pub struct Table {
    n_rows: usize,
    columns: Vec<Cells>,
}

impl Table {
    /// A table without columns.
    pub fn empty(n_rows: usize) -> Self {
        Table { n_rows, columns: Vec::new() }
    }

    /// A table of these columns.
    ///
    /// # Errors
    /// `Shape` if one of them has another number of rows than `n_rows`.
    pub fn try_new(s: &Session, n_rows: usize, columns: Vec<Cells>) -> Result<Self, ProtocolError> {
        for column in &columns {
            same(s, n_rows, column.n_rows())?;
        }
        Ok(Table { n_rows, columns })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The columns.
    pub fn columns(&self) -> &[Cells] {
        &self.columns
    }

    /// Gives up the columns.
    pub fn into_columns(self) -> Vec<Cells> {
        self.columns
    }

    /// Bits per row, over all columns.
    pub fn width_bits(&self) -> usize {
        self.columns.iter().map(Cells::width_bits).sum()
    }

    /// The table with row `index[row]` in each row, for public positions.
    pub fn gather(&self, index: &[u32]) -> Self {
        self.map(index.len(), |column| column.gather(index))
    }

    /// A range of rows.
    ///
    /// # Panics
    /// If it leaves the table.
    pub fn slice(&self, rows: Range<usize>) -> Self {
        self.map(rows.len(), |column| column.slice(rows.clone()))
    }

    /// The rows of both tables, `other`'s last.
    ///
    /// # Errors
    /// `Shape` if the columns differ in number or kind.
    pub fn concat(&self, s: &Session, other: &Self) -> Result<Self, ProtocolError> {
        same(s, self.columns.len(), other.columns.len())?;
        let join =
            |(a, b): (&Cells, &Cells)| a.concat(b).ok_or_else(|| shape(s, a.width_bits(), b.width_bits()));
        let columns = self.columns.iter().zip(&other.columns).map(join).collect::<Result<_, _>>()?;
        Ok(Table { n_rows: self.n_rows + other.n_rows, columns })
    }

    /// [`Cells::deltas`] of each column.
    pub fn deltas(&self) -> Self {
        self.map(self.n_rows, Cells::deltas)
    }

    /// [`Cells::prefix_sum`] of each column.
    pub fn prefix_sum(&self) -> Self {
        self.map(self.n_rows, Cells::prefix_sum)
    }

    /// The columns of both tables, this one's first.
    ///
    /// # Errors
    /// `Shape` if the numbers of rows differ.
    pub fn beside(mut self, s: &Session, other: Self) -> Result<Self, ProtocolError> {
        same(s, self.n_rows, other.n_rows)?;
        self.columns.extend(other.columns);
        Ok(self)
    }

    /// The first `n` columns, and the others.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn split_columns(mut self, n: usize) -> (Self, Self) {
        let rest = self.columns.split_off(n);
        let n_rows = self.n_rows;
        (self, Table { n_rows, columns: rest })
    }

    fn map(&self, n_rows: usize, f: impl Fn(&Cells) -> Cells) -> Self {
        Table { n_rows, columns: self.columns.iter().map(f).collect() }
    }

    /// The rows in the form in which they are shuffled: rings as they are, the bits of all
    /// other columns packed side by side.
    pub(crate) fn to_lanes(&self) -> Vec<Lane> {
        let bits: Vec<&SharedBits> = self.columns.iter().filter_map(Cells::bits).collect();
        let mut lanes = if bits.is_empty() { Vec::new() } else { bits_to_lanes(&SharedBits::stack(&bits)) };
        lanes.extend(self.columns.iter().filter_map(|column| match column {
            Cells::Bits(_) => None,
            Cells::Ring8(ring) => Some(Lane::Z8(ring.clone())),
            Cells::Ring16(ring) => Some(Lane::Z16(ring.clone())),
            Cells::Ring32(ring) => Some(Lane::Z32(ring.clone())),
            Cells::Ring64(ring) => Some(Lane::Z64(ring.clone())),
            Cells::Ring128(ring) => Some(Lane::Z128(ring.clone())),
        }));
        lanes
    }

    /// Undoes [`Table::to_lanes`] for lanes of this table's layout, in whatever order the rows are now.
    pub(crate) fn with_lanes(&self, lanes: &[Lane]) -> Self {
        let width = self.columns.iter().filter_map(Cells::bits).map(SharedBits::width).sum();
        let n_bits = lane_widths(width).len();
        let bits = (n_bits > 0).then(|| lanes_to_bits(&lanes[..n_bits], width));
        let mut rings = lanes[n_bits..].iter();
        let mut at = 0;
        let column = |column: &Cells| match column {
            Cells::Bits(old) => {
                at += old.width();
                Cells::Bits(match &bits {
                    Some(bits) => bits.planes(at - old.width()..at),
                    None => old.clone(),
                })
            }
            _ => match rings.next() {
                Some(Lane::Z8(ring)) => Cells::Ring8(ring.clone()),
                Some(Lane::Z16(ring)) => Cells::Ring16(ring.clone()),
                Some(Lane::Z32(ring)) => Cells::Ring32(ring.clone()),
                Some(Lane::Z64(ring)) => Cells::Ring64(ring.clone()),
                Some(Lane::Z128(ring)) => Cells::Ring128(ring.clone()),
                _ => unreachable!("rings lie behind the packed bits, in the order of their columns"),
            },
        };
        Table { n_rows: self.n_rows, columns: self.columns.iter().map(column).collect() }
    }
}

/// The bits of each lane that holds part of rows of `width` bits: 64 at a time, then what is
/// left in at most two narrower words. A byte too many costs less than a lane more.
fn lane_widths(width: usize) -> Vec<usize> {
    let mut lanes = vec![64; width / 64];
    let mut rest = width % 64;
    while rest > 0 {
        let word = match rest.div_ceil(8) {
            1 => 8,
            2 => 16,
            3..=6 => 32,
            _ => 64,
        };
        lanes.push(word);
        rest = rest.saturating_sub(word);
    }
    lanes
}

/// Bits as lanes: see [`lane_widths`].
pub(crate) fn bits_to_lanes(bits: &SharedBits) -> Vec<Lane> {
    let mut at = 0;
    let lane = |word: usize| {
        let planes = bits.planes(at..bits.width().min(at + word));
        at += word;
        match word {
            8 => Lane::X8(planes.to_word()),
            16 => Lane::X16(planes.to_word()),
            32 => Lane::X32(planes.to_word()),
            _ => Lane::X64(planes.to_word()),
        }
    };
    lane_widths(bits.width()).into_iter().map(lane).collect()
}

/// Undoes [`bits_to_lanes`] for rows of `width` bits, more than none.
pub(crate) fn lanes_to_bits(lanes: &[Lane], width: usize) -> SharedBits {
    let mut rest = width;
    let planes = |lane: &Lane| {
        let take = |bits: u32| rest.min(bits as usize);
        let planes = match lane {
            Lane::X8(word) => SharedBits::from_words(word, take(X8::BITS)),
            Lane::X16(word) => SharedBits::from_words(word, take(X16::BITS)),
            Lane::X32(word) => SharedBits::from_words(word, take(X32::BITS)),
            Lane::X64(word) => SharedBits::from_words(word, take(X64::BITS)),
            _ => unreachable!("bits travel in XOR words of at most 64 bits"),
        };
        rest -= planes.width();
        planes
    };
    let list: Vec<SharedBits> = lanes.iter().map(planes).collect();
    SharedBits::stack(&list.iter().collect::<Vec<_>>())
}

/// A `Shape` error at the session's place.
pub(crate) fn shape(s: &Session, left: usize, right: usize) -> ProtocolError {
    ProtocolError::Shape { step: s.step().clone(), left, right }
}

/// Checks that two sizes agree.
pub(crate) fn same(s: &Session, left: usize, right: usize) -> Result<(), ProtocolError> {
    if left == right { Ok(()) } else { Err(shape(s, left, right)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use math::Column;
    use mpc::lab::{self, Lab};

    #[test]
    fn leftover_bits_take_few_words() {
        assert_eq!(lane_widths(0), []);
        assert_eq!(lane_widths(1), [8]);
        assert_eq!(lane_widths(17), [32]);
        assert_eq!(lane_widths(33), [32, 8]);
        assert_eq!(lane_widths(48), [32, 16]);
        assert_eq!(lane_widths(49), [64]);
        assert_eq!(lane_widths(64 + 20), [64, 32]);
        assert_eq!(lane_widths(128), [64, 64]);
        for width in 0..300 {
            assert!(lane_widths(width).iter().sum::<usize>() >= width, "{width}");
        }
    }

    #[test]
    fn lanes_carry_every_column_and_deltas_are_undone() {
        for n in [0, 1, 65, 513] {
            let f = |s: &mut Session| {
                let values: Vec<i128> = (0..n).map(|row| row as i128 * 0x9e37_79b9_7f4a_7c15).collect();
                let wide = lab::deal_numbers(s, 1, 100, &values);
                let ring = lab::deal(s, 2, &Column::from_fn(n, |row| Z128(row as u128 * 77)));
                let bit = lab::deal_numbers(s, 3, 1, &values);
                let none = lab::deal_numbers(s, 4, 0, &values);
                let columns: Vec<Cells> = vec![wide.into(), ring.into(), none.into(), bit.into()];
                let table = Table::try_new(s, n, columns)?;
                let back = table.with_lanes(&table.to_lanes()).deltas().prefix_sum();
                assert_eq!(back.width_bits(), 229);
                let both = back.concat(s, &table)?.slice(n..2 * n);
                let mut columns = both.into_columns().into_iter();
                let open_bits = |s: &mut Session, label, cells: Cells| {
                    let bits = mpc::verify(s, SharedBits::try_from(cells).expect("bits"))?;
                    Ok::<_, ProtocolError>(
                        mpc::open_bits(s, label, bits)?.map(|planes| lab::signed_rows(&planes)),
                    )
                };
                let wide = open_bits(s, "wide", columns.next().expect("four"))?;
                let ring =
                    mpc::verify(s, Shared::<Z128>::try_from(columns.next().expect("four")).expect("ring"))?;
                let ring = mpc::open(s, "ring", ring)?.map(|column| lab::signed(&column));
                let bit = open_bits(s, "bit", columns.nth(1).expect("four"))?;
                Ok((wide, ring, bit))
            };
            let (wide, ring, bit) = Lab::seeded(1).run(f).agreed();
            let signed = |row: usize, width: u32| {
                (row as i128 * 0x9e37_79b9_7f4a_7c15) << (128 - width) >> (128 - width)
            };
            assert_eq!(wide.expect("opened"), (0..n).map(|row| signed(row, 100)).collect::<Vec<_>>());
            assert_eq!(ring.expect("opened"), (0..n).map(|row| row as i128 * 77).collect::<Vec<_>>());
            assert_eq!(bit.expect("opened"), (0..n).map(|row| signed(row, 1)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        let s = &mut Session::plain(mpc::Params::default());
        let bits = |s: &Session, n, width| Cells::from(SharedBits::constant(s, n, width, 0));
        let list = vec![bits(s, 3, 2), bits(s, 4, 2)];
        assert!(matches!(Table::try_new(s, 3, list), Err(ProtocolError::Shape { left: 3, right: 4, .. })));
        let [a, b] = [2, 5].map(|width| Table::try_new(s, 3, vec![bits(s, 3, width)]).expect("fits"));
        assert!(matches!(a.concat(s, &b), Err(ProtocolError::Shape { left: 2, right: 5, .. })));
    }
}
