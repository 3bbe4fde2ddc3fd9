//! The public facts of a table, as an owner without a catalog would infer them.

use datafusion::arrow::array::{Array, RecordBatch};
use plan::catalog::{Column, Fact, Table};
use plan::types::{Range, Type, Value};

use crate::rows::rows_of;

/// Describes a table: everything inferred from its rows, as tight as it gets.
///
/// # Panics
/// If a column has a type that Junto does not know.
pub(crate) fn describe(name: &str, batch: &RecordBatch) -> Table {
    let rows = rows_of(std::slice::from_ref(batch));
    let mut columns = Vec::new();
    let mut unique_keys = Vec::new();
    for (index, field) in batch.schema().fields().iter().enumerate() {
        let ty = Type::from_arrow(field.data_type()).expect("a column of a type that Junto has");
        let values: Vec<&Value> =
            rows.iter().map(|row| &row[index]).filter(|value| **value != Value::Null).collect();
        let numbers = values.iter().filter_map(|value| match value {
            Value::Int(value) => Some(*value),
            Value::Bool(value) => Some((*value).into()),
            _ => None,
        });
        let range = numbers.map(Range::point).reduce(Range::union).or(ty.range().map(|_| Range::point(0)));
        let widths = values.iter().map(|value| match value {
            Value::Utf8(text) => text.len() as u32,
            _ => 0,
        });
        let mut keys: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
        keys.sort();
        let mut different = keys.clone();
        different.dedup();
        let distinct = (ty == Type::Utf8).then(|| Fact::inferred(different.len() as u64));
        columns.push(Column {
            name: field.name().clone(),
            ty: Fact::declared(ty),
            nullable: Fact::inferred(batch.column(index).null_count() > 0),
            range: range.filter(|_| ty.range().is_some()).map(Fact::inferred),
            string_width: (ty == Type::Utf8).then(|| Fact::inferred(widths.max().unwrap_or(0))),
            distinct,
        });
        if ty != Type::Float64 && ty != Type::Bool && keys.windows(2).all(|pair| pair[0] != pair[1]) {
            unique_keys.push(Fact::inferred(vec![field.name().clone()]));
        }
    }
    Table {
        name: name.to_owned(),
        row_bound: Fact::inferred(rows.len() as u64),
        columns,
        unique_keys,
        matches_per_key: Vec::new(),
        local_rows: plan::policy::RowCount::Hidden,
        policy: plan::policy::Policy::Unstated,
    }
}
