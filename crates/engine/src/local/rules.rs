//! The policy of a table, as `catalog.toml` has it.
//!
//! ```toml
//! [accounts]
//! entity = "customer_id"       # whom a row is about; without it, each row is about somebody else
//! min_group = 10               # the fewest customers of a group that comes out
//! answers = 100                # how many answers may depend on this table, ever
//! local_rows = { noise = 0.5 } # of the rows that a filter here keeps, everybody learns a noisy number
//! result_rows = "tell"         # an answer's number of rows may depend on this table
//!
//! [accounts.columns]
//! customer_id = { allow = ["join"] }
//! balance = { allow = ["filter", "aggregate"], min_group = 25 }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use plan::catalog::{Fact, MatchesPerKey};
use plan::policy::{ColumnRules, Grant, Noise, Policy, RowCount, TableRules};
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
    local_rows: Option<Said<Told>>,
    askers_values: bool,
    stated: bool,
}

/// What is said of the number of rows that a filter keeps.
#[derive(Clone, Copy, Debug)]
enum Told {
    As(RowCount),
    /// With noise of so many thousandths of epsilon.
    Noisy(u32),
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

fn row_count(reader: &Reader<'_>, value: &Value<'_>) -> Result<Told, LoadError> {
    let what = "\"hide\", \"tell\", { pad = 1000 } for the next multiple of 1000, { pad = \"power-of-two\" } for \
                the next power of two, or { noise = 0.5 } for noise of that epsilon";
    let one =
        value.get_ref().as_table().filter(|table| table.len() == 1).and_then(|table| table.iter().next());
    let Some((key, number)) = one else {
        return match value.get_ref().as_str() {
            Some("hide") => Ok(Told::As(RowCount::Hidden)),
            Some("tell") => Ok(Told::As(RowCount::Exact)),
            _ => reader.expected(value, what),
        };
    };
    match key.get_ref().as_ref() {
        "pad" if number.get_ref().as_str() == Some("power-of-two") => Ok(Told::As(RowCount::PowerOfTwo)),
        "pad" => match reader.count(number, what)?.value {
            0 => reader.expected(number, what),
            unit => Ok(Told::As(RowCount::Multiple(unit))),
        },
        "noise" => {
            let what = "the noise's epsilon, from 0.001 to 10, by at most three decimals";
            thousandths(number)
                .map_or_else(|| reader.expected(number, what), |epsilon| Ok(Told::Noisy(epsilon)))
        }
        _ => reader.expected(value, what),
    }
}

/// A plain decimal of at most three digits behind the point, in thousandths.
fn thousandths(value: &Value<'_>) -> Option<u32> {
    let value = value.get_ref();
    let whole = value.as_integer().filter(|number| number.radix() == 10).map(|number| number.as_str());
    let text = whole.or(value.as_float().map(|number| number.as_str()))?;
    let (before, behind) = text.split_once('.').unwrap_or((text, "0"));
    let digits = format!("{behind:0<3}");
    let is_plain =
        digits.len() == 3 && (before.to_owned() + &digits).bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| (before.to_owned() + &digits).parse().ok()).flatten()
}

fn least(reader: &Reader<'_>, value: &Value<'_>) -> Result<Said<u64>, LoadError> {
    let what = "the fewest entities of a group, a whole number from 1";
    let said = reader.count(value, what)?;
    if said.value == 0 { reader.expected(value, what) } else { Ok(said) }
}

/// A key as `catalog.toml` writes it.
fn named(columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    if names.len() == 1 { names.concat() } else { format!("[{}]", names.join(", ")) }
}

impl TableDeclaration {
    /// What is told of the rows that a filter keeps, with the keys that are known of the table.
    ///
    /// # Errors
    /// `BadCatalog` if, beside a least size of groups, it is told without noise: wherever it is rounded,
    /// one row more can make the next number of it, and whoever knows the other rows learns of that one.
    /// Noise takes a limit of answers, without which its mean is found, and the most rows of an entity.
    pub(super) fn local_rows(
        &self,
        unique: &[Fact<Vec<String>>],
        matches: &[Fact<MatchesPerKey>],
    ) -> Result<RowCount, LoadError> {
        let Some(Said { value, at }) = &self.rules.local_rows else { return Ok(RowCount::Hidden) };
        let wrong = |reason: String| Err(LoadError::BadCatalog { at: at.clone(), reason });
        let epsilon = match *value {
            Told::As(RowCount::Hidden) => return Ok(RowCount::Hidden),
            Told::As(told) => {
                let of_columns =
                    self.columns.values().filter_map(|column| column.value.rules.min_group.as_ref());
                let least = of_columns.chain(&self.rules.min_group).map(|least| least.value).max();
                if least.is_some_and(|least| least > 1) {
                    return wrong(
                        "beside a `min_group` of more than 1, the number of rows that a filter keeps is hidden or \
                         noisy: a single row can make the difference between two rounded numbers; say \
                         { noise = 0.5 }"
                            .to_owned(),
                    );
                }
                return Ok(told);
            }
            Told::Noisy(epsilon) => epsilon,
        };
        if self.rules.answers.is_none() {
            return wrong(
                "noise takes a limit of answers: the mean of many numbers comes near the number without \
                 noise; say with `answers` how many there may be"
                    .to_owned(),
            );
        }
        let entity = self.rules.entity.as_ref().map(|said| said.value.as_slice()).unwrap_or_default();
        let within = |key: &[String]| key.iter().all(|name| entity.contains(name));
        // What today's rows say by chance is no bound on anybody's.
        let mut declared = unique.iter().filter(|key| !key.is_inferred());
        let rows = if entity.is_empty() || declared.any(|key| within(&key.value)) {
            1
        } else {
            let known = matches.iter().map(|fact| &fact.value).filter(|matches| within(&matches.key));
            let Some(rows) = known.map(|matches| matches.at_most).min() else {
                return wrong(format!(
                    "noise hides whom a row is about, and somebody may have any number of rows; say with \
                     `unique = [{key}]` that it is one, or with `matches_per_key = [{{ key = {key}, at_most = … }}]` \
                     how many",
                    key = named(entity)
                ));
            };
            rows.max(1)
        };
        Noise::try_new(epsilon, rows).map_or_else(wrong, |noise| Ok(RowCount::Noise(noise)))
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
