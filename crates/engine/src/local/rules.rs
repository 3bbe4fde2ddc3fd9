//! The policy of a table, as `catalog.toml` has it.
//!
//! ```toml
//! [accounts]
//! entity = "customer_id"       # whom a row is about; without it, each row is about somebody else
//! min_group = 10               # the fewest customers of a group that comes out
//! answers = 100                # how many answers may depend on this table, ever
//! local_rows = { pad = 1000 }  # of the rows that a filter here keeps, everybody learns the next multiple
//! result_rows = "tell"         # an answer's number of rows may depend on this table
//!
//! [accounts.columns]
//! customer_id = { allow = ["join"] }
//! balance = { allow = ["filter", "aggregate"], min_group = 25 }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use plan::policy::{ColumnRules, Grant, Policy, RowCount, TableRules};
use toml::Spanned;
use toml::de::DeString;

use super::declared::{Reader, Said, TableDeclaration, Value};
use super::error::LoadError;
use super::table::LocalTable;

/// The keys of a table's policy, for messages.
pub(super) const TABLE_KEYS: &str =
    "policy, entity, min_group, answers, result_rows, local_rows and askers_values";
/// The keys of a column's policy.
pub(super) const COLUMN_KEYS: &str = "allow and min_group";

/// What is said about a table as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct RulesDeclaration {
    /// Whether all or nothing is allowed in one word.
    policy: Option<Said<bool>>,
    entity: Option<Said<Vec<String>>>,
    min_group: Option<Said<u64>>,
    answers: Option<u64>,
    result_rows: bool,
    local_rows: Option<Said<RowCount>>,
    askers_values: bool,
    stated: bool,
}

/// What is said about a column.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnRulesDeclaration {
    allow: Option<Said<BTreeSet<Grant>>>,
    min_group: Option<Said<u64>>,
}

impl RulesDeclaration {
    /// Reads the key, if it is one of a policy.
    pub(super) fn read(
        &mut self,
        reader: &Reader<'_>,
        key: &Spanned<DeString<'_>>,
        value: &Value<'_>,
    ) -> Result<bool, LoadError> {
        match key.get_ref().as_ref() {
            "policy" => {
                let all = reader.word(value, &[("open", true), ("closed", false)])?;
                self.policy = Some(reader.said(value, all));
            }
            "entity" => {
                let columns =
                    reader.key(value, "a column or a list of columns that say whom a row is about")?;
                self.entity = Some(reader.said(value, columns));
            }
            "min_group" => self.min_group = Some(least(reader, value)?),
            "answers" => self.answers = Some(reader.count(value, "how many answers, a whole number")?.value),
            "result_rows" => {
                let what = "expected \"tell\" or \"hide\": who asks sees which rows of an answer are real, so padding \
                            would hide nothing from it, and noise would change the answer";
                self.result_rows = reader.word_or(value, &[("tell", true), ("hide", false)], what)?;
            }
            "local_rows" => {
                let told = row_count(reader, value)?;
                self.local_rows = Some(reader.said(value, told));
                // No rule on what may be asked: beside it there may be a policy, or none.
                return Ok(true);
            }
            "askers_values" => {
                self.askers_values = reader.word(value, &[("allow", true), ("refuse", false)])?;
            }
            _ => return Ok(false),
        }
        self.stated = true;
        Ok(true)
    }
}

