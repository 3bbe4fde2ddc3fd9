//! ANDs of boolean columns, alone and with what is added to them, and how their proof takes them up.

use math::Planes;

use crate::bits::SharedBits;
use crate::check::AndStep;
use crate::error::ProtocolError;
use crate::ops::same_shape;
use crate::rep3::{self, Triple};
use crate::session::{Role, Session};
use crate::share::Parts;
use crate::step::{Label, Step};

/// The bitwise AND of two boolean columns.
///
/// - **Shape:** `x` and `y` have one shape; so has the result.
/// - **Cost:** 1 round; one bit per bit and compute party.
///
/// # Errors
/// As [`crate::mul`].
pub fn and(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    let mut list = and_many(s, label, &[(x, y)])?;
    Ok(list.pop().expect("one product of one pair"))
}

/// Each plane of `x` AND the one plane `bit`.
///
/// - **Cost:** as [`and`] of `x`'s shape.
///
/// # Errors
/// As [`crate::mul`].
pub fn and_bit(
    s: &mut Session,
    label: impl Into<Label>,
    bit: &SharedBits,
    x: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    and(s, label, x, bit)
}

/// The bitwise ANDs of several pairs of boolean columns over the same rows, in one flight.
/// A side of one plane stands for as many copies as the other side is wide.
///
/// - **Cost:** 1 round; one bit per bit of result and compute party.
///
/// # Errors
/// As [`crate::mul`].
pub fn and_many(
    s: &mut Session,
    label: impl Into<Label>,
    pairs: &[(&SharedBits, &SharedBits)],
) -> Result<Vec<SharedBits>, ProtocolError> {
    let triples: Vec<_> = pairs.iter().map(|(x, y)| (*x, *y, None)).collect();
    and_onto(s, label, &triples)
}

/// [`and_many`] with something added to each product, or not: `x ∧ y ⊕ z` for `(x, y, z)`. The
/// sum costs nothing more; in malicious sessions, whose proof is about products alone, a pass over them.
///
/// - **Cost:** as [`and_many`].
///
/// # Errors
/// As [`crate::mul`].
pub fn and_onto(
    s: &mut Session,
    label: impl Into<Label>,
    triples: &[(&SharedBits, &SharedBits, Option<&SharedBits>)],
) -> Result<Vec<SharedBits>, ProtocolError> {
    let step = s.begin(label)?;
    products(s, step, triples, false)
}

/// [`and_onto`], and `twin` AND the upper planes of the last triple's left factor, as many as it has. In
/// malicious sessions the proof of both takes less than that of two ANDs.
///
/// - **Shape:** the last triple's factors are equally wide, and no narrower than `twin`.
/// - **Cost:** as [`and_many`].
///
/// # Errors
/// As [`crate::mul`].
///
/// # Panics
/// If there is no triple.
pub fn and_twin(
    s: &mut Session,
    label: impl Into<Label>,
    triples: &[(&SharedBits, &SharedBits, Option<&SharedBits>)],
    twin: &SharedBits,
) -> Result<(Vec<SharedBits>, SharedBits), ProtocolError> {
    let step = s.begin(label)?;
    let (x, y, _) = triples.last().expect("a triple with the twin's left factor");
    same_shape(&step, x.width(), y.width())?;
    let Some(first) = x.width().checked_sub(twin.width()) else {
        return Err(ProtocolError::Shape { step, left: x.width(), right: twin.width() });
    };
    let x = x.planes(first..x.width());
    let all = [triples, &[(&x, twin, None)]].concat();
    let mut products = products(s, step, &all, twin.width() > 0)?;
    let of_twin = products.pop().expect("the twin's");
    Ok((products, of_twin))
}

