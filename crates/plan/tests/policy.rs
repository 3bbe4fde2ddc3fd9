//! Policies: each grant allows what it says and refuses the rest, tricks included.

mod common;
mod policies;

use std::collections::BTreeMap;

use plan::PlanError;
use plan::policy::{Grant, Policy, TableRules};
use policies::{allowed, ask, ask_as, ask_closed, bank, each_allowed, refused, rules, suppresses};

/// What one grant makes possible, and every other grant together does not.
#[test]
fn each_grant_allows_what_it_says_and_no_other_does() {
    // (the column, the grant, a question that needs it beside the fixed grants of the others)
    let questions = [
        ("name", Grant::Reveal, "SELECT name FROM bank.accounts"),
        ("name", Grant::Reveal, "SELECT upper(name) FROM bank.accounts"),
        ("name", Grant::Reveal, "SELECT name = 'Eve' FROM bank.accounts"),
        ("balance", Grant::Filter, "SELECT SUM(age) FROM bank.accounts WHERE balance > 5"),
        ("balance", Grant::Filter, "SELECT SUM(age) FROM bank.accounts WHERE abs(balance) + 1 > 5"),
        ("region", Grant::Group, "SELECT region, SUM(age) FROM bank.accounts GROUP BY region"),
        ("region", Grant::Group, "SELECT SUM(age) FROM bank.accounts GROUP BY region"),
        ("region", Grant::Group, "SELECT DISTINCT region FROM bank.accounts"),
        ("id", Grant::Join, "SELECT SUM(a.age) FROM bank.accounts a JOIN me.list l ON a.id = l.id"),
        ("id", Grant::Join, "SELECT SUM(age) FROM bank.accounts WHERE id IN (SELECT id FROM me.list)"),
    ];
    for (column, grant, sql) in questions {
        let with = |grants: &str| rules(&[(column, grants), ("age", "aggregate")], 5);
        allowed(&with(grant.name()), sql);
        // What may come out row by row may come out once as well.
        let more = |other: &Grant| *other != grant && (grant, *other) != (Grant::Group, Grant::Reveal);
        let others = Grant::ALL.into_iter().filter(more);
        let others: Vec<&str> = others.map(Grant::name).collect();
        let needed = format!("takes `{grant}`");
        refused(&with(&others.join(" ")), sql, &[&needed, &format!("bank.accounts.{column}")]);
    }
    // An aggregate is possible for what is aggregated, and for what is revealed anyway.
    let sum = "SELECT SUM(balance) FROM bank.accounts";
    allowed(&rules(&[("balance", "aggregate")], 5), sum);
    allowed(&rules(&[("balance", "reveal")], 5), sum);
    refused(
        &rules(&[("balance", "join filter group")], 5),
        sum,
        &["takes `aggregate`", "sum(bank.accounts.balance)"],
    );
}

#[test]
fn a_refusal_names_column_operator_place_and_smallest_grant() {
    let rules = rules(&[("balance", "aggregate"), ("region", "join")], 5);
    let error = ask(&rules, "SELECT SUM(balance)\nFROM bank.accounts WHERE region = 'north'").unwrap_err();
    assert_eq!(
        error.to_string(),
        "bank forbids this question at line 2, column 26: bank.accounts.region in WHERE: that takes `filter`; the \
         smallest grant that would allow it, in bank's catalog.toml: [accounts.columns] region = { allow = \
         [\"join\", \"filter\"] }"
    );
}

#[test]
fn a_table_of_which_nothing_is_allowed_gives_nothing() {
    let nothing = TableRules::default();
    refused(&nothing, "SELECT COUNT(*) FROM bank.accounts", &["min_group = 10"]);
    refused(&nothing, "SELECT 1 FROM bank.accounts", &["result_rows = \"tell\""]);
    refused(
        &nothing,
        "SELECT l.id FROM me.list l WHERE EXISTS (SELECT 1 FROM bank.accounts a WHERE a.id = l.id)",
        &["takes `join`"],
    );
    refused(&nothing, "SELECT COUNT(*) FROM me.list l CROSS JOIN bank.accounts", &["min_group"]);
}

#[test]
fn rules_are_for_others_than_their_owner() {
    let nothing = || Policy::Rules(TableRules::default());
    let all = "SELECT * FROM bank.accounts";
    assert!(ask_as("bank", nothing(), all).is_ok());
    assert!(ask_as("shop", nothing(), all).is_err());
    assert!(ask_as("shop", Policy::Open, all).is_ok());
    assert!(ask_as("shop", Policy::Unstated, all).is_ok());
}

