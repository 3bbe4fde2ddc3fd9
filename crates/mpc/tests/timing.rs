//! The time of the hot kernels and steps does not depend on shares.
//!
//! Shares of zeros against random ones, in memory that both classes have alike. A kernel that
//! branches on a secret, planted here, is seen at once.

use bytemuck::cast_slice;
use math::gf::{Field, Gf128};
use math::prg::{self, Prg};
use math::{Column, X64, Z64, kernel, pack};
use mpc::lab::timing::{Secrets, assert_steady, assert_steady_step, assert_tells};
use mpc::{Lane, Shuffler};

#[path = "timing/proofs.rs"]
mod proofs;

const WORDS: usize = 512;

/// Four slices of words.
fn four(secrets: &mut Secrets) -> [Vec<u64>; 4] {
    [0; 4].map(|_| secrets.words(WORDS))
}

fn elements(words: &[u64]) -> Vec<Gf128> {
    words.chunks(2).map(|words| Gf128(u128::from(words[0]) | u128::from(words[1]) << 64)).collect()
}

fn field_elements(secrets: &mut Secrets) -> [Vec<Gf128>; 4] {
    four(secrets).map(|words| elements(&words))
}

fn prgs() -> [Prg; 2] {
    [Prg::new(&[1; 16]), Prg::new(&[2; 16])]
}

#[test]
fn products_do_not_show_their_factors() {
    let [own, next] = prgs();
    let mut out = vec![0; WORDS];
    assert_steady("and_terms", four, |[a, b, c, d]| {
        out.fill(0);
        kernel::and_terms(&mut out, [a, b], [c, d]);
    });
    assert_steady("and_masked", four, |[a, b, c, d]| {
        kernel::and_masked(&mut out, &own, &next, 0, [a, b], [c, d]);
    });
    let ring = |secrets: &mut Secrets| [0; 4].map(|_| secrets.column::<Z64>(WORDS));
    let mut products = vec![Z64(0); WORDS];
    assert_steady("mul_masked", ring, |[a, b, c, d]| {
        let (x, y) = ([a.items(), b.items()], [c.items(), d.items()]);
        kernel::mul_masked(&mut products, &own, &next, 0, x, y);
    });
    assert_steady("dot_terms", ring, |[a, b, c, d]| {
        kernel::dot_terms([a.items(), b.items()], [c.items(), d.items()])
    });
    assert_steady("mul_terms", ring, |[a, b, c, d]| {
        kernel::mul_terms(&mut products, [a.items(), b.items()], [c.items(), d.items()]);
    });
    assert_steady("sum_of", ring, |[a, b, c, d]| {
        kernel::sum_of(&mut products, &[a.items(), b.items()], &[c.items(), d.items()], Z64(7));
    });
    let mut product = vec![Z64(0); 256];
    assert_steady("matmul_into", ring, |[a, b, ..]| {
        kernel::matmul_into(&mut product, &a.items()[..256], &b.items()[..256], [16, 16, 16]);
    });
}

#[test]
fn comparisons_and_conversions_do_not_show_their_operands() {
    let mut out = vec![0; WORDS];
    assert_steady("add_generate", four, |[a, b, c, d]| {
        kernel::add_generate(&mut out, [a, b, c], [d, a]);
    });
    assert_steady("add_propagate", four, |[a, b, c, d]| {
        kernel::add_propagate(&mut out, [a, b, c], [d, a], true);
    });
    let mut next = vec![0; WORDS];
    assert_steady("carry_alone", four, |[a, b, c, _]| kernel::carry_alone(&mut out, &mut next, a, b, c));
    assert_steady("carry_along", four, |[a, b, c, d]| {
        kernel::carry_along(&mut out, &mut next, a, b, [c, d]);
    });
    assert_steady("carry_message", four, |[a, b, c, d]| {
        kernel::carry_message(&mut out, [a, b], [c, d], [a, c]);
    });
    let digits = |secrets: &mut Secrets| -> [Vec<kernel::Line>; 4] {
        [0; 4].map(|_| (0..24).map(|_| [0; 8].map(|_| secrets.word())).collect())
    };
    let (mut less, mut same) = ([[0; 8]; 8], [[0; 8]; 8]);
    assert_steady("compare_digits", digits, |[a, b, c, d]| {
        kernel::compare_digits(&mut less, &mut same, [a, b], [c, d]);
    });
    assert_steady("planes", |secrets| secrets.column::<Z64>(WORDS), |column| pack::planes(column, 64));
    assert_steady("elements", |secrets| secrets.planes(WORDS, 64), pack::elements::<Z64>);
    let bytes = |secrets: &mut Secrets| cast_slice::<u64, u8>(&secrets.words(WORDS / 8)).to_vec();
    let rho = Column::from_fn(WORDS, |row| Z64(row as u64 * 77));
    let mut sums = vec![Z64(0); WORDS];
    assert_steady(
        "trunc_first",
        |secrets| (bytes(secrets), secrets.column::<Z64>(WORDS)),
        |(bits, a)| {
            kernel::trunc_first(&mut sums, &mut bits.clone(), a.items(), rho.items(), Z64(5), 20);
        },
    );
    assert_steady(
        "trunc_second",
        |secrets| (bytes(secrets), secrets.column::<Z64>(WORDS)),
        |(bits, b)| {
            kernel::trunc_second(&mut sums, bits, b.items(), rho.items(), 20);
        },
    );
    assert_steady("flip_entry", bytes, |at| kernel::lookup::flip_entry(&mut out, at, 64));
    assert_steady("move_entries", bytes, |by| kernel::lookup::move_entries(&mut out, by));
}

