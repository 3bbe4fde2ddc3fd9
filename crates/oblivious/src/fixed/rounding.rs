//! The one place that decides how bits are cut off and tables are read.

use math::{Column, Group, Z64, kernel};
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
/// A table over bits is a polynomial in them, one term to a set of bits. The bits become ring
/// elements, and so do the products of sets within the lower half of them and within the
/// upper half; a dot product pairs them.
///
/// Cost: about 5 rounds, `w + 2^⌊w/2⌋ + 2^⌈w/2⌉ + t` elements per row and party for `t` tables.
fn by_products(
    s: &mut Session,
    index: &SharedBits,
    tables: &[&[Z64]],
) -> Result<Vec<Shared<Z64>>, ProtocolError> {
    let (n, width) = (index.n_rows(), index.width());
    let half = width / 2;
    let (low, high) = (1 << half, 1 << (width - half));
    let mut bits = ring_bits(s, index)?;
    let upper = bits.split_off(half);
    let [low_sets, high_sets] = sets(s, [bits, upper])?;
    let terms: Vec<Vec<Z64>> = tables.iter().map(|table| polynomial(table)).collect();
    // For each upper set, table by table, the sum over lower sets, of which the empty one is one.
    let one = Shared::constant(s, n, Z64(1));
    let lines = Shared::concat(&std::iter::once(&one).chain(&low_sets).collect::<Vec<_>>());
    let sum = |upper: usize| {
        let weights: Vec<Z64> =
            terms.iter().flat_map(|terms| &terms[upper * low..(upper + 1) * low]).copied().collect();
        lines.map_linear(n * tables.len(), |lines| {
            Column::build(n * tables.len(), |out| {
                out.fill(Z64::ZERO);
                kernel::matmul_into(out, &weights, lines.items(), [tables.len(), low, n]);
            })
        })
    };
    let pairs: Vec<(Shared<Z64>, Shared<Z64>)> = (1..high)
        .map(|upper| (Shared::concat(&vec![&high_sets[upper - 1]; tables.len()]), sum(upper)))
        .collect();
    let pairs: Vec<_> = pairs.iter().map(|(x, y)| (x, y)).collect();
    let all = if pairs.is_empty() { sum(0) } else { sum(0).add(&mpc::dot(s, "pairs", &pairs)?) };
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

/// The products of all sets of bits but the empty one, in the order of the sets' numbers, within each
/// of two lists.
fn sets(s: &mut Session, bits: [Vec<Shared<Z64>>; 2]) -> Result<[Vec<Shared<Z64>>; 2], ProtocolError> {
    let widths = bits.each_ref().map(Vec::len);
    let mut sets = bits.map(|bits| {
        let mut sets: Vec<Option<Shared<Z64>>> = vec![None; 1 << bits.len()];
        bits.into_iter().enumerate().for_each(|(at, bit)| sets[1 << at] = Some(bit));
        sets
    });
    // Sets of up to twice as many bits each time, from two that are there.
    let mut done = 1;
    while done < widths[0].max(widths[1]) {
        let is_next = |set: &usize| (done + 1..=2 * done).contains(&(set.count_ones() as usize));
        let next: Vec<[usize; 2]> = [0, 1]
            .into_iter()
            .flat_map(|list| (1..sets[list].len()).filter(is_next).map(move |set| [list, set]))
            .collect();
        let split = |set: usize| {
            let first = (0..done).fold(0, |taken, _| {
                let left: usize = set & !taken;
                taken | left & left.wrapping_neg()
            });
            [first, set & !first]
        };
        let pairs: Vec<_> = next
            .iter()
            .map(|[list, set]| {
                let [a, b] = split(*set).map(|set| sets[*list][set].as_ref().expect("a smaller set"));
                (a, b)
            })
            .collect();
        let made = mpc::mul_many(s, ("sets", done), &pairs)?;
        next.into_iter().zip(made).for_each(|([list, set], product)| sets[list][set] = Some(product));
        done *= 2;
    }
    Ok(sets.map(|sets| sets.into_iter().flatten().collect()))
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
