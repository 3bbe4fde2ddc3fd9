//! Addition of boolean numbers.

use mpc::{Label, ProtocolError, Session, SharedBits};

/// What enters below the lowest bit.
pub enum Carry<'a> {
    /// Zero.
    None,
    /// One in every row.
    One,
    /// A secret bit per row.
    Secret(&'a SharedBits),
}

/// `x + y` modulo `2^w`, plus a carry.
///
/// - **Shape:** `n` rows of `w` planes; so is the result.
/// - **Cost:** `⌈log₂ w⌉ + 1` rounds; about `w·(1 + ¾·log₂ w)` ANDs per row.
/// - **Source:** Sklansky's prefix adder: as deep as any, with the fewest nodes; its large
///   fan-out costs nothing here.
///
/// # Errors
/// `Shape` if the shapes differ; `Link`.
///
/// # Panics
/// If the widths differ.
pub fn add(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
    carry: Carry<'_>,
) -> Result<SharedBits, ProtocolError> {
    let width = x.width();
    let sum = x.xor(y);
    if width == 0 {
        return Ok(sum);
    }
    s.scope(label, |s| {
        // Position i generates x_i∧y_i and propagates x_i⊕y_i. The top position sends nothing on.
        let mut generate: Vec<SharedBits> = match width {
            1 => Vec::new(),
            _ => {
                let top = width - 1;
                let all = mpc::and(s, "generate", &x.planes(0..top), &y.planes(0..top))?;
                (0..top).map(|plane| all.plane(plane)).collect()
            }
        };
        let mut propagate: Vec<SharedBits> = (0..width - 1).map(|plane| sum.plane(plane)).collect();
        let lowest = match carry {
            Carry::None => None,
            Carry::One => {
                if let Some(first) = generate.first_mut() {
                    *first = first.xor(&propagate[0]);
                }
                Some(SharedBits::constant(s, x.n_rows(), 1, 1))
            }
            Carry::Secret(bit) => {
                // One more position below, which generates the carry.
                generate.insert(0, bit.clone());
                propagate.insert(0, bit.clone());
                None
            }
        };
        let secret = matches!(carry, Carry::Secret(_));
        prefix(s, &mut generate, &mut propagate)?;
        // What goes into position i is what came out of all positions below it.
        let zero = SharedBits::constant(s, x.n_rows(), 1, 0);
        let mut carries: Vec<&SharedBits> = Vec::with_capacity(width);
        if !secret {
            carries.push(lowest.as_ref().unwrap_or(&zero));
        }
        carries.extend(&generate);
        Ok(sum.xor(&SharedBits::stack(&carries[..width])))
    })
}

/// `x − y` modulo `2^w`. Cost: as [`add`].
///
/// # Errors
/// As [`add`].
///
/// # Panics
/// As [`add`].
pub fn sub(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    let inverted = y.not(s);
    add(s, label, x, &inverted, Carry::One)
}

/// `−x` modulo `2^w`. Cost: as [`add`].
///
/// # Errors
/// As [`add`].
pub fn neg(s: &mut Session, label: impl Into<Label>, x: &SharedBits) -> Result<SharedBits, ProtocolError> {
    negate_where(s, label, &SharedBits::constant(s, x.n_rows(), 1, 1), x)
}

/// `−x` where `bit` is one, else `x`, modulo `2^w`.
///
/// - **Cost:** as [`add`]: inverting by a secret bit is free, and the bit is the carry.
///
/// # Errors
/// As [`add`].
pub fn negate_where(
    s: &mut Session,
    label: impl Into<Label>,
    bit: &SharedBits,
    x: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    if x.width() == 0 {
        return Ok(x.clone());
    }
    // x⊕b plus b: only the carry travels, so bit i gets it where all lower bits of x⊕b are one.
    let inverted = x.xor(&bit.broadcast(x.width()));
    s.scope(label, |s| {
        let mut generate = vec![bit.clone()];
        let zero = SharedBits::constant(s, x.n_rows(), 1, 0);
        generate.extend((0..x.width() - 1).map(|_| zero.clone()));
        let mut propagate = vec![bit.clone()];
        propagate.extend((0..x.width() - 1).map(|plane| inverted.plane(plane)));
        prefix(s, &mut generate, &mut propagate)?;
        Ok(inverted.xor(&SharedBits::stack(&generate.iter().collect::<Vec<_>>())))
    })
}

/// `|x|` of a number in two's complement, as one without sign of the same width, and its sign.
///
/// # Errors
/// As [`add`].
pub fn absolute(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
) -> Result<(SharedBits, SharedBits), ProtocolError> {
    let sign = x.plane(x.width() - 1);
    Ok((negate_where(s, label, &sign, x)?, sign))
}

/// Adds three numbers into two with the same sum modulo `2^w`: the second one's lowest bit is zero.
///
/// - **Cost:** 1 round, `w − 1` ANDs per row.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If the shapes differ.
pub fn carry_save(
    s: &mut Session,
    label: impl Into<Label>,
    [a, b, c]: [&SharedBits; 3],
) -> Result<[SharedBits; 2], ProtocolError> {
    let (ac, bc) = (a.xor(c), b.xor(c));
    let sum = ac.xor(b);
    let zero = SharedBits::constant(s, a.n_rows(), 1, 0);
    if a.width() < 2 {
        let zero = zero.resized(s, a.width());
        return Ok([sum, zero]);
    }
    let low = 0..a.width() - 1;
    let majority = mpc::and(s, label, &ac.planes(low.clone()), &bc.planes(low.clone()))?.xor(&c.planes(low));
    Ok([sum, SharedBits::stack(&[&zero, &majority])])
}

/// Turns what each position generates and propagates into what all positions up to it generate.
fn prefix(
    s: &mut Session,
    generate: &mut [SharedBits],
    propagate: &mut [SharedBits],
) -> Result<(), ProtocolError> {
    let n = generate.len();
    let mut span = 1;
    while span < n {
        let mut pairs = Vec::new();
        let mut targets = Vec::new();
        for base in (0..n).step_by(2 * span) {
            let pivot = base + span - 1;
            for at in base + span..n.min(base + 2 * span) {
                pairs.push((&propagate[at], &generate[pivot]));
                targets.push((at, true));
                // Blocks that start at the lowest position have nothing to propagate.
                if base > 0 {
                    pairs.push((&propagate[at], &propagate[pivot]));
                    targets.push((at, false));
                }
            }
        }
        let products = mpc::and_many(s, ("span", span), &pairs)?;
        for ((at, generates), product) in targets.into_iter().zip(products) {
            if generates {
                generate[at] = generate[at].xor(&product);
            } else {
                propagate[at] = product;
            }
        }
        span *= 2;
    }
    Ok(())
}
