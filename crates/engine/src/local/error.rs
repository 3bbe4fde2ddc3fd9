//! Why a party's directory cannot be used. These messages name files, lines and
//! columns, so they stay with the owner of the data; values are never quoted.

use std::fmt;
use std::path::PathBuf;

use plan::types::Type;

/// Where a row stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowPlace {
    /// A line of a text file, counted from 1.
    Line(u64),
    /// A row of a Parquet file, counted from 1.
    Row(u64),
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RowPlace::Line(line) => write!(f, "line {line}"),
            RowPlace::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// One value's place: file, row and column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The file.
    pub file: PathBuf,
    /// The row.
    pub row: RowPlace,
    /// The column's position, counted from 1.
    pub column: usize,
    /// The column's name.
    pub name: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, column {} (`{}`)", self.file.display(), self.row, self.column, self.name)
    }
}

/// A line of `catalog.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogLine {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for CatalogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file.display(), self.line)
    }
}

/// Why a party's directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is no directory of this name.
    #[error("{}: there is no such directory", dir.display())]
    MissingDirectory {
        /// The path as given.
        dir: PathBuf,
    },

    /// The path names something else.
    #[error("{}: this is a file; give the directory that holds the tables", dir.display())]
    NotADirectory {
        /// The path as given.
        dir: PathBuf,
    },

    /// The operating system does not let the file or directory be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// The file or directory.
        file: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },

    /// A file's name is no name for a table.
    #[error("{}: {reason}; rename the file, since its stem names the table", file.display())]
    BadTableName {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },

    /// Two files hold the same table.
    #[error("table `{table}` is there twice: {} and {}; keep one of them", first.display(), second.display())]
    DuplicateTable {
        /// The table.
        table: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },

    /// A CSV file that is empty.
    #[error("{}: the file is empty; its first line has to name the columns", file.display())]
    NoHeader {
        /// The file.
        file: PathBuf,
    },

    /// A column that cannot be named in SQL.
    #[error("{}: column {column} {reason}", file.display())]
    BadColumnName {
        /// The file.
        file: PathBuf,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong.
        reason: &'static str,
    },

    /// Two columns of one name.
    #[error("{}: there are two columns `{name}`", file.display())]
    DuplicateColumn {
        /// The file.
        file: PathBuf,
        /// The name.
        name: String,
    },

    /// A CSV record of another length than the header.
    #[error("{}, line {line}: {found} field{} instead of {expected}", file.display(), plural(*found))]
    Ragged {
        /// The file.
        file: PathBuf,
        /// Where the record begins.
        line: u64,
        /// The header's fields.
        expected: usize,
        /// The record's fields.
        found: usize,
    },

    /// A CSV file in another encoding.
    #[error("{}, line {line}: the text is not UTF-8", file.display())]
    NotUtf8 {
        /// The file.
        file: PathBuf,
        /// The first line with other bytes.
        line: u64,
    },

    /// A quoted field without an end.
    #[error("{}, line {line}: a quote is opened and never closed", file.display())]
    OpenQuote {
        /// The file.
        file: PathBuf,
        /// Where it is opened.
        line: u64,
    },

    /// A quote in an unquoted field, or text after a quoted one.
    #[error(
        "{}, line {line}: a quote stands inside a field; quote the field and double the quote",
        file.display()
    )]
    StrayQuote {
        /// The file.
        file: PathBuf,
        /// Its line.
        line: u64,
    },

    /// A Parquet file that is none.
    #[error("{}: not a readable Parquet file: {reason}", file.display())]
    BadParquet {
        /// The file.
        file: PathBuf,
        /// The reader's reason.
        reason: String,
    },

    /// A Parquet column of a type that Junto does not have.
    #[error("{}: column `{column}` has the type {ty}, which is not supported; leave it out", file.display())]
    UnsupportedType {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        ty: String,
    },

    /// A value that its column's type cannot hold.
    #[error("{cell}: the value is no {ty}")]
    BadValue {
        /// Where.
        cell: Cell,
        /// The column's type.
        ty: Type,
    },

    /// A NUL character, which no SQL text holds.
    #[error("{cell}: the text holds a NUL character")]
    NulCharacter {
        /// Where.
        cell: Cell,
    },

    /// A NULL where catalog.toml says that there is none.
    #[error("{cell}: the value is NULL, and {declared} says that there is none")]
    NullValue {
        /// Where.
        cell: Cell,
        /// The declaration.
        declared: CatalogLine,
    },

    /// A value outside the declared range.
    #[error("{cell}: the value is outside the range that {declared} gives")]
    OutOfRange {
        /// Where.
        cell: Cell,
        /// The declaration.
        declared: CatalogLine,
    },

    /// A text longer than declared.
    #[error("{cell}: the text has {n_bytes} bytes, more than the {bound} that {declared} allows")]
    TextTooLong {
        /// Where.
        cell: Cell,
        /// Its bytes.
        n_bytes: usize,
        /// The declared width.
        bound: u32,
        /// The declaration.
        declared: CatalogLine,
    },

    /// More rows than declared.
    #[error("{}: {n_rows} rows, more than the {bound} that {declared} allows", file.display())]
    TooManyRows {
        /// The file.
        file: PathBuf,
        /// Its rows.
        n_rows: usize,
        /// The declared bound.
        bound: u64,
        /// The declaration.
        declared: CatalogLine,
    },

    /// More different values than declared.
    #[error("{}: {n_different} different values of `{column}`, more than the {bound} that {declared} allows", file.display())]
    TooManyDifferent {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// Its different values, NULL aside.
        n_different: u64,
        /// The declared bound.
        bound: u64,
        /// The declaration.
        declared: CatalogLine,
    },

    /// Two rows with the same value of a key that is declared unique.
    #[error("{}, {row}: `{key}` has the same value as on {first}, and {declared} says that it is unique", file.display())]
    DuplicateKey {
        /// The file.
        file: PathBuf,
        /// The second of the rows.
        row: RowPlace,
        /// The first of the rows.
        first: RowPlace,
        /// The key's columns.
        key: String,
        /// The declaration.
        declared: CatalogLine,
    },

    /// A key that occurs more often than declared.
    #[error("{}, {row}: `{key}` has the same value on {count} rows up to here, and {declared} allows {bound}", file.display())]
    TooManyMatches {
        /// The file.
        file: PathBuf,
        /// The first row too many.
        row: RowPlace,
        /// The key's columns.
        key: String,
        /// How often it has occurred up to here.
        count: u64,
        /// The declared bound.
        bound: u64,
        /// The declaration.
        declared: CatalogLine,
    },

    /// A catalog.toml that is no TOML, or says what no catalog says.
    #[error("{at}: {reason}")]
    BadCatalog {
        /// Where.
        at: CatalogLine,
        /// What is wrong.
        reason: String,
    },

    /// A catalog.toml that names a table that is not there.
    #[error("{at}: there is no table `{table}`{nearest}")]
    UnknownTable {
        /// Where.
        at: CatalogLine,
        /// The table.
        table: String,
        /// A table of nearly this name.
        nearest: plan::error::Nearest,
    },

    /// A catalog.toml that names a column that is not there.
    #[error("{at}: table `{table}` has no column `{column}`{nearest}")]
    UnknownColumn {
        /// Where.
        at: CatalogLine,
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// A column of nearly this name.
        nearest: plan::error::Nearest,
    },
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}