#[test]
fn numbers_of_rows_are_told_where_the_table_says_so() {
    let tell = rules(&[("region", "group"), ("name", "reveal"), ("age", "aggregate")], 5);
    let hide = TableRules { result_rows: false, ..tell.clone() };
    for sql in
        ["SELECT name FROM bank.accounts", "SELECT region, COUNT(*) FROM bank.accounts GROUP BY region"]
    {
        allowed(&tell, sql);
        refused(&hide, sql, &["number of rows", "result_rows = \"tell\""]);
    }
    allowed(&hide, "SELECT SUM(age), COUNT(*) FROM bank.accounts");
}

/// A column that orders, decides or is compared anywhere has to filter.
#[test]
fn conditions_of_every_kind_take_the_grant_to_filter() {
    let rules = rules(
        &[("age", "aggregate"), ("name", "reveal"), ("id", "join"), ("balance", "aggregate group join")],
        1,
    );
    for sql in [
        "SELECT SUM(age) FROM bank.accounts WHERE balance > 5",
        "SELECT SUM(CASE WHEN balance > 5 THEN age ELSE 0 END) FROM bank.accounts",
        "SELECT SUM(age) FILTER (WHERE balance > 5) FROM bank.accounts",
        "SELECT SUM(CASE balance WHEN 5 THEN 1 ELSE 0 END) FROM bank.accounts",
        "SELECT name FROM bank.accounts ORDER BY balance",
        "SELECT SUM(age) FROM (SELECT age FROM bank.accounts ORDER BY balance LIMIT 3)",
        "SELECT name, ROW_NUMBER() OVER (ORDER BY balance) FROM bank.accounts",
        "SELECT name, COUNT(*) OVER (PARTITION BY balance) FROM bank.accounts",
        "SELECT a.name FROM bank.accounts a JOIN me.list l ON a.id = l.id AND a.balance < l.v",
        "SELECT name FROM bank.accounts WHERE balance IS NOT NULL AND balance IN (1, 2, 3)",
        "SELECT name FROM bank.accounts WHERE name LIKE 'a%' OR balance BETWEEN 1 AND 2",
        "SELECT COUNT(*) FROM me.list l WHERE EXISTS (SELECT 1 FROM bank.accounts a WHERE a.id = l.id AND a.balance > 1)",
    ] {
        refused(&rules, sql, &["takes `filter`"]);
    }
    // Values that come out are ordered as anybody can order them, unless the order chooses rows.
    allowed(&rules, "SELECT name FROM bank.accounts ORDER BY name");
    let chooses = "SELECT SUM(age) FROM (SELECT age FROM bank.accounts ORDER BY name LIMIT 3)";
    refused(&rules, chooses, &["bank.accounts.name", "takes `filter`"]);
}

// What follows are tricks: ways to one person's value through questions that look like large groups.

/// An aggregate over one row is a group like any other, and too small.
#[test]
fn trick_an_aggregate_over_a_one_row_filter() {
    let plan = allowed(&bank(), "SELECT SUM(balance) FROM bank.accounts WHERE id = 7");
    assert_eq!(suppresses(&plan), 1);
    let unfiltered = rules(&[("balance", "aggregate")], 5);
    refused(&unfiltered, "SELECT SUM(balance) FROM bank.accounts WHERE id = 7", &["takes `filter`"]);
    let sql = "SELECT SUM(balance) FROM (SELECT balance FROM bank.accounts ORDER BY balance DESC LIMIT 1)";
    refused(&bank(), sql, &["a window function or LIMIT"]);
}

