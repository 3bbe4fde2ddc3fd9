//! `catalog.toml`: what an owner declares about its tables.
//!
//! ```toml
//! [accounts]                       # the table in accounts.csv or accounts.parquet
//! max_rows = 20000                 # what is shared is padded to this
//! unique = [["customer_id"]]       # no two rows agree on these columns
//! matches = [{ key = ["branch"], at_most = 500 }]
//!
//! [accounts.columns]
//! customer_id = { type = "int64", nullable = false, range = [0, 99999] }
//! balance = { type = "decimal(12,2)", range = ["-500.00", "1000000.00"] }
//! opened = { type = "date", range = ["1990-01-01", "2030-12-31"] }
//! segment = { type = "string", width = 12 }
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range as Bytes;

use serde::Deserialize;
use toml::Spanned;

use super::{Column, Fact, MatchesPerKey, PartyCatalog, Table};
use crate::error::{At, Place, PlanError};
use crate::types::{Range, Type, parse_unscaled, show_unscaled};

/// What an owner declares; what it leaves out is inferred from the data.
#[derive(Clone, Debug, Default)]
pub struct CatalogDocument {
    file: String,
    /// The tables, in the order of their names.
    pub tables: Vec<TableDeclaration>,
}

/// What is declared about one table.
#[derive(Clone, Debug)]
pub struct TableDeclaration {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub at: Place,
    /// The most rows.
    pub max_rows: Option<u64>,
    /// Sets of columns that no two rows agree on.
    pub unique: Vec<Vec<String>>,
    /// How often other keys occur.
    pub matches: Vec<MatchesPerKey>,
    /// The columns, in the order of their names.
    pub columns: Vec<ColumnDeclaration>,
}