#[test]
fn masks_do_not_show_their_keys() {
    let key = |secrets: &mut Secrets| Prg::new(cast_slice(&secrets.words(2)).try_into().expect("16 bytes"));
    let mut out = vec![Z64(0); WORDS];
    assert_steady("a stream", key, |prg| prg.fill_items(0, &mut out));
    assert_steady(
        "a key",
        |secrets| secrets.words(2),
        |words| Prg::new(cast_slice(words).try_into().expect("16 bytes")),
    );
    let other = Prg::new(&[3; 16]);
    assert_steady("zero shares", key, |prg| prg::zero_share(prg, &other, 0, &mut out));
}

#[test]
fn steps_do_not_show_their_shares() {
    let bits = |secrets: &mut Secrets| [0; 2].map(|_| secrets.shared_bits(WORDS, 8));
    assert_steady_step("and", bits, |s, [x, y]| mpc::and(s, "and", x, y));
    assert_steady_step("and_onto", bits, |s, [x, y]| mpc::and_onto(s, "and", &[(x, y, Some(y))]));
    let ring = |secrets: &mut Secrets| [0; 2].map(|_| secrets.shared::<Z64>(WORDS));
    assert_steady_step("mul", ring, |s, [x, y]| mpc::mul(s, "mul", x, y));
    assert_steady_step("inner_product", ring, |s, [x, y]| mpc::inner_product(s, "inner", x, y));
    assert_steady_step("trunc_1ulp", ring, |s, [x, _]| mpc::trunc_1ulp(s, "trunc", x, 20));
    assert_steady_step("open", ring, |s, [x, _]| {
        let x = mpc::verify(s, x.clone())?;
        mpc::open(s, "open", x)
    });
    // The party at the other end of a shuffle's first message; its rows are shares as well.
    let lanes = |secrets: &mut Secrets| [Lane::from(secrets.shared::<X64>(WORDS))];
    assert_steady_step("shuffle", lanes, |s, lanes| {
        Shuffler::new(s, "draw", WORDS)?.shuffle(s, "move", lanes)
    });
}

/// Kernels that look at their secrets.
#[test]
fn a_branch_on_a_secret_shows() {
    assert_tells("a selection with a branch", four, |[bits, x, y, _]| {
        let choose = |((bit, x), y): ((&u64, &u64), &u64)| {
            if bit & 1 == 1 { std::hint::black_box(*x) } else { std::hint::black_box(*y) ^ 1 }
        };
        bits.iter().zip(x).zip(y).map(choose).fold(0, |all, word| all ^ word)
    });
    assert_tells("a comparison that ends early", four, |[x, y, ..]| {
        x.iter().zip(y).position(|(x, y)| std::hint::black_box(x != y))
    });
    assert_tells("a branch on one bit", four, |[x, y, ..]| {
        let sum = x.iter().zip(y).fold(0, |all, (x, y)| all ^ (x & y));
        if x[0] & 1 == 1 {
            y[..WORDS / 8].iter().fold(sum, |all, word| std::hint::black_box(all ^ word))
        } else {
            sum
        }
    });
    assert_tells("a product that skips zeros", field_elements, |[x, y, ..]| {
        let times = |(x, y): (&Gf128, &Gf128)| if x.0 == 0 { Gf128(0) } else { x.times(*y) };
        x.iter().zip(y).map(times).fold(0, |all, product| all ^ product.0)
    });
}
