//! The loops that every share passes through, each beside what it cannot beat.
//!
//! Sizes are those of the engine: planes and chunks of 2^15 rows, in the cache as they are there.
//! `cargo bench -p bench --bench kernels -- NAME` runs some of them.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use math::gf::{Gf64, Gf128, add_scaled, inner_product};
use math::prime::{Pair, PairVec, Prime, Sum, scale_into};
use math::subsets::{SubsetSums, SubsetWeights};
use math::transpose::{planes_to_rows, rows_to_planes};
use math::{Group, Prg, Z64, kernel, prg};

const ROWS: usize = 1 << 15;
/// One plane of a chunk.
const WORDS: usize = ROWS / 64;

fn noise<T: bytemuck::Pod>(n: usize, seed: u8) -> Vec<T> {
    let mut items = vec![T::zeroed(); n];
    Prg::new(&[seed; 16]).fill_items(0, &mut items);
    items
}

/// Masks: one stream, the difference of two, and both fused with products.
fn masks(c: &mut Criterion) {
    let mut group = c.benchmark_group("masks");
    let [own, next] = [1, 2].map(|seed| Prg::new(&[seed; 16]));
    let mut out: Vec<Z64> = noise(ROWS, 3);
    group.throughput(Throughput::Bytes(8 * ROWS as u64));
    group.bench_function("aes stream", |b| b.iter(|| own.fill_items(0, black_box(&mut out))));
    group.bench_function("zero share", |b| b.iter(|| prg::zero_share(&own, &next, 0, black_box(&mut out))));
    let [xa, xb, ya, yb] = [4, 5, 6, 7].map(|seed| noise::<Z64>(ROWS, seed));
    group.bench_function("mul_masked", |b| {
        b.iter(|| kernel::mul_masked(black_box(&mut out), &own, &next, 0, [&xa, &xb], [&ya, &yb]));
    });
    group.throughput(Throughput::Bytes(8 * WORDS as u64));
    let mut out: Vec<u64> = noise(WORDS, 3);
    let [xa, xb, ya, yb] = [4, 5, 6, 7].map(|seed| noise::<u64>(WORDS, seed));
    group.bench_function("and_masked, one plane", |b| {
        b.iter(|| kernel::and_masked(black_box(&mut out), &own, &next, 0, [&xa, &xb], [&ya, &yb]));
    });
    group.bench_function("new key", |b| b.iter(|| Prg::new(black_box(&[9; 16]))));
    group.finish();
}

/// Without masks, and what copying the same bytes takes.
fn words(c: &mut Criterion) {
    let mut group = c.benchmark_group("words");
    group.throughput(Throughput::Bytes(8 * WORDS as u64));
    let mut out: Vec<u64> = noise(WORDS, 3);
    let [x, y, z] = [4, 5, 6].map(|seed| noise::<u64>(WORDS, seed));
    group.bench_function("and_terms, one plane", |b| {
        b.iter(|| kernel::and_terms(black_box(&mut out), [&x, &y], [&z, &y]));
    });
    group.bench_function("xor_of, one plane", |b| b.iter(|| kernel::xor_of(black_box(&mut out), &x, &y, 0)));
    group.bench_function("memcpy, one plane", |b| b.iter(|| black_box(&mut out).copy_from_slice(&x)));
    for (name, n) in [("memcpy, 256 kB", ROWS), ("memcpy, 64 MB", 1 << 23)] {
        let (from, mut to): (Vec<u64>, Vec<u64>) = (noise(n, 1), noise(n, 2));
        group.throughput(Throughput::Bytes(8 * n as u64));
        group.bench_function(name, |b| b.iter(|| black_box(&mut to).copy_from_slice(&from)));
    }
    group.finish();
}

fn transposes(c: &mut Criterion) {
    let mut group = c.benchmark_group("transpose");
    group.throughput(Throughput::Bytes(8 * ROWS as u64));
    let mut rows: Vec<Z64> = noise(ROWS, 1);
    let mut planes = vec![0; 64 * WORDS];
    group.bench_function("64-bit rows to planes", |b| {
        b.iter(|| rows_to_planes(&rows, 64, black_box(&mut planes), WORDS));
    });
    group.bench_function("planes to 64-bit rows", |b| {
        b.iter(|| planes_to_rows(&planes, WORDS, 64, black_box(&mut rows)));
    });
    group.finish();
}

