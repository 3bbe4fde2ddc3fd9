//! Numbers as text.

use mpc::SharedBits;
use plan::secure::{Expr, Writing};
use plan::types::Value;

use super::arith::magnitude;
use super::string::Bytes;
use super::{Rows, Scalar};
use crate::context::{Context, Result};
use crate::kernel;
use crate::number::Number;

impl Rows<'_> {
    /// The number in decimal digits.
    pub(super) fn written(
        &self,
        cx: &mut Context,
        expr: &Expr,
        writing: Writing,
        operand: &Expr,
        guard: &SharedBits,
    ) -> Result<Scalar> {
        let x = self.eval(cx, operand, guard)?;
        if x.is_null() {
            return Ok(Scalar::Public(Value::Null));
        }
        // Nothing is written beside a NULL but zero, which the next operator clears.
        let column = self.secret(cx, operand.ty, 0, x)?.zeroed(cx)?;
        let width = expr.width_bytes as usize;
        let text = match writing {
            Writing::Decimal { scale } => decimal(cx, column.as_number(cx)?, scale.into(), width)?,
            Writing::Date => date(cx, column.as_number(cx)?)?,
        };
        let mut column = text.into_column(column.present);
        column.zeroed = column.present.is_none();
        Ok(Scalar::secret(column))
    }
}

/// Digits with zeros before the number taken away, a point, and a sign.
fn decimal(cx: &mut Context, number: &Number, scale: usize, width: usize) -> Result<Bytes> {
    let (sign, magnitude) = magnitude(cx, number)?;
    let n_digits = width - usize::from(scale > 0) - usize::from(sign.is_some());
    let digits = digits(cx, &magnitude, n_digits)?;
    let inverted = digits[..n_digits - 1 - scale].iter().map(|digit| digit.not(cx.session())).collect();
    let zero: Vec<SharedBits> = kernel::all_set(cx, inverted)?;
    // Ones as long as there was nothing but zeros.
    let mut begun: Vec<SharedBits> = zero.iter().map(|zero| zero.not(cx.session())).collect();
    begun = super::string::running_or(cx, begun)?;
    let gone: Vec<SharedBits> = begun.iter().map(|begun| begun.not(cx.session())).collect();
    let n_rows = number.n_rows();
    let mut signs: Vec<SharedBits> = digits.iter().map(|digit| ascii(cx, digit)).collect();
    if scale > 0 {
        signs.insert(n_digits - scale, byte(cx, n_rows, b'.'));
    }
    let text = text(&signs).without_first(cx, &gone)?;
    let Some(sign) = sign else { return Ok(text) };
    // A minus where there is one, and nothing else.
    let zero = SharedBits::constant(cx.session(), n_rows, 1, 0);
    let minus: Vec<&SharedBits> =
        (0..8).map(|bit| if b'-' >> bit & 1 == 1 { &sign } else { &zero }).collect();
    let minus = Bytes { width: 1, bits: SharedBits::stack(&minus) };
    minus.followed_by(cx, &text)
}

/// `yyyymmdd` with its hyphens.
fn date(cx: &mut Context, number: &Number) -> Result<Bytes> {
    let (_, magnitude) = magnitude(cx, number)?;
    let digits = digits(cx, &magnitude, 8)?;
    let mut signs: Vec<SharedBits> = digits.iter().map(|digit| ascii(cx, digit)).collect();
    for at in [6, 4] {
        signs.insert(at, byte(cx, number.n_rows(), b'-'));
    }
    Ok(text(&signs))
}

fn byte(cx: &Context, n_rows: usize, sign: u8) -> SharedBits {
    SharedBits::constant(cx.session(), n_rows, 8, sign.into())
}

/// The sign of a digit: 0x30 and its four bits.
fn ascii(cx: &Context, digit: &SharedBits) -> SharedBits {
    SharedBits::stack(&[digit, &SharedBits::constant(cx.session(), digit.n_rows(), 4, 3)])
}

fn text(signs: &[SharedBits]) -> Bytes {
    let bits = SharedBits::stack(&signs.iter().rev().collect::<Vec<_>>());
    Bytes { width: signs.len(), bits }
}

/// The decimal digits of an unsigned number, the highest first, four planes each.
///
/// Doubling and adding one bit after the other: a digit `d` of 5 or more carries one, and leaves
/// `d − 5` to be doubled. Two flights for each bit, five ANDs for each digit that may be there yet.
fn digits(cx: &mut Context, bits: &SharedBits, n_digits: usize) -> Result<Vec<SharedBits>> {
    let n_rows = bits.n_rows();
    let zero = SharedBits::constant(cx.session(), n_rows, 4, 0);
    // Lowest first.
    let mut digits = vec![zero; n_digits];
    for (done, at) in (0..bits.width()).rev().enumerate() {
        // What `done` bits hold.
        let most = if done >= 127 { u128::MAX } else { (1u128 << done) - 1 };
        let active = (most.checked_ilog10().map_or(0, |log| log as usize + 1)).min(n_digits);
        let mut carry = bits.plane(at);
        if active > 0 {
            let d = SharedBits::concat(&digits[..active].iter().collect::<Vec<_>>());
            let [b0, b1, b2, b3] = [0, 1, 2, 3].map(|plane| d.plane(plane));
            let products = kernel::and_many(cx, &[(&b1, &b0), (&b1, &b2), (&b3, &b0), (&b0, &b2)])?;
            let [p, q, r, u] = <[SharedBits; 4]>::try_from(products).expect("four products");
            let z = kernel::and(cx, &b2, &p)?;
            let above = q.xor(&u).xor(&z);
            let carries = b3.xor(&above);
            let fours = b2.xor(&above).xor(&r);
            let twos = b1.xor(&q).xor(&z).xor(&b3).xor(&r);
            let ones = b0.xor(&u).xor(&q).xor(&z).xor(&b3);
            for (place, digit) in digits.iter_mut().enumerate().take(active) {
                let rows = place * n_rows..(place + 1) * n_rows;
                let [ones, twos, fours] = [&ones, &twos, &fours].map(|plane| plane.copy_rows(rows.clone()));
                *digit = SharedBits::stack(&[&carry, &ones, &twos, &fours]);
                carry = carries.copy_rows(rows);
            }
        }
        // The place that begins now.
        if active < n_digits {
            let rest = SharedBits::constant(cx.session(), n_rows, 3, 0);
            digits[active] = SharedBits::stack(&[&carry, &rest]);
        }
    }
    digits.reverse();
    Ok(digits)
}
