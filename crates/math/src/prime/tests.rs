use super::*;
use crate::simd::at_every_level;

/// The largest and the smallest prime of the range, and one between.
const PRIMES: [u64; 3] = [0xffff_ffff_ffff_ffc3, 0xc000_0000_0000_0013, 0xd000_0000_0000_0000];

fn primes() -> Vec<Prime> {
    // Search upwards from each start, by steps of 4 that keep the residue; the first is taken as it is.
    PRIMES
        .iter()
        .map(|start| {
            let first = start | 3;
            (0..)
                .map_while(|step| first.checked_add(4 * step))
                .find_map(Prime::try_new)
                .or_else(|| (0..).map_while(|step| first.checked_sub(4 * step)).find_map(Prime::try_new))
                .expect("a prime near each number")
        })
        .collect()
}

fn words(seed: u64, n: usize) -> Vec<u64> {
    let mut state = seed;
    let mut word = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    };
    (0..n).map(|at| if at % 7 == 3 { u64::MAX - word() % 3 } else { word() }).collect()
}

fn big(a: u64, b: u64, p: &Prime) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(p.p)) as u64
}

/// `x·2^64`.
fn lifted(x: u64, p: &Prime) -> u64 {
    ((u128::from(x) << 64) % u128::from(p.p)) as u64
}

#[test]
fn arithmetic_agrees_with_division() {
    for p in primes() {
        let n = u128::from(p.p);
        let list = words(1, 200).into_iter().chain([0, 1, 2, p.p - 1, p.p, u64::MAX]);
        for (a, b) in list.clone().zip(words(2, 206)) {
            let (x, y) = (p.reduce(a), p.reduce(b));
            assert_eq!(u128::from(x), u128::from(a) % n);
            assert_eq!(u128::from(p.plus(x, y)), (u128::from(x) + u128::from(y)) % n);
            assert_eq!(p.plus(p.minus(x, y), y), x);
            assert_eq!(lifted(p.times(x, b), &p), big(x, b, &p));
            assert_eq!(p.weight(a), lifted(x, &p));
            assert_eq!(p.times(p.weight(x), b), big(x, b, &p));
            assert_eq!(p.plus(p.half(x), p.half(x)), x);
            assert_eq!(u128::from(p.reduce_two(a, b)), (u128::from(b) << 64 | u128::from(a)) % n);
        }
    }
}

#[test]
fn sums_of_products_keep_every_carry() {
    at_every_level(|_| {
        for p in primes() {
            for n in [0, 1, 2, 5, 64, 301, 9001] {
                let (a, b) = (words(3, n), words(4, n));
                let slow = (0..n).fold(0, |sum, i| p.plus(sum, big(p.reduce(a[i]), b[i], &p)));
                assert_eq!(lifted(p.dot(&a, &b), &p), slow);
                let most = vec![u64::MAX; n];
                let slow = (0..n).fold(0, |sum, _| p.plus(sum, big(p.reduce(u64::MAX), u64::MAX, &p)));
                assert_eq!(lifted(p.dot(&most, &most), &p), slow);
            }
        }
    });
}

#[test]
fn slices_of_elements() {
    at_every_level(|_| {
        for p in primes() {
            for n in [0, 1, 8, 100] {
                let a: Vec<u64> = words(12, n).iter().map(|word| p.reduce(*word)).collect();
                let b = words(13, n);
                let mut out = vec![1; n];
                scale_into(&p, &mut out, &a, &b);
                assert!((0..n).all(|i| out[i] == p.times(a[i], b[i])));
                scale_into(&p, &mut out, &vec![p.p - 1; n], &vec![u64::MAX; n]);
                assert!(out.iter().all(|out| *out == p.times(p.p - 1, u64::MAX)));
                let two: Vec<[u64; 2]> = b.iter().zip(&a).map(|(b, a)| [*b, b ^ a]).collect();
                reduce_into(&p, &mut out, &two);
                assert!((0..n).all(|i| out[i] == p.reduce_two(two[i][0], two[i][1])));
                sub_into(&p, &mut out, &a, &vec![p.p - 1; n]);
                assert!((0..n).all(|i| out[i] == p.plus(a[i], 1)));
            }
        }
    });
}

#[test]
fn sums_in_lanes_are_sums() {
    at_every_level(|_| {
        let (mut lanes, mut sum) = (LaneSum::default(), Sum::default());
        let most = vec![u64::MAX; 5000];
        for n in [3, 64, 64, 5000, 4096, 17, 4096, 100] {
            lanes.add_products(&most[..n], &words(14, 5000)[..n]);
            lanes.add_products(&most[..n], &most[..n]);
            for word in words(14, 5000)[..n].iter().chain(&most[..n]) {
                sum.add_product(u64::MAX, *word);
            }
        }
        assert_eq!(lanes.total(), sum);
    });
}

fn pair(p: &Prime, a: u64, b: u64) -> Pair {
    Pair { re: p.reduce(a), im: p.reduce(b) }
}

/// Schoolbook, by division.
fn slow_times(p: &Prime, a: Pair, b: Pair) -> Pair {
    Pair {
        re: p.minus(big(a.re, b.re, p), big(a.im, b.im, p)),
        im: p.plus(big(a.re, b.im, p), big(a.im, b.re, p)),
    }
}

fn pairs(p: &Prime, seed: u64, n: usize) -> PairVec {
    let pairs = words(seed, n).into_iter().zip(words(seed + 50, n)).map(|(a, b)| pair(p, a, b));
    PairVec::new(&pairs.collect::<Vec<_>>())
}

