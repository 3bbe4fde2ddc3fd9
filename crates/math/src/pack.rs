//! Between elements and bit planes: a column of words turned on its side.

use crate::column::Column;
use crate::group::Group;
use crate::planes::{Planes, PlanesMut};

/// Rows of up to as many planes as an element has bits, as elements, zero-extended.
///
/// # Panics
/// If an element has fewer bits than there are planes.
pub fn elements<G: Group>(planes: &Planes) -> Column<G> {
    assert!(planes.width() <= G::BITS as usize, "an element holds {} bits", G::BITS);
    Column::build(planes.n_rows(), |out: &mut [G]| {
        for (block, out) in out.chunks_mut(64).enumerate() {
            let halves = [0, 64].map(|low| {
                let mut words = [0u64; 64];
                for plane in low..planes.width().min(low + 64) {
                    words[plane - low] = planes.plane(plane)[block];
                }
                if planes.width() > low {
                    transpose_64(&mut words);
                }
                words
            });
            for (row, out) in out.iter_mut().enumerate() {
                *out = G::from_word(u128::from(halves[0][row]) | u128::from(halves[1][row]) << 64);
            }
        }
    })
}

/// The low `width` bits of each element as planes; planes past an element's bits are zero.
pub fn planes<G: Group>(column: &Column<G>, width: usize) -> Planes {
    let n = column.len();
    let mut out = PlanesMut::stale(n, width);
    let stride = out.stride();
    let words = out.words_mut();
    for block in 0..stride {
        let rows = column.items().get(block * 64..n.min(block * 64 + 64)).unwrap_or(&[]);
        for low in (0..width).step_by(64) {
            let mut bits = [0u64; 64];
            if low < G::BITS as usize {
                for (bits, item) in bits.iter_mut().zip(rows) {
                    *bits = (item.word() >> low) as u64;
                }
                transpose_64(&mut bits);
            }
            for plane in low..width.min(low + 64) {
                words[plane * stride + block] = bits[plane - low];
            }
        }
    }
    out.freeze()
}

/// Transposes 64 words of 64 bits in place: bit `j` of word `i` becomes bit `i` of word `j`.
fn transpose_64(words: &mut [u64; 64]) {
    let mut width = 32;
    let mut mask = 0x0000_0000_ffff_ffffu64;
    while width != 0 {
        let mut at = 0;
        while at < 64 {
            let swap = (words[at] >> width ^ words[at + width]) & mask;
            words[at] ^= swap << width;
            words[at + width] ^= swap;
            at = (at + width + 1) & !width;
        }
        width >>= 1;
        mask ^= mask << width;
    }
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
}
