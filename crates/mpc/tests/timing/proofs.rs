//! Kernels of the proofs. Weights, points, selections and primes are public; shares are not.

use std::array::from_fn;

use bytemuck::cast_slice;
use math::gf::lines::{
    Factors, Folded, LINE_BITS, Line, Term, WeighedSum, fold, totals, weigh_products, weigh_rest, weigh_sums,
};
use math::gf::{Field, Gf64, Gf128, rows, vectors};
use math::prime::{self, LaneSum, Pair, PairVec, Prime, Sum};
use math::subsets::{SubsetSums, row_subset_sums};
use mpc::lab::timing::{Secrets, assert_steady};

use super::{WORDS, elements, field_elements, four};

const WEIGHT: [u64; 2] = [0x1234_5678_9abc_def1, 0x0fed_cba9_8765_4321];

/// Four operands of `N` lines.
fn lines<const N: usize>(secrets: &mut Secrets) -> [Vec<Line>; 4] {
    [0; 4].map(|_| (0..N).map(|_| [0; 8].map(|_| secrets.word())).collect())
}

#[test]
fn rounds_over_a_binary_field_do_not_show_their_elements() {
    let points = elements(&[3, 5, 7, 9]);
    let mut work = field_elements(&mut Secrets::random(1));
    assert_steady("multiply_into", field_elements, |[a, b, ..]| {
        work[0].copy_from_slice(a);
        vectors::multiply_into(&mut work[0], b);
    });
    assert_steady("fold_into", field_elements, |[a, b, ..]| {
        work[0].copy_from_slice(a);
        vectors::fold_into(&mut work[0], b, points[0]);
    });
    assert_steady("add_scaled", field_elements, |[a, ..]| vectors::add_scaled(&mut work[1], a, points[0]));
    assert_steady("inner_product", field_elements, |[a, b, ..]| math::gf::inner_product(a, b));
    assert_steady("inner_product of vectors", field_elements, |[a, b, ..]| vectors::inner_product(a, b));
    assert_steady("pair_sums", field_elements, |[a, b, c, d]| vectors::pair_sums([a, b], [c, d]));
    // Sums of columns: of many rows, and of one row and the row above it.
    let mut sums = [64, 64, WORDS / 2, WORDS / 2].map(|n| vec![Gf128(0); n]);
    let [zero, infinity, zero_row, infinity_row] = &mut sums;
    assert_steady("pair_products", field_elements, |[a, b, c, d]| {
        vectors::pair_products([a, b], [c, d], zero, infinity);
    });
    assert_steady("add_pair_products", field_elements, |[a, b, c, d]| {
        vectors::add_pair_products([a, b], [c, d], zero_row, infinity_row);
    });
    assert_steady("fold_pairs", field_elements, |[a, b, ..]| {
        let [x, y, ..] = &mut work;
        x.copy_from_slice(a);
        y.copy_from_slice(b);
        vectors::fold_pairs(x, y, WORDS / 4, points[1], zero, infinity);
    });
}

#[test]
fn sums_over_lines_do_not_show_them() {
    let mut sums = vec![WeighedSum::ZERO; 16];
    assert_steady("weigh_sums", lines::<16>, |[a, b, ..]| {
        weigh_sums(&mut sums, [a, b], WEIGHT, [&[]; 2]);
    });
    assert_steady("weigh_rest", lines::<16>, |[a, b, c, _]| {
        weigh_rest(&mut sums, [a, b, c], WEIGHT, [&[]; 3]);
    });
    let factors: [Gf128; 4] = from_fn(|at| Gf128(3 << (40 * at)));
    let mut out = [Gf128(0); 16];
    let weighed = |secrets: &mut Secrets| {
        let mut sums = vec![WeighedSum::ZERO; 16];
        let [a, b, ..] = lines::<16>(secrets);
        weigh_sums(&mut sums, [&a, &b], WEIGHT, [&[]; 2]);
        sums
    };
    assert_steady("totals", weighed, |sums| totals(sums, &factors, &mut out));
    // Blocks of one tile of points, and of several.
    let mut points = vec![WeighedSum::ZERO; 3usize.pow(6)];
    assert_steady("weigh_products", lines::<16>, |[a, b, ..]| {
        weigh_products(&mut points[..81], 4, &[[a, b]], &[WEIGHT]);
    });
    assert_steady("weigh_products of blocks", lines::<128>, |[a, b, ..]| {
        let blocks = [0, 64].map(|first| [a, b].map(|lines| &lines[first..first + 64]));
        weigh_products(&mut points, 6, &blocks, &[WEIGHT; 2]);
    });
    let factors = |n: u64| Factors::new(&elements(&(1..=2 * n).collect::<Vec<u64>>()), [Gf128(5), Gf128(7)]);
    let [some, block] = [16, 128].map(factors);
    let mut folded = vec![Gf128(0); LINE_BITS];
    fn term<'a>(factors: &'a Factors, lines: &'a [Line]) -> Term<'a> {
        Term { factors, lines }
    }
    assert_steady("fold lines", lines::<16>, |[a, ..]| fold(&[term(&some, a)], &mut folded));
    assert_steady("fold a block", lines::<128>, |[a, ..]| fold(&[term(&block, a)], &mut folded));
    assert_steady("fold two blocks", lines::<128>, |[a, b, ..]| {
        fold(&[term(&block, a), term(&block, b)], &mut folded);
    });
    let mut sums = Folded::zero();
    assert_steady("add folded lines", lines::<16>, |[a, ..]| some.add([a, &[]], &[], &mut sums));
    assert_steady("add a folded block", lines::<128>, |[a, b, ..]| {
        block.add([&a[..64], &b[..64]], &[], &mut sums);
    });
    let planes = |secrets: &mut Secrets| {
        let mut sums = Folded::zero();
        some.add([&lines::<16>(secrets)[0], &[]], &[], &mut sums);
        sums
    };
    assert_steady("elements of planes", planes, |planes| planes.write(&mut folded));
}

