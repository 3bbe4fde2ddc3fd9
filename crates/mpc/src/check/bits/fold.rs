//! Operands' lines times the weights of a block's lines, as cells take them up.

use buf::Buf;
use math::gf::lines::{Factors, Folded, Line, Term, fold};
use math::gf::{Field, Gf128};

use super::gates::{Lines, space};
use super::shape::{Entries, Entry, Scale};
use super::transcript::Weights;

/// Folds blocks of an operand into a line of elements each.
pub(super) struct Folder<'a> {
    weights: &'a Weights,
    at_lines: &'a [Gf128],
    /// For the first and the second entry of a cell, and for blocks without a scale.
    slots: [Slot; 3],
    space: Buf,
}

/// Factors, and what they were laid out for: a scale, and a number under which it was multiplied.
struct Slot {
    factors: Box<Factors>,
    of: Option<(Scale, usize, usize)>,
}

impl<'a> Folder<'a> {
    /// For blocks whose lines have these weights.
    pub(super) fn new(weights: &'a Weights, at_lines: &'a [Gf128]) -> Self {
        let slots = [(); 3].map(|()| Slot { factors: Box::new(Factors::new(&[], [Gf128(0); 2])), of: None });
        Folder { weights, at_lines, slots, space: space(at_lines.len()) }
    }

    /// Writes the sum of the entries' blocks of an operand, each times its scale.
    pub(super) fn fold(&mut self, entries: &Entries, operand: &[Line], out: &mut [Gf128]) {
        self.lay_out(entries, None);
        let n = self.at_lines.len();
        let mut terms = entries.iter().enumerate().filter_map(|(at, entry)| {
            let entry = entry.as_ref()?;
            let lines = &operand[entry.block() * n..][..n];
            Some(Term { factors: &self.slots[slot(at, entry)].factors, lines })
        });
        match (terms.next(), terms.next()) {
            (Some(first), Some(second)) => fold(&[first, second], out),
            (Some(first), None) => fold(&[first], out),
            (None, _) => out.fill(Gf128(0)),
        }
    }

    /// Adds the entries' blocks times their scales and `times`, a factor that is known by its number. Meanwhile
    /// what `ahead` takes up is fetched.
    pub(super) fn add(
        &mut self,
        entries: &Entries,
        operand: &Lines<'_>,
        times: (usize, Gf128),
        ahead: (&Entries, &Lines<'_>),
        sums: &mut Folded,
    ) {
        self.lay_out(entries, Some(times));
        let ahead = fetched(ahead.0, ahead.1);
        let mut ahead = ahead.chunks(2);
        for (at, entry) in entries.iter().enumerate() {
            let Some(entry) = entry else { continue };
            if operand.are_zeros(entry.block()) {
                continue;
            }
            let lines = operand.pieces(entry.block(), self.space.as_mut_slice());
            let factors = &self.slots[slot(at, entry)].factors;
            factors.add(lines, ahead.next().unwrap_or_default(), sums);
        }
    }

    fn lay_out(&mut self, entries: &Entries, times: Option<(usize, Gf128)>) {
        for (at, entry) in entries.iter().enumerate() {
            let Some(entry) = entry else { continue };
            let number = times.map_or(0, |(number, _)| number);
            // Without a scale all blocks are the same.
            let block = if entry.scale == Scale::One { 0 } else { entry.block() };
            let slot = &mut self.slots[slot(at, entry)];
            if slot.of != Some((entry.scale, block, number)) {
                let scales = self.weights.scales(entry.block(), entry.scale);
                let scales = scales.map(|scale| times.map_or(scale, |(_, times)| scale.times(times)));
                slot.factors.set(self.at_lines, scales);
                slot.of = Some((entry.scale, block, number));
            }
        }
    }
}

/// Where the factors of an entry are laid out.
fn slot(at: usize, entry: &Entry) -> usize {
    if entry.scale == Scale::One { 2 } else { at }
}

/// What lies in place of these blocks.
fn fetched<'a>(entries: &Entries, operand: &Lines<'a>) -> [&'a [Line]; 4] {
    let [first, second] =
        entries.map(|entry| entry.map_or([&[][..]; 2], |entry| operand.ahead(entry.block())));
    [first[0], first[1], second[0], second[1]]
}
