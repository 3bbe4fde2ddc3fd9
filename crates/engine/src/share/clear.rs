//! Rows in clear, at their owner: decoded from Arrow and checked.

use std::collections::HashSet;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use plan::secure::{Field, LocalStage, Node, Uniqueness};
use plan::types::{Range, Type};

use super::word;
use crate::errors::EngineError;
use crate::relation::FLOAT_BITS;

/// The rows of one local stage.
pub(crate) struct Clear {
    /// Which of them are rows: all, until they are [in order](Clear::in_order).
    pub(super) valid: Vec<bool>,
    pub(crate) columns: Vec<ClearColumn>,
}

/// One column of them: zero or empty where there is no value.
pub(crate) struct ClearColumn {
    pub(crate) present: Vec<bool>,
    pub(crate) values: ClearValues,
}

/// What it holds.
pub(crate) enum ClearValues {
    /// Numbers, unscaled; doubles are numbers if they have a range, else their bits.
    Words(Vec<i128>),
    /// Text.
    Texts(Vec<String>),
}

impl ClearValues {
    /// The values as words, for everything but text.
    pub(super) fn words(&self) -> Vec<u128> {
        match self {
            ClearValues::Words(words) => words.iter().map(|value| word(*value)).collect(),
            ClearValues::Texts(_) => Vec::new(),
        }
    }

    /// The texts, of a text column.
    pub(super) fn texts(&self) -> &[String] {
        match self {
            ClearValues::Texts(texts) => texts,
            ClearValues::Words(_) => &[],
        }
    }

    /// What tells two values apart.
    fn key(&self, row: usize, into: &mut Vec<u8>) {
        match self {
            ClearValues::Words(words) => into.extend(words[row].to_le_bytes()),
            ClearValues::Texts(texts) => {
                into.extend((texts[row].len() as u64).to_le_bytes());
                into.extend(texts[row].as_bytes());
            }
        }
    }
}

impl Clear {
    /// Decodes a stage's rows and checks everything that the plan relies on.
    ///
    /// # Errors
    /// `Data`, naming the column and the row, which is for the owner alone.
    pub(crate) fn try_new(
        node: &Node,
        stage: &LocalStage,
        batches: &[RecordBatch],
    ) -> Result<Clear, EngineError> {
        let wrong = |reason: String| EngineError::Data { stage: stage.name.clone(), reason };
        let n_rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if n_rows as u64 > node.row_bound {
            return Err(wrong(format!("{n_rows} rows, more than the bound of {}", node.row_bound)));
        }
        let mut columns = Vec::with_capacity(node.schema.len());
        for (index, field) in node.schema.iter().enumerate() {
            let mut values = match field.ty {
                Type::Utf8 => ClearValues::Texts(Vec::with_capacity(n_rows)),
                _ => ClearValues::Words(Vec::with_capacity(n_rows)),
            };
            let mut present = Vec::with_capacity(n_rows);
            for batch in batches {
                let Some(array) = batch.columns().get(index) else {
                    return Err(wrong(format!("there is no column `{}`", field.name)));
                };
                decode(array, field, &mut values, &mut present).map_err(wrong)?;
            }
            check_values(field, &values, &present).map_err(wrong)?;
            columns.push(ClearColumn { present, values });
        }
        let clear = Clear { valid: vec![true; n_rows], columns };
        for key in stage.unique_keys.iter().filter(|key| key.basis != Uniqueness::Construction) {
            clear.check_unique(&key.columns, node).map_err(wrong)?;
        }
        Ok(clear)
    }

    /// No rows of these columns.
    pub(super) fn none(node: &Node) -> Clear {
        let column = |field: &Field| ClearColumn {
            present: Vec::new(),
            values: match field.ty {
                Type::Utf8 => ClearValues::Texts(Vec::new()),
                _ => ClearValues::Words(Vec::new()),
            },
        };
        Clear { valid: Vec::new(), columns: node.schema.iter().map(column).collect() }
    }

    /// The rows at these positions; beyond the last one there is padding.
    pub(super) fn in_order(&self, order: &[u32]) -> Clear {
        fn at<T: Clone + Default>(values: &[T], order: &[u32]) -> Vec<T> {
            order.iter().map(|row| values.get(*row as usize).cloned().unwrap_or_default()).collect()
        }
        let column = |column: &ClearColumn| ClearColumn {
            present: at(&column.present, order),
            values: match &column.values {
                ClearValues::Words(words) => ClearValues::Words(at(words, order)),
                ClearValues::Texts(texts) => ClearValues::Texts(at(texts, order)),
            },
        };
        Clear { valid: at(&self.valid, order), columns: self.columns.iter().map(column).collect() }
    }

    fn check_unique(&self, key: &[usize], node: &Node) -> Result<(), String> {
        let columns: Vec<&ClearColumn> = key.iter().filter_map(|index| self.columns.get(*index)).collect();
        let n_rows = self.valid.len();
        let mut seen = HashSet::with_capacity(n_rows);
        for row in (0..n_rows).filter(|row| columns.iter().all(|column| column.present[*row])) {
            let mut bytes = Vec::new();
            columns.iter().for_each(|column| column.values.key(row, &mut bytes));
            if !seen.insert(bytes) {
                let names: Vec<&str> = key
                    .iter()
                    .filter_map(|index| node.schema.get(*index))
                    .map(|field| field.name.as_str())
                    .collect();
                return Err(format!("a duplicate key: ({}) repeats in row {}", names.join(", "), row + 1));
            }
        }
        Ok(())
    }
}