/// What is declared about one column.
#[derive(Clone, Debug)]
pub struct ColumnDeclaration {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub at: Place,
    /// Its type.
    pub ty: Option<Type>,
    /// Whether it may hold NULL.
    pub nullable: Option<bool>,
    /// The least and greatest value, as text in the form of the type.
    pub range: Option<(String, String)>,
    /// The most bytes of a text.
    pub width: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    max_rows: Option<u64>,
    #[serde(default)]
    unique: Vec<Vec<String>>,
    #[serde(default)]
    matches: Vec<RawMatches>,
    #[serde(default)]
    columns: BTreeMap<String, Spanned<RawColumn>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMatches {
    key: Vec<String>,
    at_most: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumn {
    #[serde(rename = "type")]
    ty: Option<Spanned<String>>,
    nullable: Option<bool>,
    range: Option<Spanned<Vec<toml::Value>>>,
    width: Option<u32>,
}

impl CatalogDocument {
    /// Reads a document; `file` is what errors call it.
    ///
    /// # Errors
    /// `Catalog`, with line and column.
    pub fn parse(file: &str, text: &str) -> Result<CatalogDocument, PlanError> {
        let wrong = |reason: String, span: Option<Bytes<usize>>| PlanError::Catalog {
            file: file.to_owned(),
            reason,
            at: At(span.map(|span| place(text, span.start))),
        };
        let raw: BTreeMap<String, Spanned<RawTable>> =
            toml::from_str(text).map_err(|error| wrong(error.message().to_owned(), error.span()))?;
        let mut tables = Vec::new();
        for (name, table) in raw {
            let at = place(text, table.span().start);
            let table = table.into_inner();
            let mut columns = Vec::new();
            for (name, column) in table.columns {
                let at = place(text, column.span().start);
                let column = column.into_inner();
                let ty = match column.ty {
                    Some(ty) => Some(ty.get_ref().parse().map_err(|reason| wrong(reason, Some(ty.span())))?),
                    None => None,
                };
                let range = match column.range {
                    Some(range) => {
                        let span = range.span();
                        let [low, high] = range.get_ref().as_slice() else {
                            return Err(wrong("a range is [least, greatest]".to_owned(), Some(span)));
                        };
                        let range = (plain(low), plain(high));
                        if let Some(ty) = ty {
                            to_range(&range, ty).map_err(|reason| wrong(reason, Some(span)))?;
                        }
                        Some(range)
                    }
                    None => None,
                };
                columns.push(ColumnDeclaration {
                    name,
                    at,
                    ty,
                    nullable: column.nullable,
                    range,
                    width: column.width,
                });
            }
            let matches = table.matches.into_iter();
            let matches = matches.map(|m| MatchesPerKey { key: m.key, at_most: m.at_most }).collect();
            tables.push(TableDeclaration {
                name,
                at,
                max_rows: table.max_rows,
                unique: table.unique,
                matches,
                columns,
            });
        }
        Ok(CatalogDocument { file: file.to_owned(), tables })
    }

    /// What is declared about a table.
    pub fn table(&self, name: &str) -> Option<&TableDeclaration> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Puts the declared facts in place of the inferred ones.
    ///
    /// # Errors
    /// `Catalog` if a declaration names a table or column that is not there,
    /// or does not fit its type.
    pub fn declare(&self, catalog: &mut PartyCatalog) -> Result<(), PlanError> {
        for declared in &self.tables {
            let names: Vec<String> = catalog.tables.iter().map(|table| table.name.clone()).collect();
            let Some(table) = catalog.tables.iter_mut().find(|table| table.name == declared.name) else {
                let nearest = crate::locate::nearest(&declared.name, names.iter().map(String::as_str));
                return Err(
                    self.wrong(format!("there is no table `{}`{nearest}", declared.name), declared.at)
                );
            };
            self.declare_table(declared, table)?;
        }
        catalog.check()
    }

    fn declare_table(&self, declared: &TableDeclaration, table: &mut Table) -> Result<(), PlanError> {
        let TableDeclaration { at, max_rows, unique, matches, columns, .. } = declared;
        if let Some(rows) = max_rows {
            table.row_bound = Fact::declared(*rows);
        }
        let known: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let find = |name: &str, at: Place| {
            known.iter().position(|known| known == name).ok_or_else(|| {
                let nearest = crate::locate::nearest(name, known.iter().map(String::as_str));
                self.wrong(format!("table `{}` has no column `{name}`{nearest}", declared.name), at)
            })
        };
        for key in unique {
            key.iter().try_for_each(|name| find(name, *at).map(|_| ()))?;
            table.unique_keys.retain(|known| known.value != *key);
            table.unique_keys.push(Fact::declared(key.clone()));
        }
        for most in matches {
            most.key.iter().try_for_each(|name| find(name, *at).map(|_| ()))?;
            table.matches_per_key.retain(|known| known.value.key != most.key);
            table.matches_per_key.push(Fact::declared(most.clone()));
        }
        for declared in columns {
            let index = find(&declared.name, declared.at)?;
            self.declare_column(declared, &mut table.columns[index])?;
        }
        Ok(())
    }

    fn declare_column(&self, declared: &ColumnDeclaration, column: &mut Column) -> Result<(), PlanError> {
        if let Some(ty) = declared.ty {
            column.ty = Fact::declared(ty);
        }
        if let Some(nullable) = declared.nullable {
            column.nullable = Fact::declared(nullable);
        }
        if let Some(range) =
            declared.range_as(column.ty.value).map_err(|reason| self.wrong(reason, declared.at))?
        {
            column.range = Some(Fact::declared(range));
        }
        if let Some(width) = declared.width {
            if column.ty.value != Type::Utf8 {
                let reason = format!("column `{}`: {} has no width", column.name, column.ty.value);
                return Err(self.wrong(reason, declared.at));
            }
            column.string_width = Some(Fact::declared(width));
        }
        Ok(())
    }

    fn wrong(&self, reason: String, at: Place) -> PlanError {
        PlanError::Catalog { file: self.file.clone(), reason, at: At(Some(at)) }
    }
}

impl ColumnDeclaration {
    /// The declared range as unscaled values of `ty`.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn range_as(&self, ty: Type) -> Result<Option<Range>, String> {
        let range = self.range.as_ref().map(|range| to_range(range, ty)).transpose();
        range.map_err(|reason| format!("column `{}`: {reason}", self.name))
    }
}

/// A document with every fact of `catalog`, for its owner to look over: what
/// it keeps is declared from then on.
pub fn write_document(catalog: &PartyCatalog) -> String {
    let mut text = String::from(
        "# What everybody may know about these tables. Keep what is right, widen what should\n\
         # not follow the data too closely, and delete what should be inferred each time.\n\
         # The node checks its data against every line before it shares anything.\n",
    );
    for table in &catalog.tables {
        let _ = writeln!(text, "\n[{}]", key(&table.name));
        let _ = writeln!(text, "max_rows = {}  # what is shared is padded to this", table.row_bound.value);
        let list =
            |names: &[String]| format!("[{}]", names.iter().map(|n| quote(n)).collect::<Vec<_>>().join(", "));
        let unique: Vec<String> = table.unique_keys.iter().map(|key| list(&key.value)).collect();
        let _ = writeln!(text, "unique = [{}]  # no two rows agree on these columns", unique.join(", "));
        let matches = table
            .matches_per_key
            .iter()
            .map(|fact| format!("{{ key = {}, at_most = {} }}", list(&fact.value.key), fact.value.at_most));
        let matches: Vec<String> = matches.collect();
        if !matches.is_empty() {
            let _ = writeln!(text, "matches = [{}]  # how many rows share one key", matches.join(", "));
        }
        let _ = writeln!(text, "\n[{}.columns]", key(&table.name));
        for column in &table.columns {
            let ty = column.ty.value;
            let mut parts = vec![
                format!("type = {}", quote(&ty.to_string())),
                format!("nullable = {}", column.nullable.value),
            ];
            if let Some(range) = &column.range {
                let end = |value| match ty.is_integer() {
                    true if i64::try_from(value).is_ok() => format!("{value}"),
                    _ => quote(&show_unscaled(value, ty)),
                };
                parts.push(format!("range = [{}, {}]", end(range.value.low), end(range.value.high)));
            }
            if let Some(width) = &column.string_width {
                parts.push(format!("width = {}", width.value));
            }
            let _ = writeln!(text, "{} = {{ {} }}", key(&column.name), parts.join(", "));
        }
    }
    text
}

fn to_range((low, high): &(String, String), ty: Type) -> Result<Range, String> {
    if ty.range().is_none() {
        return Err(format!("{ty} has no range"));
    }
    let (low_value, high_value) = (parse_unscaled(low, ty)?, parse_unscaled(high, ty)?);
    if low_value > high_value {
        return Err(format!("the range starts at {low}, above its end {high}"));
    }
    Ok(Range::new(low_value, high_value))
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn place(text: &str, offset: usize) -> Place {
    let before = &text[..offset.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place {
        line: before.matches('\n').count() as u64 + 1,
        column: before[line_start..].chars().count() as u64 + 1,
    }
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quote(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[accounts]\nmax_rows = 20\nunique = [[\"id\"]]\n\n[accounts.columns]\n\
        id = { type = \"int64\", nullable = false, range = [0, 99] }\n\
        balance = { type = \"decimal(12,2)\", range = [\"-5.00\", \"10.5\"] }\n\
        opened = { type = \"date\", range = [\"1990-01-01\", \"2030-12-31\"] }\n\
        note = { type = \"string\", width = 9 }\n";

    fn inferred() -> PartyCatalog {
        let column = |name: &str, ty| Column {
            name: name.into(),
            ty: Fact::inferred(ty),
            nullable: Fact::inferred(true),
            range: None,
            string_width: None,
        };
        let columns = vec![
            column("id", Type::Int64),
            column("balance", Type::Decimal { precision: 12, scale: 2 }),
            column("opened", Type::Date),
            column("note", Type::Utf8),
        ];
        let table = Table {
            name: "accounts".into(),
            row_bound: Fact::inferred(17),
            columns,
            unique_keys: vec![Fact::inferred(vec!["id".into()])],
            matches_per_key: vec![],
        };
        PartyCatalog { name: "bank".into(), tables: vec![table] }
    }

    #[test]
    fn declared_facts_take_the_place_of_inferred_ones() {
        let mut catalog = inferred();
        CatalogDocument::parse("catalog.toml", TEXT).unwrap().declare(&mut catalog).unwrap();
        let table = &catalog.tables[0];
        assert_eq!(table.row_bound, Fact::declared(20));
        assert_eq!(table.unique_keys, [Fact::declared(vec!["id".to_owned()])]);
        assert_eq!(table.columns[0].nullable, Fact::declared(false));
        assert_eq!(table.columns[1].range, Some(Fact::declared(Range::new(-500, 1050))));
        assert_eq!(table.columns[2].range.as_ref().unwrap().value, Range::new(7305, 22_279));
        assert_eq!(table.columns[3].string_width, Some(Fact::declared(9)));
        assert!(table.columns[3].nullable.is_inferred());
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut catalog = inferred();
        CatalogDocument::parse("catalog.toml", TEXT).unwrap().declare(&mut catalog).unwrap();
        catalog.tables[0].name = "odd \"name\"".into();
        let text = write_document(&catalog);
        let mut again = inferred();
        again.tables[0].name = "odd \"name\"".into();
        CatalogDocument::parse("x", &text).unwrap().declare(&mut again).unwrap();
        assert_eq!(again.tables[0].columns[1].range, catalog.tables[0].columns[1].range);
        assert_eq!(write_document(&again), text);
    }

    #[test]
    fn errors_say_where() {
        let error = |text: &str| {
            let parsed = CatalogDocument::parse("catalog.toml", text);
            parsed.and_then(|document| document.declare(&mut inferred())).unwrap_err().to_string()
        };
        let cases = [
            ("[accounts]\nmax_row = 3", "catalog.toml at line 2, column 1: unknown field `max_row`"),
            ("[accounts]\nmax_rows = \"x\"", "catalog.toml at line 2, column 12: invalid type"),
            ("[accounts\n", "catalog.toml at line 1, column 10:"),
            (
                "[acounts]",
                "catalog.toml at line 1, column 1: there is no table `acounts`; did you mean `accounts`?",
            ),
            (
                "[accounts.columns]\nid = { type = \"int65\" }",
                "catalog.toml at line 2, column 15: `int65` is no type",
            ),
            (
                "[accounts.columns]\nbalanc = { nullable = true }",
                "catalog.toml at line 2, column 10: table `accounts` has no column `balanc`; did you mean `balance`?",
            ),
            (
                "[accounts.columns]\nid = { type = \"int8\", range = [0, 300] }",
                "catalog.toml at line 2, column 31: 300 does not fit int8",
            ),
            (
                "[accounts.columns]\nid = { type = \"int8\", range = [3, 1] }",
                "catalog.toml at line 2, column 31: the range starts at 3, above its end 1",
            ),
            (
                "[accounts.columns]\nid = { width = 3 }",
                "catalog.toml at line 2, column 6: column `id`: int64 has no width",
            ),
        ];
        for (text, expected) in cases {
            assert!(error(text).starts_with(expected), "{} instead of {expected}", error(text));
        }
    }
}
