//! The noise on a number of rows: how many rows that do not count go beside those that do.
//!
//! With ε and the most rows `Δ` of one entity, the noise is `x` of `0..=2s` with a probability
//! proportional to `w(|x - s|)`, where `w(0) = 2^64` and `w(i + 1) = ⌈w(i)·r⌉` for an `r` of 63
//! binary digits that is no less than `e^(-ε/Δ)`: a two-sided geometric distribution (the discrete
//! Laplace one), shifted so that it takes no row away, and cut at both ends. All weights are whole
//! numbers and a draw compares whole numbers, so that what follows holds of the draws themselves;
//! floating-point noise does not (Mironov, CCS 2012).
//!
//! Let two tables differ in one entity, and so the numbers of rows in `d ≤ Δ`. Where both can be told
//! as `y`, their probabilities differ by the ratio of weights `d` places apart, which is `e^(dε/Δ) ≤
//! e^ε` at most, since neighbours differ by `1/r ≤ e^(ε/Δ)`. What one alone can be told as, it is told
//! as with the probability of the `d` outermost weights of one end; `s` is the least for which those
//! of `Δ` places have 2^-40 together. So the number is (ε, 2^-40)-differentially private for an
//! entity, and stays so when it is cut to the table's bound, which is public. `k` numbers of a table
//! are (kε, k·2^-40)-private together (Dwork and Roth, *The Algorithmic Foundations of Differential
//! Privacy*, theorem 3.16); the table's `answers` bound `k`.
//!
//! Source: the truncated, shifted Laplace mechanism of Bater, He, Ehrich, Machanavajjhala and Rogers,
//! *Shrinkwrap*, VLDB 2018, which pads intermediate results so; theirs has no upper end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whole thousandths of ε that a catalog may say: from 0.001 to 10.
const EPSILONS: std::ops::RangeInclusive<u32> = 1..=10_000;
/// The negative logarithm of δ.
const DELTA_BITS: u32 = 40;
/// The most that `s` may be; a draw looks at each weight.
const MOST: u64 = 1 << 20;
/// The highest weight's logarithm.
const WEIGHT_BITS: u32 = 64;
/// The fractional digits of `r`.
const RATIO_BITS: u32 = 63;

/// How much noise goes onto a number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Declared", into = "Declared")]
pub struct Noise {
    /// ε in thousandths.
    epsilon: u32,
    /// The most rows of one entity.
    rows: u32,
    /// The mean, of which there is twice as much at most.
    mean: u32,
}

#[derive(Serialize, Deserialize)]
struct Declared {
    epsilon_thousandths: u32,
    rows_per_entity: u32,
}

impl TryFrom<Declared> for Noise {
    type Error = String;

    fn try_from(declared: Declared) -> Result<Noise, String> {
        Noise::try_new(declared.epsilon_thousandths, u64::from(declared.rows_per_entity))
    }
}

impl From<Noise> for Declared {
    fn from(noise: Noise) -> Declared {
        Declared { epsilon_thousandths: noise.epsilon, rows_per_entity: noise.rows }
    }
}

impl Noise {
    /// Noise for entities of so many rows at most, by ε in thousandths.
    ///
    /// # Errors
    /// A sentence, if ε is out of range or the noise would come to more than two million rows.
    pub fn try_new(epsilon_thousandths: u32, rows_per_entity: u64) -> Result<Noise, String> {
        if !EPSILONS.contains(&epsilon_thousandths) {
            return Err("the noise has an epsilon from 0.001 to 10, by at most three decimals".to_owned());
        }
        let rows = u32::try_from(rows_per_entity).ok().filter(|rows| (1..=MOST).contains(&u64::from(*rows)));
        let found = rows.and_then(|rows| Some((rows, mean(epsilon_thousandths, rows)?)));
        let Some((rows, mean)) = found else {
            return Err(format!(
                "noise of epsilon {} for {rows_per_entity} rows of one entity comes to more than {MOST} rows; say a \
                 larger epsilon, or fewer rows",
                Decimal(epsilon_thousandths)
            ));
        };
        Ok(Noise { epsilon: epsilon_thousandths, rows, mean })
    }

    /// The most rows that it adds.
    pub fn most(self) -> u64 {
        2 * u64::from(self.mean)
    }

    /// The weights of 0, 1, … rows.
    fn weights(self) -> Vec<u128> {
        let down: Vec<u128> = Weights::of(self.epsilon, self.rows).take(self.mean as usize + 1).collect();
        down.iter().rev().chain(&down[1..]).copied().collect()
    }

