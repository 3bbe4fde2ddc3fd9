//! Choice by a secret bit.

use math::Ring;
use mpc::{Label, ProtocolError, Session, Shared, SharedBits};

use crate::convert;

/// `x` where `bit` is one, else `y`.
///
/// - **Shape:** one plane for `bit`, `w` planes for the others and the result.
/// - **Cost:** 1 round, `w` ANDs per row.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If the shapes of `x` and `y` differ.
pub fn select(
    s: &mut Session,
    label: impl Into<Label>,
    bit: &SharedBits,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    Ok(mpc::and_bit(s, label, bit, &x.xor(y))?.xor(y))
}

/// `x ∨ y`. Cost: 1 round, one AND per bit.
///
/// # Errors
/// As [`mpc::and`].
pub fn or(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    let neither = mpc::and(s, label, &x.not(s), &y.not(s))?;
    Ok(neither.not(s))
}

/// `x` where `bit` is one, else zero, for ring elements.
///
/// - **Cost:** 3 rounds, three ring elements per row and party.
///
/// # Errors
/// As [`mpc::mul`].
pub fn keep_if<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    bit: &SharedBits,
    x: &Shared<R>,
) -> Result<Shared<R>, ProtocolError> {
    s.scope(label, |s| {
        let bit = convert::bit_to_ring(s, "bit", bit)?;
        keep_where(s, "keep", &bit, x)
    })
}

/// The product of two columns, in chunks: `x` where `bit` is one, zero where it is zero.
pub(crate) fn keep_where<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    bit: &Shared<R>,
    x: &Shared<R>,
) -> Result<Shared<R>, ProtocolError> {
    if bit.len() != x.len() {
        return Err(crate::table::shape(s, bit.len(), x.len()));
    }
    let chunks =
        s.chunks(label, x.len(), |s, rows| mpc::mul(s, "mul", &bit.rows(rows.clone()), &x.rows(rows)))?;
    Ok(Shared::concat(&chunks.iter().collect::<Vec<_>>()))
}

/// `x` where `bit` is one, else `y`, for ring elements. Cost: as [`keep_if`].
///
/// # Errors
/// As [`mpc::mul`].
pub fn select_ring<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    bit: &SharedBits,
    x: &Shared<R>,
    y: &Shared<R>,
) -> Result<Shared<R>, ProtocolError> {
    Ok(keep_if(s, label, bit, &x.sub(y))?.add(y))
}
