//! The steps that operators are made of: `oblivious` under the operator's
//! numbered labels, on the engine's own types.

use math::{Ring as RingElement, Z64, Z128};
use mpc::{Shared, SharedBits};
use oblivious::adder::{self, Carry};
use oblivious::rowwise::rowwise_one;
use oblivious::{compare, convert, divide as division, root, select as choose};

use crate::context::{Context, Result};
use crate::number::Ring;

/// `x ∧ y`; a side of one plane stands for copies of it.
pub(crate) fn and(cx: &mut Context, x: &SharedBits, y: &SharedBits) -> Result<SharedBits> {
    cx.step("and", |s| mpc::and(s, "planes", x, y))
}

/// Several ANDs in one flight.
pub(crate) fn and_many(cx: &mut Context, pairs: &[(&SharedBits, &SharedBits)]) -> Result<Vec<SharedBits>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    cx.step("and", |s| mpc::and_many(s, "planes", pairs))
}

/// One bit AND each of several columns, in one flight.
pub(crate) fn and_each(
    cx: &mut Context,
    bit: &SharedBits,
    columns: &[&SharedBits],
) -> Result<Vec<SharedBits>> {
    let pairs: Vec<_> = columns.iter().map(|column| (bit, *column)).collect();
    and_many(cx, &pairs)
}

/// The AND of several planes, of which there is one at least.
pub(crate) fn and_all(cx: &mut Context, list: Vec<SharedBits>) -> Result<SharedBits> {
    let stacked = SharedBits::stack(&list.iter().collect::<Vec<_>>());
    Ok(all_set(cx, vec![stacked])?.remove(0))
}

/// The OR of several planes, of which there is one at least.
pub(crate) fn or_all(cx: &mut Context, list: Vec<SharedBits>) -> Result<SharedBits> {
    let inverted = list.iter().map(|plane| plane.not(cx.session())).collect();
    let none = and_all(cx, inverted)?;
    Ok(none.not(cx.session()))
}

/// For each column, where all of its planes are set; all in one chain of flights.
pub(crate) fn all_set(cx: &mut Context, mut columns: Vec<SharedBits>) -> Result<Vec<SharedBits>> {
    while columns.iter().any(|column| column.width() > 1) {
        let halves: Vec<(SharedBits, SharedBits)> = columns
            .iter()
            .filter(|column| column.width() > 1)
            .map(|column| {
                let half = column.width() / 2;
                (column.planes(0..half), column.planes(half..2 * half))
            })
            .collect();
        let pairs: Vec<_> = halves.iter().map(|(low, high)| (low, high)).collect();
        let mut products = and_many(cx, &pairs)?.into_iter();
        for column in columns.iter_mut().filter(|column| column.width() > 1) {
            let product = products.next().expect("one product per pair");
            *column = match column.width() % 2 {
                0 => product,
                _ => SharedBits::stack(&[&product, &column.plane(column.width() - 1)]),
            };
        }
    }
    Ok(columns)
}

/// For each pair, where both sides are equal.
pub(crate) fn equal_each(cx: &mut Context, pairs: &[(SharedBits, SharedBits)]) -> Result<Vec<SharedBits>> {
    let same = pairs.iter().map(|(x, y)| x.xor(y).not(cx.session())).collect();
    all_set(cx, same)
}

/// Where both sides are equal.
pub(crate) fn equal(cx: &mut Context, x: &SharedBits, y: &SharedBits) -> Result<SharedBits> {
    cx.step("equal", |s| {
        rowwise_one(s, "rows", &[x, y], |s, rows| compare::equal(s, "equal", &rows[0], &rows[1]))
    })
}

/// Where all planes are zero.
pub(crate) fn is_zero(cx: &mut Context, x: &SharedBits) -> Result<SharedBits> {
    cx.step("is_zero", |s| {
        rowwise_one(s, "rows", &[x], |s, rows| compare::equal_public(s, "zero", &rows[0], 0))
    })
}

/// Where `x < y`, both in two's complement if `signed`, else without sign.
pub(crate) fn less(cx: &mut Context, x: &SharedBits, y: &SharedBits, signed: bool) -> Result<SharedBits> {
    cx.step("less", |s| {
        rowwise_one(s, "rows", &[x, y], |s, rows| compare::less_than(s, "less", &rows[0], &rows[1], signed))
    })
}

/// Where `x < y` for a public `y`.
pub(crate) fn less_public(cx: &mut Context, x: &SharedBits, y: i128, signed: bool) -> Result<SharedBits> {
    cx.step("less", |s| {
        rowwise_one(s, "rows", &[x], |s, rows| {
            compare::less_than_public(s, "less", &rows[0], y.cast_unsigned(), signed)
        })
    })
}

