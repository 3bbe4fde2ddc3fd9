//! Coins that are tried, every one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use math::{Column, Group, Planes, PlanesMut};

use super::dealt;
use crate::bits::SharedBits;
use crate::session::Session;
use crate::share::Shared;
use crate::step::Step;

/// Coins that are tried, every one: row `r` of each random draw takes its bits from the
/// number `r`, the same ones at both holders of a key.
///
/// With `n` rows for `n = 2^coins`, every sequence of coins has a row of its own, so that
/// counting what a party sees over all rows gives its view's exact distribution.
pub struct Script {
    element_bits: u32,
    facing: Option<Facing>,
    muted: Option<Muted>,
    taken: Mutex<(u32, BTreeMap<Draw, u32>)>,
}

/// The party whose coins and shares are fixed, and by what.
#[derive(Clone, Copy)]
struct Facing {
    party: usize,
    seed: u64,
}

/// What a mutant draws zeros for.
#[derive(Clone, Copy)]
enum Muted {
    Key(usize),
    Draw(Draw),
}

/// A key, a step and a use.
type Draw = (usize, [u8; 20], u8);

/// Where a draw takes its bits from.
#[derive(Clone, Copy)]
enum Coins {
    /// From bit `.0` of the row's number on.
    Row(u32),
    /// The same in all rows.
    Fixed(u128),
}

/// The key of the draws with which inputs are dealt: nobody's.
const DEALER: usize = 3;

impl Script {
    /// Coins for elements of `element_bits` random low bits, and for planes.
    pub fn new(element_bits: u32) -> Arc<Self> {
        Self::of(element_bits, None, None)
    }

    /// Only the coins that `party` does not know are tried: its own ones and the shares that are
    /// dealt to it are the same in all rows, and follow from a seed. What it receives is then all
    /// that tells rows apart.
    pub fn facing(element_bits: u32, party: usize, seed: u64) -> Arc<Self> {
        Self::of(element_bits, Some(Facing { party, seed }), None)
    }

    /// The same coins for another run.
    pub fn afresh(&self) -> Arc<Self> {
        Self::of(self.element_bits, self.facing, self.muted)
    }

    /// A mutant: the draws of one key are zeros. Its views must give it away.
    pub fn without_key(&self, key: usize) -> Arc<Self> {
        Self::of(self.element_bits, self.facing, Some(Muted::Key(key)))
    }

    /// Mutants that lack one of the draws that were made here each, in which coins were tried.
    pub fn without_one_draw(&self) -> Vec<Arc<Self>> {
        let draws: Vec<Draw> = self.taken().1.keys().copied().collect();
        let mute = |draw| Self::of(self.element_bits, self.facing, Some(Muted::Draw(draw)));
        draws.into_iter().filter(|draw| draw.0 != DEALER).map(mute).collect()
    }

