//! Cross terms of products, element by element, alone or fused with fresh masks.

use crate::group::Ring;
use crate::prg::{Prg, TILE_BYTES, Tile, tile_blocks};
use crate::simd::multiversioned;

/// Words of packed bits in a tile of the stream.
const TILE_WORDS: usize = TILE_BYTES / 8;

multiversioned! {
    /// `out ^= (xa & (ya ^ yb)) ^ (xb & ya)`, for packed bits.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn and_terms(out: &mut [u64], x: [&[u64]; 2], y: [&[u64]; 2]) {
        let n = out.len();
        let ([xa, xb], [ya, yb]) = of_length(n, x, y);
        for i in 0..n {
            out[i] ^= (xa[i] & (ya[i] ^ yb[i])) ^ (xb[i] & ya[i]);
        }
    }

    /// `out += xa·(ya + yb) + xb·ya`, modulo the ring's size.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn mul_terms<R: Ring>(out: &mut [R], x: [&[R]; 2], y: [&[R]; 2]) {
        let n = out.len();
        let ([xa, xb], [ya, yb]) = of_length(n, x, y);
        for i in 0..n {
            out[i] = out[i].plus(xa[i].times(ya[i].plus(yb[i]))).plus(xb[i].times(ya[i]));
        }
    }

    fn and_terms_and_mask(out: &mut [u64], mask: &[u64], x: [&[u64]; 2], y: [&[u64]; 2]) {
        let n = out.len();
        let mask = &mask[..n];
        let ([xa, xb], [ya, yb]) = of_length(n, x, y);
        for i in 0..n {
            out[i] ^= mask[i] ^ (xa[i] & (ya[i] ^ yb[i])) ^ (xb[i] & ya[i]);
        }
    }

    fn mul_terms_less_mask<R: Ring>(out: &mut [R], mask: &[R], x: [&[R]; 2], y: [&[R]; 2]) {
        let n = out.len();
        let mask = &mask[..n];
        let ([xa, xb], [ya, yb]) = of_length(n, x, y);
        for i in 0..n {
            let terms = xa[i].times(ya[i].plus(yb[i])).plus(xb[i].times(ya[i]));
            out[i] = out[i].minus(mask[i]).plus(terms);
        }
    }
}

/// `out = F(own) ^ F(next) ^ (xa & (ya ^ yb)) ^ (xb & ya)`: [`and_terms`] under
/// a fresh share of zero from two streams, in one pass. What `out` held before
/// does not matter.
///
/// # Panics
/// If the lengths differ.
pub fn and_masked(out: &mut [u64], own: &Prg, next: &Prg, first_block: u64, x: [&[u64]; 2], y: [&[u64]; 2]) {
    let (x, y) = of_length(out.len(), x, y);
    let mut tile = Tile::new();
    for ((at, out), block) in out.chunks_mut(TILE_WORDS).enumerate().zip(tile_blocks(first_block)) {
        let rows = at * TILE_WORDS..at * TILE_WORDS + out.len();
        own.fill_items(block, out);
        let mask = tile.stream(next, block, out.len());
        and_terms_and_mask(out, mask, x.map(|x| &x[rows.clone()]), y.map(|y| &y[rows.clone()]));
    }
}

/// `out = F(own) − F(next) + xa·(ya + yb) + xb·ya`: [`mul_terms`] under a fresh
/// share of zero from two streams, in one pass. What `out` held before does not
/// matter.
///
/// # Panics
/// If the lengths differ.
pub fn mul_masked<R: Ring>(
    out: &mut [R],
    own: &Prg,
    next: &Prg,
    first_block: u64,
    x: [&[R]; 2],
    y: [&[R]; 2],
) {
    let (x, y) = of_length(out.len(), x, y);
    let tile_items = TILE_BYTES / R::BYTES;
    let mut tile = Tile::new();
    for ((at, out), block) in out.chunks_mut(tile_items).enumerate().zip(tile_blocks(first_block)) {
        let rows = at * tile_items..at * tile_items + out.len();
        own.fill_items(block, out);
        let mask = tile.stream(next, block, out.len());
        mul_terms_less_mask(out, mask, x.map(|x| &x[rows.clone()]), y.map(|y| &y[rows.clone()]));
    }
}

