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
    let and = s.step().child("and".into());
    let batch = [AndStep { step: and, pairs: vec![(x.clone(), y.clone())], z: z.clone() }];
    let step = s.begin("check")?;
    bits::prove(s, &step, &batch)?;
    Ok(z)
}
