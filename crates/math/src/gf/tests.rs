use proptest::prelude::*;

use super::*;
use crate::simd::at_every_level;

/// Shift and add, one bit at a time.
fn slow_product<F: Field>(x: F, y: F) -> F {
    let mut product = F::ZERO;
    for bit in (0..F::BITS).rev() {
        let carry = product.word() >> (F::BITS - 1) & 1;
        let modulus = if F::BITS == 64 { 0x1b } else { 0x87 };
        product = F::from_word((product.word() << 1) ^ (carry * modulus));
        if y.word() >> bit & 1 == 1 {
            product = product.plus(x);
        }
    }
    product
}

// Computed with arbitrary-precision integers in another language:
// x, y, x·y, 1/x, √x.
const GOLDEN_64: [[u64; 5]; 3] = [
    [0xf2a74de452e6b438, 0x6513270e269e0d37, 0xb6ceb5a87ab06fc8, 0x6740c5cddea7a58b, 0xb4e40b43a4ceec27],
    [0x0c5c7fd0a6a3a450, 0xd23f0824128b2f33, 0x82ef60749c414174, 0xfa1cdf873ae30942, 0x1e284b404875476c],
    [0x1818e811892f902b, 0x9531985d5d9dc9f8, 0x0fc93e3de633d7e1, 0xd89007aae2aac888, 0x1e5f9d7d23a4fbc8],
];
const GOLDEN_128: [[u128; 5]; 3] = [
    [
        0x36f675cc81e74ef5e8e25d940ed90475,
        0x6b0d549b6f03675a1600a35a099950d8,
        0xfa8b607e51c8deb4f6984c92e634d128,
        0x7be4cb6a834413a557409f3f5219f176,
        0xf5085af88c21232471e2f4a61c95483e,
    ],
    [
        0x8d116ece1738f7d93d9c172411e20b8f,
        0x90c192cfd3ac94af0f21ddb66cad4a26,
        0x191aba0ed175edb14f25bdb837503c15,
        0xd9cce21c53f9cce62966e40ffcd3eb72,
        0x7b63028a0cd9b74eb80f7363631881f7,
    ],
    [
        0xa170b33839263059f28c105d1fb17c23,
        0x0fd630f1f29d0da9953f48f1a09f76b5,
        0x5b215119a95bfd4ff40570eadbcbcac6,
        0x85bb7dab94d058f04308749739751598,
        0xc08bbbd218496ad65dc89e3bea94caf4,
    ],
];

fn golden<F: Field>([x, y, product, inverse, root]: [F; 5]) {
    at_every_level(|level| {
        assert_eq!(x.times(y), product, "{level:?}");
        assert_eq!(x.inverse(), inverse, "{level:?}");
        assert_eq!(x.root(), root, "{level:?}");
    });
}

#[test]
fn golden_products_inverses_and_roots() {
    GOLDEN_64.into_iter().for_each(|vector| golden(vector.map(Gf64)));
    GOLDEN_128.into_iter().for_each(|vector| golden(vector.map(Gf128)));
}

#[test]
fn extreme_products() {
    at_every_level(|_| {
        assert_eq!(Gf64(u64::MAX).square(), Gf64(0x5555555555555513));
        assert_eq!(Gf64(1 << 63).square(), Gf64(0xc00000000000005a));
        assert_eq!(Gf128(u128::MAX).square(), Gf128(0x5555555555555555555555555555402f));
        assert_eq!(Gf128(1 << 127).square(), Gf128(0xc0000000000000000000000000001067));
    });
}

#[test]
fn ghash_with_its_bits_reversed() {
    // GHASH is this field with the bits of each block in the other order.
    // The GCM specification, test case 2: X1 = C·H, then (X1 + lengths)·H.
    let block = |bits: u128| Gf128(bits.reverse_bits());
    let key = block(0x66e94bd4ef8a2c3b884cfa59ca342b2e);
    let first = block(0x0388dace60b6a392f328c2b971b2fe78).times(key);
    assert_eq!(first, block(0x5e2ec746917062882c85b0685353deb7));
    assert_eq!(first.plus(block(128)).times(key), block(0xf38cbb1ad69223dcc3457ae5b6b0f885));
}