    /// One draw, of uniform numbers of 128 bits. It takes the same steps whatever comes out.
    ///
    /// # Errors
    /// That of the uniform numbers.
    pub fn draw<E>(self, mut random: impl FnMut() -> Result<u128, E>) -> Result<u64, E> {
        let weights = self.weights();
        let total: u128 = weights.iter().sum();
        let mask = u128::MAX >> total.leading_zeros();
        let at = loop {
            let at = random()? & mask;
            if at < total {
                break at;
            }
        };
        let ends = weights.iter().scan(0, |sum: &mut u128, weight| {
            *sum += weight;
            Some(*sum)
        });
        Ok(ends.map(|end| u64::from(end <= at)).sum())
    }
}

/// The weights from the middle on.
struct Weights {
    next: u128,
    ratio: u128,
}

impl Weights {
    fn of(epsilon: u32, rows: u32) -> Weights {
        Weights { next: 1 << WEIGHT_BITS, ratio: ratio(epsilon, rows) }
    }
}

impl Iterator for Weights {
    type Item = u128;

    fn next(&mut self) -> Option<u128> {
        let weight = self.next;
        self.next = (weight * self.ratio).div_ceil(1 << RATIO_BITS);
        Some(weight)
    }
}

/// `e^(-ε/Δ)`, rounded up: one over a sum of the terms of `e^(ε/Δ)`, each rounded down.
fn ratio(epsilon: u32, rows: u32) -> u128 {
    // ε is 10 at most, so that the sum stays below 2^79 and a product below 2^93.
    let (mut sum, mut term) = (0_u128, 1 << WEIGHT_BITS);
    for n in 1.. {
        if term == 0 {
            break;
        }
        sum += term;
        term = term * u128::from(epsilon) / (1000 * u128::from(rows) * n);
    }
    (1_u128 << (WEIGHT_BITS + RATIO_BITS)).div_ceil(sum)
}

/// The least mean with which `rows` places at an end have δ of all.
fn mean(epsilon: u32, rows: u32) -> Option<u32> {
    let (mut total, mut end) = (0_u128, 0_u128);
    // The weights behind the end, which it leaves as the mean grows.
    let mut behind = Weights::of(epsilon, rows);
    for (mean, weight) in (0..=MOST).zip(Weights::of(epsilon, rows)) {
        total += if mean == 0 { weight } else { 2 * weight };
        end += weight;
        if mean >= u64::from(rows) {
            end -= behind.next().expect("weights go on");
        }
        // Below 2^84 · 2^40.
        if mean + 1 >= u64::from(rows) && end << DELTA_BITS <= total {
            return u32::try_from(mean).ok();
        }
    }
    None
}

