//! What a refusal says can be done: its words, and that what it names instead is allowed.

mod common;
mod policies;

use std::time::{Duration, Instant};

use plan::PlanError;
use plan::policy::TableRules;
use plan::secure::SecurePlan;
use policies::{allowed, ask, ask_both, ask_closed, bank, each_allowed, each_refused, refused, rules, shop};

/// A shop that may be read twice.
fn ask_often(rules: &TableRules, sql: &str) -> Result<SecurePlan, PlanError> {
    ask_both(rules, &shop("join filter aggregate", 1), sql)
}

/// A join may repeat rows in one order of joins and not in another.
#[test]
fn the_order_of_joins_is_named() {
    for (sql, words, instead) in [
        (
            "SELECT COUNT(*) FROM shop.sales s LEFT JOIN shop.sales t ON s.amount = t.account JOIN bank.accounts a ON \
             a.id = s.account",
            "behind an outer join",
            "SELECT COUNT(*) FROM shop.sales s JOIN bank.accounts a ON a.id = s.account LEFT JOIN shop.sales t ON \
             s.amount = t.account",
        ),
        (
            "SELECT COUNT(*) FROM me.list l LEFT JOIN shop.sales s ON s.account = l.id JOIN bank.accounts a ON a.id = \
             l.id",
            "the asker has or may read, constants or a union",
            "SELECT COUNT(*) FROM me.list l JOIN bank.accounts a ON a.id = l.id LEFT JOIN shop.sales s ON s.account = \
             l.id",
        ),
    ] {
        for words in ["in JOIN", words, "ahead of", "group", "[accounts] min_group = 1"] {
            each_refused(ask_often, &bank(), words, &[sql]);
        }
        each_allowed(ask_often, &bank(), &[instead]);
    }
    let sql = "SELECT COUNT(*) FROM bank.accounts a JOIN (SELECT s.account FROM shop.sales s LEFT JOIN shop.sales t ON \
               s.amount = t.account GROUP BY s.account) s ON a.id = s.account";
    ask_both(&bank(), &shop("join filter group aggregate", 1), sql).expect("a key of its own");
}

/// Rows of others that a condition over several columns leaves are not refused as a join.
#[test]
fn a_condition_over_several_columns_of_others_is_named() {
    for rows in [
        "bank.accounts a JOIN shop.sales s ON a.id = s.account WHERE s.amount < s.account",
        "bank.accounts a JOIN (SELECT account, amount + account AS z FROM shop.sales) s ON a.id = s.account WHERE s.z < \
         10",
    ] {
        let sql = format!("SELECT COUNT(*) FROM {rows}");
        for words in
            ["in a condition", "over several columns", "group those rows", "[accounts] min_group = 1"]
        {
            each_refused(ask_closed, &bank(), words, &[&sql]);
        }
    }
    for rows in [
        "bank.accounts a JOIN shop.sales s ON a.id = s.account WHERE s.amount < 10 AND s.account < 10",
        "bank.accounts a JOIN (SELECT account FROM shop.sales WHERE amount < account GROUP BY account) s ON a.id = \
         s.account",
    ] {
        each_allowed(ask_closed, &bank(), &[&format!("SELECT COUNT(*) FROM {rows}")]);
    }
}

/// A key is two tables' column. Rows may be counted by it, and nothing else be made of it.
#[test]
fn keys_of_two_tables_with_rules_are_counted() {
    let shop = rules(&[("account", "join aggregate"), ("amount", "aggregate")], 5);
    let bank = rules(&[("id", "join aggregate"), ("bonus", "aggregate")], 5);
    let joined = "bank.accounts a JOIN shop.sales s ON a.id = s.account";
    let both = |call: &str, rows: &str| ask_both(&bank, &shop, &format!("SELECT {call} FROM {rows}"));
    for call in ["COUNT(*)", "COUNT(a.id)", "COUNT(s.account)"] {
        both(call, joined).unwrap_or_else(|error| panic!("{call}: {error}"));
    }
    // Its values would count as often as they are there, and those of an outer join are NULL for some.
    for (call, rows) in [
        ("COUNT(DISTINCT a.id)", joined),
        ("COUNT(a.bonus)", joined),
        ("COUNT(s.account)", "bank.accounts a LEFT JOIN shop.sales s ON a.id = s.account"),
    ] {
        let error = both(call, rows).err().unwrap_or_else(|| panic!("{call} is allowed")).to_string();
        assert!(error.contains("join it to one row of each key"), "{call}: {error}");
    }
    let once = "bank.accounts a JOIN (SELECT DISTINCT account FROM shop.sales) s ON a.id = s.account";
    let words = ["a key is the other table's as well", "count rows", "askers_values = \"allow\""];
    refused(&bank, &format!("SELECT COUNT(DISTINCT s.account) FROM {once}"), &words);
    allowed(&bank, &format!("SELECT COUNT(*), COUNT(DISTINCT a.id) FROM {once}"));
    for call in ["SUM(a.id)", "SUM(s.account)"] {
        refused(&bank, &format!("SELECT {call} FROM {once}"), &["id also decides which rows these are"]);
    }
}

/// A cast cuts digits, and is no way to sum doubles under a least size of groups: a declared type is.
#[test]
fn doubles_are_declared_as_decimals() {
    let rules = rules(&[("rate", "aggregate"), ("id", "join"), ("balance", "aggregate")], 5);
    let cast = "SELECT SUM(CAST(rate AS DECIMAL(18,4))) FROM bank.accounts";
    refused(&rules, cast, &["type = \"decimal(18,4)\"", "a cast cuts digits"]);
    let joined = "SELECT SUM(a.rate) FROM bank.accounts a JOIN me.list l ON a.id = l.id";
    let error = ask(&rules, joined).expect_err("shares do not sum doubles").to_string();
    assert!(
        error.contains("let the owner declare one, which sums under a least size of groups take"),
        "{error}"
    );
    refused(&rules, "SELECT SUM(balance / 2.0) FROM bank.accounts", &["without division"]);
    let error = ask(&rules, "SELECT SUM(balance / 2.0) FROM bank.accounts").expect_err("refused").to_string();
    assert!(!error.contains("a double"), "{error}");
}

/// In an order that is turned round, rows that tie would come otherwise than in the other frames.
#[test]
fn values_of_range_frames_to_the_end_stand_alone() {
    let first =
        "FIRST_VALUE(s.account) OVER (ORDER BY s.amount RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)";
    let rows = "shop.sales s JOIN me.list l ON s.account = l.id";
    let sql = format!("SELECT ROW_NUMBER() OVER (ORDER BY s.amount), {first} FROM {rows}");
    let error = ask(&bank(), &sql).expect_err("two orders of the rows that tie").to_string();
    assert!(error.contains("RANGE … UNBOUNDED FOLLOWING beside other functions"), "{error}");
    assert!(error.contains("write ROWS"), "{error}");
    allowed(&bank(), &format!("SELECT {first} FROM {rows}"));
    allowed(&bank(), &sql.replace("RANGE", "ROWS"));
}

/// As long as allowed takes a second; with the types of names written at each operator it took 15.
#[test]
fn long_chains_are_planned_in_time() {
    let start = Instant::now();
    let sum = " + l.v".repeat(400);
    allowed(&bank(), &format!("SELECT s.amount{sum} FROM shop.sales s JOIN me.list l ON s.account = l.id"));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
