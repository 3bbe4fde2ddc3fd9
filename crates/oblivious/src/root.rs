//! Exact square roots of boolean numbers.

use mpc::{Label, ProtocolError, Session, SharedBits};

use crate::adder::{self, Carry};
use crate::rowwise::rowwise_one;

/// `⌊√x⌋` of unsigned numbers.
///
/// - **Shape:** `w` planes in, `⌈w/2⌉` out.
/// - **Cost:** `⌈w/2⌉` additions of up to `⌈w/2⌉ + 2` bits, one after the other.
/// - **Source:** non-restoring square roots (Li and Chu, "A New Non-Restoring Square Root
///   Algorithm", ICCD 1996): the sign of the remainder so far says whether the next step adds or
///   subtracts.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If there is no plane.
pub fn square_root(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    assert!(x.width() > 0, "numbers of at least one bit");
    let digits = x.width().div_ceil(2);
    rowwise_one(s, label, &[x], |s, rows| {
        let x = rows[0].resized(s, 2 * digits);
        let n = x.n_rows();
        let one = SharedBits::constant(s, n, 1, 1);
        let mut root = SharedBits::constant(s, n, 0, 0);
        let mut remainder = SharedBits::constant(s, n, 1, 0);
        let mut positive = one.clone();
        for digit in (0..digits).rev() {
            // Four times the remainder and two digits more, less or more four times the root so
            // far and what its next digit adds: (r·4 + xx) ∓ (q·4 + 1 or 3). It lies within twice
            // the root either way.
            let width = root.width() + 3;
            let next = SharedBits::stack(&[&x.planes(2 * digit..2 * digit + 2), &remainder]);
            let next = next.sign_extended(width).planes(0..width);
            let step = SharedBits::stack(&[&one, &positive.not(s), &root]).resized(s, width);
            let step = step.xor(&positive.broadcast(width));
            let sum = adder::add(s, ("digit", digit), &next, &step, Carry::Secret(&positive))?;
            positive = sum.plane(width - 1).not(s);
            remainder = sum;
            root = SharedBits::stack(&[&positive, &root]);
        }
        Ok(root)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpc::lab::{self, Lab};
    use mpc::{open_bits, verify};

    #[test]
    fn roots_are_exact() {
        let mut values: Vec<i128> = (0..300).collect();
        for bits in [20u32, 41, 62] {
            for near in [-1i128, 0, 1] {
                let root = (1i128 << (bits / 2)) - 3;
                values.extend([root * root + near, (1 << bits) + near]);
            }
        }
        for width in [9usize, 63, 64] {
            let values: Vec<i128> = values.iter().map(|value| value & ((1 << width) - 1)).collect();
            let f = |s: &mut Session| {
                let x = lab::deal_numbers(s, 1, width, &values);
                let root = square_root(s, "root", &x)?;
                let root = verify(s, root)?;
                Ok(open_bits(s, "open", root)?.map(|bits| {
                    (0..bits.n_rows()).map(|row| bits.row(row).cast_signed()).collect::<Vec<_>>()
                }))
            };
            let run = Lab::seeded(1).run(f);
            assert_eq!(run.cost(), Lab::seeded(0).count(f).expect("counting succeeds"));
            let expected: Vec<i128> = values.iter().map(|value| value.isqrt()).collect();
            assert_eq!(run.agreed().expect("opened"), expected, "{width} planes");
            let plain = Lab::seeded(0).plain(f).expect("the oracle");
            assert_eq!(plain.expect("opened"), expected, "{width} planes");
        }
    }
}
