//! Tricks that a fresh reader thought of: one person's value by a question that looks harmless, with
//! the harmless questions beside them, which stay allowed.

mod common;
mod policies;
mod tricks;

use plan::policy::TableRules;
use plan::secure::{Learns, SecurePlan};
use policies::{allowed, ask, ask_closed, bank, each_allowed, each_refused, refused, rules, suppresses};

#[track_caller]
fn all_refused(rules: &TableRules, words: &str, questions: &[&str]) {
    each_refused(ask, rules, words, questions);
}

#[track_caller]
fn all_allowed(rules: &TableRules, questions: &[&str]) {
    each_allowed(ask, rules, questions);
}

/// Weights that came through a table by a count, a group or a constant are somebody's choice.
#[test]
fn trick_weights_by_counts_groups_and_constants() {
    all_refused(
        &bank(),
        "",
        &[
            "SELECT SUM(x) FROM (SELECT a.balance * w.n AS x FROM bank.accounts a JOIN (SELECT id, COUNT(*) - 1 AS n \
             FROM me.many GROUP BY id) w ON a.id = w.id)",
            "SELECT SUM(w.n) FROM bank.accounts a JOIN (SELECT id, COUNT(*) AS n FROM me.many GROUP BY id) w ON a.id = \
             w.id",
            "SELECT SUM(w.v) FROM bank.accounts a JOIN (SELECT id, SUM(v) AS v FROM (SELECT 17 AS id, 1 AS v UNION ALL \
             SELECT 1, 0 UNION ALL SELECT 2, 0) GROUP BY id) w ON a.id = w.id",
            "SELECT SUM(x) FROM (SELECT a.balance * w.n AS x FROM bank.accounts a JOIN (SELECT account, MAX(CASE WHEN \
             account = 17 THEN 1 ELSE 0 END) AS n FROM shop.sales GROUP BY account) w ON a.id = w.account)",
            "SELECT SUM(w.n) FROM bank.accounts a JOIN (SELECT account, MAX(CASE WHEN account = 17 THEN 1 ELSE 0 END) \
             AS n FROM shop.sales GROUP BY account) w ON a.id = w.account",
            "SELECT SUM(w.n) FROM bank.accounts a JOIN (SELECT account, COUNT(*) FILTER (WHERE amount < account) AS n \
             FROM shop.sales GROUP BY account) w ON a.id = w.account",
            "SELECT SUM(w.n) FROM bank.accounts a JOIN (SELECT account, COUNT(*) AS n FROM (SELECT account FROM \
             shop.sales UNION ALL SELECT account FROM shop.sales WHERE account = 17) GROUP BY account) w ON a.id = \
             w.account",
            "SELECT SUM(w.n) FROM bank.accounts a JOIN (SELECT account, COUNT(*) AS n FROM shop.sales WHERE amount < 3 \
             OR account = 17 GROUP BY account) w ON a.id = w.account",
            "SELECT SUM(a.balance * s.amount) FROM bank.accounts a JOIN shop.sales s ON a.id = s.account",
            "SELECT COVAR_POP(a.balance, w.n) FROM bank.accounts a JOIN (SELECT account, SUM(amount) AS n FROM \
             shop.sales GROUP BY account) w ON a.id = w.account",
        ],
    );
    // Rows repeated as often as the question says.
    all_refused(
        &bank(),
        "as often as the question says",
        &[
            "SELECT COUNT(*) FROM bank.accounts a JOIN (SELECT account FROM shop.sales UNION ALL SELECT account FROM \
             shop.sales WHERE account = 17) s ON a.id = s.account",
            "SELECT COUNT(*) FROM bank.accounts a JOIN (SELECT account FROM (SELECT account, ROW_NUMBER() OVER \
             (PARTITION BY account ORDER BY amount) AS line FROM shop.sales) WHERE line < 2 OR account = 17) s ON a.id = \
             s.account",
            "SELECT COUNT(*) FROM bank.accounts a JOIN (SELECT CASE WHEN amount < 100 THEN 17 ELSE 18 END AS k FROM \
             shop.sales) s ON a.id = s.k",
        ],
    );
    each_allowed(
        ask_closed,
        &bank(),
        &[
            "SELECT a.region, SUM(w.n), COUNT(*) FROM bank.accounts a JOIN (SELECT account, SUM(amount) AS n FROM \
             shop.sales GROUP BY account) w ON a.id = w.account GROUP BY a.region",
            "SELECT a.region, SUM(s.amount), COUNT(*) FROM bank.accounts a JOIN shop.sales s ON a.id = s.account WHERE \
             s.amount > 10 GROUP BY a.region",
            "SELECT SUM(2 * balance + age), AVG(balance * age * 0.25), STDDEV(balance) FROM bank.accounts",
            "SELECT COUNT(*), SUM(s), AVG(s) FROM (SELECT region, SUM(balance) AS s FROM bank.accounts GROUP BY region)",
        ],
    );
    let weights = TableRules { askers_values: true, ..bank() };
    allowed(&weights, "SELECT SUM(a.balance * l.v) FROM me.list l JOIN bank.accounts a ON a.id = l.id");
}