/// Thousandths as a decimal.
struct Decimal(u32);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whom = match self.rows {
            1 => "one row".to_owned(),
            rows => format!("somebody with up to {rows} rows"),
        };
        write!(
            f,
            "with noise: 0 to {} rows that do not count beside them, drawn anew for each run; ({}, 2^-{DELTA_BITS})-\
             differentially private for {whom}, and k answers have k times both",
            self.most(),
            Decimal(self.epsilon)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(epsilon: u32, rows: u64) -> Noise {
        Noise::try_new(epsilon, rows).expect("it has a table")
    }

    const KINDS: [(u32, u64); 8] =
        [(10_000, 1), (1000, 1), (693, 1), (100, 1), (1, 1), (500, 7), (10_000, 40), (1000, 1000)];

    /// The claim of the module's words, on the weights that are drawn by.
    #[test]
    fn neighbours_differ_by_epsilon_and_ends_have_delta() {
        for (epsilon, rows) in KINDS {
            let weights = noise(epsilon, rows).weights();
            let total: u128 = weights.iter().sum();
            assert!(total < 1 << 127);
            assert!(weights.iter().eq(weights.iter().rev()), "as much up as down");
            // a/b ≤ e^(ε/Δ), by a partial sum of it that is rounded down.
            let most = (f64::from(epsilon) / 1000.0 / rows as f64).exp();
            for pair in weights.windows(2) {
                let (a, b) = (pair[0].min(pair[1]) as f64, pair[0].max(pair[1]) as f64);
                assert!(b / a <= most * (1.0 + 1e-15), "{epsilon} {rows}: {b} / {a}");
            }
            for n_rows in [1, rows as usize] {
                let end: u128 = weights[..n_rows].iter().sum();
                assert!(end << DELTA_BITS <= total, "{epsilon} {rows}");
            }
            // No more noise than that takes.
            let less = &weights[1..weights.len() - 1];
            let (end, total) = (less[..rows as usize].iter().sum::<u128>(), less.iter().sum::<u128>());
            assert!(end << DELTA_BITS > total, "{epsilon} {rows}");
        }
    }

    /// Against the formula: `e^(-ε|x - s|/Δ)` over the sum of all, and `s` near `Δ·ln(1/2δ)/ε`.
    #[test]
    fn the_distribution_is_the_discrete_laplace_one() {
        for (epsilon, rows) in KINDS {
            let noise = noise(epsilon, rows);
            let rate = f64::from(epsilon) / 1000.0 / rows as f64;
            let formula = |x: usize| (-rate * (x as f64 - f64::from(noise.mean)).abs()).exp();
            let weights = noise.weights();
            let all: f64 = (0..weights.len()).map(formula).sum();
            let total: u128 = weights.iter().sum();
            let mut apart = 0.0;
            for (x, weight) in weights.iter().enumerate() {
                let (is, should) = (*weight as f64 / total as f64, formula(x) / all);
                // Rounding up adds up towards the ends, where there is hardly anything.
                assert!((is - should).abs() <= should * 0.05, "{epsilon} {rows} at {x}: {is}, {should}");
                apart += (is - should).abs();
            }
            assert!(apart < 1e-9, "{epsilon} {rows}: {apart}");
            let shift = rows as f64 * (39.0 * 2_f64.ln()) * 1000.0 / f64::from(epsilon);
            assert!(f64::from(noise.mean) <= shift + rows as f64 + 1.0, "{} against {shift}", noise.mean);
        }
    }

    /// Every number that can be thrown gives the row in whose part of the whole it lies.
    #[test]
    fn draws_invert_the_table() {
        let noise = noise(1000, 1);
        let weights = noise.weights();
        let total: u128 = weights.iter().sum();
        let draw = |numbers: &[u128]| {
            let mut numbers = numbers.iter().copied();
            noise.draw(|| numbers.next().ok_or(())).expect("enough numbers")
        };
        let mut start = 0;
        for (x, weight) in weights.iter().enumerate() {
            assert_eq!((draw(&[start]), draw(&[start + weight - 1])), (x as u64, x as u64));
            start += weight;
        }
        assert_eq!(weights.len() as u64, noise.most() + 1);
        // What is beyond the whole is thrown again, and high digits do not count.
        assert_eq!(draw(&[total, total + 5, 0]), 0);
        assert_eq!(draw(&[1 << 127]), 0);
        assert_eq!(noise.draw(|| Err::<u128, _>("none")), Err("none"));
    }

    #[test]
    fn samples_have_mean_and_spread() {
        let noise = noise(1000, 2);
        let mut hasher = blake3::Hasher::new_keyed(&[7; 32]).finalize_xof();
        let mut random = || {
            let mut bytes = [0; 16];
            hasher.fill(&mut bytes);
            Ok::<_, ()>(u128::from_le_bytes(bytes))
        };
        let n = 20_000;
        let draws: Vec<f64> =
            (0..n).map(|_| noise.draw(&mut random).expect("numbers go on") as f64).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        // 2q/(1 - q)^2 for q = e^(-1/2).
        let q = (-0.5_f64).exp();
        let expected = 2.0 * q / (1.0 - q).powi(2);
        assert!((mean - f64::from(noise.mean)).abs() < 0.1, "{mean} against {}", noise.mean);
        assert!((variance / expected - 1.0).abs() < 0.06, "{variance} against {expected}");
        assert!(draws.iter().all(|x| *x >= 0.0 && *x <= noise.most() as f64));
    }

    #[test]
    fn epsilons_out_of_range_and_tables_too_large_are_refused() {
        for (epsilon, rows) in [(0, 1), (10_001, 1), (u32::MAX, 1)] {
            let error = Noise::try_new(epsilon, rows).expect_err("out of range");
            assert!(error.contains("from 0.001 to 10"), "{error}");
        }
        for (epsilon, rows) in [(1, 1000), (10_000, 1 << 20), (1000, 0), (1000, u64::MAX)] {
            let error = Noise::try_new(epsilon, rows).expect_err("too large");
            assert!(error.contains("larger epsilon"), "{error}");
        }
        // What travels is checked as what is declared.
        let read = |text: &str| serde_json::from_str::<Noise>(text);
        let json = serde_json::to_string(&noise(500, 7)).expect("it is written");
        assert_eq!(read(&json).expect("it is read"), noise(500, 7));
        assert!(read("{\"epsilon_thousandths\":0,\"rows_per_entity\":1}").is_err());
    }
}