#[test]
fn trick_a_join_to_single_out_a_row() {
    let one = "SELECT SUM(a.balance) FROM bank.accounts a JOIN (SELECT id FROM me.list WHERE v = 3) l ON a.id = l.id";
    assert_eq!(suppresses(&allowed(&bank(), one)), 1);
    let member = "SELECT COUNT(*) FROM me.list l WHERE l.id IN (SELECT id FROM bank.accounts)";
    assert_eq!(suppresses(&allowed(&bank(), member)), 1);
    // Rows that a join lets out say that there is such a key.
    for sql in [
        "SELECT l.id FROM me.list l JOIN bank.accounts a ON a.id = l.id",
        "SELECT l.id FROM me.list l WHERE l.id IN (SELECT id FROM bank.accounts)",
        "SELECT l.id FROM me.list l WHERE l.id NOT IN (SELECT id FROM bank.accounts)",
        "SELECT l.id FROM me.list l LEFT JOIN bank.accounts a ON a.id = l.id AND a.balance > 3",
        "SELECT l.id FROM me.list l JOIN bank.accounts a ON a.id = l.id WHERE a.balance > 100",
    ] {
        refused(&bank(), sql, &["takes `reveal`"]);
    }
    // Whom an antijoin is about, nobody can count.
    let sql = "SELECT COUNT(*) FROM me.list l WHERE l.id NOT IN (SELECT id FROM bank.accounts)";
    refused(&bank(), sql, &["nobody can count", "min_group = 1"]);
}

#[test]
fn trick_reveal_by_order_and_limit_or_by_extremes() {
    for sql in [
        "SELECT balance FROM bank.accounts ORDER BY balance LIMIT 1",
        "SELECT MIN(balance) FROM bank.accounts",
        "SELECT region, MAX(balance) FROM bank.accounts GROUP BY region",
        "SELECT MEDIAN(balance) FROM bank.accounts",
        "SELECT FIRST_VALUE(balance ORDER BY age) FROM bank.accounts",
        "SELECT BOOL_AND(balance > 5), SUM(age) FROM bank.accounts",
        "SELECT DISTINCT SUM(balance) OVER (ORDER BY balance) FROM bank.accounts",
    ] {
        let error = ask(&bank(), sql).expect_err(sql).to_string();
        assert!(error.starts_with("bank forbids"), "{sql}: {error}");
    }
    // Revealed values of one row beside groups of others name that row's group.
    let mixed = rules(&[("region", "group"), ("name", "reveal")], 5);
    refused(&mixed, "SELECT region, MAX(name) FROM bank.accounts GROUP BY region", &["value of one row"]);
}

#[test]
fn trick_case_on_a_forbidden_column() {
    let rules = rules(&[("balance", "aggregate"), ("name", "reveal")], 5);
    for sql in [
        "SELECT SUM(CASE WHEN age > 50 THEN balance ELSE 0 END) FROM bank.accounts",
        "SELECT CASE WHEN age > 50 THEN 1 ELSE 2 END FROM bank.accounts",
    ] {
        refused(&rules, sql, &["bank.accounts.age", "takes `filter`"]);
    }
    refused(&rules, "SELECT name, NULLIF(age, 5) IS NULL FROM bank.accounts", &["age", "takes `reveal`"]);
    // A column that may filter does not come out by a CASE.
    refused(
        &bank(),
        "SELECT CASE WHEN age > 50 THEN 1 ELSE 2 END FROM bank.accounts",
        &["age", "takes `reveal`"],
    );
}

#[test]
fn trick_differencing_within_a_question() {
    for sql in [
        "SELECT SUM(balance) - SUM(CASE WHEN id <> 1 THEN balance END) FROM bank.accounts",
        "SELECT SUM(balance), SUM(balance) FILTER (WHERE id <> 1) FROM bank.accounts",
        "SELECT COUNT(*), COUNT(NULLIF(balance, 7)) FROM bank.accounts",
        "SELECT SUM(balance), SUM(DISTINCT balance) FROM bank.accounts",
        "SELECT SUM(balance), SUM(balance + 0 * bonus) FROM bank.accounts",
        "SELECT SUM(balance), SUM(COALESCE(bonus, 0)) FROM bank.accounts",
        "SELECT COUNT(*) FROM bank.accounts WHERE id <> 1 UNION ALL SELECT COUNT(*) FROM bank.accounts",
        "SELECT (SELECT SUM(balance) FROM bank.accounts) - (SELECT SUM(balance) FROM bank.accounts WHERE id <> 1)",
        "SELECT k, SUM(balance) FROM (SELECT 1 AS k, balance FROM bank.accounts UNION ALL SELECT 2, balance FROM \
         bank.accounts WHERE id <> 1) GROUP BY k",
        "SELECT a.s - b.s FROM (SELECT SUM(balance) s FROM bank.accounts) a CROSS JOIN (SELECT SUM(balance) s FROM \
         bank.accounts WHERE id <> 1) b",
        "SELECT v.k, SUM(a.balance) FROM bank.accounts a JOIN (VALUES (1), (2)) v(k) ON v.k = 1 OR a.id <> 1 GROUP BY v.k",
        "SELECT m.label, SUM(a.balance) FROM bank.accounts a JOIN me.many m ON a.id = m.id GROUP BY m.label",
        "SELECT SUM(a.balance) FROM bank.accounts a JOIN me.many m ON a.id = m.id",
        "SELECT COUNT(*) FROM bank.accounts a JOIN me.many m ON a.id = m.id",
        "SELECT SUM(a.balance) FROM bank.accounts a JOIN me.list l ON a.age < l.v",
        "SELECT COUNT(*) FROM me.many WHERE id IN (SELECT id FROM bank.accounts)",
    ] {
        let error = ask(&bank(), sql).expect_err(sql);
        assert!(matches!(error, PlanError::Forbidden { .. }), "{sql}: {error}");
    }
}

