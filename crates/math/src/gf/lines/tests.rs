//! Each sum against one that goes bit by bit.

use super::*;
use crate::gf::{Field, Gf128};
use crate::group::Group;
use crate::prg::Prg;
use crate::simd::at_every_level;

fn lines(n: usize, seed: u8) -> Vec<Line> {
    let mut lines = vec![[0; 8]; n];
    Prg::new(&[seed; 16]).fill(0, bytemuck::cast_slice_mut(&mut lines));
    lines
}

fn elements(n: usize, seed: u8) -> Vec<Gf128> {
    let mut elements = vec![Gf128(0); n];
    Prg::new(&[seed; 16]).fill_items(0, &mut elements);
    elements
}

/// `Σ_q factors[q] · (weight[0] · (element q, lower half) + weight[1] · (upper half))`.
fn total(line: &Line, weight: Weight, factors: &[Gf128; 4]) -> Gf128 {
    let [lower, upper] = weight.map(|weight| Gf128(weight.into()));
    (0..4).fold(Gf128(0), |sum, q| {
        let halves = [2 * q, 2 * q + 1].map(|half| Gf128(line[half].into()));
        sum.plus(halves[0].times(lower).plus(halves[1].times(upper)).times(factors[q]))
    })
}

const WEIGHTS: [Weight; 2] = [[u64::MAX, 3], [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9]];

fn four(seed: u8) -> [Gf128; 4] {
    elements(4, seed).try_into().unwrap()
}

#[test]
fn weighed_lines_are_sums_of_products() {
    let factors = four(1);
    at_every_level(|level| {
        for n in [0, 1, 2, 7, 64] {
            let (first, second, zeros) = (lines(n, 2), lines(n, 3), vec![[0; 8]; n]);
            let mut sums = vec![WeighedSum::ZERO; n];
            weigh_sums(&mut sums, [&first, &zeros], WEIGHTS[0], [&[]; 2]);
            weigh_sums(&mut sums, [&zeros, &second], WEIGHTS[1], [&zeros, &[]]);
            for ((sum, first), second) in sums.iter().zip(&first).zip(&second) {
                let expected = total(first, WEIGHTS[0], &factors).plus(total(second, WEIGHTS[1], &factors));
                assert_eq!(sum.total(&factors), expected, "{level:?}, {n} lines");
            }
            let mut all = vec![Gf128(0); n];
            totals(&sums, &factors, &mut all);
            assert!(all.iter().zip(&sums).all(|(total, sum)| *total == sum.total(&factors)), "{level:?}");
            let mut rests = sums.clone();
            let f = lines(n, 4);
            weigh_rest(&mut rests, [&first, &second, &f], WEIGHTS[1], [&f, &[], &first]);
            let mut both = rests.clone();
            weigh_sums(&mut both, [&first, &f], WEIGHTS[0], [&[], &second]);
            for (at, ((sum, rest), both)) in sums.iter().zip(&rests).zip(&both).enumerate() {
                let line: Line = std::array::from_fn(|i| first[at][i] & second[at][i] ^ f[at][i]);
                let expected = sum.total(&factors).plus(total(&line, WEIGHTS[1], &factors));
                assert_eq!(rest.total(&factors), expected, "{level:?}, {n} lines");
                let line: Line = std::array::from_fn(|i| first[at][i] ^ f[at][i]);
                let expected = expected.plus(total(&line, WEIGHTS[0], &factors));
                assert_eq!(both.total(&factors), expected, "{level:?}, {n} lines");
            }
        }
    });
}

