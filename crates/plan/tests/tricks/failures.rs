//! A failure is told, whatever the size of the group.

use super::super::policies::{ask, bank, each_allowed, each_refused, rules};
use plan::policy::{ColumnRules, Grant, TableRules};
use std::collections::BTreeSet;

/// The bank, with regions by which groups are made.
fn text_bank() -> TableRules {
    rules(
        &[("id", "filter"), ("balance", "filter aggregate"), ("age", "filter"), ("region", "filter group")],
        5,
    )
}

/// What only an owner can compute fails by a condition that the question writes.
#[test]
fn trick_functions_that_fail_at_their_owner() {
    let condition = "(id = 17 AND balance < -1600)";
    let questions = [
        "split_part(region, 'x', CASE WHEN {C} THEN 0 ELSE 1 END) <> 'q'",
        "substr(region, 1, CASE WHEN {C} THEN -1 ELSE 1 END) <> 'q'",
        "split_part(region, 'x', 1) <> CAST(CAST(CASE WHEN {C} THEN 1000 ELSE 1 END AS TINYINT) AS VARCHAR)",
        "region ~ CASE WHEN {C} THEN '(' ELSE '.' END",
        "region ~* CASE WHEN {C} THEN '[' ELSE '.' END",
        "region SIMILAR TO CASE WHEN {C} THEN '(' ELSE 'b' END",
        "round(CAST(age AS DOUBLE), CASE WHEN {C} THEN 9223372036854775807 ELSE 1 END) <> 5",
        "CAST(CAST(CAST(CASE WHEN {C} THEN 2000000000 ELSE 1 END AS INT) AS DATE) AS TIMESTAMP) <> TIMESTAMP '2020-01-01'",
    ];
    let questions = questions
        .map(|sql| format!("SELECT COUNT(*) FROM bank.accounts WHERE {}", sql.replace("{C}", condition)));
    each_refused(ask, &text_bank(), "it can fail", &questions.each_ref().map(String::as_str));
    each_allowed(
        ask,
        &text_bank(),
        &[
            "SELECT COUNT(*) FROM bank.accounts WHERE split_part(region, 'x', 1) <> 'q' AND substr(region, 1, 2) = 'no'",
            "SELECT COUNT(*) FROM bank.accounts WHERE region LIKE 'n%' OR initcap(reverse(region)) = 'Htuos'",
            "SELECT split_part(region, '-', 1), COUNT(*) FROM bank.accounts GROUP BY 1",
        ],
    );
}

/// A text that shares do not take fails where it is shared.
#[test]
fn trick_texts_that_cannot_be_shared() {
    let condition = "(id = 17 AND balance < -1600)";
    let keys = [
        "CASE WHEN {C} THEN chr(0) ELSE 'a' END",
        "CASE WHEN {C} THEN concat(region, chr(0)) ELSE region END",
        "replace(CASE WHEN {C} THEN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' ELSE 'b' END, 'a', 'xyzxyz')",
        "concat_ws(region, 'a', CASE WHEN {C} THEN region ELSE 'b' END, 'c', 'd', 'e')",
    ];
    let questions = keys
        .map(|key| format!("SELECT COUNT(*) FROM bank.accounts GROUP BY {}", key.replace("{C}", condition)));
    each_refused(ask, &text_bank(), "it can fail", &questions.each_ref().map(String::as_str));
}

/// A total at its owner overflows by the value of one, also where a range would be cut at one end only.
#[test]
fn trick_totals_that_overflow_at_their_owner() {
    each_refused(
        ask,
        &rules(&[("id", "filter"), ("balance", "aggregate"), ("age", "aggregate")], 5),
        "it can fail",
        &[
            "SELECT AVG(CAST(balance AS DECIMAL(38,0)) + 10000000000000000000000000000001637) FROM bank.accounts WHERE id \
             = 17",
            "SELECT MEAN(CAST(balance AS DECIMAL(38,0)) + 10000000000000000000000000000001637) FROM bank.accounts WHERE \
             id = 17",
            "SELECT SUM(CAST(age AS BIGINT) + 4611686018427387900) FROM bank.accounts WHERE id = 17 OR id = 18",
        ],
    );
    each_allowed(
        ask,
        &bank(),
        &["SELECT AVG(age), AVG(CAST(balance AS DECIMAL(20,0))), SUM(balance) FROM bank.accounts"],
    );
}

