//! The proof against honest and lying parties.

mod alone;
mod attacks;
mod honest;
mod kinds;
mod reference;
mod reuse;
mod speed;
mod sums;
mod timing;
mod wrong;

use math::Planes;

use super::gates;
use super::shape::Kind;
use crate::check::{AndStep, flights};
use crate::error::ProtocolError;
use crate::lab::deal_bits;
use crate::session::Session;
use crate::step::Step;
use crate::{SharedBits, and_many};

/// Pseudorandom planes, bits past the last row included.
fn planes(seed: u64, n_rows: usize, width: usize) -> Planes {
    Planes::build(n_rows, width, |plane, out| {
        for (at, word) in out.iter_mut().enumerate() {
            let x = (seed << 40 | (plane as u64) << 20 | at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *word = (x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ x >> 7;
        }
    })
}

/// One step of ANDs: rows, and the widths of each pair.
type StepShape = (usize, Vec<(usize, usize)>);

/// Runs the ANDs of these shapes, as [`and_many`] does, and keeps what a recorder would.
fn batch_of(s: &mut Session, shapes: &[StepShape]) -> Result<Vec<AndStep>, ProtocolError> {
    let mut batch = Vec::new();
    for (at, (n_rows, widths)) in shapes.iter().enumerate() {
        let side = |seed: usize, width| deal_bits(s, seed as u64, &planes(seed as u64, *n_rows, width));
        let pairs: Vec<_> = (widths.iter().enumerate())
            .map(|(pair, (left, right))| {
                let seed = 1000 * at + 10 * pair;
                (side(seed, *left), side(seed + 1, *right))
            })
            .collect();
        let refs: Vec<_> = pairs.iter().map(|(x, y)| (x, y)).collect();
        let z = and_many(s, ("and", at), &refs)?;
        let z = SharedBits::stack(&z.iter().collect::<Vec<_>>());
        let step = s.step().child(("and", at).into());
        batch.push(AndStep {
            step,
            pairs,
            second: Vec::new(),
            twins: Vec::new(),
            z,
            provers: [true; 3],
            is_apart: false,
        });
    }
    Ok(batch)
}

/// Proves a batch, and hears that the others accept what they have verified.
fn prove(s: &mut Session, step: &Step, batch: &[AndStep]) -> Result<(), ProtocolError> {
    super::prove(s, step, batch)?;
    flights::confirm(s, step)
}

/// Runs the ANDs and proves them.
fn run(s: &mut Session, shapes: &[StepShape]) -> Result<(), ProtocolError> {
    let batch = batch_of(s, shapes)?;
    let step = s.begin("check")?;
    prove(s, &step, &batch)
}

/// A number of equal steps with one row of one gate each.
fn tiny() -> Vec<StepShape> {
    vec![(1, vec![(1, 1)])]
}
