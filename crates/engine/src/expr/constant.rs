//! Public values as columns.

use math::{Column as Elements, Planes, Ring as _, Z64, Z128};
use mpc::SharedBits;
use plan::types::{Range, Type, Value};

use crate::context::{Context, Result};
use crate::number::{Number, width_of};
use crate::relation::{Column, Data, FLOAT_BITS, Text};
use crate::share::{TextRule, double_bits, text_planes, to_fixed};

/// The unscaled number that a public value is on shares.
pub(crate) fn number_of(cx: &Context, ty: Type, value: &Value) -> Result<i128> {
    match (value, ty) {
        (Value::Null, _) => Ok(0),
        (Value::Bool(truth), _) => Ok((*truth).into()),
        (Value::Int(value), Type::Float64) => {
            value.checked_mul(1 << FLOAT_BITS).ok_or_else(|| cx.too_wide(128 + FLOAT_BITS))
        }
        (Value::Int(value), _) => Ok(*value),
        (Value::Float(value), _) => to_fixed(*value).map_err(|reason| cx.wrong_plan(reason)),
        (Value::Utf8(_), _) => Err(cx.wrong_plan("a text is used as a number")),
    }
}

/// A public value in every row.
pub(crate) fn constant(
    cx: &mut Context,
    ty: Type,
    width_bytes: usize,
    value: &Value,
    n_rows: usize,
    rule: TextRule,
) -> Result<Column> {
    if ty == Type::Utf8 || *value == Value::Null {
        return constants(cx, ty, width_bytes, &vec![value.clone(); n_rows], rule);
    }
    let number = number_of(cx, ty, value)?;
    Ok(Column::number(ty, Number::constant(cx, n_rows, number)))
}

/// A public double in every row, as the bits that doubles of a table are.
pub(super) fn opaque(cx: &Context, value: f64, n_rows: usize) -> Column {
    let bits = SharedBits::constant(cx.session(), n_rows, 64, double_bits(value).into());
    Column { ty: Type::Float64, data: Data::Opaque(bits), present: None, zeroed: true }
}

/// Public values, one per row.
pub(crate) fn constants(
    cx: &mut Context,
    ty: Type,
    width_bytes: usize,
    values: &[Value],
    rule: TextRule,
) -> Result<Column> {
    let is_null = |value: &Value| *value == Value::Null;
    let present = values.iter().any(is_null).then(|| {
        let planes = Planes::from_bools(&values.iter().map(|value| !is_null(value)).collect::<Vec<_>>());
        SharedBits::public(cx.session(), &planes)
    });
    let data = if ty == Type::Utf8 {
        let texts = values.iter().map(|value| match value {
            Value::Utf8(text) => Ok(text.clone()),
            Value::Null => Ok(String::new()),
            _ => Err(cx.wrong_plan("a number is used as text")),
        });
        let texts = texts.collect::<Result<Vec<String>>>()?;
        let width_bytes = texts.iter().map(String::len).fold(width_bytes, usize::max);
        Data::Text(public_texts(cx, width_bytes, &texts, rule))
    } else {
        let numbers = values.iter().map(|value| number_of(cx, ty, value)).collect::<Result<Vec<_>>>()?;
        let range = numbers.iter().map(|value| Range::point(*value)).reduce(Range::union);
        let range = range.unwrap_or(Range::point(0));
        let planes = if width_of(range) <= 64 {
            let column = Elements::from_fn(numbers.len(), |row| Z64::from_signed(numbers[row]));
            math::pack::planes(&column, width_of(range))
        } else {
            let column = Elements::from_fn(numbers.len(), |row| Z128::from_signed(numbers[row]));
            math::pack::planes(&column, width_of(range))
        };
        Data::Number(Number::from_bits(range, SharedBits::public(cx.session(), &planes)))
    };
    Ok(Column { ty, data, present, zeroed: true })
}

fn public_texts(cx: &Context, width_bytes: usize, texts: &[String], rule: TextRule) -> Text {
    let s = cx.session();
    let bytes = SharedBits::public(s, &text_planes(texts.len(), width_bytes, texts));
    let key = (!rule.by_bytes).then(|| SharedBits::public(s, &rule.planes(s, texts.len(), texts)));
    Text { width_bytes, key, bytes: Some(bytes) }
}
