//! What is public about a table: declared and checked, or inferred.

use datafusion::arrow::array::{Array, AsArray};
use plan::catalog::{Column, Fact, MatchesPerKey, Table};
use plan::types::{Range, Type};

use super::column::{exact_values, first_null};
use super::declared::{ColumnDeclaration, Said, TableDeclaration};
use super::error::LoadError;
use super::keys;
use super::parse;
use super::table::LocalTable;

/// A text of more different values names things rather than kinds, and groups by it are as many.
const MOST_INFERRED: u64 = 1000;

/// Checks what is declared of a table and adds what can be inferred.
pub(crate) fn describe(table: &LocalTable, declared: &TableDeclaration) -> Result<Table, LoadError> {
    let row_bound = match &declared.row_bound {
        None => Fact::inferred(table.n_rows() as u64),
        Some(bound) if table.n_rows() as u64 <= bound.value => Fact::declared(bound.value),
        Some(bound) => {
            return Err(LoadError::TooManyRows {
                file: table.file().to_owned(),
                n_rows: table.n_rows(),
                bound: bound.value,
                declared: bound.at.clone(),
            });
        }
    };
    let nothing = ColumnDeclaration::default();
    let mut columns = Vec::with_capacity(table.columns.len());
    for (index, column) in table.columns.iter().enumerate() {
        let declared = declared.columns.get(&column.name).map_or(&nothing, |said| &said.value);
        columns.push(describe_column(table, index, declared)?);
    }
    let unique_keys = match &declared.unique {
        // The owner's list is the whole list: no more is told than it says.
        Some(keys) => {
            for key in keys {
                keys::check_unique(table, &key.value, &key.at)?;
            }
            keys.iter().map(|key| Fact::declared(key.value.clone())).collect()
        }
        None => infer_unique_keys(table),
    };
    let mut matches_per_key = Vec::with_capacity(declared.matches.len());
    for Said { value: (key, at_most), at } in &declared.matches {
        keys::check_matches(table, key, *at_most, at)?;
        matches_per_key.push(Fact::declared(MatchesPerKey { key: key.clone(), at_most: *at_most }));
    }
    let policy = declared.policy(table)?;
    let local_rows = declared.local_rows(&unique_keys, &matches_per_key)?;
    Ok(Table {
        name: table.name().to_owned(),
        row_bound,
        columns,
        unique_keys,
        matches_per_key,
        local_rows,
        policy,
    })
}

/// Columns that look like keys and are unique. Amounts and flags are no keys,
/// and telling that they are unique would tell for nothing.
fn infer_unique_keys(table: &LocalTable) -> Vec<Fact<Vec<String>>> {
    let is_key = |ty: Type| ty.is_integer() || matches!(ty, Type::Utf8 | Type::Date);
    let keys =
        table.columns.iter().filter(|column| is_key(column.ty)).map(|column| vec![column.name.clone()]);
    keys.filter(|key| keys::first_duplicate(table, key).is_none()).map(Fact::inferred).collect()
}

fn describe_column(
    table: &LocalTable,
    index: usize,
    declared: &ColumnDeclaration,
) -> Result<Column, LoadError> {
    let column = &table.columns[index];
    let ty = match declared.ty.is_some() || !column.ty_is_inferred {
        true => Fact::declared(column.ty),
        false => Fact::inferred(column.ty),
    };
    let nullable = match &declared.nullable {
        Some(nullable) => {
            if let (false, Some(row)) = (nullable.value, first_null(&column.values)) {
                let (cell, declared) = (table.cell(row, index), nullable.at.clone());
                return Err(LoadError::NullValue { cell, declared });
            }
            Fact::declared(nullable.value)
        }
        None if column.never_null => Fact::declared(false),
        None => Fact::inferred(column.values.null_count() > 0),
    };
    Ok(Column {
        name: column.name.clone(),
        ty,
        nullable,
        range: range(table, index, declared)?,
        string_width: string_width(table, index, declared)?,
        distinct: distinct(table, index, declared)?,
    })
}