#[test]
fn hashes_of_rows_do_not_show_them() {
    let words = |secrets: &mut Secrets| four(secrets).map(|words| words.into_iter().map(Gf64).collect());
    let keys: [Gf64; 4] = from_fn(|at| Gf64(WEIGHT[0].rotate_left(7 * at as u32)));
    let mut out = vec![Gf64(0); WORDS];
    assert_steady("hashes of rows", words, |columns: &[Vec<Gf64>; 4]| {
        rows::add_products(&mut out, &keys, &columns.each_ref().map(|column| &column[..]));
    });
    assert_steady("a product of 64 bits", words, |columns: &[Vec<Gf64>; 4]| {
        columns[0].iter().zip(&columns[1]).fold(Gf64(0), |sum, (x, y)| Gf64(sum.0 ^ x.times(*y).0))
    });
}

#[test]
fn ring_proofs_do_not_show_their_elements() {
    // A word is above a small one as often as below.
    let prime = (0..).map(|at| (3 << 62) + 4 * at + 3).find_map(Prime::try_new).expect("primes are dense");
    let reduced = |secrets: &mut Secrets| {
        four(secrets).map(|words| -> Vec<u64> { words.into_iter().map(|word| prime.reduce(word)).collect() })
    };
    let public: Vec<u64> = Secrets::random(5).words(WORDS).iter().map(|word| prime.reduce(*word)).collect();
    let mut out = vec![0; WORDS];
    assert_steady("differences modulo a prime", reduced, |[a, b, ..]| {
        prime::sub_into(&prime, &mut out, a, b);
    });
    assert_steady("products modulo a prime", reduced, |[a, ..]| {
        prime::scale_into(&prime, &mut out, &public, a);
    });
    assert_steady("words modulo a prime", four, |[a, ..]| {
        prime::reduce_into(&prime, &mut out[..WORDS / 2], cast_slice(a));
    });
    assert_steady("sums modulo a prime", reduced, |[a, b, ..]| {
        a.iter().zip(b).fold(0, |sum, (a, b)| prime.plus(sum, prime.minus(*a, prime.half(*b))))
    });
    assert_steady("products summed", four, |[a, ..]| {
        let mut sum = Sum::default();
        sum.add_products(&public, a);
        prime.total(sum)
    });
    assert_steady("products summed by lanes", four, |[a, ..]| {
        let mut sum = LaneSum::default();
        a.chunks(64).zip(public.chunks(64)).for_each(|(a, b)| sum.add_products(a, b));
        prime.total(sum.total())
    });
    let point = Pair { re: public[0], im: public[1] };
    let pairs = |secrets: &mut Secrets| {
        let [a, b, c, d] = reduced(secrets);
        let vector = |re: &[u64], im: &[u64]| -> Vec<Pair> {
            re.iter().zip(im).map(|(re, im)| Pair { re: *re, im: *im }).collect()
        };
        [vector(&a, &b), vector(&c, &d)]
    };
    assert_steady("products of pairs", pairs, |vectors| {
        let [mut u, mut v] = vectors.each_ref().map(|vector| PairVec::new(vector));
        PairVec::products(&prime, &mut u, &mut v)
    });
    assert_steady("a fold of pairs", pairs, |[vector, _]| {
        let mut u = PairVec::new(vector);
        u.fold(&prime, point);
        u
    });
    assert_steady("rows combined", reduced, |[a, b, c, d]| {
        let rows = [a, b, c, d, d, c, b, a].map(|row| &row[..]);
        PairVec::combine(&prime, &[point; 8], &rows)
    });
    let weights = PairVec::new(&vec![point; WORDS]);
    assert_steady("pairs times words", four, |[a, ..]| {
        let mut sums = [Sum::default(); 2];
        weights.as_slice().add_products(a, &mut sums);
        sums.map(|sum| prime.total(sum))
    });
}

#[test]
fn sums_of_subsets_do_not_show_their_items() {
    let selections = Secrets::random(6).words(WORDS);
    assert_steady("sums of subsets", four, |[a, b, ..]| {
        let mut sums = SubsetSums::default();
        let items = a.iter().zip(b).map(|(a, b)| i128::from(*a) << 60 | i128::from(*b));
        selections.iter().zip(items).for_each(|(selection, item)| sums.add(*selection, item));
        sums.totals()
    });
    let limbs = |secrets: &mut Secrets| -> [Vec<i64>; 2] {
        [0; 2].map(|_| secrets.words(WORDS).into_iter().map(|word| (word >> 30) as i64).collect())
    };
    assert_steady("sums of subsets, at once", limbs, |[low, high]| {
        let mut sums = SubsetSums::default();
        sums.add_all(&selections, low, None);
        sums.add_all(&selections, low, Some(high));
        sums.totals()
    });
    let rows: Vec<[u64; 1]> = selections[..64].iter().map(|selection| [*selection]).collect();
    let values = |secrets: &mut Secrets| cast_slice::<u64, u32>(&secrets.words(64 * 16)).to_vec();
    assert_steady("sums of rows", values, |values| row_subset_sums(values, 32, &rows, 64));
}