#[test]
fn pairs_are_a_field() {
    for p in primes() {
        let list = words(5, 40);
        for abc in list.windows(6) {
            let [a, b, c] = [0, 2, 4].map(|at| pair(&p, abc[at], abc[at + 1]));
            let times = |a: Pair, b: Pair| a.weight(&p).times(&p, b);
            assert_eq!(times(a, b), slow_times(&p, a, b));
            assert_eq!(times(times(a, b), c), times(a, times(b, c)));
            assert_eq!(times(a, b.plus(&p, c)), times(a, b).plus(&p, times(a, c)));
            // The product with the conjugate is a sum of squares: zero for zero alone.
            let norm = times(a, Pair { re: a.re, im: p.minus(0, a.im) });
            assert_eq!((norm.im, norm.re == 0), (0, a == Pair::default()));
        }
    }
}

#[test]
fn folding_step_by_step_agrees_with_weights() {
    at_every_level(|_| {
        for p in primes() {
            for n in [1usize, 2, 3, 5, 8, 13, 64, 100] {
                let rounds = n.next_power_of_two().trailing_zeros() as usize;
                let points: Vec<Pair> =
                    words(6, rounds).into_iter().zip(words(7, rounds)).map(|(a, b)| pair(&p, a, b)).collect();
                let vector = pairs(&p, 8, n);
                let weights = PairVec::fold_weights(&p, n, &points);
                let sum = (0..n)
                    .fold(Pair::default(), |sum, at| sum.plus(&p, weights.get(at).times(&p, vector.get(at))));
                let mut folded = vector;
                points.iter().for_each(|point| folded.fold(&p, *point));
                assert_eq!((folded.len(), folded.get(0)), (1, sum), "{n} elements");

                let values: Vec<u64> = words(9, n).iter().map(|word| p.reduce(*word)).collect();
                let mut sums = [Sum::default(); 2];
                weights.as_slice().add_products(&values, &mut sums);
                let slow = (0..n).fold(Pair::default(), |sum, at| {
                    sum.plus(&p, weights.get(at).times(&p, values[at].into()))
                });
                assert_eq!(sums.map(|sum| p.total(sum)), [slow.re, slow.im]);
            }
        }
    });
}

#[test]
fn products_of_halves() {
    at_every_level(|_| {
        for p in primes() {
            for n in [1, 2, 3, 9, 40, 9001] {
                let (mut u, mut v) = (pairs(&p, 10, n), pairs(&p, 11, n));
                let half = n.div_ceil(2);
                let get = |w: &PairVec, at: usize| if at < n { w.get(at) } else { Pair::default() };
                let mut slow = [Pair::default(); 2];
                for at in 0..half {
                    let [a, b, c, d] = [get(&u, at), get(&u, half + at), get(&v, at), get(&v, half + at)];
                    slow[0] = slow[0].plus(&p, slow_times(&p, a, c));
                    slow[1] = slow[1].plus(&p, slow_times(&p, b.minus(&p, a), d.minus(&p, c)));
                }
                let fast = PairVec::products(&p, &mut u, &mut v);
                assert_eq!(fast.map(|pair| pair.weight(&p)), slow, "{n} elements");
            }
        }
    });
}

#[test]
fn rows_combine() {
    at_every_level(|_| {
        for p in primes() {
            let rows: Vec<Vec<u64>> = (0..8).map(|row| words(20 + row, 11)).collect();
            let weights: [Pair; 8] =
                std::array::from_fn(|row| pair(&p, words(30, 8)[row], words(31, 8)[row]));
            let rows: [&[u64]; 8] = std::array::from_fn(|row| &rows[row][..]);
            let combined = PairVec::combine(&p, &weights, &rows);
            for at in 0..combined.len() {
                let slow = rows.iter().zip(&weights).fold(Pair::default(), |sum, (row, weight)| {
                    sum.plus(&p, weight.times(&p, p.reduce(row[at]).into()))
                });
                assert_eq!(combined.get(at), slow);
            }
        }
    });
}

/// Trial division of both kinds of numbers: products of primes that fool single bases, and primes.
#[test]
fn primes_are_told_from_products() {
    let passes = |n: u64| Prime::montgomery(n).passes();
    let is_prime = |n: u64| (3..).step_by(2).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d));
    // 3 modulo 4, beyond the bases themselves.
    for n in (1u64 << 20 | 3..1 << 20 | 4000).step_by(4) {
        assert_eq!(passes(n), is_prime(n), "{n}");
    }
    // Strong pseudoprimes to the first bases, 3 modulo 4 where there is one.
    for n in [3_215_031_751, 341_550_071_728_321 | 2, 3_825_123_056_546_413_051] {
        assert!(!passes(n), "{n} is a product");
    }
    assert!(Prime::try_new(0xffff_ffff_ffff_ffc5).is_none(), "1 modulo 4");
    assert!(Prime::try_new((1 << 61) - 1).is_none(), "too small");
    assert!(Prime::try_new(u64::MAX).is_none(), "a product");
    // 4294967291 · 4294967279: both factors are prime.
    assert!(Prime::try_new(4_294_967_291 * 4_294_967_279).is_none());
}

#[test]
fn a_sampled_prime_is_the_first_that_comes() {
    let mut drawn = words(40, 1000).into_iter();
    let prime = Prime::sample(|| drawn.next().expect("a prime among a thousand numbers"));
    let n_drawn = 1000 - drawn.len();
    let candidates = words(40, n_drawn).into_iter().map(|word| word | 3 << 62 | 3);
    assert_eq!(candidates.filter_map(Prime::try_new).collect::<Vec<_>>(), [prime]);
}
