//! One table in clear, each column an Arrow array of a type that Junto has.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use plan::catalog::Table;
use plan::types::Type;

use super::column::{self, Builder};
use super::csv::Text;
use super::declared::TableDeclaration;
use super::directory;
use super::error::{Cell, LoadError, RowPlace};
use super::parquet;
use super::parse::Guess;

/// One column in clear.
pub(crate) struct LocalColumn {
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// Whether the type was derived from the rows rather than stated.
    pub(crate) ty_is_inferred: bool,
    /// Whether the file itself promises that there is no NULL.
    pub(crate) never_null: bool,
    pub(crate) values: ArrayRef,
}

/// One table in clear.
pub struct LocalTable {
    name: String,
    file: PathBuf,
    n_rows: usize,
    pub(crate) columns: Vec<LocalColumn>,
    places: Places,
}

/// Where each row stands.
pub(crate) enum Places {
    /// Lines of a text.
    Lines(Vec<u64>),
    /// Numbers of rows.
    Rows,
}

impl LocalTable {
    /// Reads a file, with the types that are declared.
    pub(crate) fn read(
        name: &str,
        file: &Path,
        declared: &TableDeclaration,
    ) -> Result<LocalTable, LoadError> {
        let mut table = match directory::is_parquet(file) {
            Some(true) => parquet::read(name, file)?,
            _ => return read_csv(name, file, declared),
        };
        table.check_names(declared)?;
        for index in 0..table.columns.len() {
            let column = &table.columns[index];
            let declared = declared.columns.get(&column.name).and_then(|said| said.value.ty.as_ref());
            if let Some(ty) = declared.filter(|ty| ty.value != column.ty) {
                let values = column::cast(&table, index, ty)?;
                (table.columns[index].values, table.columns[index].ty) = (values, ty.value);
            }
        }
        Ok(table)
    }

    pub(crate) fn new(
        name: &str,
        file: &Path,
        n_rows: usize,
        columns: Vec<LocalColumn>,
        places: Places,
    ) -> LocalTable {
        LocalTable { name: name.to_owned(), file: file.to_owned(), n_rows, columns, places }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many rows it has.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Its rows, under the schema that `facts` gives everybody.
    pub(crate) fn batch(&self, facts: &Table) -> RecordBatch {
        let schema: SchemaRef = plan::table_schema(facts);
        let columns = self.columns.iter().map(|column| Arc::clone(&column.values)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.n_rows));
        RecordBatch::try_new_with_options(schema, columns, &options)
            .expect("the facts were read off these columns, or checked against them")
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn place(&self, row: usize) -> RowPlace {
        match &self.places {
            Places::Lines(lines) => RowPlace::Line(lines[row]),
            Places::Rows => RowPlace::Row(row as u64 + 1),
        }
    }

    pub(crate) fn cell(&self, row: usize, column: usize) -> Cell {
        Cell {
            file: self.file.clone(),
            row: self.place(row),
            column: column + 1,
            name: self.columns[column].name.clone(),
        }
    }

    fn check_names(&self, declared: &TableDeclaration) -> Result<(), LoadError> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        check_names(&self.name, &names, declared)
    }
}

/// Declarations name columns that are there.
fn check_names(table: &str, names: &[&str], declared: &TableDeclaration) -> Result<(), LoadError> {
    let columns = declared.columns.iter().map(|(name, said)| (name, &said.at));
    let unique =
        declared.unique.iter().flatten().flat_map(|key| key.value.iter().map(|name| (name, &key.at)));
    let matches = declared.matches.iter().flat_map(|key| key.value.0.iter().map(|name| (name, &key.at)));
    for (name, at) in columns.chain(unique).chain(matches) {
        if !names.contains(&name.as_str()) {
            return Err(LoadError::UnknownColumn {
                at: at.clone(),
                table: table.to_owned(),
                column: name.clone(),
                nearest: plan::nearest(name, names.iter().copied()),
            });
        }
    }
    Ok(())
}

fn read_csv(name: &str, file: &Path, declared: &TableDeclaration) -> Result<LocalTable, LoadError> {
    let text = Text::parse(file, &directory::read(file)?)?;
    let names: Vec<&str> = text.names.iter().map(String::as_str).collect();
    check_names(name, &names, declared)?;
    let n_rows = text.n_rows();
    let mut columns = Vec::with_capacity(names.len());
    for (index, name) in text.names.iter().enumerate() {
        let cell = |row: usize| Cell {
            file: file.to_owned(),
            row: RowPlace::Line(text.lines[row]),
            column: index + 1,
            name: name.clone(),
        };
        let declared = declared.columns.get(name).and_then(|said| said.value.ty.as_ref());
        let ty = declared.map_or_else(|| infer(&text, index), |ty| ty.value);
        let mut builder = Builder::new(ty, n_rows);
        for row in 0..n_rows {
            match text.field(row, index) {
                "" => builder.null(),
                value if value.contains('\0') => return Err(LoadError::NulCharacter { cell: cell(row) }),
                value if builder.text(value) => {}
                _ => return Err(LoadError::BadValue { cell: cell(row), ty }),
            }
        }
        columns.push(LocalColumn {
            name: name.clone(),
            ty,
            ty_is_inferred: declared.is_none(),
            never_null: false,
            values: builder.finish(),
        });
    }
    Ok(LocalTable::new(name, file, n_rows, columns, Places::Lines(text.lines)))
}

fn infer(text: &Text, column: usize) -> Type {
    let mut guess = Guess::new();
    for row in 0..text.n_rows() {
        match text.field(row, column) {
            "" => {}
            value => guess.see(value),
        }
        if guess.is_text() {
            break;
        }
    }
    guess.ty()
}

// Rows stay out of logs.
impl fmt::Debug for LocalTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalTable({}, <{} rows hidden>)", self.name, self.n_rows)
    }
}
