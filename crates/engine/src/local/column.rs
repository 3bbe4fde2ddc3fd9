//! Columns in clear: building them, reading their unscaled values, and giving
//! them another type without loss.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanBuilder, Decimal128Array, Float64Builder,
    PrimitiveArray, StringBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{
    Date32Type, Decimal128Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use plan::types::Type;

use super::declared::Said;
use super::error::LoadError;
use super::parse;
use super::table::LocalTable;

/// Builds a column of one type, value by value.
pub(crate) struct Builder {
    ty: Type,
    values: Values,
}

enum Values {
    Bool(BooleanBuilder),
    Text(StringBuilder),
    Float(Float64Builder),
    /// Everything else, unscaled.
    Exact(Vec<Option<i128>>),
}

impl Builder {
    pub(crate) fn new(ty: Type, n_rows: usize) -> Builder {
        let values = match ty {
            Type::Bool => Values::Bool(BooleanBuilder::with_capacity(n_rows)),
            Type::Utf8 => Values::Text(StringBuilder::new()),
            Type::Float64 => Values::Float(Float64Builder::with_capacity(n_rows)),
            _ => Values::Exact(Vec::with_capacity(n_rows)),
        };
        Builder { ty, values }
    }

    pub(crate) fn null(&mut self) {
        match &mut self.values {
            Values::Bool(values) => values.append_null(),
            Values::Text(values) => values.append_null(),
            Values::Float(values) => values.append_null(),
            Values::Exact(values) => values.push(None),
        }
    }

    /// Appends what `text` stands for; false, and nothing appended, if the type
    /// does not hold it.
    pub(crate) fn text(&mut self, text: &str) -> bool {
        match &mut self.values {
            Values::Text(values) => values.append_value(text),
            Values::Float(values) => match parse::float(text) {
                Some(value) => values.append_value(value),
                None => return false,
            },
            _ => match parse::exact(self.ty, text) {
                Some(value) => return self.exact(value),
                None => return false,
            },
        }
        true
    }

    /// Appends an unscaled value; false, and nothing appended, if the type does
    /// not hold it.
    pub(crate) fn exact(&mut self, value: i128) -> bool {
        if !self.ty.range().is_some_and(|range| range.holds(value)) {
            return false;
        }
        match &mut self.values {
            Values::Bool(values) => values.append_value(value != 0),
            Values::Exact(values) => values.push(Some(value)),
            Values::Text(_) | Values::Float(_) => return false,
        }
        true
    }

    pub(crate) fn finish(self) -> ArrayRef {
        let values = match self.values {
            Values::Bool(mut values) => return Arc::new(values.finish()),
            Values::Text(mut values) => return Arc::new(values.finish()),
            Values::Float(mut values) => return Arc::new(values.finish()),
            Values::Exact(values) => values,
        };
        fn ints<T: ArrowPrimitiveType>(values: Vec<Option<i128>>) -> ArrayRef
        where
            T::Native: TryFrom<i128>,
        {
            let fit =
                |value: i128| T::Native::try_from(value).ok().expect("checked against its type's range");
            Arc::new(PrimitiveArray::<T>::from_iter(values.into_iter().map(|value| value.map(fit))))
        }
        match self.ty {
            Type::Int8 => ints::<Int8Type>(values),
            Type::Int16 => ints::<Int16Type>(values),
            Type::Int32 => ints::<Int32Type>(values),
            Type::Int64 => ints::<Int64Type>(values),
            Type::UInt8 => ints::<UInt8Type>(values),
            Type::UInt16 => ints::<UInt16Type>(values),
            Type::UInt32 => ints::<UInt32Type>(values),
            Type::UInt64 => ints::<UInt64Type>(values),
            Type::Date => ints::<Date32Type>(values),
            Type::Timestamp => {
                let micros = values.into_iter().map(|value| {
                    value.map(|value| i64::try_from(value).expect("checked against its type's range"))
                });
                Arc::new(TimestampMicrosecondArray::from_iter(micros))
            }
            Type::Decimal { precision, scale } => Arc::new(
                Decimal128Array::from_iter(values)
                    .with_precision_and_scale(precision, scale as i8)
                    .expect("a type's digits are few enough"),
            ),
            Type::Bool | Type::Utf8 | Type::Float64 => unreachable!("these have builders of their own"),
        }
    }
}

/// The unscaled values of a column whose type has any; NULL is `None`.
pub(crate) fn exact_values<'a>(
    ty: Type,
    values: &'a ArrayRef,
) -> Option<Box<dyn Iterator<Item = Option<i128>> + 'a>> {
    fn ints<'a, T: ArrowPrimitiveType>(values: &'a ArrayRef) -> Box<dyn Iterator<Item = Option<i128>> + 'a>
    where
        T::Native: Into<i128>,
    {
        Box::new(values.as_primitive::<T>().iter().map(|value| value.map(Into::into)))
    }
    Some(match ty {
        Type::Bool => Box::new(values.as_boolean().iter().map(|value| value.map(i128::from))),
        Type::Int8 => ints::<Int8Type>(values),
        Type::Int16 => ints::<Int16Type>(values),
        Type::Int32 => ints::<Int32Type>(values),
        Type::Int64 => ints::<Int64Type>(values),
        Type::UInt8 => ints::<UInt8Type>(values),
        Type::UInt16 => ints::<UInt16Type>(values),
        Type::UInt32 => ints::<UInt32Type>(values),
        Type::UInt64 => ints::<UInt64Type>(values),
        Type::Decimal { .. } => ints::<Decimal128Type>(values),
        Type::Date => ints::<Date32Type>(values),
        Type::Timestamp => ints::<TimestampMicrosecondType>(values),
        Type::Utf8 | Type::Float64 => return None,
    })
}

