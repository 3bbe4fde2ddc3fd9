//! The one place that decides how bits are cut off and tables are read.

use math::{Group, Z64};
use mpc::{Label, ProtocolError, Security, Session, Shared, SharedBits};

use crate::convert;

/// How bits are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Down, exactly, by circuits that are products of shares and nothing else: the same result in
    /// every session, and provable.
    Floor,
    /// To one of the two neighbours, at random, by steps in which the parties' parts differ
    /// ([`mpc::trunc_1ulp`], [`mpc::lookup`]): for semi-honest sessions, which alone run it.
    OneUlp,
}

impl Rounding {
    /// The fastest way that a session's adversary allows.
    pub fn of(s: &Session) -> Self {
        match s.security() {
            Security::SemiHonest => Rounding::OneUlp,
            Security::Malicious => Rounding::Floor,
        }
    }

    /// `x / 2^m`; signed `x` within `±2^{k−2}`.
    pub(super) fn shift(
        self,
        s: &mut Session,
        label: impl Into<Label>,
        x: &Shared<Z64>,
        m: usize,
    ) -> Result<Shared<Z64>, ProtocolError> {
        match (self, m) {
            (_, 0) => Ok(x.clone()),
            (Rounding::OneUlp, _) => mpc::trunc_1ulp(s, label, x, m),
            (Rounding::Floor, _) => convert::truncate(s, label, x, m),
        }
    }

    /// `(plus + Σ x·y) / 2^m`, likewise.
    pub(super) fn dot(
        self,
        s: &mut Session,
        label: impl Into<Label>,
        pairs: &[(&Shared<Z64>, &Shared<Z64>)],
        plus: Option<&Shared<Z64>>,
        m: usize,
    ) -> Result<Shared<Z64>, ProtocolError> {
        if self == Rounding::OneUlp && m > 0 {
            return mpc::dot_trunc_1ulp(s, label, pairs, plus, m);
        }
        s.scope(label, |s| {
            let sum = mpc::dot(s, "sum", pairs)?;
            let sum = plus.map_or(sum.clone(), |plus| sum.add(plus));
            self.shift(s, "shift", &sum, m)
        })
    }

    /// The entries of public tables at secret positions.
    pub(super) fn lookup(
        self,
        s: &mut Session,
        label: impl Into<Label>,
        index: &SharedBits,
        tables: &[&[Z64]],
    ) -> Result<Vec<Shared<Z64>>, ProtocolError> {
        match self {
            Rounding::OneUlp => mpc::lookup(s, label, index, tables),
            Rounding::Floor => s.scope(label, |s| by_products(s, index, tables)),
        }
    }
}

/// [`mpc::lookup`] by products alone.
///
/// A table over bits is a polynomial in them, one term to a set of bits. Sets within the lower
/// half of the bits and within the upper half become ring elements, and a dot product pairs them.
///
/// Cost: about 6 rounds, `2·(2^⌊w/2⌋ + 2^⌈w/2⌉) + t` elements per row and party for `t` tables.
fn by_products(
    s: &mut Session,
    index: &SharedBits,
    tables: &[&[Z64]],
) -> Result<Vec<Shared<Z64>>, ProtocolError> {
    let (n, width) = (index.n_rows(), index.width());
    let half = width / 2;
    let (low, high) = (1 << half, 1 << (width - half));
    let sets =
        [products(s, "low", &index.planes(0..half))?, products(s, "high", &index.planes(half..width))?];
    let sets = ring_bits(s, &SharedBits::stack(&[&sets[0], &sets[1]]))?;
    let (low_sets, high_sets) = sets.split_at(low - 1);
    // For each table and upper set, the sum over lower sets.
    let inner = |terms: &[Z64], upper: usize| {
        let constant = Shared::constant(s, n, terms[upper * low]);
        low_sets
            .iter()
            .zip(&terms[upper * low + 1..])
            .fold(constant, |sum, (set, weight)| sum.add(&set.scale(*weight)))
    };
    let terms: Vec<Vec<Z64>> = tables.iter().map(|table| polynomial(table)).collect();
    let sums = |upper: usize| {
        let columns: Vec<_> = terms.iter().map(|terms| inner(terms, upper)).collect();
        Shared::concat(&columns.iter().collect::<Vec<_>>())
    };
    let base = sums(0);
    let pairs: Vec<(Shared<Z64>, Shared<Z64>)> = (1..high)
        .map(|upper| (Shared::concat(&vec![&high_sets[upper - 1]; tables.len()]), sums(upper)))
        .collect();
    let pairs: Vec<_> = pairs.iter().map(|(x, y)| (x, y)).collect();
    let all = if pairs.is_empty() { base } else { base.add(&mpc::dot(s, "pairs", &pairs)?) };
    Ok((0..tables.len()).map(|at| all.rows(at * n..(at + 1) * n)).collect())
}

