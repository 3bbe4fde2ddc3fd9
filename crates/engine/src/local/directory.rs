//! Which files of a directory are tables.

use std::io;
use std::path::{Path, PathBuf};

use super::error::LoadError;

/// The name of the file with the owner's declarations.
const CATALOG: &str = "catalog.toml";

/// What a directory holds.
pub(crate) struct Found {
    /// Names and files, by name.
    pub(crate) tables: Vec<(String, PathBuf)>,
    /// The declarations.
    pub(crate) catalog: Option<PathBuf>,
}

/// Whether a file is read as CSV or as Parquet; `None` for all other files.
pub(crate) fn is_parquet(file: &Path) -> Option<bool> {
    let extension = file.extension()?.to_str()?;
    if extension.eq_ignore_ascii_case("csv") {
        Some(false)
    } else if extension.eq_ignore_ascii_case("parquet") {
        Some(true)
    } else {
        None
    }
}

/// Lists a directory; hidden files and files of other kinds are none of ours.
pub(crate) fn list(dir: &Path) -> Result<Found, LoadError> {
    let unreadable = |source| LoadError::Unreadable { file: dir.to_owned(), source };
    match std::fs::metadata(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LoadError::MissingDirectory { dir: dir.to_owned() });
        }
        Err(error) => return Err(unreadable(error)),
        Ok(metadata) if !metadata.is_dir() => return Err(LoadError::NotADirectory { dir: dir.to_owned() }),
        Ok(_) => {}
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    // Directories are listed in no order; errors and catalogs come in one.
    files.sort();
    let mut tables: Vec<(String, PathBuf)> = Vec::new();
    let mut catalog = None;
    for file in files {
        if file.file_name().is_some_and(|name| name == CATALOG) {
            catalog = Some(file);
        } else if is_parquet(&file).is_some() && !is_hidden(&file) {
            let name = table_name(&file)?;
            if let Some((_, first)) = tables.iter().find(|(other, _)| *other == name) {
                return Err(LoadError::DuplicateTable { table: name, first: first.clone(), second: file });
            }
            tables.push((name, file));
        }
    }
    tables.sort();
    Ok(Found { tables, catalog })
}

fn is_hidden(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn table_name(file: &Path) -> Result<String, LoadError> {
    let bad = |reason| LoadError::BadTableName { file: file.to_owned(), reason };
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or_else(|| bad("the name is not UTF-8"))?;
    if stem.contains('.') {
        return Err(bad("the name has a dot before its ending"));
    }
    if stem.chars().any(char::is_control) {
        return Err(bad("the name has a control character"));
    }
    Ok(stem.to_owned())
}

/// The file's text.
pub(crate) fn read_text(file: &Path) -> Result<String, LoadError> {
    String::from_utf8(read(file)?).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|b| **b == b'\n').count() as u64;
        LoadError::NotUtf8 { file: file.to_owned(), line }
    })
}

/// The file's bytes.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(file).map_err(|source| LoadError::Unreadable { file: file.to_owned(), source })
}
