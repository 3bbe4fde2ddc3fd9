//! Whether the time that code takes depends on secrets, statistically: after dudect (Reparaz,
//! Balasch, Verbauwhede, DATE 2017).

use std::hint::black_box;
use std::time::{Duration, Instant};

use math::{Column, Group, Planes};

use super::Lab;
use crate::bits::SharedBits;
use crate::error::ProtocolError;
use crate::session::Session;
use crate::share::{Parts, Shared};

/// Measurements of one try, or fewer of what takes long.
const RUNS: usize = 10_000;

/// What one try may take.
const TRY: Duration = Duration::from_millis(400);

/// Parts of the fastest measurements that are compared: whatever interrupts some of them.
const CROPS: [f64; 7] = [1.0, 0.99, 0.95, 0.9, 0.75, 0.5, 0.25];

/// What Student's t has to stay below. Equal distributions come to 5 rarely, and a branch on a
/// secret to hundreds.
const LIMIT: f64 = 15.0;

/// Tries before a verdict: noise does not repeat.
const TRIES: u64 = 4;

/// Where secrets come from: all zeros, or random. Both take the same work.
pub struct Secrets {
    state: u64,
    mask: u64,
}

impl Secrets {
    /// Random ones.
    pub fn random(seed: u64) -> Self {
        Secrets { state: seed, mask: u64::MAX }
    }

    /// The next word.
    pub fn word(&mut self) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) & self.mask
    }

    /// The next words.
    pub fn words(&mut self, n: usize) -> Vec<u64> {
        (0..n).map(|_| self.word()).collect()
    }

    /// A column.
    pub fn column<G: Group>(&mut self, n: usize) -> Column<G> {
        Column::from_fn(n, |_| G::from_word(u128::from(self.word()) << 64 | u128::from(self.word())))
    }

    /// What a party holds of a shared column.
    pub fn shared<G: Group>(&mut self, n: usize) -> Shared<G> {
        Shared::from_parts(n, Parts::Two([self.column(n), self.column(n)]))
    }

    /// What a party holds of a boolean sharing.
    pub fn shared_bits(&mut self, n_rows: usize, width: usize) -> SharedBits {
        let parts = Parts::Two([self.planes(n_rows, width), self.planes(n_rows, width)]);
        SharedBits::from_parts(n_rows, width, parts)
    }

    /// Boolean columns.
    pub fn planes(&mut self, n_rows: usize, width: usize) -> Planes {
        Planes::build(n_rows, width, |_, out| out.iter_mut().for_each(|word| *word = self.word()))
    }
}

/// Student's t between the times that `run` takes with secrets of zeros and with random ones:
/// the largest over all crops. `make` prepares an input, which is not measured.
pub fn difference<I, O>(
    seed: u64,
    mut make: impl FnMut(&mut Secrets) -> I,
    mut run: impl FnMut(&I) -> O,
) -> f64 {
    let mut seeds = Secrets::random(seed);
    let mut times = Vec::with_capacity(RUNS);
    let end = Instant::now() + TRY;
    while times.len() < RUNS && Instant::now() < end {
        // An input of its own for each: where it lies in memory has to do with no class.
        let class = (seeds.word() >> 7) as usize % 2;
        let mask = (class as u64).wrapping_neg();
        let input = make(&mut Secrets { state: seeds.word(), mask });
        let start = Instant::now();
        black_box(run(black_box(&input)));
        times.push((start.elapsed().as_nanos() as f64, class));
    }
    let mut sorted: Vec<f64> = times.iter().map(|(time, _)| *time).collect();
    sorted.sort_by(f64::total_cmp);
    let at_most = |part: f64| sorted[((sorted.len() - 1) as f64 * part) as usize];
    CROPS.iter().map(|part| student(&times, at_most(*part)).abs()).fold(0.0, f64::max)
}

/// Welch's t of the measurements up to `limit`.
fn student(times: &[(f64, usize)], limit: f64) -> f64 {
    let [a, b] = [0, 1].map(|class| {
        let own = || times.iter().filter(move |(time, other)| *other == class && *time <= limit);
        let n = own().count().max(2) as f64;
        let mean = own().map(|(time, _)| time).sum::<f64>() / n;
        let variance = own().map(|(time, _)| (time - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, variance / n)
    });
    let deviation = (a.1 + b.1).sqrt();
    // Clocks with coarse ticks may give one time to all.
    if deviation == 0.0 && a.0 == b.0 { 0.0 } else { (a.0 - b.0) / deviation }
}

/// Asserts that the time of `run` does not show its secrets.
///
/// # Panics
/// If it does, in each of several tries.
pub fn assert_steady<I, O>(
    name: &str,
    mut make: impl FnMut(&mut Secrets) -> I,
    mut run: impl FnMut(&I) -> O,
) {
    let t: Vec<f64> = (0..TRIES)
        .map(|seed| difference(seed, &mut make, &mut run))
        .inspect(|t| println!("{name}: t = {t:.1}"))
        .take_while(|t| *t > LIMIT)
        .collect();
    assert!(t.len() < TRIES as usize, "the time of {name} depends on secrets: t = {t:.0?}");
}

/// [`assert_steady`] for a step at one party, without the others.
///
/// # Panics
/// As it, and if the step fails.
pub fn assert_steady_step<I, O>(
    name: &str,
    make: impl FnMut(&mut Secrets) -> I,
    mut step: impl FnMut(&mut Session, &I) -> Result<O, ProtocolError>,
) {
    Lab::seeded(1).alone(|s| {
        let mut n_runs = 0;
        assert_steady(name, make, |input| {
            n_runs += 1;
            s.scope(("run", n_runs), |s| step(s, input)).expect("a step alone succeeds")
        });
    });
}

/// Asserts that the time of `run` shows its secrets: a mutant that has to be seen, on a machine
/// whose noise hides it at times as well.
///
/// # Panics
/// If it does not, in any of many tries.
pub fn assert_tells<I, O>(name: &str, mut make: impl FnMut(&mut Secrets) -> I, mut run: impl FnMut(&I) -> O) {
    let mut t = (0..5 * TRIES)
        .map(|seed| difference(seed, &mut make, &mut run))
        .inspect(|t| println!("{name}, a mutant: t = {t:.1}"));
    assert!(t.any(|t| t > LIMIT), "nobody sees that the time of {name} depends on secrets");
}