/// Rows that the question writes out are chosen, whether by VALUES or one by one.
#[test]
fn trick_a_list_by_unions_of_single_rows() {
    let list = "(SELECT 1 AS id, 0 AS v UNION ALL SELECT 2, 0 UNION ALL SELECT 3, 0 UNION ALL SELECT 4, 0 UNION ALL \
                SELECT 5, 0 UNION ALL SELECT 17, 1 UNION ALL SELECT 18, 2 UNION ALL SELECT 19, 4)";
    let values = format!(
        "SELECT SUM(w.v) FROM bank.accounts a JOIN {list} w ON a.id = w.id WHERE a.id <= 5 OR a.balance > 5000"
    );
    let groups =
        format!("SELECT w.v, SUM(a.balance) FROM bank.accounts a JOIN {list} w ON a.id = w.id GROUP BY w.v");
    all_refused(&bank(), "", &[&values, &groups]);
}

/// All aggregates of a group are over the same rows, or over rows whose rest is large as well.
#[test]
fn trick_two_aggregates_over_different_rows() {
    all_refused(
        &bank(),
        "",
        &[
            "SELECT SUM(balance), SUM(x) FROM (SELECT a.balance, a.balance * l.one AS x FROM bank.accounts a JOIN \
             me.list b ON a.id = b.id LEFT JOIN (SELECT id, 1 AS one FROM me.list WHERE v = 0) l ON a.id = l.id)",
            "SELECT COUNT(*), COUNT(x) FROM (SELECT CASE WHEN id = 17 AND balance > 5000 THEN NULL ELSE 1 END AS x FROM \
             bank.accounts)",
            "SELECT COUNT(DISTINCT x), COUNT(DISTINCT y) FROM (SELECT GREATEST(balance, 9000) AS x, GREATEST(balance, \
             9001) AS y FROM bank.accounts)",
            "SELECT COUNT(x), COUNT(*) FROM (SELECT NULLIF(balance, 7) AS x FROM bank.accounts)",
            "SELECT SUM(balance), SUM(x) FROM (SELECT balance, balance + 0 * bonus AS x FROM bank.accounts)",
            "SELECT COUNT(DISTINCT x) FROM (SELECT balance + 0 * age AS x FROM bank.accounts)",
        ],
    );
    // Whoever has no value is counted as well where another aggregate is about all.
    let predicate = |sql: &str| {
        let plan = allowed(&bank(), sql);
        let text = plan.explain(&Default::default());
        let line = text.lines().find(|line| line.contains("Suppress")).expect("it suppresses").to_owned();
        assert_eq!(suppresses(&plan), 1);
        line
    };
    for sql in [
        "SELECT COUNT(*), COUNT(bonus) FROM bank.accounts",
        "SELECT region, SUM(bonus), SUM(age) FROM bank.accounts GROUP BY region",
        "SELECT COUNT(*), COUNT(x) FROM (SELECT bonus AS x FROM bank.accounts)",
    ] {
        let line = predicate(sql);
        assert!(line.matches(">= 5").count() == 3 && line.contains("= 0"), "{sql}: {line}");
    }
    let line =
        predicate("SELECT region, SUM(bonus), COUNT(bonus), AVG(bonus) FROM bank.accounts GROUP BY region");
    assert!(line.matches(">= 5").count() == 2 && !line.contains("= 0"), "{line}");
    assert_eq!(predicate("SELECT COUNT(*), COUNT(balance) FROM bank.accounts").matches(">= 5").count(), 1);
    all_allowed(
        &bank(),
        &[
            "SELECT l.label, SUM(a.balance), COUNT(a.balance) FROM me.list l LEFT JOIN bank.accounts a ON a.id = l.id \
             GROUP BY l.label",
            "SELECT SUM(2 * bonus) FROM bank.accounts",
        ],
    );
}