/// DataFusion fails where shares would not: behind its last nanosecond, beyond its calendar, at the end
/// of a type that a double rounds up to, by a pattern that is too large.
#[test]
fn trick_ends_of_types_at_their_owner() {
    let c = "(id = 17 AND balance < -1600)";
    let late = format!("CASE WHEN {c} THEN DATE '2300-01-01' ELSE DATE '2000-01-01' END");
    let big = format!("CASE WHEN {c} THEN 9223372036854775807 ELSE 1 END");
    let pattern = "_%a".repeat(6000);
    let conditions = [
        format!("CAST({late} AS TIMESTAMP) > TIMESTAMP '1999-01-01'"),
        format!("{late} > TIMESTAMP '1999-01-01 00:00:01'"),
        format!("date_trunc('month', {late}) > TIMESTAMP '1999-01-01 00:00:01'"),
        format!(
            "CASE WHEN {c} THEN TIMESTAMP '2200-01-01 00:00:01' ELSE TIMESTAMP '2000-01-01' END + INTERVAL '250 years' > \
             TIMESTAMP '1999-01-01'"
        ),
        "CAST(opened + INTERVAL '237 years' AS TIMESTAMP) > TIMESTAMP '1999-01-01 00:00:01'".to_owned(),
        format!(
            "CASE WHEN {c} THEN DATE '3000-01-01' ELSE DATE '1970-01-01' END + INTERVAL '95000000 days' > DATE '1999-01-01'"
        ),
        format!(
            "CASE WHEN {c} THEN DATE '1000-01-01' ELSE DATE '1970-01-01' END - INTERVAL '96465000 days' < DATE '1999-01-01'"
        ),
        format!("CAST(CAST({big} AS DOUBLE) AS BIGINT) > 0"),
        format!("CAST(trunc({big}) AS BIGINT) > 0"),
        format!("CAST(floor({big}) AS BIGINT) > 0"),
        format!("CAST(ceil({big}) AS BIGINT) > 0"),
        format!(
            "CAST(CAST(CASE WHEN {c} THEN 9999999999999999999999 ELSE 1 END AS DOUBLE) AS DECIMAL(22,0)) > 0"
        ),
        format!("CASE WHEN {c} THEN region LIKE '{pattern}' ELSE true END"),
        format!("CASE WHEN {c} THEN region ILIKE '{pattern}' ELSE true END"),
        format!("CASE WHEN {c} THEN region NOT LIKE '{pattern}' ELSE true END"),
    ];
    let mut rules = text_bank();
    let opened = ColumnRules { allow: BTreeSet::from([Grant::Filter]), min_group: None };
    rules.columns.insert("opened".to_owned(), opened);
    let questions = conditions.map(|part| format!("SELECT COUNT(*) FROM bank.accounts WHERE {part}"));
    each_refused(ask, &rules, "it can fail", &questions.each_ref().map(String::as_str));
    each_allowed(
        ask,
        &rules,
        &[
            "SELECT COUNT(*) FROM bank.accounts WHERE CAST(opened + INTERVAL '20 years' AS TIMESTAMP) > TIMESTAMP \
             '1999-01-01 00:00:01'",
            "SELECT COUNT(*) FROM bank.accounts WHERE date_trunc('month', opened) + INTERVAL '3 months' > DATE '1999-01-01'",
            "SELECT COUNT(*) FROM bank.accounts WHERE CAST(floor(CAST(balance AS DOUBLE)) AS BIGINT) > 0",
            "SELECT COUNT(*) FROM bank.accounts WHERE region ILIKE '%o_th%' AND extract(year FROM opened) > 2010",
        ],
    );
}