/// Where `x > y` for a public `y`.
pub(crate) fn greater_public(cx: &mut Context, x: &SharedBits, y: i128, signed: bool) -> Result<SharedBits> {
    cx.step("greater", |s| {
        rowwise_one(s, "rows", &[x], |s, rows| {
            compare::greater_than_public(s, "greater", &rows[0], y.cast_unsigned(), signed)
        })
    })
}

/// `x` where `bit` is set, else `y`.
pub(crate) fn select(
    cx: &mut Context,
    bit: &SharedBits,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<SharedBits> {
    Ok(and(cx, bit, &x.xor(y))?.xor(y))
}

/// `x + y` modulo 2^width, planes of one width.
pub(crate) fn add(cx: &mut Context, x: &SharedBits, y: &SharedBits) -> Result<SharedBits> {
    cx.step("add", |s| {
        rowwise_one(s, "rows", &[x, y], |s, rows| adder::add(s, "add", &rows[0], &rows[1], Carry::None))
    })
}

/// `x - y` modulo 2^width, planes of one width.
pub(crate) fn subtract(cx: &mut Context, x: &SharedBits, y: &SharedBits) -> Result<SharedBits> {
    cx.step("subtract", |s| {
        rowwise_one(s, "rows", &[x, y], |s, rows| adder::sub(s, "subtract", &rows[0], &rows[1]))
    })
}

/// `-x` where `bit` is set, else `x`, modulo 2^width.
pub(crate) fn negate_where(cx: &mut Context, bit: &SharedBits, x: &SharedBits) -> Result<SharedBits> {
    cx.step("negate", |s| {
        rowwise_one(s, "rows", &[bit, x], |s, rows| adder::negate_where(s, "negate", &rows[0], &rows[1]))
    })
}

/// Planes as arithmetic shares, with the top plane as sign if `signed`.
pub(crate) fn bits_to_ring<R: RingElement>(
    cx: &mut Context,
    bits: &SharedBits,
    signed: bool,
) -> Result<Shared<R>> {
    cx.step("to_ring", |s| convert::bits_to_ring(s, "planes", bits, signed))
}

/// The low planes of arithmetic shares, the top one repeated if the ring has fewer.
pub(crate) fn ring_to_bits(cx: &mut Context, ring: &Ring, width: usize) -> Result<SharedBits> {
    let bits = match ring {
        Ring::Z64(x) => cx.step("to_bits", |s| convert::ring_to_bits(s, "ring", x, width.min(64)))?,
        Ring::Z128(x) => cx.step("to_bits", |s| convert::ring_to_bits(s, "ring", x, width.min(128)))?,
    };
    Ok(bits.sign_extended(width))
}

/// One plane as zeros and ones of a ring.
pub(crate) fn bit_to_ring<R: RingElement>(cx: &mut Context, bit: &SharedBits) -> Result<Shared<R>> {
    cx.step("bit_to_ring", |s| convert::bit_to_ring(s, "bit", bit))
}

/// The number where `bit` is set, else zero.
pub(crate) fn inject(cx: &mut Context, bit: &SharedBits, ring: &Ring) -> Result<Ring> {
    Ok(match ring {
        Ring::Z64(x) => Ring::Z64(cx.step("inject", |s| choose::keep_if::<Z64>(s, "keep", bit, x))?),
        Ring::Z128(x) => Ring::Z128(cx.step("inject", |s| choose::keep_if::<Z128>(s, "keep", bit, x))?),
    })
}

/// Products in one ring.
pub(crate) fn multiply(cx: &mut Context, x: &Ring, y: &Ring) -> Result<Ring> {
    Ok(match (x, y) {
        (Ring::Z64(x), Ring::Z64(y)) => Ring::Z64(cx.step("multiply", |s| mpc::mul(s, "product", x, y))?),
        (Ring::Z128(x), Ring::Z128(y)) => Ring::Z128(cx.step("multiply", |s| mpc::mul(s, "product", x, y))?),
        _ => return Err(cx.wrong_plan("a product of two rings")),
    })
}

/// Quotient, remainder and where the divisor is zero, of unsigned numbers.
pub(crate) fn divide(
    cx: &mut Context,
    dividend: &SharedBits,
    divisor: &SharedBits,
) -> Result<division::Quotient> {
    cx.step("divide", |s| division::divide_unsigned(s, "digits", dividend, divisor))
}

/// `⌊√x⌋` of unsigned numbers.
pub(crate) fn square_root(cx: &mut Context, x: &SharedBits) -> Result<SharedBits> {
    cx.step("root", |s| root::square_root(s, "digits", x))
}

/// Where `x` is less than each of some constants: a plane for each.
pub(crate) fn less_each(cx: &mut Context, x: &SharedBits, than: &[i128], signed: bool) -> Result<SharedBits> {
    let than: Vec<u128> = than.iter().map(|constant| constant.cast_unsigned()).collect();
    cx.step("less", |s| {
        rowwise_one(s, "rows", &[x], |s, rows| compare::less_than_each(s, "each", &rows[0], &than, signed))
    })
}
