//! Arrow rows as values, and their comparison.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use plan::types::Value;

/// The rows of some batches, each value in unscaled form.
///
/// # Panics
/// On types that Junto does not know.
pub fn rows_of(batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for batch in batches {
        let first = rows.len();
        rows.resize_with(first + batch.num_rows(), Vec::new);
        for column in batch.columns() {
            for (row, value) in values_of(column).into_iter().enumerate() {
                rows[first + row].push(value);
            }
        }
    }
    rows
}

fn values_of(array: &ArrayRef) -> Vec<Value> {
    macro_rules! ints {
        ($type:ty) => {
            array
                .as_primitive::<$type>()
                .iter()
                .map(|value| value.map_or(Value::Null, |value| Value::Int(value.into())))
                .collect()
        };
    }
    match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Boolean => {
            array.as_boolean().iter().map(|value| value.map_or(Value::Null, Value::Bool)).collect()
        }
        DataType::Int8 => ints!(Int8Type),
        DataType::Int16 => ints!(Int16Type),
        DataType::Int32 => ints!(Int32Type),
        DataType::Int64 => ints!(Int64Type),
        DataType::UInt8 => ints!(UInt8Type),
        DataType::UInt16 => ints!(UInt16Type),
        DataType::UInt32 => ints!(UInt32Type),
        DataType::UInt64 => ints!(UInt64Type),
        DataType::Date32 => ints!(Date32Type),
        DataType::Timestamp(unit, _) if *unit != TimeUnit::Microsecond => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
            values_of(&cast(array, &micros).expect("timestamps of another unit"))
        }
        DataType::Timestamp(..) => ints!(TimestampMicrosecondType),
        DataType::Decimal128(..) => ints!(Decimal128Type),
        DataType::Float64 => {
            let doubles = array.as_primitive::<Float64Type>();
            doubles.iter().map(|value| value.map_or(Value::Null, Value::Float)).collect()
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let text = cast(array, &DataType::Utf8).expect("text is text");
            let texts = text.as_string::<i32>().iter();
            texts.map(|text| text.map_or(Value::Null, |text| Value::Utf8(text.to_owned()))).collect()
        }
        other => panic!("rows of type {other}"),
    }
}

/// Checks that two answers are the same rows: in the same order if `ordered`.
/// Doubles may differ by a part in 10^12: here they are exact to 2^-52, there every step rounds.
///
/// # Panics
/// If they differ, showing both.
pub fn assert_same_rows(what: &str, got: &[Vec<Value>], expected: &[Vec<Value>], ordered: bool) {
    assert_near_rows(what, got, expected, ordered, 1e-12);
}

/// [`assert_same_rows`] with another part by which doubles may differ.
///
/// # Panics
/// As [`assert_same_rows`].
pub fn assert_near_rows(
    what: &str,
    got: &[Vec<Value>],
    expected: &[Vec<Value>],
    ordered: bool,
    tolerance: f64,
) {
    assert_rows(what, got, expected, ordered, Near { part: tolerance, scale: 1.0 });
}

/// [`assert_same_rows`] of doubles that are differences of numbers of size `scale`: they may differ by
/// a part in 10^12 of these, however small they are themselves.
///
/// # Panics
/// As [`assert_same_rows`].
pub fn assert_cancelled_rows(
    what: &str,
    got: &[Vec<Value>],
    expected: &[Vec<Value>],
    ordered: bool,
    scale: f64,
) {
    assert_rows(what, got, expected, ordered, Near { part: 1e-12, scale });
}

/// How near doubles are to one another: by `part` of the larger one and of `scale`.
#[derive(Clone, Copy)]
struct Near {
    part: f64,
    scale: f64,
}

fn assert_rows(what: &str, got: &[Vec<Value>], expected: &[Vec<Value>], ordered: bool, near: Near) {
    let (mut got, mut expected) = (got.to_vec(), expected.to_vec());
    if !ordered {
        got.sort_by_cached_key(|row| sort_key(row));
        expected.sort_by_cached_key(|row| sort_key(row));
    }
    let in_step = got.len() == expected.len() && got.iter().zip(&expected).all(|(a, b)| same_row(a, b, near));
    let same = in_step || !ordered && got.len() == expected.len() && paired(&got, &expected, near);
    if !same {
        // What both have says nothing, unless it is the order that differs.
        let (more, missing) = (others(&got, &expected, near), others(&expected, &got, near));
        if more.is_empty() && missing.is_empty() {
            panic!("{what}\n got {}\n expected {}", show(&got), show(&expected));
        }
        panic!("{what}\n got alone {}\n expected alone {}", show(&more), show(&missing));
    }
}

/// Whether each row has one of its own on the other side: doubles that nearly agree may sort apart.
fn paired(got: &[Vec<Value>], expected: &[Vec<Value>], near: Near) -> bool {
    let mut left: Vec<&Vec<Value>> = expected.iter().collect();
    got.iter().all(|row| {
        let found = left.iter().position(|other| same_row(row, other, near));
        found.map(|at| left.swap_remove(at)).is_some()
    })
}

/// The rows that nothing on the other side is the same as.
fn others(rows: &[Vec<Value>], than: &[Vec<Value>], near: Near) -> Vec<Vec<Value>> {
    let is_alone = |row: &&Vec<Value>| !than.iter().any(|other| same_row(row, other, near));
    rows.iter().filter(is_alone).cloned().collect()
}

fn sort_key(row: &[Value]) -> String {
    let show = |value: &Value| match value {
        // Zero has two signs, which are equal.
        Value::Float(value) => format!("{:.5e}", value + 0.0),
        other => format!("{other:?}"),
    };
    row.iter().map(show).collect::<Vec<_>>().join("|")
}

fn same_row(a: &[Value], b: &[Value], near: Near) -> bool {
    let same = |(a, b): (&Value, &Value)| match (a, b) {
        (Value::Float(a), Value::Float(b)) => {
            a == b
                || a.is_nan() && b.is_nan()
                || (a - b).abs() <= near.part * (near.scale + a.abs().max(b.abs()))
        }
        _ => a == b,
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}

fn show(rows: &[Vec<Value>]) -> String {
    let line = |row: &Vec<Value>| row.iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" | ");
    let shown = rows.iter().take(40).map(line).collect::<Vec<_>>().join("\n  ");
    format!("{} rows:\n  {shown}", rows.len())
}