/// A total over all groups would give a suppressed one away.
#[test]
fn trick_totals_beside_groups() {
    for sql in [
        "SELECT region, SUM(balance) FROM bank.accounts GROUP BY ROLLUP (region)",
        "SELECT region, SUM(balance) FROM bank.accounts GROUP BY GROUPING SETS ((region), ())",
        "SELECT region, SUM(balance) FROM bank.accounts GROUP BY CUBE (region)",
    ] {
        refused(&bank(), sql, &["totals over small groups", "ask for one grouping alone"]);
    }
    for sql in [
        "SELECT region, SUM(balance) FROM bank.accounts GROUP BY region UNION ALL SELECT 'all', SUM(balance) FROM \
         bank.accounts",
        "SELECT g.region, g.s, t.s FROM (SELECT region, SUM(balance) s FROM bank.accounts GROUP BY region) g CROSS JOIN \
         (SELECT SUM(balance) s FROM bank.accounts) t",
    ] {
        let error = ask(&bank(), sql).expect_err(sql);
        assert!(matches!(error, PlanError::Forbidden { .. }), "{sql}: {error}");
    }
    // A total of the groups that come out leaves the suppressed one out.
    let plan = allowed(
        &bank(),
        "SELECT region, s, SUM(s) OVER () FROM (SELECT region, SUM(balance) s FROM bank.accounts GROUP BY region)",
    );
    assert_eq!(suppresses(&plan), 1);
}

#[test]
fn trick_arithmetic_smuggling() {
    for sql in [
        // Another column beside the one that may be summed.
        "SELECT SUM(balance * 1000000 + id) FROM bank.accounts",
        // Digits of single rows.
        "SELECT SUM(balance * POWER(10, age)) FROM bank.accounts",
        "SELECT SUM(balance * (age - 1) * (age - 2)) FROM bank.accounts",
        "SELECT SUM(balance % 7) FROM bank.accounts",
        "SELECT SUM(balance / 1000) FROM bank.accounts",
        "SELECT SUM(abs(balance - 17)) FROM bank.accounts",
        "SELECT SUM(CAST(balance > 3 AS INT)) FROM bank.accounts",
        "SELECT VAR_POP(balance * age) FROM bank.accounts",
        // Weights of the asker's own spell out which rows matched.
        "SELECT SUM(l.v) FROM me.list l JOIN bank.accounts a ON a.id = l.id",
        "SELECT a.region, SUM(l.v * l.v) FROM me.list l JOIN bank.accounts a ON a.id = l.id GROUP BY a.region",
        "SELECT SUM(a.balance * l.v) FROM me.list l JOIN bank.accounts a ON a.id = l.id",
        "SELECT MAX(l.v) FROM me.list l JOIN bank.accounts a ON a.id = l.id",
    ] {
        let error = ask(&bank(), sql).expect_err(sql);
        assert!(matches!(error, PlanError::Forbidden { .. }), "{sql}: {error}");
    }
    let weights = TableRules { askers_values: true, ..bank() };
    allowed(&weights, "SELECT SUM(l.v) FROM me.list l JOIN bank.accounts a ON a.id = l.id");
    // The asker's rows beside the bank's are no weights.
    allowed(
        &bank(),
        "SELECT SUM(x) FROM (SELECT balance AS x FROM bank.accounts UNION ALL SELECT v FROM me.list)",
    );
    allowed(&bank(), "SELECT SUM(balance * age), SUM(2 * balance + age) FROM bank.accounts");
    // Values of somebody who shows no rows are none of the asker's.
    let sums = "SELECT a.region, SUM(s.amount) FROM shop.sales s JOIN bank.accounts a ON a.id = s.account GROUP BY a.region";
    each_allowed(ask_closed, &bank(), &[sums]);
    refused(&bank(), sums, &["that the asker has or may read"]);
}

