//! Parquet files, read into the types that Junto has.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, new_empty_array};
use datafusion::arrow::compute::{CastOptions, cast_with_options, concat};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use plan::types::Type;

use super::column;
use super::error::LoadError;
use super::table::{LocalColumn, LocalTable, Places};

/// Reads a whole file.
pub(crate) fn read(name: &str, file: &Path) -> Result<LocalTable, LoadError> {
    let bad = |reason: String| LoadError::BadParquet { file: file.to_owned(), reason };
    let opened =
        File::open(file).map_err(|source| LoadError::Unreadable { file: file.to_owned(), source })?;
    if opened.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(bad("it is a directory".to_owned()));
    }
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| bad(error.to_string()))?;
    let schema = Arc::clone(builder.schema());
    let reader = builder.build().map_err(|error| bad(error.to_string()))?;
    let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); schema.fields().len()];
    let mut n_rows = 0;
    for batch in reader {
        let batch = batch.map_err(|error| bad(error.to_string()))?;
        n_rows += batch.num_rows();
        for (part, column) in parts.iter_mut().zip(batch.columns()) {
            part.push(Arc::clone(column));
        }
    }
    let mut columns: Vec<LocalColumn> = Vec::with_capacity(parts.len());
    for (index, (field, parts)) in schema.fields().iter().zip(parts).enumerate() {
        check_name(file, index, field.name(), &columns)?;
        let unsupported = || LoadError::UnsupportedType {
            file: file.to_owned(),
            column: field.name().clone(),
            ty: field.data_type().to_string(),
        };
        let to = ours(field.data_type()).ok_or_else(unsupported)?;
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        let whole = match parts.is_empty() {
            true => new_empty_array(field.data_type()),
            false => concat(&parts).map_err(|error| bad(error.to_string()))?,
        };
        // Microseconds must not be what is left of nanoseconds.
        if let DataType::Timestamp(TimeUnit::Nanosecond, None) = field.data_type() {
            let nanos = whole.as_primitive::<TimestampNanosecondType>();
            if nanos.iter().flatten().any(|nanos| nanos % 1000 != 0) {
                return Err(unsupported());
            }
        }
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let values = cast_with_options(&whole, &to.arrow(), &options).map_err(|_| unsupported())?;
        let column = LocalColumn {
            name: field.name().clone(),
            ty: to,
            ty_is_inferred: false,
            never_null: !field.is_nullable(),
            values,
        };
        columns.push(column);
    }
    let table = LocalTable::new(name, file, n_rows, columns, Places::Rows);
    for (index, column) in table.columns.iter().enumerate() {
        let (values, ty) = (&column.values, column.ty);
        match ty {
            Type::Utf8 => {
                if let Some(row) = column::first_nul(values) {
                    return Err(LoadError::NulCharacter { cell: table.cell(row, index) });
                }
            }
            // Looked at where they are read.
            Type::Float64 => {}
            _ => {
                let range = ty.range().expect("text and doubles are dealt with");
                let mut all = column::exact_values(ty, values).into_iter().flatten();
                if let Some(row) = all.position(|value| value.is_some_and(|value| !range.holds(value))) {
                    return Err(LoadError::BadValue { cell: table.cell(row, index), ty });
                }
            }
        }
    }
    Ok(table)
}

fn check_name(file: &Path, index: usize, name: &str, before: &[LocalColumn]) -> Result<(), LoadError> {
    if name.is_empty() || name.chars().any(char::is_control) {
        let reason = "has no name, or one with control characters";
        return Err(LoadError::BadColumnName { file: file.to_owned(), column: index + 1, reason });
    }
    if before.iter().any(|column| column.name == name) {
        return Err(LoadError::DuplicateColumn { file: file.to_owned(), name: name.to_owned() });
    }
    Ok(())
}

/// The type whose values hold all that an Arrow type holds.
fn ours(arrow: &DataType) -> Option<Type> {
    Some(match arrow {
        DataType::Float16 | DataType::Float32 => Type::Float64,
        DataType::Timestamp(_, None) => Type::Timestamp,
        DataType::Dictionary(_, values) => return ours(values).filter(|ty| *ty == Type::Utf8),
        DataType::Decimal256(precision, scale)
            if *precision <= plan::types::MAX_PRECISION && (0..=*precision as i8).contains(scale) =>
        {
            Type::Decimal { precision: *precision, scale: *scale as u8 }
        }
        other => return Type::from_arrow(other),
    })
}
