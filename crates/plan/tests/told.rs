//! Which numbers of rows owners tell, and plans after they have told them.

mod common;

use std::collections::BTreeMap;

use common::{column, ranged, table};
use plan::catalog::{PartyCatalog, PublicCatalog, Table};
use plan::policy::RowCount;
use plan::secure::{Learns, SecurePlan, Security};
use plan::{PlanError, Request, plan};

fn ask(local_rows: RowCount, sql: &str) -> SecurePlan {
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
        party("bank", vec![Table { local_rows, ..accounts }, cards]),
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