/// Rows that come out tell of what decided which they are, with or without a column.
#[test]
fn trick_rows_without_columns() {
    let rows = "the rows that come out";
    all_refused(&bank(), rows, &["SELECT 1 FROM bank.accounts WHERE id = 17 AND balance > 5000"]);
    all_refused(
        &bank(),
        "takes `reveal`",
        &[
            "SELECT 1 FROM bank.accounts WHERE id = 17 AND balance >= 2 UNION ALL SELECT 2 FROM bank.accounts WHERE id \
             = 17 AND balance >= 4",
            "SELECT 1 FROM (SELECT id FROM bank.accounts ORDER BY balance LIMIT 3) WHERE id = 17",
            "SELECT l.label FROM me.list l WHERE EXISTS (SELECT 1 FROM bank.accounts a WHERE a.balance > 9000)",
        ],
    );
    all_refused(
        &rules(&[("id", "filter")], 5),
        "takes `reveal`",
        &[
            "SELECT id, rn FROM (SELECT l.id, a.id AS aid, ROW_NUMBER() OVER (ORDER BY l.id) AS rn FROM me.list l CROSS \
           JOIN bank.accounts a) WHERE aid = id",
        ],
    );
    // Values that may come out by themselves do so of filtered rows no more than of groups.
    let named = rules(&[("name", "reveal"), ("age", "reveal"), ("balance", "filter")], 5);
    refused(&named, "SELECT MAX(name) FROM bank.accounts WHERE balance > 9000", &["value of one row"]);
    assert_eq!(suppresses(&allowed(&named, "SELECT COUNT(*) FROM bank.accounts WHERE balance > 9000")), 1);
    all_allowed(
        &rules(&[("name", "reveal"), ("balance", "filter")], 1),
        &["SELECT name FROM bank.accounts WHERE balance > 5000"],
    );
    all_allowed(
        &rules(&[("name", "reveal"), ("age", "reveal filter")], 5),
        &["SELECT name FROM bank.accounts WHERE age > 50", "SELECT 1 FROM bank.accounts"],
    );
}

/// A join by anything but equal columns repeats rows as often as the question says.
#[test]
fn trick_a_join_by_a_condition() {
    all_refused(
        &bank(),
        "",
        &[
            "SELECT s.account, COUNT(*) FROM bank.accounts a JOIN (SELECT DISTINCT account FROM shop.sales) s ON a.id \
             <> s.account WHERE a.balance > 5000 GROUP BY s.account",
            "SELECT COUNT(*), SUM(c) FROM (SELECT s.amount, COUNT(*) AS c FROM bank.accounts a JOIN shop.sales s ON \
             a.balance >= s.amount WHERE a.id = 17 GROUP BY s.amount)",
            "SELECT s.account, COUNT(*) FROM bank.accounts a CROSS JOIN shop.sales s GROUP BY s.account",
            "SELECT COUNT(*) FROM bank.accounts a JOIN shop.sales s ON a.age + a.id = s.account",
        ],
    );
}

/// A condition over somebody else's column and the table's own pads a group with known rows.
#[test]
fn trick_a_condition_that_mixes_tables() {
    all_refused(
        &bank(),
        "decides together",
        &[
            "SELECT COUNT(*) FROM bank.accounts a JOIN me.list l ON a.id = l.id WHERE l.v = 0 OR a.balance > 5000",
            "SELECT COUNT(*) FROM bank.accounts a JOIN me.list l ON a.id = l.id AND a.balance > l.v",
            "SELECT COUNT(*) FROM bank.accounts a JOIN me.list l ON a.id = l.id GROUP BY CASE WHEN l.v = 0 OR a.balance > \
             5000 THEN 1 ELSE 0 END",
            "SELECT COUNT(*) FROM (SELECT CASE WHEN l.v = 0 OR a.balance > 5000 THEN 1 ELSE 0 END AS x FROM \
             bank.accounts a JOIN me.list l ON a.id = l.id) WHERE x = 1",
            "SELECT COUNT(*) FROM bank.accounts a WHERE a.id IN (SELECT id FROM me.list) OR a.balance > 5000",
            "SELECT SUM(a.age) FROM bank.accounts a JOIN me.list l ON a.id = l.id WHERE l.v / (a.balance - 17) >= 0",
        ],
    );
    all_allowed(
        &bank(),
        &[
            "SELECT COUNT(*) FROM bank.accounts a JOIN me.list l ON a.id = l.id WHERE l.v = 0 AND a.balance > 5000",
            "SELECT l.label, SUM(a.bonus) FROM bank.accounts a JOIN me.list l ON a.id = l.id WHERE l.v > 3 AND \
             (a.age > 50 OR a.balance > 7) GROUP BY l.label",
        ],
    );
}