#[test]
fn products_at_every_point_of_the_extension() {
    let factors = four(4);
    at_every_level(|level| {
        for (k, n_blocks) in
            (0..8).map(|k| (k, 1)).chain([(1, 2), (2, 2), (5, 3), (1, 4), (3, 4), (5, 7), (7, 3)])
        {
            let operands = [5, 6].map(|seed| lines(n_blocks << k, seed));
            let weights: Vec<Weight> =
                (1..=n_blocks as u64).map(|at| WEIGHTS[1].map(|weight| weight.wrapping_mul(at))).collect();
            let mut sums = vec![WeighedSum::ZERO; 3usize.pow(k)];
            let block = |at: usize| operands.each_ref().map(|lines| &lines[at << k..(at + 1) << k]);
            let blocks: Vec<_> = (0..n_blocks).map(block).collect();
            weigh_products(&mut sums, k, &blocks, &weights);
            let has_infinity = |point: usize| (0..k).any(|t| point / 3usize.pow(t) % 3 == 2);
            for (point, sum) in sums.iter().enumerate().filter(|(point, _)| has_infinity(*point)) {
                let matches = |row: usize| {
                    (0..k).all(|t| {
                        let digit = point / 3usize.pow(t) % 3;
                        digit == 2 || digit == row >> t & 1
                    })
                };
                let at_block = |(block, weight): (usize, &Weight)| {
                    let [x, y] = operands.each_ref().map(|lines| {
                        let rows = lines.iter().skip(block << k).take(1 << k).enumerate();
                        let rows = rows.filter(|(row, _)| matches(*row));
                        rows.fold([0; 8], |sum, (_, line)| std::array::from_fn(|i| sum[i] ^ line[i]))
                    });
                    let product: Line = std::array::from_fn(|i| x[i] & y[i]);
                    total(&product, *weight, &factors)
                };
                let expected = weights.iter().enumerate().map(at_block).fold(Gf128(0), Group::plus);
                assert_eq!(
                    sum.total(&factors),
                    expected,
                    "{level:?}, {n_blocks} blocks, point {point} of 3^{k}"
                );
            }
        }
    });
}

#[test]
fn folded_lines_are_sums_of_factors() {
    at_every_level(|level| {
        for n in [1, 2, 4, 8, 16, 24, 64, 128] {
            let [(first, first_factors), (second, second_factors)] =
                [9, 10].map(|seed| (lines(n, seed), elements(n, seed + 10)));
            let halves = four(13);
            let sum_of = |lines: &[Line], factors: &[Gf128], halves: &[Gf128], j: usize| {
                let chosen = (0..n).filter(|i| lines[*i][j / 64] >> (j % 64) & 1 == 1);
                chosen.fold(Gf128(0), |sum, i| sum.plus(factors[i])).times(halves[j % 128 / 64])
            };
            let (mut out, mut both) = (elements(LINE_BITS, 11), elements(LINE_BITS, 12));
            let factors = Factors::new(&first_factors, [halves[0], halves[1]]);
            let pieces = if n >= 16 { first.split_at(n / 16 * 8).into() } else { [&first[..], &[]] };
            let other = Factors::new(&second_factors, [halves[2], halves[3]]);
            let terms = [Term { factors: &factors, lines: &first }, Term { factors: &other, lines: &second }];
            fold(terms[..1].as_array::<1>().expect("one"), &mut out);
            let mut sums = Folded::zero();
            factors.add(pieces, &[&second], &mut sums);
            other.add([&second, &[]], &[], &mut sums);
            sums.write(&mut both);
            let mut at_once = elements(LINE_BITS, 14);
            fold(&terms, &mut at_once);
            assert_eq!(at_once, both, "{level:?}, {n} lines");
            for j in 0..LINE_BITS {
                let place = 4 * (j % 128) + j / 128;
                let one = sum_of(&first, &first_factors, &halves[..2], j);
                let other = sum_of(&second, &second_factors, &halves[2..], j);
                assert_eq!(out[place], one, "{level:?}, bit {j} of {n} lines");
                assert_eq!(both[place], one.plus(other), "{level:?}, bit {j} of {n} lines, twice");
            }
        }
    });
}

#[test]
#[should_panic(expected = "a sum for each point")]
fn sums_of_another_number_are_refused() {
    weigh_products(&mut [WeighedSum::ZERO; 2], 1, &[], &[]);
}
