//! Products with their proof at once, for tests of the proof by itself.

use crate::bits::SharedBits;
use crate::check::{AndStep, bits};
use crate::error::ProtocolError;
use crate::session::Session;

/// The AND of two boolean columns, proved to both neighbours before it is returned.
///
/// # Errors
/// As [`crate::and`]; `PeerDeviated` if a proof fails.
pub fn proved_and(s: &mut Session, x: &SharedBits, y: &SharedBits) -> Result<SharedBits, ProtocolError> {
    let z = crate::and(s, "and", x, y)?;
    let batch = [batch(s, x, y, &z)];
    let step = s.begin("check")?;
    bits::prove(s, &step, &batch)?;
    Ok(z)
}

/// What a compute party may add to the first and the second 128 bits of its product in
/// [`proved_and`], of one plane of up to 512 rows, so that its proof passes all the same: if it
/// knows the coins of the left and the right verifier before.
pub fn cancelling_errors(s: &Session, x: &SharedBits, y: &SharedBits, coins: &[[u8; 32]; 2]) -> [u128; 2] {
    let prover = s.seat().expect("a compute party").index;
    let step = s.step().child("check".into());
    // Of the product itself, a statement holds the shape alone.
    bits::cancelling(s, &step, &[batch(s, x, y, x)], prover, coins)
}

fn batch(s: &Session, x: &SharedBits, y: &SharedBits, z: &SharedBits) -> AndStep {
    let step = s.step().child("and".into());
    AndStep { step, pairs: vec![(x.clone(), y.clone())], z: z.clone() }
}
