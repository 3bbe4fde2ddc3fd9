//! One value of an answer, on its way from Arrow to text.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Float64Type;
use plan::types::{Type, Value};

use crate::calendar;
use crate::local::exact_values;

/// An unscaled value as people write it: decimals with their point, dates ISO.
pub fn show_exact(ty: Type, value: i128) -> String {
    match ty {
        Type::Bool => (value != 0).to_string(),
        Type::Date => calendar::show_date(value),
        Type::Timestamp => calendar::show_timestamp(value),
        Type::Decimal { scale, .. } if scale > 0 => {
            let unit = 10u128.pow(scale.into());
            let (whole, part) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
            let sign = if value < 0 { "-" } else { "" };
            format!("{sign}{whole}.{part:0width$}", width = scale.into())
        }
        _ => value.to_string(),
    }
}

/// A column of an answer: its name, its type, and its values in unscaled form.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) values: Vec<Value>,
}

/// The columns of an answer.
pub(super) fn columns(answer: &RecordBatch) -> Vec<Column> {
    let schema = answer.schema();
    let fields = schema.fields().iter().zip(answer.columns());
    let column = |(field, array): (&datafusion::arrow::datatypes::FieldRef, &ArrayRef)| {
        let ty = Type::from_arrow(field.data_type()).expect("answers have types of ours");
        // Views and small decimals come from local stages; one array per type is enough here.
        let array =
            datafusion::arrow::compute::cast(array, &ty.arrow()).expect("the same values, stored alike");
        Column { name: field.name().clone(), ty, values: values(ty, &array) }
    };
    fields.map(column).collect()
}

fn values(ty: Type, array: &ArrayRef) -> Vec<Value> {
    if let Some(exact) = exact_values(ty, array) {
        return exact.map(|value| value.map_or(Value::Null, Value::Int)).collect();
    }
    (0..array.len())
        .map(|row| match ty {
            _ if array.is_null(row) => Value::Null,
            Type::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
            _ => Value::Utf8(array.as_string::<i32>().value(row).to_owned()),
        })
        .collect()
}
