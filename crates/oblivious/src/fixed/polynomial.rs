//! Polynomials whose coefficients are looked up.

use math::Z64;
use math::fixed::{Piecewise, scaled};
use mpc::{ProtocolError, Session, Shared, SharedBits};

use super::Rounding;

/// Bits after the point of variables and of coefficients.
pub(super) const BITS: usize = 30;

/// The tables of a piecewise polynomial, for [`evaluate`].
pub(super) struct Tables(Vec<Vec<Z64>>);

impl Tables {
    /// The coefficients in the ring; the constant ones as products have them.
    pub fn new(pieces: &Piecewise) -> Self {
        let table =
            |(power, values): (usize, &Vec<f64>)| scaled(values, if power == 0 { 2 * BITS } else { BITS });
        Tables(pieces.coefficients.iter().enumerate().map(table).collect())
    }

    /// One more table, to be looked up along.
    pub fn push(&mut self, table: Vec<Z64>) {
        self.0.push(table);
    }

    /// The coefficients of each row's piece, and what else there is a table of.
    pub fn at(
        &self,
        s: &mut Session,
        piece: &SharedBits,
        rounding: Rounding,
    ) -> Result<Vec<Shared<Z64>>, ProtocolError> {
        let tables: Vec<&[Z64]> = self.0.iter().map(Vec::as_slice).collect();
        rounding.lookup(s, "coefficients", piece, &tables)
    }
}

/// The powers `t, t², …` of numbers with [`BITS`] bits after the point, as many.
///
/// Cost: 3 rounds for the square, 3 more for the cube.
pub(super) fn powers(
    s: &mut Session,
    t: &Shared<Z64>,
    degree: usize,
    rounding: Rounding,
) -> Result<Vec<Shared<Z64>>, ProtocolError> {
    let mut powers = vec![t.clone()];
    while powers.len() < degree {
        let last = &powers[powers.len() - 1];
        let next = rounding.dot(s, ("power", powers.len() + 1), &[(last, t)], None, BITS)?;
        powers.push(next);
    }
    Ok(powers)
}

/// `Σ_i coefficients[i]·t^i + plus`, with `fraction` bits after the point. `plus` has twice
/// [`BITS`]. The magnitude is below 4.
pub(super) fn evaluate(
    s: &mut Session,
    coefficients: &[Shared<Z64>],
    powers: &[Shared<Z64>],
    fraction: usize,
    rounding: Rounding,
) -> Result<Shared<Z64>, ProtocolError> {
    let pairs: Vec<_> = coefficients[1..].iter().zip(powers).collect();
    rounding.dot(s, "polynomial", &pairs, Some(&coefficients[0]), 2 * BITS - fraction)
}