/// The products of one step, of which the last may have the upper planes of the left factor before.
fn products(
    s: &mut Session,
    step: Step,
    triples: &[Triple<'_>],
    has_twin: bool,
) -> Result<Vec<SharedBits>, ProtocolError> {
    let n_rows = triples.first().map_or(0, |(x, ..)| x.n_rows());
    let mut ends = Vec::with_capacity(triples.len());
    for (x, y, onto) in triples {
        same_shape(&step, n_rows, x.n_rows())?;
        same_shape(&step, n_rows, y.n_rows())?;
        if x.width() != 1 && y.width() != 1 {
            same_shape(&step, x.width(), y.width())?;
        }
        let width = rep3::n_pairs(x, y);
        if let Some(onto) = onto {
            same_shape(&step, n_rows, onto.n_rows())?;
            same_shape(&step, width, onto.width())?;
        }
        ends.push(ends.last().unwrap_or(&0) + width);
    }
    let width = ends.last().copied().unwrap_or(0);
    // What is added is no part of a product: a session that records adds it afterwards.
    let bare: Vec<_> = triples.iter().map(|(x, y, _)| (*x, *y, None)).collect();
    let records = s.records();
    let all = and_planes(s, &step, n_rows, width, if records { &bare } else { triples })?;
    if records {
        let (pairs, twins) = recorded(n_rows, triples, has_twin);
        s.record_ands(AndStep {
            step,
            pairs,
            second: Vec::new(),
            twins,
            z: all.clone(),
            provers: [true; 3],
            is_apart: false,
        })?;
    }
    let mut start = 0;
    let products = ends.iter().map(|end| all.planes(std::mem::replace(&mut start, *end)..*end));
    let finish = |(z, (_, _, onto)): (SharedBits, &Triple<'_>)| match onto {
        Some(onto) if records => z.xor(onto),
        _ => z,
    };
    Ok(products.zip(triples).map(finish).collect())
}

/// The pairs of a step for its proof, in the order of their products, and the numbers of those with the left
/// factor of the pair before.
pub(crate) fn recorded(
    n_rows: usize,
    triples: &[Triple<'_>],
    has_twin: bool,
) -> (Vec<(SharedBits, SharedBits)>, Vec<usize>) {
    let (mut pairs, mut twins) = (Vec::new(), Vec::new());
    let n_twin = if has_twin { triples[triples.len() - 1].0.width() } else { 0 };
    for (at, (x, y, _)) in triples.iter().enumerate() {
        let width = rep3::n_pairs(x, y);
        if has_twin && at + 1 == triples.len() {
            twins.push(pairs.len());
            pairs.push(((*x).clone(), (*y).clone()));
        } else if has_twin && at + 2 == triples.len() && n_twin < width {
            // Those that the twin has, apart.
            let split = [0..width - n_twin, width - n_twin..width];
            pairs.extend(split.map(|range| (x.planes(range.clone()), y.planes(range))));
        } else if width > 1 && (x.width() == 1 || y.width() == 1) && n_rows >= WORTH_SPLITTING {
            // One plane meets the halves of the others.
            let (bit, wide) = if x.width() == 1 { (x, y) } else { (y, x) };
            twins.push(pairs.len() + 1);
            let half = width / 2;
            let ranges = [0..half, half..2 * half, 2 * half..width];
            let parts = ranges.into_iter().filter(|range| !range.is_empty());
            pairs.extend(parts.map(|range| ((*bit).clone(), wide.planes(range))));
        } else {
            pairs.push(((*x).clone(), (*y).clone()));
        }
    }
    (pairs, twins)
}

/// Rows from which on a plane has a line of its own in a proof.
const WORTH_SPLITTING: usize = 512;

/// The products, and what is added to them, of one step, plane after plane.
fn and_planes(
    s: &mut Session,
    step: &Step,
    n_rows: usize,
    width: usize,
    triples: &[Triple<'_>],
) -> Result<SharedBits, ProtocolError> {
    let parts = match &s.core.clone().role {
        Role::Rep3 { roots, .. } => {
            let z = rep3::and_planes(roots, step, n_rows, width, triples);
            #[cfg(feature = "lab")]
            let z = s.product_of(step, 0, &z.dense_bytes()).map_or(z, |z| Planes::from_buf(z, n_rows, width));
            let z_next = rep3::pass_left(s, step, z.dense_bytes())?;
            Parts::Two([z, Planes::from_buf(z_next, n_rows, width)])
        }
        Role::Plain => Parts::One([rep3::plain_and_planes(n_rows, width, triples)]),
        Role::Observer => Parts::Zero,
        Role::Count(_) => {
            s.count_left(width * math::planes::words_per_plane(n_rows) * 8);
            Parts::Zero
        }
    };
    Ok(SharedBits::from_parts(n_rows, width, parts))
}