fn axioms<F: Field>(x: F, y: F, z: F) -> Result<(), TestCaseError> {
    prop_assert_eq!(x.times(y), slow_product(x, y));
    prop_assert_eq!(x.times(y), y.times(x));
    prop_assert_eq!(x.times(y).times(z), x.times(y.times(z)));
    prop_assert_eq!(x.times(y.plus(z)), x.times(y).plus(x.times(z)));
    prop_assert_eq!(x.times(F::ONE), x);
    prop_assert_eq!(x.times(F::X), slow_product(F::X, x));
    prop_assert_eq!(x.plus(x), F::ZERO);
    prop_assert_eq!(x.root().square(), x);
    prop_assert_eq!(x.square().root(), x);
    let unit = if x == F::ZERO { F::ZERO } else { F::ONE };
    prop_assert_eq!(x.times(x.inverse()), unit);
    Ok(())
}

fn over_slices<F: Field>(items: &[(F, F)], r: F) -> Result<(), TestCaseError> {
    let (x, y): (Vec<F>, Vec<F>) = items.iter().copied().unzip();
    let sum = items.iter().fold(F::ZERO, |sum, (x, y)| sum.plus(x.times(*y)));
    prop_assert_eq!(inner_product(&x, &y), sum);
    let mut out = y.clone();
    add_scaled(&mut out, &x, r);
    prop_assert_eq!(&out, &items.iter().map(|(x, y)| y.plus(r.times(*x))).collect::<Vec<_>>());
    let mut low = x.clone();
    fold_into(&mut low, &y, r);
    let line = |(x, y): &(F, F)| x.times(F::ONE.plus(r)).plus(y.times(r));
    prop_assert_eq!(low, items.iter().map(line).collect::<Vec<_>>());
    Ok(())
}

fn at_levels(mut f: impl FnMut() -> Result<(), TestCaseError>) -> Result<(), TestCaseError> {
    let mut result = Ok(());
    at_every_level(|_| {
        if result.is_ok() {
            result = f();
        }
    });
    result
}

proptest! {
    #[test]
    fn gf64_is_a_field(x: u64, y: u64, z: u64) {
        at_levels(|| axioms(Gf64(x), Gf64(y), Gf64(z)))?;
    }

    #[test]
    fn gf128_is_a_field(x: u128, y: u128, z: u128) {
        at_levels(|| axioms(Gf128(x), Gf128(y), Gf128(z)))?;
    }

    #[test]
    fn slices_agree_with_elements(items: Vec<(u128, u128)>, r: u128) {
        let wide: Vec<_> = items.iter().map(|(x, y)| (Gf128(*x), Gf128(*y))).collect();
        at_levels(|| over_slices(&wide, Gf128(r)))?;
        let narrow: Vec<_> = items.iter().map(|(x, y)| (Gf64(*x as u64), Gf64(*y as u64))).collect();
        at_levels(|| over_slices(&narrow, Gf64(r as u64)))?;
    }
}

#[test]
fn zero_and_one() {
    at_every_level(|_| {
        assert_eq!(Gf64(0).inverse(), Gf64(0));
        assert_eq!(Gf128(0).inverse(), Gf128(0));
        assert_eq!(Gf128::ONE.inverse(), Gf128::ONE);
        assert_eq!(Gf64::X.root().square(), Gf64::X);
        assert_eq!(Gf128::X.root().square(), Gf128::X);
        assert_eq!(inner_product::<Gf128>(&[], &[]), Gf128(0));
    });
}

fn elements(n: usize, seed: u8) -> Vec<Gf128> {
    let mut elements = vec![Gf128(0); n];
    crate::prg::Prg::new(&[seed; 16]).fill_items(0, &mut elements);
    elements
}

