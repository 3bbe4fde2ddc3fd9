//! A world with a policy that the tests ask about.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;

use plan::catalog::{Fact, PartyCatalog, PublicCatalog, Table};
use plan::policy::{ColumnRules, Grant, Policy, TableRules};
use plan::secure::{Op, SecurePlan, Security};
use plan::{PlanError, Request, plan};

use crate::common::{column, nullable, ranged, table};

/// What is allowed of each column: grants in words, then perhaps a least size of groups.
pub fn rules(columns: &[(&str, &str)], min_group: u64) -> TableRules {
    let column = |(name, words): &(&str, &str)| {
        let grant = |word: &str| Grant::ALL.into_iter().find(|grant| grant.name() == word).expect("a grant");
        let allow = words.split_whitespace().map(grant).collect();
        (name.to_string(), ColumnRules { allow, min_group: None })
    };
    let columns: BTreeMap<_, _> = columns.iter().map(column).collect();
    TableRules { min_group: Some(min_group), result_rows: true, columns, ..TableRules::default() }
}

fn accounts() -> Table {
    table(
        "accounts",
        1000,
        vec![
            ranged("id", "int64", 0, 99_999),
            column("name", "string"),
            column("region", "string"),
            ranged("balance", "int64", -10_000, 10_000),
            ranged("age", "int32", 0, 120),
            nullable(ranged("bonus", "int64", 0, 1000)),
            ranged("customer", "int64", 0, 9_999),
            column("rate", "float64"),
            ranged("vip", "int64", 0, 1),
            column("active", "bool"),
            ranged("opened", "date", 7305, 21_915),
        ],
        &["id"],
    )
}

/// The table, with what the policy says of its columns.
fn with_policy(table: Table, policy: &Policy) -> Table {
    let mut policy = policy.clone();
    if let Policy::Rules(rules) = &mut policy {
        rules.columns.retain(|name, _| table.column_index(name).is_some());
        rules.entity.retain(|name| table.column_index(name).is_some());
    }
    Table { policy, ..table }
}

/// The asker, a bank and a shop.
fn world(policy: Policy, of_shop: Policy) -> PublicCatalog {
    let list = table(
        "list",
        100,
        vec![ranged("id", "int64", 0, 99_999), column("label", "string"), ranged("v", "int64", 0, 1000)],
        &["id"],
    );
    let many = table(
        "many",
        100,
        vec![ranged("id", "int64", 0, 99_999), column("label", "string"), ranged("v", "int64", 0, 1000)],
        &[],
    );
    let mut pairs =
        table("pairs", 100, vec![ranged("id", "int64", 0, 99_999), ranged("k", "int64", 0, 99_999)], &["id"]);
    pairs.unique_keys.push(Fact::declared(vec!["k".to_owned()]));
    let sales = table(
        "sales",
        500,
        vec![ranged("account", "int64", 0, 99_999), ranged("amount", "int64", 0, 1000)],
        &[],
    );
    let monthly = table(
        "monthly",
        3000,
        vec![ranged("account", "int64", 0, 99_999), ranged("month", "int64", 1, 12)],
        &["account", "month"],
    );
    let lines = table(
        "lines",
        3000,
        vec![ranged("line", "int64", 0, 99_999), ranged("account", "int64", 0, 99_999)],
        &["line"],
    );
    let receipts = table(
        "receipts",
        500,
        vec![ranged("receipt", "int64", 0, 99_999), ranged("account", "int64", 0, 99_999)],
        &["receipt"],
    );
    let tags = table(
        "tags",
        100,
        vec![
            ranged("account", "int64", 0, 99_999),
            ranged("month", "int64", 1, 12),
            column("region", "string"),
            column("label", "string"),
        ],
        &[],
    );
    let usage = table(
        "usage",
        3000,
        vec![
            ranged("account", "int64", 0, 99_999),
            ranged("month", "int64", 1, 12),
            ranged("used", "int64", 0, 1000),
        ],
        &["account", "month"],
    );
    let party = |name: &str, tables| PartyCatalog { name: name.into(), tables };
    let parties = vec![
        party("me", vec![list, many, pairs, tags]),
        party("bank", vec![with_policy(accounts(), &policy), with_policy(usage, &policy)]),
        party("shop", [sales, monthly, lines, receipts].map(|table| with_policy(table, &of_shop)).into()),
    ];
    PublicCatalog { parties }
}