    fn of(element_bits: u32, facing: Option<Facing>, muted: Option<Muted>) -> Arc<Self> {
        Arc::new(Script { element_bits, facing, muted, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, (u32, BTreeMap<Draw, u32>)> {
        self.taken.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Coins given out so far.
    pub fn coins(&self) -> u32 {
        self.taken().0
    }

    /// Streams that were drawn from so far, each under a key, a step and a use of its own.
    pub fn draws(&self) -> usize {
        self.taken().1.len()
    }

    /// The coins of `row` that the keys of `party` gave: part of its view.
    pub fn coins_of(&self, party: usize, row: usize) -> Vec<u64> {
        let taken = self.taken();
        let firsts: Vec<u32> = taken.1.values().copied().chain([taken.0]).collect();
        let held = taken.1.iter().filter(|(draw, _)| draw.0 == party || draw.0 == (party + 1) % 3);
        held.map(|(_, first)| {
            let end = firsts.iter().copied().filter(|other| other > first).min().expect("the end is later");
            (row as u64 >> first) & ((1 << (end - first)) - 1)
        })
        .collect()
    }

    /// What the first draw from a key gave at `row`: zero if the key is muted.
    pub fn drawn(&self, key: usize, row: usize) -> u64 {
        let first = self.taken().1.iter().find(|(draw, _)| draw.0 == key).map(|(_, first)| *first);
        match (first, &self.muted) {
            (Some(_), Some(Muted::Key(muted))) if *muted == key => 0,
            (Some(first), _) => row as u64 >> first & ((1 << self.element_bits) - 1),
            (None, _) => 0,
        }
    }

    /// A sharing of public values with every pair of summands tried; facing a party, with one, of
    /// which it does not know the third summand.
    pub fn deal<G: Group>(self: &Arc<Self>, s: &Session, seed: u8, values: &Column<G>) -> Shared<G> {
        let draw = |slot| {
            Column::build(values.len(), |out: &mut [G]| self.stream((DEALER, [seed; 20], slot)).fill(out))
        };
        let shares = self.summands(draw, |a, b| values.zip(a, G::minus).zip(b, G::minus));
        Shared::from_parts(values.len(), dealt(s, values, shares))
    }

    /// [`Script::deal`] for boolean columns.
    pub fn deal_bits(self: &Arc<Self>, s: &Session, seed: u8, values: &Planes) -> SharedBits {
        let (n, width) = (values.n_rows(), values.width());
        let draw = |slot| {
            let mut planes = PlanesMut::stale(n, width);
            self.stream((DEALER, [seed; 20], slot)).fill_planes(n, width, planes.words_mut());
            planes.freeze()
        };
        let rest = |a: &Planes, b: &Planes| values.zip(a, |x, y| x ^ y).zip(b, |x, y| x ^ y);
        SharedBits::from_parts(n, width, dealt(s, values, self.summands(draw, rest)))
    }

    /// The third summand is the one that the party lacks.
    fn summands<T>(&self, draw: impl Fn(u8) -> T, rest: impl FnOnce(&T, &T) -> T) -> [T; 3] {
        let (a, b) = (draw(0), draw(1));
        let c = rest(&a, &b);
        let mut shares = [a, b, c];
        shares.rotate_right(self.facing.map_or(0, |facing| facing.party));
        shares
    }

    fn stream(self: &Arc<Self>, draw: Draw) -> ScriptedStream {
        ScriptedStream { draw, script: Arc::clone(self) }
    }

    /// Where a draw of `n_bits` takes its coins from.
    fn coins_for(&self, draw: Draw, n_bits: u32) -> Coins {
        if let Some(Facing { party, seed }) = self.facing
            && draw.0 != (party + 2) % 3
        {
            let step = draw.1.iter().fold(seed, |hash, byte| hash.rotate_left(7) ^ u64::from(*byte));
            return Coins::Fixed(super::noise(step, draw.0, usize::from(draw.2)));
        }
        let mut taken = self.taken();
        let next = taken.0;
        let first = *taken.1.entry(draw).or_insert(next);
        if first == next {
            taken.0 += n_bits;
        }
        match &self.muted {
            Some(Muted::Key(key)) if *key == draw.0 => Coins::Fixed(0),
            Some(Muted::Draw(muted)) if *muted == draw => Coins::Fixed(0),
            _ => Coins::Row(first),
        }
    }
}

impl Coins {
    /// The coins of a row, the first one lowest: zeros where a run draws more than rows have.
    fn of(self, row: usize) -> u128 {
        match self {
            Coins::Row(first) => row.checked_shr(first).unwrap_or(0) as u128,
            Coins::Fixed(bits) => bits,
        }
    }
}

/// A key whose streams are scripted.
pub(crate) struct ScriptedKey {
    key: usize,
    script: Arc<Script>,
}

/// One scripted stream.
pub(crate) struct ScriptedStream {
    draw: Draw,
    script: Arc<Script>,
}

impl Script {
    pub(super) fn key(self: &Arc<Self>, key: usize) -> ScriptedKey {
        ScriptedKey { key, script: Arc::clone(self) }
    }
}

impl ScriptedKey {
    pub(crate) fn stream(&self, step: &Step, purpose: u8) -> ScriptedStream {
        self.script.stream((self.key, step.key_bytes(), purpose))
    }
}

impl ScriptedStream {
    pub(crate) fn fill<G: Group>(&self, out: &mut [G]) {
        let bits = self.script.element_bits.min(G::BITS);
        let coins = self.script.coins_for(self.draw, bits);
        out.iter_mut()
            .enumerate()
            .for_each(|(row, out)| *out = G::from_word(coins.of(row) & ((1 << bits) - 1)));
    }

    pub(crate) fn fill_planes(&self, n_rows: usize, width: usize, out: &mut [u64]) {
        let coins = self.script.coins_for(self.draw, width as u32);
        out.fill(0);
        let stride = out.len() / width.max(1);
        for row in 0..n_rows {
            let bits = coins.of(row);
            for plane in 0..width {
                out[plane * stride + row / 64] |= ((bits >> plane & 1) as u64) << (row % 64);
            }
        }
    }

    /// Scripted runs try masks, not orders: rows stay where they are.
    pub(crate) fn permutation(&self, n: usize) -> Vec<u32> {
        (0..n as u32).collect()
    }
}
