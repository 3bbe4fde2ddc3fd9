//! Columns as planes that are equal, or in order, exactly where SQL says so.

use std::ops::Range;

use mpc::SharedBits;

use crate::context::{Context, Result};
use crate::number::Number;
use crate::relation::{Column, Data, Text};

/// Planes that are equal where the column's values are, NULL being a value of
/// its own. The column is zeroed.
pub(super) fn equality(cx: &mut Context, column: &Column) -> Result<SharedBits> {
    let value = match &column.data {
        Data::Number(number) => number.bits(cx)?,
        Data::Text(Text { key: Some(key), .. }) => key.clone(),
        Data::Text(Text { bytes: Some(bytes), .. }) => bytes.clone(),
        Data::Opaque(bits) => bits.clone(),
        Data::Text(_) | Data::Dropped => {
            return Err(cx.wrong_plan(format!("a {} column cannot be a key", column.ty)));
        }
    };
    Ok(match &column.present {
        Some(present) => SharedBits::stack(&[&value, present]),
        None => value,
    })
}

/// Whether [`equality`] planes hold all that the column does.
pub(super) fn is_whole(column: &Column) -> bool {
    !matches!(&column.data, Data::Text(Text { key: Some(_), bytes: Some(_), .. }))
}

/// The column whose [`equality`] planes are those of `keys`, but for the bytes
/// of a text that has a key beside them.
pub(super) fn from_equality(column: &Column, keys: &SharedBits, planes: Range<usize>) -> Column {
    let end = planes.end - usize::from(column.present.is_some());
    let value = keys.planes(planes.start..end);
    let data = match &column.data {
        Data::Number(number) => Data::Number(Number::from_bits(number.range(), value)),
        Data::Text(text) if text.key.is_some() => {
            Data::Text(Text { width_bytes: text.width_bytes, key: Some(value), bytes: None })
        }
        Data::Text(text) => Data::Text(Text { width_bytes: text.width_bytes, key: None, bytes: Some(value) }),
        Data::Opaque(_) => Data::Opaque(value),
        Data::Dropped => Data::Dropped,
    };
    let present = column.present.as_ref().map(|_| keys.plane(end));
    Column { ty: column.ty, data, present, zeroed: true }
}

/// The column's value as an unsigned number that orders as it does.
pub(super) fn order(cx: &mut Context, column: &Column) -> Result<SharedBits> {
    match &column.data {
        Data::Number(number) => {
            let bits = number.bits(cx)?;
            Ok(if number.range().low < 0 { flip_top(cx, &bits) } else { bits })
        }
        // A key below the bytes orders nothing, and comes along.
        Data::Text(Text { key: Some(key), bytes: Some(bytes), .. }) => Ok(SharedBits::stack(&[key, bytes])),
        Data::Text(Text { key: None, bytes: Some(bytes), .. }) => Ok(bytes.clone()),
        Data::Opaque(bits) => Ok(double_order(cx, bits)),
        _ => Err(cx.wrong_plan(format!("a {} column has no order", column.ty))),
    }
}

/// The column's value from the planes of [`order`].
pub(super) fn from_order(cx: &Context, column: &Column, planes: &SharedBits) -> Data {
    match &column.data {
        Data::Number(number) => {
            let bits = if number.range().low < 0 { flip_top(cx, planes) } else { planes.clone() };
            Data::Number(Number::from_bits(number.range(), bits))
        }
        Data::Text(text) => {
            let n_key = text.key.as_ref().map_or(0, SharedBits::width);
            let key = text.key.as_ref().map(|_| planes.planes(0..n_key));
            let bytes = Some(planes.planes(n_key..planes.width()));
            Data::Text(Text { width_bytes: text.width_bytes, key, bytes })
        }
        Data::Opaque(_) => {
            let turned = flip_top(cx, planes);
            Data::Opaque(signed(&turned))
        }
        Data::Dropped => Data::Dropped,
    }
}

/// The bits of doubles as unsigned numbers in their total order: below zero all bits are turned,
/// else the sign alone.
pub(crate) fn double_order(cx: &Context, bits: &SharedBits) -> SharedBits {
    flip_top(cx, &signed(bits))
}

/// The bits with all but the top one turned where that is set; done twice, nothing.
fn signed(bits: &SharedBits) -> SharedBits {
    let top = bits.width() - 1;
    let sign = bits.plane(top);
    let turned: Vec<SharedBits> = (0..top).map(|plane| bits.plane(plane).xor(&sign)).collect();
    SharedBits::stack(&turned.iter().chain([&sign]).collect::<Vec<_>>())
}

fn flip_top(cx: &Context, bits: &SharedBits) -> SharedBits {
    let top = bits.width() - 1;
    let flipped = bits.plane(top).not(cx.session());
    if top == 0 { flipped } else { SharedBits::stack(&[&bits.planes(0..top), &flipped]) }
}