fn told(plan: &SecurePlan) -> bool {
    let learns = |what: &Learns| plan.disclosures.iter().any(|disclosure| disclosure.learns == *what);
    assert_ne!(learns(&Learns::SuppressedGroups), learns(&Learns::SmallGroups));
    learns(&Learns::SuppressedGroups)
}

/// The number of small groups is told of whole tables alone: of chosen rows it is an answer.
#[test]
fn trick_the_number_of_suppressed_groups() {
    for sql in [
        "SELECT COUNT(*) FROM (SELECT region FROM bank.accounts WHERE id = 17 AND balance > 5000 GROUP BY region)",
        "SELECT l.label, COUNT(*) FROM bank.accounts a JOIN me.list l ON a.id = l.id GROUP BY l.label",
        "SELECT COUNT(*) FROM bank.accounts GROUP BY CASE WHEN id = 17 AND balance > 5000 THEN 1 ELSE 0 END",
        "SELECT region, COUNT(*) FROM (SELECT region FROM bank.accounts UNION ALL SELECT label FROM me.list) GROUP BY \
         region",
        "SELECT COUNT(*) FROM me.list WHERE id IN (SELECT id FROM bank.accounts)",
    ] {
        assert!(!told(&allowed(&bank(), sql)), "{sql}");
    }
    for sql in [
        "SELECT region, SUM(balance) FROM bank.accounts GROUP BY region HAVING COUNT(*) > 7",
        "SELECT COUNT(*) FROM (SELECT DISTINCT region FROM bank.accounts)",
    ] {
        assert!(told(&allowed(&bank(), sql)), "{sql}");
    }
}

/// A sum of doubles becomes infinite where a scale makes one value so.
#[test]
fn trick_doubles_bend() {
    let rules = rules(&[("rate", "aggregate"), ("balance", "aggregate"), ("region", "group")], 5);
    all_refused(
        &rules,
        "otherwise than",
        &[
            "SELECT AVG((rate + 10000) * CAST('1.2e304' AS DOUBLE)) FROM bank.accounts",
            "SELECT SUM(x) FROM (SELECT rate * CAST('1.2e304' AS DOUBLE) AS x FROM bank.accounts)",
            "SELECT SUM(CAST(balance AS DOUBLE) * CAST('1e304' AS DOUBLE)) FROM bank.accounts",
        ],
    );
    all_allowed(
        &rules,
        &[
            "SELECT region, AVG(rate), SUM(rate) FROM bank.accounts GROUP BY region",
            "SELECT AVG(balance), AVG(balance * 1.5) FROM bank.accounts",
        ],
    );
}

/// Whether a key repeats among chosen rows is told by a failure.
#[test]
fn trick_a_key_that_repeats_where_rows_were_chosen() {
    each_refused(
        ask_closed,
        &bank(),
        "repeats",
        &[
            "SELECT COUNT(*) FROM (SELECT l.id FROM me.pairs l JOIN bank.accounts a ON l.k = a.id WHERE a.id <= 5 OR \
           a.balance > 5000) j LEFT JOIN shop.sales s ON s.account = j.id",
        ],
    );
    each_allowed(
        ask_closed,
        &bank(),
        &[
            "SELECT s.amount, COUNT(*) FROM me.list l JOIN bank.accounts a ON l.id = a.id JOIN shop.sales s ON s.account = \
           a.id GROUP BY s.amount",
        ],
    );
}

/// What the README's example allows.
#[test]
fn the_example_of_the_readme_answers_its_questions() {
    let rules = TableRules {
        entity: vec!["customer".to_owned()],
        ..rules(&[("customer", "join"), ("region", "filter group"), ("balance", "aggregate")], 10)
    };
    all_allowed(
        &rules,
        &[
            "SELECT region, COUNT(*), SUM(balance), AVG(balance) FROM bank.accounts GROUP BY region",
            "SELECT l.label, COUNT(*), SUM(a.balance) FROM bank.accounts a JOIN me.list l ON a.customer = l.id WHERE \
             a.region = 'north' GROUP BY l.label",
            "SELECT l.label, AVG(a.balance), STDDEV(a.balance) FROM me.list l JOIN bank.accounts a ON a.customer = l.id \
             WHERE l.v > 100 GROUP BY l.label HAVING COUNT(*) > 20 ORDER BY l.label",
        ],
    );
}