/// A column of a Parquet table in the type that its owner declares, where every
/// value can be given exactly.
pub(crate) fn cast(table: &LocalTable, index: usize, to: &Said<Type>) -> Result<ArrayRef, LoadError> {
    let (column, to_ty) = (&table.columns[index], to.value);
    let bad = |row| LoadError::BadValue { cell: table.cell(row, index), ty: to_ty };
    let mut builder = Builder::new(to_ty, table.n_rows());
    if column.ty == Type::Utf8 {
        for (row, value) in column.values.as_string::<i32>().iter().enumerate() {
            match value {
                None => builder.null(),
                Some(value) if builder.text(value) => {}
                Some(_) => return Err(bad(row)),
            }
        }
        return Ok(builder.finish());
    }
    let numbers = (column.ty.is_exact_number() || column.ty == Type::Bool) && to_ty.is_exact_number();
    let moments = column.ty == to_ty;
    let (Some(values), true) = (exact_values(column.ty, &column.values), numbers || moments) else {
        let reason = format!(
            "column `{}` of table `{}` is {} in its file, which cannot be read as {to_ty}",
            column.name,
            table.name(),
            column.ty
        );
        return Err(LoadError::BadCatalog { at: to.at.clone(), reason });
    };
    let (from_scale, to_scale) = (column.ty.scale(), to_ty.scale());
    for (row, value) in values.enumerate() {
        let Some(value) = value else {
            builder.null();
            continue;
        };
        let scaled = if to_scale >= from_scale {
            value.checked_mul(10i128.pow(u32::from(to_scale - from_scale)))
        } else {
            let unit = 10i128.pow(u32::from(from_scale - to_scale));
            (value % unit == 0).then_some(value / unit)
        };
        if !scaled.is_some_and(|value| builder.exact(value)) {
            return Err(bad(row));
        }
    }
    Ok(builder.finish())
}

/// The first row whose double is NaN or infinite.
pub(crate) fn first_not_finite(values: &ArrayRef) -> Option<usize> {
    values
        .as_primitive::<Float64Type>()
        .iter()
        .position(|value| value.is_some_and(|value| !value.is_finite()))
}

/// The first row whose text holds a NUL character.
pub(crate) fn first_nul(values: &ArrayRef) -> Option<usize> {
    values.as_string::<i32>().iter().position(|value| value.is_some_and(|value| value.contains('\0')))
}

/// The first row that is NULL.
pub(crate) fn first_null(values: &ArrayRef) -> Option<usize> {
    (values.null_count() > 0).then(|| (0..values.len()).find(|row| values.is_null(*row))).flatten()
}
