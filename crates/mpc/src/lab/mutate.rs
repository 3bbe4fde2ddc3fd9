//! What can be done to one message.

use std::fmt;
use std::time::Duration;

use buf::Buf;

use super::hooks::step_of;
use super::{Message, Trace};

/// Longer than neighbours on an idle machine need for a few rounds, shorter than anybody notices.
const A_WHILE: Duration = Duration::from_millis(2);

/// What a cheater does with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// It says something else.
    Say(Change),
    /// It computes something else, says it and goes on with it.
    Compute(Change),
    /// It moves rows differently: two rows of factor `.0` of a shuffle change places, in all that
    /// it says and computes.
    Move(usize),
    /// It says what was said elsewhere.
    Replay(Replay),
    /// It says the right thing in the wrong way.
    Send(Fate),
}

/// A change of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Bit `.0` turns.
    Flip(usize),
    /// The little-endian element of `bytes` at byte `at` grows by one.
    AddOne {
        /// Where it starts.
        at: usize,
        /// Its size.
        bytes: usize,
    },
    /// The same grows by half of its ring.
    AddHalf {
        /// Where it starts.
        at: usize,
        /// Its size.
        bytes: usize,
    },
    /// The first and the second half change places.
    SwapHalves,
    /// The first two elements of `.0` bytes change places.
    SwapElements(usize),
    /// All bytes become zero.
    Zero,
    /// All but `.0` bytes are cut off.
    Truncate(usize),
    /// `.0` zero bytes are added.
    Extend(usize),
}

/// Where a replayed payload comes from. All have the replaced one's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The sender's latest message of another step.
    Step,
    /// The sender's latest message of another chunk of this step.
    Chunk,
    /// The latest message that the receiver sent to the sender.
    Echo,
    /// The same message in a session with other keys.
    Session,
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Twice.
    Duplicate,
    /// Not at all.
    Drop,
    /// Later, and all that its sender says after it as well.
    Delay,
    /// Later than what its sender says next.
    Reorder,
}

impl Fate {
    /// By how much a message is late.
    pub const LATE: Duration = A_WHILE;

    /// Whether the others have to get along with it.
    pub fn is_harmless(self) -> bool {
        matches!(self, Fate::Delay | Fate::Reorder)
    }
}

impl Change {
    /// Changes a payload.
    pub fn apply(self, payload: &mut Buf) {
        match self {
            Change::Truncate(n) => payload.truncate(n),
            Change::Extend(n) => {
                let mut longer = Buf::zeroed(payload.len() + n);
                longer.bytes_mut()[..payload.len()].copy_from_slice(payload.bytes());
                *payload = longer;
            }
            in_place => in_place.apply_in_place(payload.bytes_mut()),
        }
    }

    /// Changes bytes without changing how many there are.
    pub(super) fn apply_in_place(self, bytes: &mut [u8]) {
        let half = bytes.len() / 2;
        match self {
            Change::Flip(bit) => bytes[bit / 8] ^= 1 << (bit % 8),
            Change::AddOne { at, bytes: n } => {
                for byte in &mut bytes[at..at + n] {
                    let carry;
                    (*byte, carry) = byte.overflowing_add(1);
                    if !carry {
                        break;
                    }
                }
            }
            Change::AddHalf { at, bytes: n } => bytes[at + n - 1] ^= 0x80,
            Change::SwapHalves => {
                let (left, right) = bytes.split_at_mut(half);
                left.swap_with_slice(&mut right[..half]);
            }
            Change::SwapElements(n) => {
                let (left, right) = bytes.split_at_mut(n);
                left.swap_with_slice(&mut right[..n]);
            }
            Change::Zero => bytes.fill(0),
            Change::Truncate(_) | Change::Extend(_) => {}
        }
    }
}

/// How many ways of changing each message a sweep tries.
#[derive(Clone, Copy, Debug)]
pub struct Depth {
    /// Messages of at most so many bytes have each of their bits flipped.
    pub every_bit_up_to: usize,
    /// Longer ones have at most so many of them flipped and the last one, evenly spread.
    pub flips: usize,
    /// The bytes of an element, for additions and swaps.
    pub element_bytes: usize,
}

