//! What is public about the parties' tables: names, types, bounds and keys.
//!
//! Each fact says whether its owner declared it or it was inferred from the
//! data, since an inferred fact tells everybody something about the rows.

use serde::{Deserialize, Serialize};

use crate::error::{At, PlanError};
use crate::policy::{Policy, RowCount};
use crate::types::{Range, Type};

/// How a fact became public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The owner wrote it down; its node checks the data against it.
    Declared,
    /// The owner's node derived it from the rows.
    Inferred,
}

/// A public fact and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fact<T> {
    /// The fact.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
}

impl<T> Fact<T> {
    /// A fact that its owner wrote down.
    pub fn declared(value: T) -> Fact<T> {
        Fact { value, source: Source::Declared }
    }

    /// A fact derived from the rows.
    pub fn inferred(value: T) -> Fact<T> {
        Fact { value, source: Source::Inferred }
    }

    /// Whether it was derived from the rows.
    pub fn is_inferred(&self) -> bool {
        self.source == Source::Inferred
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Fact<Type>,
    /// Whether it may hold NULL.
    pub nullable: Fact<bool>,
    /// The least and greatest unscaled value, for everything but text and doubles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Fact<Range>>,
    /// The most bytes a text has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_width: Option<Fact<u32>>,
    /// The most different values that are not NULL. It bounds the groups by this column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<Fact<u64>>,
}

/// How often one key occurs at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MatchesPerKey {
    /// The key's columns.
    pub key: Vec<String>,
    /// The most rows that share one key.
    pub at_most: u64,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name, unique at its party.
    pub name: String,
    /// The most rows it has; what is shared is padded to it.
    pub row_bound: Fact<u64>,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Sets of columns that no two rows agree on (rows with a NULL among them aside).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique_keys: Vec<Fact<Vec<String>>>,
    /// How often keys that are not unique occur.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches_per_key: Vec<Fact<MatchesPerKey>>,
    /// What everybody learns of how many rows a filter at its owner keeps.
    #[serde(default, skip_serializing_if = "RowCount::is_hidden")]
    pub local_rows: RowCount,
    /// What its owner lets others learn of it.
    #[serde(default, skip_serializing_if = "Policy::is_unstated")]
    pub policy: Policy,
}

impl Table {
    /// The position of a column.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// What one party says about its tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyCatalog {
    /// The party's name, the first half of `party.table`.
    pub name: String,
    /// Its tables; none for a party that only computes.
    #[serde(default)]
    pub tables: Vec<Table>,
}

/// What is public about all parties' tables; the same at every party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicCatalog {
    /// The parties, in the session's order.
    pub parties: Vec<PartyCatalog>,
}

impl PublicCatalog {
    /// The party's index in the session's order.
    pub fn party_index(&self, name: &str) -> Option<usize> {
        self.parties.iter().position(|party| party.name == name)
    }

    /// The table `party.table`.
    pub fn table(&self, party: &str, table: &str) -> Option<&Table> {
        self.parties.iter().find(|p| p.name == party)?.tables.iter().find(|t| t.name == table)
    }

    /// Checks that names are unique, keys name columns and ranges fit types.
    ///
    /// # Errors
    /// `Catalog`, naming the party and the table.
    pub fn check(&self) -> Result<(), PlanError> {
        for (index, party) in self.parties.iter().enumerate() {
            if self.parties[..index].iter().any(|other| other.name == party.name) {
                return Err(wrong(&party.name, "there are two parties of this name"));
            }
            party.check()?;
        }
        Ok(())
    }

    /// The hash of the catalog's canonical form; equal catalogs, equal digests.
    pub fn digest(&self) -> [u8; 32] {
        let canonical = serde_json::to_vec(self).expect("a catalog has string keys only");
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 catalog v1");
        hasher.update(&canonical);
        *hasher.finalize().as_bytes()
    }
}

impl PartyCatalog {
    /// Checks that names are unique, keys name columns and ranges fit types.
    ///
    /// # Errors
    /// `Catalog`, naming the table.
    pub fn check(&self) -> Result<(), PlanError> {
        for (index, table) in self.tables.iter().enumerate() {
            let file = format!("{}.{}", self.name, table.name);
            if self.tables[..index].iter().any(|other| other.name == table.name) {
                return Err(wrong(&file, "there are two tables of this name"));
            }
            table.check(&file)?;
        }
        Ok(())
    }
}

impl Table {
    fn check(&self, file: &str) -> Result<(), PlanError> {
        if self.columns.is_empty() {
            return Err(wrong(file, "the table has no columns"));
        }
        for (index, column) in self.columns.iter().enumerate() {
            if self.columns[..index].iter().any(|other| other.name == column.name) {
                return Err(wrong(file, &format!("there are two columns `{}`", column.name)));
            }
            let Some(range) = &column.range else { continue };
            let Some(possible) = column.ty.value.range() else {
                return Err(wrong(
                    file,
                    &format!("column `{}`: {} has no range", column.name, column.ty.value),
                ));
            };
            if !possible.contains(range.value) || range.value.low > range.value.high {
                let reason = format!(
                    "column `{}`: the range {} does not fit {}",
                    column.name, range.value, column.ty.value
                );
                return Err(wrong(file, &reason));
            }
        }
        if let Some(rules) = self.policy.rules() {
            let named = rules.entity.iter().chain(rules.columns.keys());
            if let Some(name) = named.into_iter().find(|name| self.column_index(name).is_none()) {
                return Err(wrong(file, &format!("its policy names `{name}`, which is no column")));
            }
        }
        let keys = self.unique_keys.iter().map(|key| &key.value);
        for key in keys.chain(self.matches_per_key.iter().map(|matches| &matches.value.key)) {
            if key.is_empty() {
                return Err(wrong(file, "a key has no columns"));
            }
            if let Some(name) = key.iter().find(|name| self.column_index(name).is_none()) {
                return Err(wrong(file, &format!("a key names `{name}`, which is no column")));
            }
        }
        Ok(())
    }
}

fn wrong(file: &str, reason: &str) -> PlanError {
    PlanError::Catalog { file: file.to_owned(), reason: reason.to_owned(), at: At(None) }
}
