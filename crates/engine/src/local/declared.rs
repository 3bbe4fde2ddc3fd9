//! `catalog.toml`: what an owner says about its tables.
//!
//! ```toml
//! [accounts]                                  # accounts.csv or accounts.parquet
//! rows = 10000                                # the most rows
//! unique = ["account_id", ["branch", "nr"]]   # keys of one or of several columns
//! matches_per_key = [{ key = "customer_id", at_most = 12 }]
//!
//! [accounts.columns]
//! balance = { type = "decimal(12,2)", nullable = false, min = -1000.00, max = 500000 }
//! segment = { type = "string", width = 12, distinct = 4 }
//! opened = { type = "date", min = 2001-01-01 }
//! ```
//!
//! What others may do with a table stands beside it: see [`rules`](super::rules).

use std::collections::BTreeMap;
use std::ops::Range as Span;
use std::path::Path;

use plan::types::Type;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::{CatalogLine, LoadError};
use super::rules::{COLUMN_KEYS, ColumnRulesDeclaration, RulesDeclaration, TABLE_KEYS};

/// Something and where it is declared.
#[derive(Clone, Debug)]
pub(crate) struct Said<T> {
    pub(crate) value: T,
    pub(crate) at: CatalogLine,
}

/// What is declared of all tables.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    pub(crate) tables: BTreeMap<String, Said<TableDeclaration>>,
}

/// What is declared of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableDeclaration {
    pub(crate) row_bound: Option<Said<u64>>,
    pub(crate) unique: Option<Vec<Said<Vec<String>>>>,
    pub(crate) matches: Vec<Said<Matches>>,
    pub(crate) columns: BTreeMap<String, Said<ColumnDeclaration>>,
    pub(crate) rules: RulesDeclaration,
}

/// What is declared of one column. Bounds are kept as text, since they are read
/// in the column's type.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnDeclaration {
    pub(crate) ty: Option<Said<Type>>,
    pub(crate) nullable: Option<Said<bool>>,
    pub(crate) min: Option<Said<String>>,
    pub(crate) max: Option<Said<String>>,
    pub(crate) width: Option<Said<u32>>,
    pub(crate) distinct: Option<Said<u64>>,
    pub(crate) rules: ColumnRulesDeclaration,
}

/// Reads `text`, which stands in `file`.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Declarations, LoadError> {
    let reader = Reader { file, text };
    let document = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        reader.wrong(start..start, error.message().to_owned())
    })?;
    let mut tables = BTreeMap::new();
    for (name, value) in document.get_ref().iter() {
        let at = reader.line(name.span());
        let table = reader.table(value, "a table's declarations: `[tablename]`")?;
        let value = reader.table_declaration(table)?;
        tables.insert(name.get_ref().to_string(), Said { value, at });
    }
    Ok(Declarations { tables })
}

pub(super) struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
}

pub(super) type Value<'i> = Spanned<DeValue<'i>>;
/// The columns of a key, and how often one value of it occurs at most.
type Matches = (Vec<String>, u64);

impl<'a> Reader<'a> {
    fn line(&self, span: Span<usize>) -> CatalogLine {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        CatalogLine { file: self.file.to_owned(), line: 1 + before.iter().filter(|b| **b == b'\n').count() }
    }

    fn wrong(&self, span: Span<usize>, reason: String) -> LoadError {
        LoadError::BadCatalog { at: self.line(span), reason }
    }

    pub(super) fn expected<T>(&self, value: &Value<'_>, what: &str) -> Result<T, LoadError> {
        Err(self.wrong(value.span(), format!("expected {what}")))
    }

    fn unknown<T>(&self, key: &Spanned<DeString<'_>>, known: &str) -> Result<T, LoadError> {
        Err(self.wrong(key.span(), format!("`{}` is not known here; there are {known}", key.get_ref())))
    }

    pub(super) fn said<T>(&self, value: &Value<'_>, parsed: T) -> Said<T> {
        Said { value: parsed, at: self.line(value.span()) }
    }

    fn table<'v, 'i>(&self, value: &'v Value<'i>, what: &str) -> Result<&'v DeTable<'i>, LoadError> {
        value.get_ref().as_table().map_or_else(|| self.expected(value, what), Ok)
    }

