//! The proof against honest and lying parties.

mod attacks;
mod honest;
mod model;
mod moves;
mod reference;
mod speed;
mod timing;
mod wrong;

use std::sync::Arc;

use math::{Column, Ring, Z8, Z16, Z32, Z64, Z128};

use crate::check::flights;
use crate::check::{Form, ProductStep, RingBatch};
use crate::error::ProtocolError;
use crate::lab::deal;
use crate::lanes::Lane;
use crate::session::Session;
use crate::share::Shared;
use crate::shuffle::Shuffler;
use crate::step::Step;
use crate::{dot, inner_product, matmul, mul_many};

/// One step of products.
#[derive(Clone, Debug)]
enum StepShape {
    /// Rows, and how many pairs are added up.
    Dot(usize, usize),
    /// Rows of each pair.
    Many(Vec<usize>),
    Inner(usize),
    Matrix([usize; 3]),
    /// Rows of a shuffle, forward or backward.
    Moved(usize, bool),
}
use StepShape::{Dot, Inner, Many, Matrix, Moved};

/// The bits of its ring, and what it multiplies.
type RingStep = (u32, StepShape);

/// Pseudorandom words; the first ones of every four are the least and the greatest.
fn column<R: Ring>(seed: u64, n: usize) -> Column<R> {
    Column::from_fn(n, |row| match (row as u64 + seed) % 5 {
        0 => R::ZERO,
        1 => R::ZERO.minus(R::ONE),
        _ => {
            let x = (u128::from(seed) << 40 | row as u128)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            R::from_word((x ^ x >> 61).wrapping_mul(0xbf58_476d_1ce4_e5b9_94d0_49bb_1331_11eb) >> 3)
        }
    })
}

/// Runs a step and gives what a recorder would keep.
fn product<R: Ring>(s: &mut Session, at: usize, shape: &StepShape) -> Result<ProductStep<R>, ProtocolError>
where
    Lane: From<Shared<R>>,
    Shared<R>: TryFrom<Lane, Error = Lane>,
{
    let side = |seed: usize, n| -> Shared<R> { deal(s, seed as u64, &column(seed as u64, n)) };
    let pair = |pair: usize, n| (side(1000 * at + 2 * pair, n), side(1000 * at + 2 * pair + 1, n));
    let label = ("product", at);
    let (form, z) = match shape {
        Dot(n_rows, n_pairs) => {
            let pairs: Vec<_> = (0..*n_pairs).map(|at| pair(at, *n_rows)).collect();
            let z = dot(s, label, &pairs.iter().map(|(x, y)| (x, y)).collect::<Vec<_>>())?;
            (Form::Rows(vec![pairs]), z)
        }
        Many(n_rows) => {
            let pairs: Vec<_> = n_rows.iter().enumerate().map(|(at, n)| pair(at, *n)).collect();
            let z = mul_many(s, label, &pairs.iter().map(|(x, y)| (x, y)).collect::<Vec<_>>())?;
            let z = Shared::concat(&z.iter().collect::<Vec<_>>());
            (Form::Rows(pairs.into_iter().map(|pair| vec![pair]).collect()), z)
        }
        Inner(n) => {
            let (x, y) = pair(0, *n);
            let z = inner_product(s, label, &x, &y)?;
            (Form::Inner(x, y), z)
        }
        Matrix(shape) => {
            let [rows, inner, columns] = *shape;
            let (x, y) = (side(1000 * at, rows * inner), side(1000 * at + 1, inner * columns));
            let z = matmul(s, label, &x, &y, *shape)?;
            (Form::Matrix { x, y, shape: *shape }, z)
        }
        Moved(n, is_backward) => {
            // A lane of words is none of the ring's business.
            let lanes = [lab_words(s, *n), side(1000 * at, *n).into()];
            let shuffler = Shuffler::new(s, ("draw", at), *n)?;
            let (moved, pass) = shuffler.staged(s, label, &lanes, *is_backward)?;
            let z = Shared::<R>::try_from(moved[1].clone()).expect("the lane's group");
            (Form::Moved(Arc::new(pass), 1), z)
        }
    };
    Ok(ProductStep { step: s.step().child(label.into()), form, z })
}

fn lab_words(s: &Session, n: usize) -> Lane {
    deal(s, 7, &Column::from_fn(n, |row| math::X16(row as u16))).into()
}

/// Runs these steps and keeps what a recorder would.
fn batch_of(s: &mut Session, steps: &[RingStep]) -> Result<RingBatch, ProtocolError> {
    let mut batch = RingBatch::default();
    for (at, (bits, shape)) in steps.iter().enumerate() {
        let known = match bits {
            8 => batch.push(product::<Z8>(s, at, shape)?),
            16 => batch.push(product::<Z16>(s, at, shape)?),
            32 => batch.push(product::<Z32>(s, at, shape)?),
            64 => batch.push(product::<Z64>(s, at, shape)?),
            _ => batch.push(product::<Z128>(s, at, shape)?),
        };
        assert!(known);
    }
    Ok(batch)
}

/// Proves a batch, and hears that the others accept what they have verified.
fn prove(s: &mut Session, step: &Step, batch: &RingBatch) -> Result<(), ProtocolError> {
    super::prove(s, step, batch)?;
    flights::confirm(s, step)
}

/// Runs the products and proves them.
fn run(s: &mut Session, steps: &[RingStep]) -> Result<(), ProtocolError> {
    let batch = batch_of(s, steps)?;
    let step = s.begin("check")?;
    prove(s, &step, &batch)
}

/// One product of one ring.
fn tiny() -> Vec<RingStep> {
    vec![(64, Dot(1, 1))]
}