/// The operands, cut to the length they have: loops over them need no more bounds checks.
#[inline(always)]
pub(super) fn of_length<'a, T>(n: usize, x: [&'a [T]; 2], y: [&'a [T]; 2]) -> ([&'a [T]; 2], [&'a [T]; 2]) {
    for operand in [x[0], x[1], y[0], y[1]] {
        assert_eq!(operand.len(), n, "slices of one length");
    }
    ([&x[0][..n], &x[1][..n]], [&y[0][..n], &y[1][..n]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{Group, X64, Z8, Z16, Z32, Z64, Z128};
    use crate::prg::zero_share;
    use crate::simd::at_every_level;

    const SIZES: [usize; 9] = [0, 1, 7, 63, 65, 511, 512, 1025, 5000];

    fn column<G: Group>(n: usize, seed: u8) -> Vec<G> {
        let mut items = vec![G::ZERO; n];
        Prg::new(&[seed; 16]).fill_items(0, &mut items);
        items
    }

    fn streams() -> [Prg; 2] {
        [Prg::new(&[11; 16]), Prg::new(&[12; 16])]
    }

    fn products<R: Ring>() {
        let [own, next] = streams();
        for n in SIZES {
            let [xa, xb, ya, yb, start] = [1, 2, 3, 4, 5].map(|seed| column::<R>(n, seed));
            let terms = |i: usize| xa[i].times(ya[i]).plus(xa[i].times(yb[i])).plus(xb[i].times(ya[i]));
            let mut zero = vec![R::ZERO; n];
            zero_share(&own, &next, 77, &mut zero);
            at_every_level(|level| {
                let mut out = start.clone();
                mul_terms(&mut out, [&xa, &xb], [&ya, &yb]);
                let sums: Vec<R> = (0..n).map(|i| start[i].plus(terms(i))).collect();
                assert_eq!(out, sums, "{level:?}, {n} elements");
                mul_masked(&mut out, &own, &next, 77, [&xa, &xb], [&ya, &yb]);
                let sums: Vec<R> = (0..n).map(|i| zero[i].plus(terms(i))).collect();
                assert_eq!(out, sums, "{level:?}, {n} elements");
            });
        }
    }

    #[test]
    fn ring_products_in_every_ring() {
        products::<Z8>();
        products::<Z16>();
        products::<Z32>();
        products::<Z64>();
        products::<Z128>();
    }

    #[test]
    fn bit_products() {
        let [own, next] = streams();
        for n in SIZES {
            let [xa, xb, ya, yb, start] = [1, 2, 3, 4, 5]
                .map(|seed| column::<X64>(n, seed).iter().map(|word| word.0).collect::<Vec<_>>());
            let terms = |i: usize| xa[i] & ya[i] ^ xa[i] & yb[i] ^ xb[i] & ya[i];
            let mut zero = vec![X64(0); n];
            zero_share(&own, &next, 5, &mut zero);
            at_every_level(|level| {
                let mut out = start.clone();
                and_terms(&mut out, [&xa, &xb], [&ya, &yb]);
                assert_eq!(out, (0..n).map(|i| start[i] ^ terms(i)).collect::<Vec<_>>(), "{level:?}");
                and_masked(&mut out, &own, &next, 5, [&xa, &xb], [&ya, &yb]);
                assert_eq!(out, (0..n).map(|i| zero[i].0 ^ terms(i)).collect::<Vec<_>>(), "{level:?}");
            });
        }
    }

    /// Three holders of neighbouring parts together hold the product.
    #[test]
    fn masked_cross_terms_of_three_add_up_to_the_product() {
        let n = 700;
        let streams = [1, 2, 3].map(|key| Prg::new(&[key; 16]));
        let (x, y) =
            ([1, 2, 3].map(|seed| column::<Z64>(n, seed)), [4, 5, 6].map(|seed| column::<Z64>(n, seed)));
        let whole = |parts: &[Vec<Z64>; 3], i: usize| parts[0][i].plus(parts[1][i]).plus(parts[2][i]);
        let mut total = vec![Z64(0); n];
        for a in 0..3 {
            let b = (a + 1) % 3;
            let mut share = vec![Z64(1); n];
            mul_masked(&mut share, &streams[a], &streams[b], 0, [&x[a], &x[b]], [&y[a], &y[b]]);
            crate::kernel::add_into(&mut total, &share);
        }
        for (i, total) in total.into_iter().enumerate() {
            assert_eq!(total, whole(&x, i).times(whole(&y, i)));
        }
    }

    #[test]
    #[should_panic(expected = "slices of one length")]
    fn operands_of_another_length_are_refused() {
        and_terms(&mut [0; 4], [&[0; 4], &[0; 5]], [&[0; 4], &[0; 4]]);
    }
}