/// The plan where the bank has this policy.
pub fn ask_as(asker: &str, policy: Policy, sql: &str) -> Result<SecurePlan, PlanError> {
    ask_of(asker, world(policy, Policy::Unstated), sql)
}

/// The plan for `me` where the bank and the shop have these rules.
pub fn ask_both(bank: &TableRules, shop: &TableRules, sql: &str) -> Result<SecurePlan, PlanError> {
    ask_of("me", world(Policy::Rules(bank.clone()), Policy::Rules(shop.clone())), sql)
}

fn ask_of(asker: &str, catalog: PublicCatalog, sql: &str) -> Result<SecurePlan, PlanError> {
    let compute: Vec<String> = catalog.parties.iter().map(|party| party.name.clone()).collect();
    plan(Request { sql, catalog: &catalog, asker, compute: &compute, security: Security::DEFAULT })
}

/// The plan for `me` where the bank has these rules.
pub fn ask(rules: &TableRules, sql: &str) -> Result<SecurePlan, PlanError> {
    ask_as("me", Policy::Rules(rules.clone()), sql)
}

/// A shop whose rows others do not see.
pub fn closed_shop() -> TableRules {
    shop("join filter group aggregate", 2)
}

/// A shop that grants so much of each column.
pub fn shop(all: &str, min_group: u64) -> TableRules {
    rules(&[("account", all), ("amount", all), ("month", all), ("receipt", all), ("line", all)], min_group)
}

/// [`ask`], with a shop that shows no rows.
pub fn ask_closed(rules: &TableRules, sql: &str) -> Result<SecurePlan, PlanError> {
    ask_both(rules, &closed_shop(), sql)
}

type Ask = fn(&TableRules, &str) -> Result<SecurePlan, PlanError>;

/// That the bank forbids each of the questions, with these words; all that get through are named.
#[track_caller]
pub fn each_refused(ask: Ask, rules: &TableRules, words: &str, questions: &[&str]) {
    let through = questions.iter().filter_map(|sql| match ask(rules, sql) {
        Ok(_) => Some(format!("allowed: {sql}")),
        Err(error @ PlanError::Forbidden { .. })
            if error.to_string().starts_with("bank forbids") && error.to_string().contains(words) =>
        {
            None
        }
        Err(error) => Some(format!("refused otherwise: {sql}: {error}")),
    });
    let through: Vec<String> = through.collect();
    assert!(through.is_empty(), "{}", through.join("\n"));
}

/// That the bank and the shop allow each of the questions.
#[track_caller]
pub fn each_allowed(ask: Ask, rules: &TableRules, questions: &[&str]) {
    let refused = questions.iter().filter_map(|sql| Some(format!("{sql}: {}", ask(rules, sql).err()?)));
    let refused: Vec<String> = refused.collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// The plan of a question that has to be allowed.
#[track_caller]
pub fn allowed(rules: &TableRules, sql: &str) -> SecurePlan {
    ask(rules, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// That the question is refused, with these words in the refusal.
#[track_caller]
pub fn refused(rules: &TableRules, sql: &str, words: &[&str]) {
    let error = match ask(rules, sql) {
        Ok(plan) => panic!("{sql} is allowed:\n{}", plan.explain(&Default::default())),
        Err(error @ PlanError::Forbidden { .. }) => error.to_string(),
        Err(error) => panic!("{sql} is refused otherwise: {error}"),
    };
    assert!(error.starts_with("bank forbids this question"), "{error}");
    for word in words {
        assert!(error.contains(word), "{sql}: no `{word}` in: {error}");
    }
}

/// How many operators of the plan suppress groups.
pub fn suppresses(plan: &SecurePlan) -> usize {
    plan.root.nodes().iter().filter(|node| matches!(node.op, Op::Suppress { .. })).count()
}

/// Rules under which aggregates and joins are possible, by groups of five.
pub fn bank() -> TableRules {
    rules(
        &[
            ("id", "join filter"),
            ("region", "group filter"),
            ("balance", "aggregate filter"),
            ("age", "aggregate filter"),
            ("bonus", "aggregate"),
        ],
        5,
    )
}
