//! How a simulated link behaves.

use std::time::Duration;

use crate::{PartyId, Tag};

/// A link, simulated or described, the same for every ordered pair of parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LinkProfile {
    /// From the last byte leaving to its arrival: half a round trip.
    pub delay: Duration,
    /// Each message is late by up to this much more.
    pub jitter: Duration,
    /// Payload and headers per second in one direction; `None` is unlimited.
    pub bits_per_second: Option<u64>,
}

impl LinkProfile {
    /// No delay, no limit: the link as it is.
    pub const INSTANT: LinkProfile =
        LinkProfile { delay: Duration::ZERO, jitter: Duration::ZERO, bits_per_second: None };

    /// A link with a round trip of `round_trip_ms` and `mbit_per_second` each way.
    pub fn wan(round_trip_ms: u64, mbit_per_second: u64) -> Self {
        LinkProfile {
            delay: Duration::from_micros(round_trip_ms * 500),
            jitter: Duration::ZERO,
            bits_per_second: Some(mbit_per_second.saturating_mul(1_000_000)),
        }
    }

    /// Whether the profile changes nothing.
    pub fn is_instant(&self) -> bool {
        *self == LinkProfile::INSTANT
    }

    /// The profile as bytes, different for different profiles: for parties that compare theirs.
    pub fn to_bytes(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..16].copy_from_slice(&self.delay.as_nanos().to_le_bytes());
        bytes[16..32].copy_from_slice(&self.jitter.as_nanos().to_le_bytes());
        // No bandwidth at all is none that anybody has.
        bytes[32..].copy_from_slice(&self.bits_per_second.unwrap_or(0).to_le_bytes());
        bytes
    }

    /// How long `n_bytes` occupy the link.
    pub fn occupancy(&self, n_bytes: usize) -> Duration {
        match self.bits_per_second {
            None => Duration::ZERO,
            Some(bits) => {
                Duration::from_nanos((n_bytes as u128 * 8_000_000_000 / u128::from(bits.max(1))) as u64)
            }
        }
    }

    /// Delay and jitter of the frames of one message. They share it, so a message
    /// keeps its inner order while messages overtake one another.
    pub(crate) fn lateness(&self, from: PartyId, to: PartyId, tag: Option<Tag>) -> Duration {
        let Some(tag) = tag else { return self.delay };
        let pair = (from.index() * crate::MAX_PARTIES + to.index()) as u64;
        let word =
            (tag.step as u64) ^ ((tag.step >> 64) as u64) ^ (u64::from(tag.chunk) << 16) ^ (pair << 56);
        self.delay + self.jitter.mul_f64(unit(word))
    }
}

/// A number in [0, 1) that looks random (SplitMix64's finaliser).
pub(crate) fn unit(word: u64) -> f64 {
    let mut z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
