//! One party's own tables: reading them, checking what their owner declares,
//! and running the stages of a plan that touch nothing else.
//!
//! A table is a CSV file with a header or a Parquet file; its stem is the
//! table's name. What `catalog.toml` beside it declares is checked against the
//! rows; what it does not declare is inferred from them, and marked so.

mod column;
mod csv;
mod declared;
mod directory;
mod error;
mod facts;
mod keys;
mod oracle;
mod parquet;
mod parse;
mod rules;
mod run;
mod table;
mod template;

use std::path::Path;

use plan::catalog::PartyCatalog;

pub(crate) use column::exact_values;
pub use error::{CatalogLine, Cell, LoadError, RowPlace};
pub use oracle::plaintext;
pub use run::{LocalError, run};
pub use table::LocalTable;
pub use template::template;

/// What a party brings to a question: the tables it names, in clear, and what is said about them in public.
#[derive(Debug)]
pub struct LocalData {
    /// The public part.
    pub catalog: PartyCatalog,
    /// The tables, in the order of the catalog's.
    pub tables: Vec<LocalTable>,
    /// The names of the other tables that are there, which nobody else learns.
    pub unread: Vec<String>,
}

impl LocalData {
    /// A party without tables, which only computes.
    pub fn none(party: &str) -> LocalData {
        let catalog = PartyCatalog { name: party.to_owned(), tables: Vec::new() };
        LocalData { catalog, tables: Vec::new(), unread: Vec::new() }
    }

    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&LocalTable> {
        self.tables.iter().find(|table| table.name() == name)
    }
}

/// Reads the tables of the party called `party` that `named` accepts from `dir`, and nothing else.
///
/// # Errors
/// `LoadError`, naming the file, and line and column where there are any.
pub fn load(party: &str, dir: &Path, named: impl Fn(&str) -> bool) -> Result<LocalData, LoadError> {
    let found = directory::list(dir)?;
    let mut declared = match &found.catalog {
        None => declared::Declarations::default(),
        Some(file) => declared::parse(file, &directory::read_text(file)?)?,
    };
    let mut data = LocalData::none(party);
    let names: Vec<&str> = found.tables.iter().map(|(name, _)| name.as_str()).collect();
    for (name, said) in &declared.tables {
        if !names.contains(&name.as_str()) {
            let nearest = plan::nearest(name, names.iter().copied());
            return Err(LoadError::UnknownTable { at: said.at.clone(), table: name.clone(), nearest });
        }
    }
    for (name, file) in &found.tables {
        if !named(name) {
            data.unread.push(name.clone());
            continue;
        }
        let declaration = declared.tables.remove(name).map(|said| said.value).unwrap_or_default();
        let table = LocalTable::read(name, file, &declaration)?;
        data.catalog.tables.push(facts::describe(&table, &declaration)?);
        data.tables.push(table);
    }
    Ok(data)
}
