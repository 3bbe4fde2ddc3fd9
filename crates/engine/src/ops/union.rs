//! All rows of several relations.

use mpc::SharedBits;
use plan::secure::Node;
use plan::types::{Range, Type};

use crate::context::{Context, Result};
use crate::expr::text;
use crate::number::{Number, Ring};
use crate::relation::{Column, Data, Relation, Text};

/// Puts the rows of all inputs one after the other.
///
/// - **SQL:** `a UNION ALL b`
/// - **In:** `n_1, …, n_k` rows. **Out:** their sum.
/// - **Reveals:** nothing. **Cost:** none, but where one input is known as
///   planes and another as arithmetic shares.
pub(crate) fn run(cx: &mut Context, node: &Node, inputs: &[Relation]) -> Result<Relation> {
    if inputs.is_empty() {
        return Err(cx.wrong_plan("a union of nothing"));
    }
    let valid = SharedBits::concat(&inputs.iter().map(|input| &input.valid).collect::<Vec<_>>());
    let mut columns = Vec::with_capacity(node.schema.len());
    for (index, field) in node.schema.iter().enumerate() {
        let mut parts = Vec::with_capacity(inputs.len());
        for input in inputs {
            parts.push((input.column(cx, index)?, input.n_rows()));
        }
        if parts.iter().any(|(column, _)| matches!(column.data, Data::Dropped)) {
            columns.push(Column { ty: field.ty, data: Data::Dropped, present: None, zeroed: true });
        } else {
            columns.push(concat(cx, field.ty, &parts)?);
        }
    }
    let compact = inputs.len() == 1 && inputs[0].compact;
    Ok(Relation { columns, valid, compact })
}

fn concat(cx: &mut Context, ty: Type, parts: &[(&Column, usize)]) -> Result<Column> {
    let nullable = parts.iter().any(|(column, _)| column.present.is_some());
    let present = nullable.then(|| {
        let all: Vec<SharedBits> = parts.iter().map(|(column, n_rows)| column.present(cx, *n_rows)).collect();
        SharedBits::concat(&all.iter().collect::<Vec<_>>())
    });
    let zeroed = parts.iter().all(|(column, _)| column.zeroed || column.present.is_none());
    let opaque = parts.iter().find(|(column, _)| matches!(column.data, Data::Opaque(_)));
    let data = match &opaque.unwrap_or(&parts[0]).0.data {
        Data::Dropped => Data::Dropped,
        Data::Opaque(_) => {
            // A constant NULL is a number of its own, with zero beside it.
            let bits = |(column, n_rows): &(&Column, usize)| match &column.data {
                Data::Opaque(bits) => Ok(bits.clone()),
                Data::Number(number) if number.range() == Range::point(0) => {
                    Ok(SharedBits::constant(cx.session(), *n_rows, 64, 0))
                }
                _ => Err(cx.wrong_plan("a union of doubles of two kinds")),
            };
            let all = parts.iter().map(bits).collect::<Result<Vec<_>>>()?;
            Data::Opaque(SharedBits::concat(&all.iter().collect::<Vec<_>>()))
        }
        Data::Text(_) => Data::Text(concat_texts(cx, parts)?),
        Data::Number(_) => Data::Number(concat_numbers(cx, parts)?),
    };
    Ok(Column { ty, data, present, zeroed })
}

fn concat_texts(cx: &mut Context, parts: &[(&Column, usize)]) -> Result<Text> {
    let texts = parts.iter().map(|(column, _)| column.as_text(cx)).collect::<Result<Vec<_>>>()?;
    let width_bytes = texts.iter().map(|text| text.width_bytes).max().unwrap_or(0);
    let keys: Option<Vec<&SharedBits>> = texts.iter().map(|text| text.key.as_ref()).collect();
    let bytes: Option<Vec<SharedBits>> = texts
        .iter()
        .map(|text| text.bytes.as_ref().map(|bytes| text::widen(cx, bytes, text.width_bytes, width_bytes)))
        .collect();
    // Where they have no form in common, only their validity is looked at.
    Ok(Text {
        width_bytes,
        key: keys.map(|keys| SharedBits::concat(&keys)),
        bytes: bytes.map(|bytes| SharedBits::concat(&bytes.iter().collect::<Vec<_>>())),
    })
}

fn concat_numbers(cx: &mut Context, parts: &[(&Column, usize)]) -> Result<Number> {
    let numbers = parts.iter().map(|(column, _)| column.as_number(cx)).collect::<Result<Vec<_>>>()?;
    let range = numbers.iter().map(|number| number.range()).reduce(|a, b| a.union(b));
    let range = range.ok_or_else(|| cx.wrong_plan("a union of nothing"))?;
    if numbers.iter().any(|number| number.has_bits()) {
        let mut all = Vec::with_capacity(numbers.len());
        for number in numbers {
            all.push(number.bits_as(cx, range)?);
        }
        Ok(Number::from_bits(range, SharedBits::concat(&all.iter().collect::<Vec<_>>())))
    } else {
        let mut all = Vec::with_capacity(numbers.len());
        for number in numbers {
            all.push(number.ring_for(cx, range)?);
        }
        Ok(Number::from_ring(range, Ring::concat(&all.iter().collect::<Vec<_>>())))
    }
}
