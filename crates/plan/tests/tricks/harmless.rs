//! Questions that look like tricks and are none, each with why it tells no more than what is allowed.

use super::super::policies::{allowed, ask, bank, each_allowed, each_refused, refused, rules, suppresses};
use plan::policy::TableRules;

/// Counts of what the size of a group counts: of rows where nothing is NULL, of whom the rows are about,
/// of the groups of a whole table, and of the NULLs that a group by the column would show.
#[test]
fn counts_that_groups_have_anyway() {
    let mut rules =
        rules(&[("region", "group"), ("id", "join"), ("bonus", "group"), ("balance", "filter")], 5);
    rules.entity = vec!["customer".to_owned()];
    each_allowed(
        ask,
        &rules,
        &[
            // As COUNT(*).
            "SELECT COUNT(age), COUNT(region) FROM bank.accounts",
            // As the number that is compared with the least size, which is told to be no less.
            "SELECT COUNT(DISTINCT customer) FROM bank.accounts WHERE balance > 0",
            "SELECT region, COUNT(*), COUNT(DISTINCT customer) FROM bank.accounts GROUP BY region",
            // As the groups that come out and the number of those that do not.
            "SELECT COUNT(DISTINCT region) FROM bank.accounts",
            // As the group by NULL, which has to be large enough here too.
            "SELECT COUNT(bonus), COUNT(*) FROM bank.accounts",
        ],
    );
    // Of chosen rows, different values are an answer about few.
    each_refused(
        ask,
        &rules,
        "takes `aggregate`",
        &[
            "SELECT COUNT(DISTINCT region) FROM bank.accounts WHERE balance > 0",
            "SELECT region, COUNT(DISTINCT bonus) FROM bank.accounts GROUP BY region",
            "SELECT COUNT(DISTINCT age) FROM bank.accounts",
            "SELECT COUNT(DISTINCT customer % 2) FROM bank.accounts",
            "SELECT COUNT(DISTINCT x) FROM (SELECT customer AS x FROM bank.accounts WHERE balance > 0 UNION ALL SELECT 17)",
        ],
    );
}

/// A condition over the columns by which groups are made leaves whole groups out of the answer.
#[test]
fn conditions_over_the_keys_of_groups() {
    let rules = rules(&[("region", "group"), ("age", "group"), ("balance", "aggregate")], 5);
    for sql in [
        "SELECT region, SUM(balance) FROM bank.accounts GROUP BY region HAVING region = 'north'",
        "SELECT region, SUM(balance) FROM bank.accounts a WHERE region LIKE 'n%' OR region > 's' GROUP BY region",
        "SELECT region, age, COUNT(*) FROM bank.accounts GROUP BY region, age HAVING region = 'north' AND age > 30",
        "SELECT DISTINCT region FROM bank.accounts WHERE region <> 'north'",
    ] {
        assert_eq!(suppresses(&allowed(&rules, sql)), 1, "{sql}");
    }
    // Merged groups are others, and so are groups by less than what decides.
    each_refused(
        ask,
        &rules,
        "takes `filter`",
        &[
            "SELECT SUM(balance) FROM bank.accounts WHERE region = 'north'",
            "SELECT region, SUM(balance) FROM bank.accounts WHERE age > 30 GROUP BY region",
            "SELECT region, SUM(balance) FROM bank.accounts WHERE region = 'north' OR age > 30 GROUP BY region",
            "SELECT substr(region, 1, 1), SUM(balance) FROM bank.accounts WHERE region = 'north' GROUP BY 1",
            "SELECT r, COUNT(*) FROM (SELECT upper(region) AS r FROM bank.accounts WHERE region = 'north') GROUP BY r",
        ],
    );
}