impl ColumnRulesDeclaration {
    /// Reads the key, if it is one of a policy.
    pub(super) fn read(
        &mut self,
        reader: &Reader<'_>,
        key: &Spanned<DeString<'_>>,
        value: &Value<'_>,
    ) -> Result<bool, LoadError> {
        match key.get_ref().as_ref() {
            "allow" => {
                let what = "a list of grants: `[\"join\", \"filter\", \"group\", \"aggregate\", \"reveal\"]`, or some of them";
                let Some(list) = value.get_ref().as_array() else { return reader.expected(value, what) };
                let mut grants = BTreeSet::new();
                for word in list {
                    grants.insert(reader.word(word, &Grant::ALL.map(|grant| (grant.name(), grant)))?);
                }
                self.allow = Some(reader.said(value, grants));
            }
            "min_group" => self.min_group = Some(least(reader, value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn row_count(reader: &Reader<'_>, value: &Value<'_>) -> Result<RowCount, LoadError> {
    let what = "\"hide\", \"tell\", { pad = 1000 } for the next multiple of 1000 or { pad = \"power-of-two\" } for \
                the next power of two; no noise is added";
    if let Some(word) = value.get_ref().as_str() {
        return match word {
            "hide" => Ok(RowCount::Hidden),
            "tell" => Ok(RowCount::Exact),
            _ => reader.expected(value, what),
        };
    }
    let pad = value.get_ref().as_table().filter(|table| table.len() == 1).and_then(|table| table.get("pad"));
    match pad {
        Some(pad) if pad.get_ref().as_str() == Some("power-of-two") => Ok(RowCount::PowerOfTwo),
        Some(pad) => match reader.count(pad, what)?.value {
            0 => reader.expected(pad, what),
            unit => Ok(RowCount::Multiple(unit)),
        },
        None => reader.expected(value, what),
    }
}

fn least(reader: &Reader<'_>, value: &Value<'_>) -> Result<Said<u64>, LoadError> {
    let what = "the fewest entities of a group, a whole number from 1";
    let said = reader.count(value, what)?;
    if said.value == 0 { reader.expected(value, what) } else { Ok(said) }
}

impl TableDeclaration {
    /// What is told of the rows that a filter keeps.
    ///
    /// # Errors
    /// `BadCatalog` beside a least size of groups: wherever it is rounded, one row more can make the
    /// next number of it, and whoever knows the other rows learns of that one.
    pub(super) fn local_rows(&self) -> Result<RowCount, LoadError> {
        let Some(said) = self.rules.local_rows.as_ref().filter(|said| !said.value.is_hidden()) else {
            return Ok(RowCount::Hidden);
        };
        let of_columns = self.columns.values().filter_map(|column| column.value.rules.min_group.as_ref());
        let least = of_columns.chain(&self.rules.min_group).map(|least| least.value).max();
        if least.is_some_and(|least| least > 1) {
            let reason = "beside a `min_group` of more than 1, the number of rows that a filter keeps is hidden: a \
                          single row can make the difference between two rounded numbers";
            return Err(LoadError::BadCatalog { at: said.at.clone(), reason: reason.to_owned() });
        }
        Ok(said.value)
    }

    /// The policy that is declared.
    pub(super) fn policy(&self, table: &LocalTable) -> Result<Policy, LoadError> {
        let wrong =
            |at: &super::CatalogLine, reason: String| Err(LoadError::BadCatalog { at: at.clone(), reason });
        let rules = &self.rules;
        let of_columns = || self.columns.iter().map(|(name, said)| (name, &said.value.rules));
        let stated = of_columns().any(|(_, rules)| rules.allow.is_some() || rules.min_group.is_some());
        if let Some(policy) = &rules.policy {
            let more = rules.entity.is_some()
                || rules.min_group.is_some()
                || rules.answers.is_some()
                || rules.result_rows
                || rules.askers_values
                || stated;
            return match (more, policy.value) {
                (true, _) => wrong(
                    &policy.at,
                    "beside `policy`, which says it in one word, no other rule can stand".to_owned(),
                ),
                (false, true) => Ok(Policy::Open),
                (false, false) => Ok(Policy::Rules(TableRules::default())),
            };
        }
        if !rules.stated && !stated {
            return Ok(Policy::Unstated);
        }
        let mut columns = BTreeMap::new();
        for (name, declared) in of_columns() {
            let allow = declared.allow.as_ref().map_or_else(BTreeSet::new, |said| said.value.clone());
            let min_group = declared.min_group.as_ref().map(|said| said.value);
            if let (Some(said), None, None) = (&declared.allow, min_group, &rules.min_group)
                && allow.contains(&Grant::Aggregate)
            {
                let reason = format!(
                    "`{name}` may be aggregated; say with `min_group` how many entities a group has at least (1 for \
                     any number)"
                );
                return wrong(&said.at, reason);
            }
            if !allow.is_empty() || min_group.is_some() {
                columns.insert(name.clone(), ColumnRules { allow, min_group });
            }
        }
        if let Some(entity) = &rules.entity {
            for name in &entity.value {
                if !table.columns.iter().any(|column| column.name == *name) {
                    let names = table.columns.iter().map(|column| column.name.as_str());
                    let near = plan::nearest(name, names);
                    return wrong(&entity.at, format!("`{}` has no column `{name}`{near}", table.name()));
                }
            }
        }
        Ok(Policy::Rules(TableRules {
            entity: rules.entity.as_ref().map_or_else(Vec::new, |said| said.value.clone()),
            min_group: rules.min_group.as_ref().map(|said| said.value),
            answers: rules.answers,
            result_rows: rules.result_rows,
            askers_values: rules.askers_values,
            columns,
        }))
    }
}
