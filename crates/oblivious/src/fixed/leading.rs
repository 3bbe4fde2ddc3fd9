//! Scaling numbers by powers of two into [1/2, 1].

use math::{Planes, Z64};
use mpc::{ProtocolError, Session, Shared, SharedBits};

use super::{Rounding, power};

/// Bits after the point of scaled numbers.
pub(super) const SCALED: usize = 30;

/// Where numbers' leading bits are and what follows them.
///
/// For `m` bits of magnitude, a number's position `q` is from 0 to `m`, and its size is
/// `2^q·β` for a `β` in [1/2, 1]. Zero has position 0. A negative number that is a power of two
/// has β = 1, since the bits looked at are those of its one's complement.
pub(super) struct Leading {
    /// `m`.
    pub magnitude: usize,
    /// The position, in as many bits as `m` takes.
    pub position: SharedBits,
    /// Which of `2^w` equal pieces of [1/2, 1] holds β.
    pub piece: SharedBits,
    /// Where numbers are negative.
    pub sign: SharedBits,
    /// Where they are not zero.
    pub nonzero: SharedBits,
}

impl Leading {
    /// Finds the leading bits of numbers in two's complement; `piece` bits follow each.
    ///
    /// Cost: `⌈log₂ w⌉ + 2` rounds, about `w/2·log₂ w + w·piece` ANDs of which `piece` travel.
    pub fn find(s: &mut Session, x: &SharedBits, piece: usize) -> Result<Self, ProtocolError> {
        let magnitude = x.width() - 1;
        let sign = x.plane(magnitude);
        let v = x.planes(0..magnitude).xor(&sign.broadcast(magnitude));
        // none[i]: no bit from i upwards is set.
        let mut none = v.not(s);
        let mut span = 1;
        while span < magnitude {
            let mut pairs = Vec::new();
            // Blocks count from the top; the lower half of each takes the lowest of the upper half.
            let blocks: Vec<usize> =
                (0..magnitude).step_by(2 * span).take_while(|top| top + span < magnitude).collect();
            for top in &blocks {
                let end = magnitude - top - span;
                let start = end.saturating_sub(span);
                pairs.push((none.plane(end), none.planes(start..end)));
            }
            let borrowed: Vec<_> = pairs.iter().map(|(pivot, half)| (pivot, half)).collect();
            let done = mpc::and_many(s, ("span", span), &borrowed)?;
            let mut parts: Vec<SharedBits> = Vec::new();
            for (at, top) in blocks.iter().enumerate() {
                parts.push(none.planes(magnitude - top - span..magnitude - top));
                parts.push(done[at].clone());
            }
            let below = blocks.len() * 2 * span;
            if below < magnitude {
                parts.push(none.planes(0..magnitude - below));
            }
            parts.reverse();
            none = SharedBits::stack(&parts.iter().collect::<Vec<_>>());
            span *= 2;
        }
        let top = v.plane(magnitude - 1);
        let hot = match magnitude {
            1 => top,
            _ => SharedBits::stack(&[&none.planes(0..magnitude - 1).xor(&none.planes(1..magnitude)), &top]),
        };
        let nothing = none.plane(0);
        let bits = (usize::BITS - magnitude.leading_zeros()) as usize;
        let position = hot.map_linear(hot.n_rows(), bits, |hot| {
            Planes::build(hot.n_rows(), bits, |bit, out| {
                out.fill(0);
                for plane in (0..magnitude).filter(|plane| (plane + 1) >> bit & 1 == 1) {
                    out.iter_mut().zip(hot.plane(plane)).for_each(|(out, word)| *out ^= word);
                }
            })
        });
        // Bit `piece − by` of the piece lies `by` below the leading one. Below the lowest bit, a one's
        // complement goes on with its sign; so it does for minus one, which has no bit set.
        let terms: Vec<[(SharedBits, SharedBits); 2]> = (1..=piece)
            .rev()
            .map(|by| {
                let inside = by.min(magnitude);
                let low = (0..inside).fold(nothing.clone(), |sum, plane| sum.xor(&hot.plane(plane)));
                let high = (hot.planes(inside..magnitude), v.planes(0..magnitude - inside));
                [(low, sign.clone()), high]
            })
            .collect();
        let lists: Vec<_> = terms.iter().map(|[low, high]| [(&low.0, &low.1), (&high.0, &high.1)]).collect();
        let lists: Vec<&[_]> = lists.iter().map(|list| &list[..]).collect();
        let piece = mpc::bit_dot(s, "piece", &lists)?;
        // Minus one has no bit in its one's complement.
        let not_sign = sign.not(s);
        let zero = mpc::and(s, "zero", &nothing, &not_sign)?;
        Ok(Leading { magnitude, position, piece, nonzero: zero.not(s), sign })
    }

    /// A table over positions, zero past the last.
    pub fn by_position(&self, entry: impl Fn(usize) -> Z64) -> Vec<Z64> {
        let entries = 1 << self.position.width();
        (0..entries).map(|q| if q <= self.magnitude { entry(q) } else { Z64(0) }).collect()
    }

    /// What `x` is multiplied by so that β has [`SCALED`] bits after the point once
    /// [`Leading::excess`] bits are cut off.
    pub fn scale(&self, position: usize) -> Z64 {
        power(self.magnitude.max(SCALED) - position)
    }

    /// See [`Leading::scale`].
    fn excess(&self) -> usize {
        self.magnitude.saturating_sub(SCALED)
    }

    /// β, for numbers and their factors.
    pub fn scaled(
        &self,
        s: &mut Session,
        x: &Shared<Z64>,
        factor: &Shared<Z64>,
        rounding: Rounding,
    ) -> Result<Shared<Z64>, ProtocolError> {
        rounding.dot(s, "scaled", &[(x, factor)], None, self.excess())
    }
}
