//! Values that single out a row of a large group.

use super::super::policies::{allowed, ask, bank, each_allowed, each_refused, rules};
use plan::policy::{ColumnRules, Grant, TableRules};

/// Every run plans alike: functions are not taken from a map in its order.
#[test]
fn means_are_planned_alike_every_time() {
    let sql = "SELECT region, AVG(balance), MEAN(age) FROM bank.accounts GROUP BY region";
    let digest = allowed(&bank(), sql).digest();
    for _ in 0..20 {
        assert_eq!(allowed(&bank(), sql).digest(), digest);
    }
}

/// A cast to a double cuts what does not fit, wherever a constant puts the cut.
#[test]
fn trick_casts_that_cut() {
    let rules = rules(&[("balance", "aggregate"), ("age", "aggregate")], 5);
    each_refused(
        ask,
        &rules,
        "otherwise than",
        &[
            "SELECT COUNT(DISTINCT CAST(CAST(balance AS DECIMAL(38,0)) + 295147905179352848642 AS DOUBLE)) FROM bank.accounts",
            "SELECT SUM(CAST(balance + 4611686018427387904 AS DOUBLE)) FROM bank.accounts",
            "SELECT VAR_POP(CAST(balance AS DECIMAL(38,0)) + 73786976294838206464) FROM bank.accounts",
            "SELECT VAR_POP(balance * 0.00000000000000001 + 1) FROM bank.accounts",
            "SELECT CORR(balance * 0.00000000000000001 + 1, age) FROM bank.accounts",
            "SELECT SUM(x) FROM (SELECT CAST(balance + 4611686018427387904 AS DOUBLE) AS x FROM bank.accounts)",
        ],
    );
    each_allowed(
        ask,
        &rules,
        &[
            "SELECT STDDEV(balance), CORR(balance, age), AVG(CAST(balance AS DOUBLE)) FROM bank.accounts",
            "SELECT AVG(CAST(balance AS DECIMAL(18,2))) FROM bank.accounts",
        ],
    );
}

/// Small cells merge with large ones by a key, a list or an alternative, and moments split them.
#[test]
fn trick_moments_of_merged_cells() {
    let grants = [
        ("age", "group aggregate filter join"),
        ("region", "group"),
        ("balance", "aggregate filter"),
        ("id", "filter"),
    ];
    each_refused(
        ask,
        &rules(&grants, 5),
        "also decides",
        &[
            "SELECT region, age % 47, COUNT(*), SUM(age), SUM(balance), SUM(balance * age) FROM bank.accounts GROUP BY \
             region, age % 47",
            "SELECT COUNT(*), SUM(age) FROM bank.accounts WHERE age = 50 OR id = 17",
            "SELECT COUNT(*), SUM(age) FROM bank.accounts WHERE age IN (50, 90)",
            "SELECT COUNT(*), SUM(age) FROM bank.accounts WHERE age >= 50 AND age <= 60 AND age <> 55",
            "SELECT SUM(balance) FROM bank.accounts WHERE balance = 0 OR id = 17",
            "SELECT SUM(age) FROM bank.accounts WHERE age IN (SELECT v FROM me.list)",
        ],
    );
    each_allowed(
        ask,
        &rules(&grants, 5),
        &[
            "SELECT age, SUM(balance), SUM(age) FROM bank.accounts GROUP BY age",
            "SELECT region, SUM(age) FROM bank.accounts WHERE age > 50 AND age <= 60 GROUP BY region",
            "SELECT age % 47, SUM(balance) FROM bank.accounts GROUP BY 1",
            "SELECT CASE WHEN age < 30 THEN 'young' ELSE 'old' END, AVG(balance) FROM bank.accounts GROUP BY 1",
            "SELECT COUNT(age) FROM bank.accounts WHERE age BETWEEN 18 AND 65",
        ],
    );
}

/// A product with a column of two values is a filter.
#[test]
fn trick_a_column_of_two_values_filters() {
    let grants = [("balance", "aggregate"), ("vip", "aggregate"), ("age", "aggregate")];
    each_refused(
        ask,
        &rules(&grants, 5),
        "two values",
        &[
            "SELECT SUM(balance * vip), SUM(vip), COUNT(*) FROM bank.accounts",
            "SELECT COVAR_POP(balance, vip), AVG(vip), AVG(balance) FROM bank.accounts",
            "SELECT SUM(balance * (1 - vip)) FROM bank.accounts",
            "SELECT CORR(balance, vip), REGR_SLOPE(balance, vip) FROM bank.accounts",
        ],
    );
    each_allowed(
        ask,
        &rules(&grants, 5),
        &["SELECT SUM(balance * age), SUM(vip), CORR(balance, age) FROM bank.accounts"],
    );
}

/// Months end on different days, so dates are cut by what is added to them.
#[test]
fn trick_dates_bend() {
    each_refused(
        ask,
        &rules(&[("opened", "aggregate")], 5),
        "otherwise than",
        &["SELECT COUNT(DISTINCT opened), COUNT(DISTINCT opened + INTERVAL '1 month') FROM bank.accounts"],
    );
}

/// Whether a row of totals is left by what they are is a number of rows.
#[test]
fn trick_a_row_of_totals_or_none() {
    let hide = TableRules { result_rows: false, ..bank() };
    each_refused(
        ask,
        &hide,
        "number of rows",
        &[
            "SELECT COUNT(*) FROM bank.accounts HAVING COUNT(*) > 500",
            "SELECT l.id FROM me.list l JOIN (SELECT COUNT(*) AS c FROM bank.accounts) g ON l.v < g.c",
            "SELECT region, COUNT(*) FROM bank.accounts GROUP BY region ORDER BY region LIMIT 1",
        ],
    );
    each_allowed(
        ask,
        &hide,
        &[
            "SELECT COUNT(*), SUM(age) FROM bank.accounts",
            "SELECT l.id, g.c FROM me.list l CROSS JOIN (SELECT COUNT(*) AS c FROM bank.accounts) g",
        ],
    );
}

/// A column's least size is for groups that it chooses as well.
#[test]
fn trick_a_small_group_by_a_column_of_large_ones() {
    let mut rules = rules(&[("id", "filter"), ("balance", "filter"), ("age", "aggregate")], 5);
    let of = |grant, at_least| ColumnRules { allow: [grant].into(), min_group: Some(at_least) };
    rules.min_group = None;
    rules.columns.insert("balance".to_owned(), of(Grant::Filter, 25));
    rules.columns.insert("age".to_owned(), of(Grant::Aggregate, 1));
    let plan = allowed(&rules, "SELECT SUM(age) FROM bank.accounts WHERE id = 17 AND balance > 5000");
    assert!(plan.permissions.iter().any(|by| by.by == "min_group = 25"), "{:?}", plan.permissions);
    allowed(&rules, "SELECT SUM(age) FROM bank.accounts WHERE id = 17");
}
