//! Between elements and bit planes: a column of words turned on its side.

use crate::column::Column;
use crate::group::Group;
use crate::planes::{Planes, PlanesMut};
use crate::transpose::{planes_to_rows, rows_to_planes};

/// Rows of up to as many planes as an element has bits, as elements, zero-extended.
///
/// # Panics
/// If an element has fewer bits than there are planes.
pub fn elements<G: Group>(planes: &Planes) -> Column<G> {
    Column::build(planes.n_rows(), |rows| {
        planes_to_rows(planes.words(), planes.stride(), planes.width(), rows);
    })
}

/// The low `width` bits of each element as planes, with zeros past the last
/// row; planes past an element's bits are zero.
pub fn planes<G: Group>(column: &Column<G>, width: usize) -> Planes {
    let mut planes = PlanesMut::stale(column.len(), width);
    let stride = planes.stride();
    let held = width.min(G::BITS as usize);
    rows_to_planes(column.items(), held, planes.words_mut(), stride);
    let n_words = column.len().div_ceil(64);
    for plane in 0..width {
        planes.plane_mut(plane)[if plane < held { n_words } else { 0 }..].fill(0);
    }
    planes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{X64, Z8, Z128};

    #[test]
    fn packing_and_unpacking_keep_every_bit() {
        for n in [0, 1, 63, 64, 65, 513] {
            let column = Column::from_fn(n, |row| {
                Z128((row as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
            });
            for width in [1, 7, 64, 65, 128] {
                let packed = planes(&column, width);
                let mask = u128::MAX >> (128 - width);
                for (row, item) in column.items().iter().enumerate() {
                    assert_eq!(packed.row(row), item.0 & mask);
                }
                let back: Column<Z128> = elements(&packed);
                assert!(back.items().iter().zip(column.items()).all(|(a, b)| a.0 == b.0 & mask));
                if width <= 64 {
                    let words: Column<X64> = elements(&packed);
                    assert!(words.items().iter().zip(back.items()).all(|(a, b)| u128::from(a.0) == b.0));
                }
            }
        }
        assert_eq!(planes(&Column::new(&[Z8(0x80)]), 9).row(0), 0x80);
    }

    #[test]
    fn views_unpack_and_nothing_stale_is_left_past_the_last_row() {
        let column = Column::from_fn(1100, |row| X64((row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        // A buffer of ones for the pool, which the planes get back.
        let mut stale = PlanesMut::stale(1100, 64);
        stale.words_mut().fill(u64::MAX);
        drop(stale);
        let packed = planes(&column, 64);
        for plane in packed.words().chunks(packed.stride()) {
            assert_eq!(plane[17] >> (1100 % 64), 0);
            assert_eq!(plane[18..], [0; 6]);
        }
        let rows: Column<X64> = elements(&packed.rows(512..1100));
        assert_eq!(rows.items(), &column.items()[512..]);
        let bits: Column<Z8> = elements(&packed.planes(60..64));
        assert!(bits.items().iter().zip(column.items()).all(|(a, b)| u64::from(a.0) == b.0 >> 60));
    }
}