/// The coefficients of the polynomial whose values a table holds: of set `j`, the alternating sum
/// over its subsets.
fn polynomial(table: &[Z64]) -> Vec<Z64> {
    let mut terms = table.to_vec();
    let mut span = 1;
    while span < terms.len() {
        for at in (0..terms.len()).filter(|at| at & span != 0) {
            terms[at] = terms[at].minus(terms[at - span]);
        }
        span *= 2;
    }
    terms
}

/// The ANDs of all sets of planes but the empty one, in the order of the sets' numbers.
fn products(s: &mut Session, label: &'static str, bits: &SharedBits) -> Result<SharedBits, ProtocolError> {
    let width = bits.width();
    let mut sets: Vec<Option<SharedBits>> = vec![None; 1 << width];
    (0..width).for_each(|bit| sets[1 << bit] = Some(bits.plane(bit)));
    s.scope(label, |s| {
        // Sets of up to twice as many bits each time, from two that are there.
        let mut done = 1;
        while done < width {
            let next: Vec<usize> = (1..sets.len())
                .filter(|set: &usize| (done + 1..=2 * done).contains(&(set.count_ones() as usize)))
                .collect();
            let split = |set: usize| {
                let first = (0..done).fold(0, |taken, _| {
                    let left: usize = set & !taken;
                    taken | left & left.wrapping_neg()
                });
                (first, set & !first)
            };
            let pairs: Vec<_> = next
                .iter()
                .map(|set| {
                    let (a, b) = split(*set);
                    (sets[a].as_ref().expect("a smaller set"), sets[b].as_ref().expect("a smaller set"))
                })
                .collect();
            let made = mpc::and_many(s, ("sets", done), &pairs)?;
            next.into_iter().zip(made).for_each(|(set, product)| sets[set] = Some(product));
            done *= 2;
        }
        let all: Vec<&SharedBits> = sets.iter().flatten().collect();
        Ok(if all.is_empty() { bits.clone() } else { SharedBits::stack(&all) })
    })
}

/// Each plane as ring elements, in 2 rounds.
fn ring_bits(s: &mut Session, bits: &SharedBits) -> Result<Vec<Shared<Z64>>, ProtocolError> {
    let lifted: Vec<[Shared<Z64>; 3]> = (0..bits.width()).map(|plane| bits.plane(plane).lift(s)).collect();
    let two = Z64(2);
    let first: Vec<_> = lifted.iter().map(|[a, b, _]| (a, b)).collect();
    let first = mpc::mul_many(s, "first", &first)?;
    let halves: Vec<_> =
        lifted.iter().zip(first).map(|([a, b, _], ab)| a.add(b).sub(&ab.scale(two))).collect();
    let second: Vec<_> = halves.iter().zip(&lifted).map(|(half, [_, _, c])| (half, c)).collect();
    let second = mpc::mul_many(s, "second", &second)?;
    let whole = halves.iter().zip(&lifted).zip(second);
    Ok(whole.map(|((half, [_, _, c]), both)| half.add(c).sub(&both.scale(two))).collect())
}
