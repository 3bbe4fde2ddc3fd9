//! Keys in clear: which rows agree on some columns.

use std::collections::{HashMap, HashSet};

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::row::{RowConverter, Rows, SortField};

use super::error::{CatalogLine, LoadError};
use super::table::LocalTable;

/// The values of some columns, row by row, comparable as bytes.
struct Keys<'a> {
    columns: Vec<&'a ArrayRef>,
    rows: Rows,
}

impl<'a> Keys<'a> {
    fn new(table: &'a LocalTable, key: &[String]) -> Keys<'a> {
        let column = |name: &String| {
            let column = table.columns.iter().find(|column| column.name == *name);
            &column.expect("names were checked against the table").values
        };
        let columns: Vec<&ArrayRef> = key.iter().map(column).collect();
        let fields = columns.iter().map(|values| SortField::new(values.data_type().clone())).collect();
        let converter = RowConverter::new(fields).expect("every type of ours has an order");
        let arrays: Vec<ArrayRef> = columns.iter().map(|values| (*values).clone()).collect();
        let rows = converter.convert_columns(&arrays).expect("the columns have the fields' types");
        Keys { columns, rows }
    }

    /// Rows without a NULL in the key, and the key's bytes.
    fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let has_null = |row: usize| self.columns.iter().any(|values| values.is_null(row));
        (0..self.rows.num_rows())
            .filter(move |row| !has_null(*row))
            .map(|row| (row, self.rows.row(row).data()))
    }
}

/// The first two rows that agree on `key`, none of whose values is NULL.
pub(crate) fn first_duplicate(table: &LocalTable, key: &[String]) -> Option<(usize, usize)> {
    let keys = Keys::new(table, key);
    let mut seen: HashMap<&[u8], usize> = HashMap::with_capacity(table.n_rows());
    keys.iter().find_map(|(row, bytes)| seen.insert(bytes, row).map(|first| (first, row)))
}

/// How many different values a column has, NULL aside.
pub(crate) fn n_different(table: &LocalTable, column: &str) -> u64 {
    let keys = Keys::new(table, &[column.to_owned()]);
    keys.iter().map(|(_, bytes)| bytes).collect::<HashSet<_>>().len() as u64
}

/// Checks that `key` is unique, as is declared.
pub(crate) fn check_unique(table: &LocalTable, key: &[String], at: &CatalogLine) -> Result<(), LoadError> {
    match first_duplicate(table, key) {
        None => Ok(()),
        Some((first, second)) => Err(LoadError::DuplicateKey {
            file: table.file().to_owned(),
            row: table.place(second),
            first: table.place(first),
            key: key.join(", "),
            declared: at.clone(),
        }),
    }
}

/// Checks that no value of `key` occurs more than `bound` times, as is declared.
pub(crate) fn check_matches(
    table: &LocalTable,
    key: &[String],
    bound: u64,
    at: &CatalogLine,
) -> Result<(), LoadError> {
    let keys = Keys::new(table, key);
    let mut counts: HashMap<&[u8], u64> = HashMap::new();
    for (row, bytes) in keys.iter() {
        let count = counts.entry(bytes).or_default();
        *count += 1;
        if *count > bound {
            return Err(LoadError::TooManyMatches {
                file: table.file().to_owned(),
                row: table.place(row),
                key: key.join(", "),
                count: *count,
                bound,
                declared: at.clone(),
            });
        }
    }
    Ok(())
}
