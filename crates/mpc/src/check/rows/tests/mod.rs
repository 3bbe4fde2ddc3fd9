//! The proof against honest and lying parties.

mod attacks;
mod honest;
mod model;
mod timing;
mod wrong;

use std::sync::Arc;

use math::{Column, Group, X8, X16, X32, X64, X128, Z32};

use crate::check::flights;
use crate::error::ProtocolError;
use crate::lab::deal;
use crate::lanes::Lane;
use crate::session::Session;
use crate::share::Shared;
use crate::shuffle::Shuffler;
use crate::shuffle::stages::Pass;
use crate::step::Step;

/// A pass: rows, whether it goes backward, and the bits of its lanes of words. A lane of numbers, which
/// other proofs cover, lies between.
type Shape = (usize, bool, &'static [u32]);

fn lane<G: Group>(s: &Session, seed: u64, n: usize) -> Lane
where
    Lane: From<Shared<G>>,
{
    let word =
        |row: usize| ((u128::from(seed) << 70) + row as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c);
    deal(s, seed, &Column::from_fn(n, |row| G::from_word(word(row)))).into()
}

/// Moves rows and gives what a recorder would keep.
fn batch_of(s: &mut Session, shapes: &[Shape]) -> Result<Vec<Arc<Pass>>, ProtocolError> {
    let mut passes = Vec::new();
    for (at, (n, is_backward, widths)) in shapes.iter().enumerate() {
        let seed = |lane: usize| (10 * at + lane) as u64;
        let mut lanes: Vec<Lane> = widths
            .iter()
            .enumerate()
            .map(|(k, bits)| match bits {
                8 => lane::<X8>(s, seed(k), *n),
                16 => lane::<X16>(s, seed(k), *n),
                32 => lane::<X32>(s, seed(k), *n),
                64 => lane::<X64>(s, seed(k), *n),
                _ => lane::<X128>(s, seed(k), *n),
            })
            .collect();
        lanes.insert(1, lane::<Z32>(s, seed(9), *n));
        let shuffler = Shuffler::new(s, ("draw", at), *n)?;
        passes.push(Arc::new(shuffler.staged(s, ("move", at), &lanes, *is_backward)?.1));
    }
    Ok(passes)
}

/// Proves a batch, and hears that the others accept what they have verified.
fn prove(s: &mut Session, step: &Step, batch: &[Arc<Pass>]) -> Result<(), ProtocolError> {
    super::prove(s, step, batch)?;
    flights::confirm(s, step)
}

/// Moves rows and proves that.
fn run(s: &mut Session, shapes: &[Shape]) -> Result<(), ProtocolError> {
    let passes = batch_of(s, shapes)?;
    let step = s.begin("check")?;
    prove(s, &step, &passes)
}

/// Three rows of a byte.
const TINY: &[Shape] = &[(3, false, &[8])];