/// What the proof of ring products makes of each product: several of these, in three roles. The whole by
/// role is a test of `mpc`: `cargo test --release -p mpc --lib nanoseconds_per_product -- --ignored
/// --nocapture`.
fn ring_proof(c: &mut Criterion) {
    let mut group = c.benchmark_group("ring proof");
    group.throughput(Throughput::Elements(ROWS as u64));
    let mut drawn = noise::<u64>(1000, 1).into_iter();
    let prime = Prime::sample(|| drawn.next().expect("a prime among a thousand numbers"));
    let reduced =
        |seed| -> Vec<u64> { noise::<u64>(ROWS, seed).iter().map(|word| prime.reduce(*word)).collect() };
    let (selections, a, b) = (noise::<u64>(ROWS, 2), reduced(3), noise::<u64>(ROWS, 4));
    let mut out = vec![0; ROWS];
    let table = SubsetWeights::new(&prime, a[..64].try_into().expect("a weight for each subset"));
    group.bench_function("weights of subsets", |bench| {
        bench.iter(|| table.select(black_box(&selections), black_box(&mut out)));
    });
    let limbs: Vec<i64> = b.iter().map(|word| (word >> 30) as i64).collect();
    let mut sums = SubsetSums::default();
    group.bench_function("subset sums, two limbs", |bench| {
        bench.iter(|| {
            for (selections, limbs) in selections.chunks(512).zip(limbs.chunks(512)) {
                sums.add_all(selections, limbs, Some(limbs));
            }
        });
    });
    group.bench_function("elements by weights", |bench| {
        bench.iter(|| scale_into(&prime, black_box(&mut out), &a, &b));
    });
    group.bench_function("sum of products", |bench| bench.iter(|| prime.dot(black_box(&a), &b)));
    let point = Pair { re: a[0], im: a[1] };
    let points = [point; ROWS.ilog2() as usize];
    group.bench_function("weights of a fold", |bench| {
        bench.iter(|| PairVec::fold_weights(&prime, ROWS, black_box(&points)));
    });
    let weights = PairVec::fold_weights(&prime, ROWS, &points);
    group.bench_function("sum by weights of a fold", |bench| {
        bench.iter(|| {
            let mut sums = [Sum::default(); 2];
            weights.as_slice().add_products(black_box(&b), &mut sums);
            sums
        });
    });
    let rows: [&[u64]; 8] = std::array::from_fn(|row| &b[row * ROWS / 8..(row + 1) * ROWS / 8]);
    group.bench_function("eight rows into one of pairs", |bench| {
        bench.iter(|| PairVec::combine(&prime, &[point; 8], black_box(&rows)));
    });
    group.finish();
}

fn fields(c: &mut Criterion) {
    let mut group = c.benchmark_group("gf");
    fn both<F: math::gf::Field>(
        group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
        name: &str,
    ) {
        let (x, mut y): (Vec<F>, Vec<F>) = (noise(4096, 1), noise(4096, 2));
        group.throughput(Throughput::Elements(4096));
        group
            .bench_function(format!("{name} inner product"), |b| b.iter(|| inner_product(black_box(&x), &y)));
        let factor = x[7];
        group.bench_function(format!("{name} add scaled"), |b| {
            b.iter(|| add_scaled(black_box(&mut y), &x, factor));
        });
    }
    both::<Gf64>(&mut group, "64 bits");
    both::<Gf128>(&mut group, "128 bits");
    group.finish();
}

fn permutations(c: &mut Criterion) {
    let mut group = c.benchmark_group("permutation");
    group.sample_size(10);
    for n in [100_000, 1_000_000] {
        let prg = Prg::new(&[1; 16]);
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(format!("draw {n}"), |b| b.iter(|| prg.permutation(black_box(n))));
        let order = prg.permutation(n);
        let (from, mut to): (Vec<Z64>, Vec<Z64>) = (noise(n, 1), vec![Z64::ZERO; n]);
        group.bench_function(format!("gather {n}"), |b| {
            b.iter(|| kernel::add_gathered(black_box(&mut to), &from, &order));
        });
    }
    group.finish();
}

fn brief() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .without_plots()
}

criterion_group! { name = kernels; config = brief(); targets = masks, words, transposes, fields, permutations, ring_proof }
criterion_main!(kernels);