impl Default for Depth {
    fn default() -> Self {
        Depth { every_bit_up_to: 1, flips: 8, element_bytes: 8 }
    }
}

impl Depth {
    /// The bits to flip in a message of `n_bytes`: the lowest ones of elements, the first row's if
    /// these are words of planes, and the last one of all.
    fn bits(&self, n_bytes: usize) -> Vec<usize> {
        let n_bits = 8 * n_bytes;
        if n_bytes <= self.every_bit_up_to {
            return (0..n_bits).collect();
        }
        let element = 8 * self.element_bytes.min(n_bytes);
        let n_elements = n_bits.div_ceil(element);
        let n = n_elements.min(self.flips);
        (0..n).map(|at| at * n_elements / n * element).chain([n_bits - 1]).collect()
    }

    fn changes(&self, n_bytes: usize) -> Vec<Change> {
        let mut changes: Vec<Change> = self.bits(n_bytes).into_iter().map(Change::Flip).collect();
        if n_bytes == 0 {
            return changes;
        }
        let bytes = self.element_bytes.min(n_bytes);
        changes.extend([Change::AddOne { at: 0, bytes }, Change::AddHalf { at: 0, bytes }]);
        if n_bytes >= 2 * bytes {
            changes.push(Change::AddHalf { at: n_bytes - bytes, bytes });
            changes.push(Change::SwapElements(bytes));
        }
        if n_bytes > 2 * bytes {
            changes.push(Change::SwapHalves);
        }
        changes.push(Change::Zero);
        changes
    }

    /// Everything to try with one message of a trace.
    pub(super) fn mutations(&self, message: &Message, trace: &Trace, foreign: &Trace) -> Vec<Mutation> {
        let is_first = trace.messages.iter().find(|other| other.from == message.from) == Some(message);
        let n_bytes = message.payload.len();
        let changes = self.changes(n_bytes);
        let mut all: Vec<Mutation> = changes.iter().copied().map(Mutation::Say).collect();
        if message.is_product {
            all.extend(changes.into_iter().map(Mutation::Compute));
        }
        if message.is_move {
            all.extend([0, 1].map(Mutation::Move));
        }
        if n_bytes > 0 {
            all.extend([0, n_bytes - 1].map(|n| Mutation::Say(Change::Truncate(n))));
        }
        all.extend([1, n_bytes.max(8)].map(|n| Mutation::Say(Change::Extend(n))));
        let is_possible = |replay: &Replay| match replay {
            Replay::Session => foreign.counterpart(message).is_some(),
            _ => trace.messages.iter().any(|other| replay.fits(message, other)),
        };
        let replays = [Replay::Step, Replay::Chunk, Replay::Echo, Replay::Session];
        all.extend(replays.into_iter().filter(is_possible).map(Mutation::Replay));
        all.extend([Fate::Duplicate, Fate::Drop, Fate::Reorder].map(Mutation::Send));
        // Once for each sender: all that it says after its first message is late as well.
        all.extend(is_first.then_some(Mutation::Send(Fate::Delay)));
        all
    }
}

impl Replay {
    /// Whether `other` may take the place of `message`, if it left before.
    pub(super) fn fits(self, message: &Message, other: &Message) -> bool {
        let same_step = step_of(message.tag).step == step_of(other.tag).step;
        message.payload.len() == other.payload.len()
            && match self {
                Replay::Step => other.from == message.from && !same_step,
                Replay::Chunk => {
                    other.from == message.from && same_step && message.tag.chunk != other.tag.chunk
                }
                Replay::Echo => other.from == message.to && other.to == message.from,
                Replay::Session => false,
            }
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mutation::Say(change) => write!(f, "says {change:?}"),
            Mutation::Compute(change) => write!(f, "computes {change:?}"),
            Mutation::Move(factor) => write!(f, "moves otherwise by its factor {factor}"),
            Mutation::Replay(replay) => write!(f, "replays {replay:?}"),
            Mutation::Send(fate) => write!(f, "sends {fate:?}"),
        }
    }
}