    pub(super) fn count(&self, value: &Value<'_>, what: &str) -> Result<Said<u64>, LoadError> {
        let number = value.get_ref().as_integer().filter(|number| number.radix() == 10);
        let number = number.and_then(|number| number.as_str().parse::<u64>().ok());
        number.map_or_else(|| self.expected(value, what), |number| Ok(self.said(value, number)))
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(&self, value: &Value<'_>, words: &[(&str, T)]) -> Result<T, LoadError> {
        let names: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        self.word_or(value, words, &format!("expected {}", names.join(" or ")))
    }

    /// One of some words, or else these words to the owner.
    pub(super) fn word_or<T: Copy>(
        &self,
        value: &Value<'_>,
        words: &[(&str, T)],
        otherwise: &str,
    ) -> Result<T, LoadError> {
        let found = value.get_ref().as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        found.map_or_else(|| Err(self.wrong(value.span(), otherwise.to_owned())), |(_, meaning)| Ok(*meaning))
    }

    fn table_declaration(&self, table: &DeTable<'_>) -> Result<TableDeclaration, LoadError> {
        let mut declared = TableDeclaration::default();
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "rows" => declared.row_bound = Some(self.count(value, "the most rows, a whole number")?),
                "unique" => declared.unique = Some(self.unique_keys(value)?),
                "matches_per_key" => declared.matches = self.matches(value)?,
                "columns" => {
                    for (name, value) in self.table(value, "a table of columns")?.iter() {
                        let column =
                            self.table(value, "a column's declarations: `{ type = \"int64\", … }`")?;
                        let at = self.line(name.span());
                        let value = self.column_declaration(column)?;
                        declared.columns.insert(name.get_ref().to_string(), Said { value, at });
                    }
                }
                _ if declared.rules.read(self, key, value)? => {}
                _ => {
                    let known =
                        format!("rows, unique, matches_per_key and columns, and for the policy {TABLE_KEYS}");
                    return self.unknown(key, &known);
                }
            }
        }
        Ok(declared)
    }

    fn column_declaration(&self, column: &DeTable<'_>) -> Result<ColumnDeclaration, LoadError> {
        let mut declared = ColumnDeclaration::default();
        for (key, value) in column.iter() {
            match key.get_ref().as_ref() {
                "type" => {
                    let Some(text) = value.get_ref().as_str() else {
                        return self.expected(value, "a type in quotes");
                    };
                    let ty = text.parse().map_err(|reason| self.wrong(value.span(), reason))?;
                    declared.ty = Some(self.said(value, ty));
                }
                "nullable" => {
                    let Some(nullable) = value.get_ref().as_bool() else {
                        return self.expected(value, "true or false");
                    };
                    declared.nullable = Some(self.said(value, nullable));
                }
                "min" => declared.min = Some(self.bound(value)?),
                "max" => declared.max = Some(self.bound(value)?),
                "width" => {
                    let what = "the most bytes of a text, a whole number";
                    let width = self.count(value, what)?;
                    let Ok(bytes) = u32::try_from(width.value) else { return self.expected(value, what) };
                    declared.width = Some(Said { value: bytes, at: width.at });
                }
                "distinct" => {
                    declared.distinct = Some(self.count(value, "the most different values, a whole number")?);
                }
                _ if declared.rules.read(self, key, value)? => {}
                _ => {
                    let known = format!(
                        "type, nullable, min, max, width and distinct, and for the policy {COLUMN_KEYS}"
                    );
                    return self.unknown(key, &known);
                }
            }
        }
        Ok(declared)
    }

    fn bound(&self, value: &Value<'_>) -> Result<Said<String>, LoadError> {
        let text = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::String(text) => text.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Datetime(moment) => moment.to_string(),
            _ => return self.expected(value, "a bound: a number, a date or either in quotes"),
        };
        Ok(self.said(value, text))
    }

    fn unique_keys(&self, value: &Value<'_>) -> Result<Vec<Said<Vec<String>>>, LoadError> {
        let what = "a list of unique keys: `[\"id\", [\"branch\", \"nr\"]]`";
        let Some(keys) = value.get_ref().as_array() else { return self.expected(value, what) };
        keys.iter().map(|key| Ok(self.said(key, self.key(key, what)?))).collect()
    }

    /// One column's name, or a list of them.
    pub(super) fn key(&self, value: &Value<'_>, what: &str) -> Result<Vec<String>, LoadError> {
        if let Some(name) = value.get_ref().as_str() {
            return Ok(vec![name.to_owned()]);
        }
        let names = value.get_ref().as_array().filter(|names| !names.is_empty());
        let Some(names) = names else { return self.expected(value, what) };
        let name = |name: &Value<'_>| match name.get_ref().as_str() {
            Some(name) => Ok(name.to_owned()),
            None => self.expected(name, what),
        };
        names.iter().map(name).collect()
    }

    fn matches(&self, value: &Value<'_>) -> Result<Vec<Said<Matches>>, LoadError> {
        let what = "a list of bounds: `[{ key = \"customer_id\", at_most = 12 }]`";
        let Some(all) = value.get_ref().as_array() else { return self.expected(value, what) };
        let one = |value: &Value<'_>| {
            let (mut columns, mut at_most) = (None, None);
            for (name, value) in self.table(value, what)?.iter() {
                match name.get_ref().as_ref() {
                    "key" => columns = Some(self.key(value, what)?),
                    "at_most" => at_most = Some(self.count(value, what)?.value),
                    _ => return self.unknown(name, "key and at_most"),
                }
            }
            match (columns, at_most) {
                (Some(columns), Some(at_most)) => Ok(self.said(value, (columns, at_most))),
                _ => self.expected(value, what),
            }
        };
        all.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_read_with_its_line() {
        let text = "[t]\nrows = 1_000\nunique = [\n  \"a\",\n  [\"b\", \"c\"],\n]\n\
                    matches_per_key = [{ key = \"b\", at_most = 3 }]\n\
                    [t.columns]\na = { type = \"decimal(5,2)\", min = -1.50, max = \"2\" }\n\
                    d = { min = 2001-02-03, nullable = false, width = 4 }\n";
        let declared = parse(Path::new("c"), text).unwrap();
        let table = &declared.tables["t"].value;
        assert_eq!(table.row_bound.as_ref().unwrap().value, 1000);
        let unique = table.unique.as_ref().unwrap();
        assert_eq!((unique[0].at.line, unique[1].at.line), (4, 5));
        assert_eq!(unique[1].value, ["b", "c"]);
        assert_eq!(table.matches[0].value, (vec!["b".to_owned()], 3));
        let a = &table.columns["a"].value;
        assert_eq!(a.ty.as_ref().unwrap().value, Type::Decimal { precision: 5, scale: 2 });
        assert_eq!((a.min.as_ref().unwrap().value.as_str(), a.min.as_ref().unwrap().at.line), ("-1.50", 9));
        let d = &table.columns["d"].value;
        assert_eq!(d.min.as_ref().unwrap().value, "2001-02-03");
        assert!(!d.nullable.as_ref().unwrap().value);
        assert_eq!(d.width.as_ref().unwrap().value, 4);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, expected) in [
            ("[t]\nrows = -1", "c, line 2: expected the most rows, a whole number"),
            (
                "[t]\nrow = 1",
                "c, line 2: `row` is not known here; there are rows, unique, matches_per_key and columns, and for the policy",
            ),
            ("t = 1", "c, line 1: expected a table's declarations: `[tablename]`"),
            ("[t.columns]\na = { type = \"colour\" }", "c, line 2: `colour` is no type; there are"),
            ("[t.columns]\na = { min = [] }", "c, line 2: expected a bound"),
            ("[t]\nunique = [[]]", "c, line 2: expected a list of unique keys"),
            ("[t]\n\nmatches_per_key = [{ key = \"a\" }]", "c, line 3: expected a list of bounds"),
            ("[t]\n\nrows = = 2", "c, line 3: "),
            ("[t]\n[t]\n", "c, line 2: "),
        ] {
            let error = parse(Path::new("c"), text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }
}
