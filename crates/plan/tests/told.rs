//! Which numbers of rows owners tell, and plans after they have told them.

mod common;

use std::collections::BTreeMap;

use common::{column, ranged, table};
use plan::catalog::{PartyCatalog, PublicCatalog, Table};
use plan::policy::{ColumnRules, Grant, Noise, Policy, RowCount, TableRules};
use plan::secure::{Learns, SecurePlan, Security};
use plan::{PlanError, Request, plan};

fn ask(local_rows: RowCount, sql: &str) -> SecurePlan {
    ask_under(Policy::Unstated, local_rows, sql)
}

fn noise() -> RowCount {
    RowCount::Noise(Noise::try_new(500, 1).expect("it has a table"))
}

fn ask_under(policy: Policy, local_rows: RowCount, sql: &str) -> SecurePlan {
    let accounts = table(
        "accounts",
        950,
        vec![ranged("id", "int64", 0, 99_999), column("region", "string"), ranged("age", "int32", 0, 120)],
        &["id"],
    );
    let cards = table("cards", 500, vec![ranged("id", "int64", 0, 99_999)], &["id"]);
    let list =
        table("list", 100, vec![ranged("id", "int64", 0, 99_999), ranged("v", "int64", 0, 9)], &["id"]);
    let party = |name: &str, tables| PartyCatalog { name: name.into(), tables };
    let parties = vec![
        party("me", vec![list]),
        party("bank", vec![Table { local_rows, policy, ..accounts }, cards]),
        party("helper", vec![]),
    ];
    let compute: Vec<String> = parties.iter().map(|party| party.name.clone()).collect();
    let catalog = PublicCatalog { parties };
    plan(Request { sql, catalog: &catalog, asker: "me", compute: &compute, security: Security::DEFAULT })
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

const FILTERED: &str = "SELECT SUM(l.v) FROM bank.accounts a JOIN me.list l ON a.id = l.id WHERE a.age > 50";

/// Bounds above such a number are from before it.
const NOTE: &str = "keep the bound from before";

fn told(plan: &SecurePlan) -> Vec<(String, RowCount)> {
    let told = plan.disclosures.iter().filter_map(|disclosure| match &disclosure.learns {
        Learns::FilteredRows { party, table, told } => Some((format!("{party}.{table}"), *told)),
        _ => None,
    });
    told.collect()
}

#[test]
fn rows_that_pass_a_filter_are_told_as_the_table_says() {
    for (rule, words) in [
        (RowCount::Exact, "as it is"),
        (RowCount::Multiple(100), "rounded up to a multiple of 100"),
        (RowCount::PowerOfTwo, "rounded up to a power of two"),
        (
            noise(),
            "with noise: 0 to 106 rows that do not count beside them, drawn anew for each run; (0.5, 2^-40)-",
        ),
    ] {
        let plan = ask(rule, FILTERED);
        assert_eq!(told(&plan), [("bank.accounts".to_owned(), rule)]);
        assert_eq!(plan.telling_stages().len(), 1);
        let text = plan.explain(&Default::default());
        let line = format!("bank.accounts: the number of rows after its filter, {words}");
        let everyone = text.find("every party learns").expect("what all learn");
        assert!(text.find(&line).is_some_and(|at| at > everyone), "no `{line}` in\n{text}");
        assert!(text.contains(NOTE) && plan.explain_json(&Default::default())["note"].is_string(), "{text}");
        assert_ne!(plan.digest(), ask(RowCount::Hidden, FILTERED).digest());
    }
    assert!(!ask(RowCount::Hidden, FILTERED).explain(&Default::default()).contains(NOTE));
    assert_eq!(told(&ask(RowCount::Hidden, FILTERED)), []);
}

#[test]
fn other_numbers_of_rows_stay_hidden() {
    for sql in [
        // No filter: how many rows there are is what `rows` bounds.
        "SELECT SUM(l.v) FROM bank.accounts a JOIN me.list l ON a.id = l.id",
        // Groups, different values and first rows are no rows of the table.
        "SELECT x.n, l.v FROM (SELECT age, COUNT(*) n FROM bank.accounts WHERE age > 50 GROUP BY age) x \
         JOIN me.list l ON x.age = l.id",
        "SELECT l.v FROM (SELECT DISTINCT age FROM bank.accounts WHERE age > 50) x JOIN me.list l ON x.age = l.id",
        "SELECT l.v FROM (SELECT age FROM bank.accounts WHERE age > 50 ORDER BY id LIMIT 7) x \
         JOIN me.list l ON x.age = l.id",
        // Nor are the pairs of two tables, or rows that another table or other rows decide.
        "SELECT l.v FROM bank.accounts a JOIN bank.cards c ON a.id = c.id JOIN me.list l ON a.id = l.id \
         WHERE a.age > 50",
        "SELECT l.v FROM (SELECT id FROM bank.accounts WHERE id NOT IN (SELECT id FROM bank.cards)) a \
         JOIN me.list l ON a.id = l.id",
        "SELECT l.v FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY age) n FROM bank.accounts) a \
         JOIN me.list l ON a.id = l.id WHERE a.n < 9",
        // On shares nobody knows it.
        "SELECT COUNT(*) FROM bank.accounts a JOIN me.list l ON a.id = l.id WHERE a.age + l.v > 50",
    ] {
        let plan = ask(RowCount::Multiple(100), sql);
        assert_eq!((told(&plan), plan.telling_stages().len()), (vec![], 0), "{sql}");
        assert_eq!(plan.with_told_rows(&BTreeMap::new()).expect("nothing to tell").digest(), plan.digest());
    }
}

#[test]
fn told_numbers_bound_rows_and_are_part_of_the_digest() {
    let plan = ask(RowCount::Multiple(100), FILTERED);
    let id = plan.telling_stages()[0].0.id;
    let with = |told: &[(usize, u64)]| plan.with_told_rows(&told.iter().copied().collect());
    let (some, more) = (with(&[(id, 300)]).expect("a multiple"), with(&[(id, 400)]).expect("a multiple"));
    assert_eq!(some.telling_stages()[0].0.row_bound, 300);
    assert!(plan.digest() != some.digest() && some.digest() != more.digest());
    assert_eq!(with(&[(id, 950)]).expect("the bound").telling_stages()[0].0.row_bound, 950);
    for wrong in
        [&[][..], &[(id, 0)], &[(id, 301)], &[(id, 1000)], &[(id, 300), (id + 1, 100)], &[(id + 1, 100)]]
    {
        let error = with(wrong).expect_err("no number of this rule");
        assert!(matches!(error, PlanError::Parties { .. }), "{wrong:?}: {error}");
    }
}

/// Any number up to the bound can be noise on fewer rows, and a plan covers how much noise there is.
#[test]
fn noisy_numbers_are_told_within_the_bound() {
    let plan = ask(noise(), FILTERED);
    let id = plan.telling_stages()[0].0.id;
    let with = |rows| plan.with_told_rows(&BTreeMap::from([(id, rows)]));
    for rows in [0, 1, 17, 950] {
        assert_eq!(with(rows).expect("a number").telling_stages()[0].0.row_bound, rows);
    }
    with(951).expect_err("beyond the bound");
    let less = RowCount::Noise(Noise::try_new(501, 1).expect("it has a table"));
    assert_ne!(plan.digest(), ask(less, FILTERED).digest());
}

/// Entities are numbered by a window function, which decides on no row; one that decides counts others.
#[test]
fn noise_stands_beside_a_least_size_of_groups() {
    let columns = [("id", vec![Grant::Join]), ("age", vec![Grant::Filter, Grant::Aggregate])];
    let rules = |(name, allow): &(&str, Vec<Grant>)| {
        let allow = allow.iter().copied().collect();
        ((*name).to_owned(), ColumnRules { allow, min_group: None })
    };
    let policy = Policy::Rules(TableRules {
        min_group: Some(10),
        answers: Some(5),
        result_rows: true,
        columns: columns.iter().map(rules).collect(),
        ..TableRules::default()
    });
    let sql =
        "SELECT COUNT(*), SUM(a.age) FROM bank.accounts a JOIN me.list l ON a.id = l.id WHERE a.age > 50";
    let plan = ask_under(policy, noise(), sql);
    assert_eq!(told(&plan), [("bank.accounts".to_owned(), noise())]);
}