/// What fails for one row's value would tell it, whatever the group.
#[test]
fn trick_failures_as_an_answer() {
    for sql in [
        "SELECT SUM(age) FROM bank.accounts WHERE 10 / (balance - 17) >= 0",
        "SELECT SUM(age) FROM bank.accounts WHERE balance * 9223372036854775 > 0",
        "SELECT SUM(a.age) FROM (SELECT id FROM me.list WHERE 10 / v >= 0) l JOIN bank.accounts a ON a.id = l.id WHERE 10 \
         / (a.balance - 17) >= 0",
        "SELECT SUM(balance * 9223372036854775) FROM bank.accounts",
        "SELECT SUM(age) FROM bank.accounts WHERE CAST(region AS INT) > 0",
    ] {
        let error = ask(&bank(), sql).expect_err(sql);
        assert!(matches!(error, PlanError::Forbidden { .. }), "{sql}: {error}");
        assert!(error.to_string().contains("fail"), "{sql}: {error}");
    }
}

/// Where any number is large enough, the owner has said that one row's value may come out so.
#[test]
fn groups_of_one_lift_what_protects_the_groups() {
    let one = TableRules { min_group: Some(1), ..bank() };
    for sql in [
        "SELECT SUM(balance) - SUM(CASE WHEN id <> 1 THEN balance END) FROM bank.accounts",
        "SELECT region, SUM(balance) FROM bank.accounts GROUP BY ROLLUP (region)",
        "SELECT COUNT(*) FROM bank.accounts WHERE id <> 1 UNION ALL SELECT COUNT(*) FROM bank.accounts",
        "SELECT SUM(a.balance) FROM bank.accounts a JOIN me.many m ON a.id = m.id",
    ] {
        assert_eq!(suppresses(&allowed(&one, sql)), 0, "{sql}");
    }
    refused(&one, "SELECT MAX(balance) FROM bank.accounts", &["takes `reveal`"]);
}

/// A column's own least size counts where it is aggregated, the table's everywhere.
#[test]
fn the_least_size_is_the_greatest_that_is_concerned() {
    let mut rules = bank();
    rules.columns.get_mut("balance").unwrap().min_group = Some(25);
    let by = |sql: &str| {
        let plan = allowed(&rules, sql);
        let found =
            plan.permissions.iter().find(|by| by.used_by == "groups").expect("a least size").by.clone();
        assert!(plan.explain(&Default::default()).contains(&found));
        found
    };
    assert_eq!(by("SELECT SUM(age) FROM bank.accounts"), "min_group = 5");
    assert_eq!(by("SELECT SUM(age), SUM(balance) FROM bank.accounts"), "min_group = 25");
    rules.min_group = None;
    refused(
        &TableRules { columns: BTreeMap::new(), ..rules.clone() },
        "SELECT COUNT(*) FROM bank.accounts",
        &["min_group"],
    );
    let plan = allowed(&rules, "SELECT COUNT(*) FROM bank.accounts");
    assert!(plan.permissions.iter().any(|by| by.by == "min_group = 25"), "{:?}", plan.permissions);
}

#[test]
fn the_plan_says_what_permitted_what() {
    let plan = allowed(
        &bank(),
        "SELECT region, SUM(balance) FROM bank.accounts WHERE age > 30 GROUP BY region ORDER BY region",
    );
    let text = plan.explain(&Default::default());
    for line in [
        "Permitted by the owners' policies:",
        "bank.accounts.age in WHERE: filter",
        "bank.accounts.balance in sum(bank.accounts.balance): aggregate",
        "bank.accounts.region in GROUP BY: group",
        "bank.accounts in groups: min_group = 5",
        "groups about too few may be missing; how many is not told",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
    let json = plan.explain_json(&Default::default());
    assert_eq!(json["permitted"].as_array().map(Vec::len), Some(plan.permissions.len()));
    let open = ask_as("me", Policy::Unstated, "SELECT region FROM bank.accounts").unwrap();
    assert!(
        open.explain(&Default::default())
            .contains("bank.accounts: no policy is written, so everything is allowed")
    );
}
