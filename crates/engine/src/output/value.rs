//! One value of an answer, on its way from Arrow to text.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Float64Type;
use plan::types::{Type, Value};

use crate::local::exact_values;

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