macro_rules! integers {
    ($array:expr, $type:ty, $out:expr) => {
        $out.extend($array.as_primitive::<$type>().iter().map(|value| value.map_or(0, i128::from)))
    };
}

fn decode(
    array: &ArrayRef,
    field: &Field,
    values: &mut ClearValues,
    present: &mut Vec<bool>,
) -> Result<(), String> {
    if Type::from_arrow(array.data_type()).is_none_or(|ty| ty != field.ty) {
        return Err(format!("column `{}` came as {}, not as {}", field.name, array.data_type(), field.ty));
    }
    present.extend((0..array.len()).map(|row| array.is_valid(row)));
    let words = match values {
        ClearValues::Texts(texts) => {
            let text = cast(array, &DataType::Utf8).map_err(|error| error.to_string())?;
            texts.extend(text.as_string::<i32>().iter().map(|text| text.unwrap_or("").to_owned()));
            return Ok(());
        }
        ClearValues::Words(words) => words,
    };
    match array.data_type() {
        DataType::Boolean => {
            words.extend(array.as_boolean().iter().map(|value| i128::from(value.unwrap_or(false))));
        }
        DataType::Int8 => integers!(array, Int8Type, words),
        DataType::Int16 => integers!(array, Int16Type, words),
        DataType::Int32 => integers!(array, Int32Type, words),
        DataType::Int64 => integers!(array, Int64Type, words),
        DataType::UInt8 => integers!(array, UInt8Type, words),
        DataType::UInt16 => integers!(array, UInt16Type, words),
        DataType::UInt32 => integers!(array, UInt32Type, words),
        DataType::UInt64 => integers!(array, UInt64Type, words),
        DataType::Decimal32(..) => integers!(array, Decimal32Type, words),
        DataType::Decimal64(..) => integers!(array, Decimal64Type, words),
        DataType::Decimal128(..) => integers!(array, Decimal128Type, words),
        DataType::Date32 => integers!(array, Date32Type, words),
        DataType::Timestamp(unit, _) => {
            let micros = cast(array, &Type::Timestamp.arrow()).map_err(|error| error.to_string())?;
            // Back and forth, parts of a microsecond would be lost.
            let back = cast(&micros, array.data_type()).map_err(|error| error.to_string())?;
            if *unit == TimeUnit::Nanosecond && &back != array {
                return Err(format!("column `{}` has parts of a microsecond", field.name));
            }
            integers!(micros, TimestampMicrosecondType, words);
        }
        DataType::Float64 => {
            let doubles = array.as_primitive::<Float64Type>();
            for value in doubles.iter() {
                let value = value.unwrap_or(0.0);
                words.push(match field.range {
                    Some(range) => within(to_fixed(value)?, range),
                    None => double_bits(value).into(),
                });
            }
        }
        other => return Err(format!("column `{}` came as {other}", field.name)),
    }
    Ok(())
}

/// The bits that stand for a double: zero has one sign.
pub(crate) fn double_bits(value: f64) -> u64 {
    (value + 0.0).to_bits()
}

/// A double with [`FLOAT_BITS`] digits after the binary point. What else it is stays with its owner.
pub(crate) fn to_fixed(value: f64) -> Result<i128, String> {
    let scaled = (value * (1u64 << FLOAT_BITS) as f64).round();
    if scaled.abs() < 2f64.powi(126) {
        Ok(scaled as i128)
    } else {
        Err("a double is no number, or beyond 2^74: shares hold neither".to_owned())
    }
}

/// The number at the end of its range, if it is beyond by no more than a double may be.
fn within(value: i128, range: Range) -> i128 {
    let slack = (value >> FLOAT_BITS).unsigned_abs().cast_signed();
    let (low, high) = (range.low << FLOAT_BITS, range.high << FLOAT_BITS);
    match value {
        value if value > high && value - high <= slack => high,
        value if value < low && low - value <= slack => low,
        value => value,
    }
}

fn check_values(field: &Field, values: &ClearValues, present: &[bool]) -> Result<(), String> {
    if !field.nullable
        && let Some(row) = present.iter().position(|present| !present)
    {
        return Err(format!("column `{}` is NULL in row {}, declared NOT NULL", field.name, row + 1));
    }
    match (values, field.range) {
        (ClearValues::Texts(texts), _) => {
            for (row, text) in texts.iter().enumerate() {
                if text.len() > field.width_bytes as usize {
                    return Err(format!(
                        "column `{}` has {} bytes in row {}, more than {}",
                        field.name,
                        text.len(),
                        row + 1,
                        field.width_bytes
                    ));
                }
                if text.contains('\0') {
                    return Err(format!(
                        "column `{}` has a NUL character in row {}, which text on shares cannot have",
                        field.name,
                        row + 1
                    ));
                }
            }
        }
        (ClearValues::Words(words), Some(range)) => {
            let shift = if field.ty == Type::Float64 { FLOAT_BITS } else { 0 };
            // Whole numbers below and above are compared: the range of a double has whole ends.
            let ceiling = |value: i128| value.wrapping_neg().wrapping_shr(shift).wrapping_neg();
            for (row, value) in words.iter().enumerate().filter(|(row, _)| present[*row]) {
                if value >> shift < range.low || ceiling(*value) > range.high {
                    return Err(format!("column `{}` leaves {range} in row {}", field.name, row + 1));
                }
            }
        }
        _ => {}
    }
    Ok(())
}
