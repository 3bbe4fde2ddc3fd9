//! What the asking party gets.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use datafusion::arrow::datatypes::{Field, Schema};
use plan::secure::OutputColumn;
use plan::types::{Type, Value};

/// The rows of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The rows, with the plan's output columns.
    pub batch: RecordBatch,
    /// Groups that an owner's policy kept back for being about too few; `None` where no policy of
    /// the plan does so.
    pub suppressed_groups: Option<Suppressed>,
}

/// What is said of groups that a policy kept back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suppressed {
    /// How many there were.
    Groups(u64),
    /// That there may have been some. Their number would be an answer about few, since the question
    /// chose their rows.
    Untold,
}

impl Answer {
    /// From rows whose values are in the unscaled form of their column's type.
    pub(crate) fn try_new(columns: &[OutputColumn], rows: &[Vec<Value>]) -> Result<Answer, String> {
        let mut fields = Vec::with_capacity(columns.len());
        let mut arrays = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let values: Vec<&Value> = rows.iter().map(|row| &row[index]).collect();
            fields.push(Field::new(&column.name, column.ty.arrow(), column.nullable));
            arrays.push(array(column.ty, &values)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options);
        Ok(Answer { batch: batch.map_err(|error| error.to_string())?, suppressed_groups: None })
    }
}

/// Integers as values of a narrower type; all of them lie in it.
fn integers<T: TryFrom<i128>>(ty: Type, values: &[&Value]) -> Result<Vec<Option<T>>, String> {
    let integer = |value: &&Value| match value {
        Value::Int(value) => T::try_from(*value).map(Some).map_err(|_| format!("a value leaves {ty}")),
        _ => Ok(None),
    };
    values.iter().map(integer).collect()
}

fn array(ty: Type, values: &[&Value]) -> Result<ArrayRef, String> {
    Ok(match ty {
        Type::Bool => Arc::new(BooleanArray::from_iter(values.iter().map(|value| match value {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }))),
        Type::Int8 => Arc::new(Int8Array::from(integers(ty, values)?)),
        Type::Int16 => Arc::new(Int16Array::from(integers(ty, values)?)),
        Type::Int32 => Arc::new(Int32Array::from(integers(ty, values)?)),
        Type::Int64 => Arc::new(Int64Array::from(integers(ty, values)?)),
        Type::UInt8 => Arc::new(UInt8Array::from(integers(ty, values)?)),
        Type::UInt16 => Arc::new(UInt16Array::from(integers(ty, values)?)),
        Type::UInt32 => Arc::new(UInt32Array::from(integers(ty, values)?)),
        Type::UInt64 => Arc::new(UInt64Array::from(integers(ty, values)?)),
        Type::Date => Arc::new(Date32Array::from(integers(ty, values)?)),
        Type::Timestamp => Arc::new(TimestampMicrosecondArray::from(integers(ty, values)?)),
        Type::Decimal { precision, scale } => {
            let array = Decimal128Array::from(integers(ty, values)?);
            let array = array.with_precision_and_scale(precision, scale as i8);
            Arc::new(array.map_err(|error| error.to_string())?)
        }
        Type::Float64 => Arc::new(Float64Array::from_iter(values.iter().map(|value| match value {
            Value::Float(value) => Some(*value),
            _ => None,
        }))),
        Type::Utf8 => Arc::new(StringArray::from_iter(values.iter().map(|value| match value {
            Value::Utf8(text) => Some(text.as_str()),
            _ => None,
        }))),
    })
}