/// Ranks, running totals and limits say of one row how it stands among others.
#[test]
fn trick_rows_in_an_order() {
    all_refused(
        &bank(),
        "a window function or LIMIT",
        &[
            "SELECT r, COUNT(*) FROM (SELECT RANK() OVER (ORDER BY CASE WHEN id = 17 AND balance > 5000 THEN 0 ELSE 1 \
             END) AS r FROM bank.accounts) GROUP BY r",
            "SELECT t, COUNT(*) FROM (SELECT SUM(l.v) OVER () AS t FROM bank.accounts a JOIN me.list l ON a.id = l.id) \
             GROUP BY t",
            "SELECT label, COUNT(*) FROM (SELECT l.label FROM bank.accounts a JOIN me.list l ON a.id = l.id ORDER BY l.v \
             LIMIT 5) GROUP BY label",
            "SELECT label, COUNT(*) FROM (SELECT l.label, ROW_NUMBER() OVER (PARTITION BY l.v ORDER BY label DESC) AS n \
             FROM bank.accounts a JOIN me.list l ON a.id = l.id) WHERE n <= 5 GROUP BY label",
            "SELECT k, COUNT(*) FROM (SELECT CASE WHEN id = 17 THEN 1 ELSE 0 END AS k FROM bank.accounts WHERE balance > \
             5000 ORDER BY k DESC LIMIT 5) GROUP BY k",
            "SELECT region, COUNT(*) FROM (SELECT region FROM bank.accounts LIMIT 10) GROUP BY region",
        ],
    );
    all_allowed(
        &bank(),
        &[
            "SELECT region, SUM(balance) AS s FROM bank.accounts GROUP BY region ORDER BY s DESC LIMIT 3",
            "SELECT region, RANK() OVER (ORDER BY SUM(balance)) FROM bank.accounts GROUP BY region",
        ],
    );
}

/// Of several columns, each leaves out rows of its own.
#[test]
fn trick_several_columns_with_nulls() {
    let shop = |condition: &str| format!("(SELECT DISTINCT account FROM shop.sales WHERE {condition})");
    let (all, but_one) = (shop("account <= 50000"), shop("account <= 50000 AND account <> 17"));
    let sql = format!(
        "SELECT a.region, COUNT(s1.account), COUNT(s2.account) FROM bank.accounts a LEFT JOIN {all} s1 ON a.id = \
         s1.account LEFT JOIN {but_one} s2 ON a.id = s2.account GROUP BY a.region"
    );
    all_refused(&bank(), "", &[&sql]);
}

/// A quotient is cut after some digits: what is left counts the values that reach it.
#[test]
fn trick_quotients_that_cut() {
    all_refused(
        &bank(),
        "without division",
        &[
            "SELECT SUM((balance + 10000) / 150000000.0) FROM bank.accounts",
            "SELECT SUM((balance + 10000) / 150000000.0 * age) FROM bank.accounts",
        ],
    );
}

/// Where keys are equal, another table's key is this one's.
#[test]
fn trick_sums_of_the_others_key() {
    let sql = "SELECT SUM(s.account) FROM bank.accounts a JOIN (SELECT DISTINCT account FROM shop.sales WHERE account \
               IN (1, 2, 4, 8, 16, 32)) s ON a.id = s.account WHERE a.balance > 5000";
    all_refused(&bank(), "", &[sql]);
    let chosen = "SELECT SUM(s.account) FROM bank.accounts a JOIN (SELECT DISTINCT account FROM shop.sales WHERE \
                  account IN (SELECT id FROM me.list)) s ON a.id = s.account";
    all_refused(&bank(), "", &[chosen]);
}

/// The asker says that its key is unique, and may lie: each entity counts once.
#[test]
fn trick_a_key_that_repeats_after_all() {
    let plan = allowed(&bank(), "SELECT SUM(a.balance) FROM me.list l JOIN bank.accounts a ON a.id = l.id");
    let text = plan.explain(&Default::default());
    assert!(text.contains("Window partition=[__entity_"), "{text}");
}
