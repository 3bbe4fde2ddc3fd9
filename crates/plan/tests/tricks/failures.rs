//! A failure is told, whatever the size of the group.

use super::super::policies::{ask, bank, each_allowed, each_refused, rules};
use plan::policy::TableRules;

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