#[test]
fn pairs_of_rows() {
    at_every_level(|level| {
        for (width, rows) in [(1, 1), (1, 5), (3, 2), (8, 3), (16, 4), (1024, 2)] {
            let operands = [12, 13, 14, 15].map(|seed| elements(width * rows, seed));
            let [x_low, x_high, y_low, y_high] = &operands;
            let (mut zero, mut infinity) = (elements(width, 16), elements(width, 17));
            vectors::pair_products([x_low, x_high], [y_low, y_high], &mut zero, &mut infinity);
            for t in 0..width {
                let column = || (t..width * rows).step_by(width);
                let at_zero = column().fold(Gf128(0), |sum, i| sum.plus(x_low[i].times(y_low[i])));
                let at_infinity = column().fold(Gf128(0), |sum, i| {
                    sum.plus(x_low[i].plus(x_high[i]).times(y_low[i].plus(y_high[i])))
                });
                assert_eq!((zero[t], infinity[t]), (at_zero, at_infinity), "{level:?}, {rows} rows");
            }
            // What is missing above is zero.
            for above in 0..rows {
                let mut padded = operands.clone();
                padded[1][width * above..].fill(Gf128(0));
                padded[3][width * above..].fill(Gf128(0));
                let [x_low, x_high, y_low, y_high] = &padded;
                vectors::pair_products([x_low, x_high], [y_low, y_high], &mut zero, &mut infinity);
                let (mut short_zero, mut short_infinity) = (elements(width, 18), elements(width, 19));
                let [x_short, y_short] = [x_high, y_high].map(|w| &w[..width * above]);
                let (x, y) = ([&x_low[..], x_short], [&y_low[..], y_short]);
                vectors::pair_products(x, y, &mut short_zero, &mut short_infinity);
                assert_eq!(
                    [short_zero, short_infinity],
                    [zero.clone(), infinity.clone()],
                    "{level:?}, {above}"
                );
                let [mut low, mut short] = [x_low.clone(), x_low.clone()];
                vectors::fold_into(&mut low, x_high, x_low[0]);
                vectors::fold_into(&mut short, x_short, x_low[0]);
                assert_eq!(low, short, "{level:?}, {above} of {rows} rows");

                let mut sums = [elements(width, 20), elements(width, 21)];
                let [added_zero, added_infinity] = &mut sums.clone();
                for row in 0..rows {
                    let columns = width * row..width * (row + 1);
                    let high = |w: &'_ [Gf128]| w.get(columns.clone()).unwrap_or_default().to_vec();
                    let (x_above, y_above) = (high(x_short), high(y_short));
                    let (x, y) = ([&x_low[columns.clone()], &x_above], [&y_low[columns.clone()], &y_above]);
                    vectors::add_pair_products(x, y, added_zero, added_infinity);
                }
                for (sum, more) in sums.iter_mut().zip([&zero, &infinity]) {
                    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.plus(*more));
                }
                assert_eq!(sums, [added_zero.clone(), added_infinity.clone()], "{level:?}, {above}");

                // Folding and multiplying at once is one after the other.
                if rows % 2 == 0 {
                    let (n_low, at) = (width * rows, x_low[0]);
                    let [mut x, mut y] =
                        [(x_low, x_short), (y_low, y_short)].map(|w| [&w.0[..], w.1].concat());
                    vectors::fold_pairs(&mut x, &mut y, n_low, at, &mut zero, &mut infinity);
                    let (mut y_folded, half) = (y_low.clone(), n_low / 2);
                    vectors::fold_into(&mut y_folded, y_short, at);
                    assert_eq!(
                        [&x[..n_low], &y[..n_low]],
                        [&low[..], &y_folded],
                        "{level:?}, {above} of {rows} rows"
                    );
                    let (x, y) = (low.split_at(half).into(), y_folded.split_at(half).into());
                    let (mut then_zero, mut then_infinity) = (elements(width, 20), elements(width, 21));
                    vectors::pair_products(x, y, &mut then_zero, &mut then_infinity);
                    assert_eq!(
                        [&zero, &infinity],
                        [&then_zero, &then_infinity],
                        "{level:?}, {above} of {rows} rows"
                    );
                }
            }
        }
    });
}

#[test]
fn vectors_agree_with_elements() {
    at_every_level(|level| {
        for n in [0, 1, 3, 4, 8, 12, 13, 512] {
            let [x, y, z, w] = [21, 22, 23, 24].map(|seed| elements(n, seed));
            for r in elements(3, 25) {
                let mut low = x.clone();
                vectors::fold_into(&mut low, &y, r);
                let line = |(x, y): (&Gf128, &Gf128)| x.plus(x.plus(*y).times(r));
                assert_eq!(low, x.iter().zip(&y).map(line).collect::<Vec<_>>(), "{level:?}, {n} elements");
            }
            let mut scaled = [y.clone(), y.clone()];
            let factor = elements(1, 26)[0];
            vectors::add_scaled(&mut scaled[0], &x, factor);
            add_scaled(&mut scaled[1], &x, factor);
            assert_eq!(scaled[0], scaled[1], "{level:?}, {n} elements");
            let mut product = x.clone();
            vectors::multiply_into(&mut product, &y);
            assert_eq!(product, x.iter().zip(&y).map(|(x, y)| x.times(*y)).collect::<Vec<_>>(), "{level:?}");
            let sum = |x: &[Gf128], y: &[Gf128]| inner_product(x, y);
            let mixed =
                |x: &[Gf128], y: &[Gf128]| x.iter().zip(y).map(|(x, y)| x.plus(*y)).collect::<Vec<_>>();
            let sums = [sum(&x, &z), sum(&mixed(&x, &y), &mixed(&z, &w))];
            assert_eq!(vectors::pair_sums([&x, &y], [&z, &w]), sums, "{level:?}, {n} elements");
        }
    });
}