/// Texts of few values are counted without being asked, since they have no range that would
/// bound their groups.
fn distinct(
    table: &LocalTable,
    index: usize,
    declared: &ColumnDeclaration,
) -> Result<Option<Fact<u64>>, LoadError> {
    let column = &table.columns[index];
    let n_different = || keys::n_different(table, &column.name);
    let Some(bound) = &declared.distinct else {
        let few = |n: &u64| *n <= MOST_INFERRED && 2 * n <= table.n_rows() as u64;
        let n_different = (column.ty == Type::Utf8).then(n_different);
        return Ok(n_different.filter(few).map(Fact::inferred));
    };
    let n_different = n_different();
    if n_different > bound.value {
        return Err(LoadError::TooManyDifferent {
            file: table.file().to_owned(),
            column: column.name.clone(),
            n_different,
            bound: bound.value,
            declared: bound.at.clone(),
        });
    }
    Ok(Some(Fact::declared(bound.value)))
}

fn range(
    table: &LocalTable,
    index: usize,
    declared: &ColumnDeclaration,
) -> Result<Option<Fact<Range>>, LoadError> {
    let column = &table.columns[index];
    let possible = column.ty.range();
    let bound = |said: &Said<String>| {
        let value = possible.and_then(|_| parse::exact(column.ty, &said.value));
        value.ok_or_else(|| {
            let reason = format!("`{}` is {}, and this bound is none", column.name, column.ty);
            LoadError::BadCatalog { at: said.at.clone(), reason }
        })
    };
    let low = declared.min.as_ref().map(bound).transpose()?;
    let high = declared.max.as_ref().map(bound).transpose()?;
    let Some(possible) = possible else { return Ok(None) };
    let values = || exact_values(column.ty, &column.values).into_iter().flatten();
    let Some(at) = declared.min.as_ref().or(declared.max.as_ref()).map(|said| &said.at) else {
        // Both values of a flag are possible anyway.
        if column.ty == Type::Bool {
            return Ok(None);
        }
        let seen = values().flatten().map(Range::point).reduce(Range::union);
        // Of no value the least that can be said.
        return Ok(Some(Fact::inferred(seen.unwrap_or(Range::point(0)))));
    };
    let (low, high) = (low.unwrap_or(possible.low), high.unwrap_or(possible.high));
    if low > high {
        let reason = format!("the least value of `{}` is above its greatest", column.name);
        return Err(LoadError::BadCatalog { at: at.clone(), reason });
    }
    let range = Range::new(low, high);
    if let Some(row) = values().position(|value| value.is_some_and(|value| !range.holds(value))) {
        return Err(LoadError::OutOfRange { cell: table.cell(row, index), declared: at.clone() });
    }
    Ok(Some(Fact::declared(range)))
}

fn string_width(
    table: &LocalTable,
    index: usize,
    declared: &ColumnDeclaration,
) -> Result<Option<Fact<u32>>, LoadError> {
    let column = &table.columns[index];
    if column.ty != Type::Utf8 {
        return match &declared.width {
            None => Ok(None),
            Some(width) => {
                let reason = format!("`{}` is {}, which has no width", column.name, column.ty);
                Err(LoadError::BadCatalog { at: width.at.clone(), reason })
            }
        };
    }
    let texts = column.values.as_string::<i32>();
    let lengths = || texts.iter().map(|text| text.map_or(0, str::len));
    let Some(width) = &declared.width else {
        return Ok(Some(Fact::inferred(lengths().max().unwrap_or(0) as u32)));
    };
    if let Some((row, n_bytes)) = lengths().enumerate().find(|(_, n_bytes)| *n_bytes > width.value as usize) {
        return Err(LoadError::TextTooLong {
            cell: table.cell(row, index),
            n_bytes,
            bound: width.value,
            declared: width.at.clone(),
        });
    }
    Ok(Some(Fact::declared(width.value)))
}