/// Means of counts and of totals: a count is never NULL, nor is a total of a group that has rows.
#[test]
fn means_of_groups_values() {
    each_allowed(
        ask,
        &bank(),
        &[
            "SELECT AVG(x.n), AVG(x.m) FROM (SELECT region, COUNT(*) AS n, COUNT(age) AS m FROM bank.accounts GROUP BY \
             region) x",
            "SELECT AVG(n), AVG(t), SUM(u) FROM (SELECT region, COUNT(*) AS n, SUM(balance) AS t, SUM(age) AS u FROM \
             bank.accounts GROUP BY region)",
            // NULL together: no row is in one and not in the other.
            "SELECT SUM(bonus), SUM(bonus * 2), AVG(-bonus + 1), COUNT(bonus) FROM bank.accounts",
        ],
    );
    let both =
        TableRules { entity: Vec::new(), ..rules(&[("bonus", "aggregate"), ("balance", "aggregate")], 5) };
    refused(
        &both,
        "SELECT SUM(bonus), SUM(NULLIF(balance, 17)) FROM bank.accounts",
        &["otherwise than the rest"],
    );
}

/// Where all that is read may come out row by row, it comes out of the same rows whatever is asked.
#[test]
fn questions_over_revealed_columns_alone() {
    let revealed = rules(&[("name", "reveal"), ("region", "reveal"), ("balance", "aggregate")], 5);
    each_allowed(
        ask,
        &revealed,
        &[
            "SELECT name FROM bank.accounts WHERE name LIKE 'a%'",
            "SELECT name FROM bank.accounts WHERE region = 'north' ORDER BY name LIMIT 3",
            "SELECT region, MIN(name) FROM bank.accounts GROUP BY region",
        ],
    );
    // Beside another column the rows are others, and without `result_rows` they do not come out.
    let hidden = TableRules { result_rows: false, ..revealed.clone() };
    refused(&hidden, "SELECT COUNT(*) FROM bank.accounts WHERE name = 'Eve'", &["takes `filter`"]);
    each_refused(
        ask,
        &revealed,
        "takes `filter`",
        &[
            "SELECT SUM(balance) FROM bank.accounts WHERE name = 'Eve'",
            "SELECT name FROM bank.accounts WHERE balance > 0",
        ],
    );
}

/// A truth as a number keeps every value, and has two.
#[test]
fn truths_as_numbers() {
    let rules = rules(&[("active", "aggregate"), ("balance", "aggregate")], 5);
    each_allowed(
        ask,
        &rules,
        &["SELECT AVG(CAST(active AS INT)), SUM(CAST(active AS INT)) FROM bank.accounts"],
    );
    refused(&rules, "SELECT SUM(CAST(active AS INT) * balance) FROM bank.accounts", &["two values"]);
}

/// A refusal names what to write instead.
#[test]
fn refusals_say_what_to_write() {
    let rules = rules(
        &[("balance", "aggregate filter"), ("region", "group"), ("customer", "join"), ("id", "join")],
        5,
    );
    for (sql, words) in [
        ("SELECT AVG(balance / 100.0) FROM bank.accounts", "SUM(x) / 100"),
        ("SELECT COUNT(*) FILTER (WHERE balance < 0) FROM bank.accounts", "GROUP BY the condition"),
        (
            "SELECT COUNT(*) FROM me.list WHERE id IN (SELECT customer FROM bank.accounts)",
            "COUNT(DISTINCT …)",
        ),
        ("SELECT region, COUNT(*) FROM bank.accounts GROUP BY ROLLUP (region)", "SUM(SUM(x)) OVER ()"),
        (
            "WITH t AS (SELECT region, SUM(balance) AS s FROM bank.accounts GROUP BY region) SELECT s / (SELECT SUM(s) FROM \
             t) FROM t",
            "SUM(x) OVER ()",
        ),
        ("SELECT SUM(balance) FROM bank.accounts WHERE balance IN (1, 2, 3)", "BETWEEN"),
        ("SELECT MEDIAN(balance) FROM bank.accounts", "takes `reveal`"),
        ("SELECT COUNT(*) FROM bank.accounts WHERE balance > (SELECT AVG(v) FROM me.list)", "as a constant"),
        ("SELECT AVG(balance / 100.0) FROM bank.accounts", "rather write the question otherwise"),
    ] {
        refused(&rules, sql, &[words]);
    }
}
