//! What a question chose stays its choice through orders, joins, groups and projections.

use super::super::policies::{ask, ask_closed, bank, each_allowed, each_refused, rules};
use plan::policy::TableRules;

fn joined() -> TableRules {
    rules(&[("id", "join"), ("balance", "filter")], 5)
}

/// The order of the rows that come out says what it was made of.
#[test]
fn trick_an_order_that_tells() {
    each_refused(
        ask,
        &rules(&[("id", "filter"), ("balance", "filter"), ("name", "reveal")], 5),
        "takes `reveal`",
        &[
            "SELECT l.id FROM (SELECT id FROM me.list WHERE id <= 20) l CROSS JOIN bank.accounts a ORDER BY CASE WHEN a.id \
             = l.id AND a.balance > 0 THEN 0 ELSE 1 END, l.id",
            "SELECT name FROM bank.accounts ORDER BY balance > 9980, name DESC",
            "SELECT l.id FROM me.list l CROSS JOIN bank.accounts a ORDER BY CASE WHEN a.id = l.id AND a.balance > 0 THEN 0 \
             ELSE 1 END, l.id OFFSET 99999",
            "SELECT 1 AS x FROM bank.accounts ORDER BY balance",
            "SELECT name FROM (SELECT name, ROW_NUMBER() OVER (ORDER BY balance) AS n FROM bank.accounts) WHERE n > 0",
        ],
    );
    each_allowed(
        ask,
        &rules(&[("region", "group"), ("name", "reveal")], 5),
        &[
            "SELECT name FROM bank.accounts ORDER BY upper(name)",
            "SELECT region, COUNT(*) FROM bank.accounts GROUP BY region ORDER BY region",
        ],
    );
}

/// Different values of a union with the asker's say which of these are others' as well.
#[test]
fn trick_different_values_of_a_union() {
    each_refused(
        ask,
        &rules(&[("balance", "aggregate"), ("region", "group")], 5),
        "beside",
        &[
            "SELECT COUNT(DISTINCT x), COUNT(DISTINCT y) FROM (SELECT balance AS x, balance AS y FROM bank.accounts UNION \
             ALL SELECT 9983, 9984)",
            "SELECT COUNT(DISTINCT x) FROM (SELECT balance AS x FROM bank.accounts UNION ALL SELECT v FROM me.list)",
            "SELECT region, COUNT(DISTINCT x) FROM (SELECT region, balance AS x FROM bank.accounts UNION ALL SELECT \
             'south', 9983) GROUP BY region",
        ],
    );
}

/// Where rows were chosen, that nobody is without a value is an answer.
#[test]
fn trick_none_is_an_answer() {
    let columns = [
        ("id", "join"),
        ("balance", "filter"),
        ("bonus", "aggregate filter"),
        ("region", "group"),
        ("age", "aggregate"),
    ];
    let rules = rules(&columns, 5);
    let none = |sql: &str| {
        let plan = ask(&rules, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let text = plan.explain(&Default::default());
        let line = text.lines().find(|line| line.contains("Suppress")).expect("it suppresses");
        line.contains("= 0")
    };
    for sql in [
        "SELECT COUNT(*), COUNT(bonus) FROM bank.accounts WHERE bonus IS NOT NULL OR balance > 9982",
        "SELECT COUNT(*), COUNT(bonus) FROM bank.accounts GROUP BY CASE WHEN bonus IS NOT NULL OR balance > 9982 THEN 1 \
         ELSE 0 END",
        "SELECT COUNT(*), COUNT(s2.m) FROM bank.accounts a JOIN (SELECT DISTINCT account FROM shop.sales) s1 ON a.id = \
         s1.account LEFT JOIN (SELECT account, MAX(amount) m FROM shop.sales GROUP BY account) s2 ON a.id = s2.account \
         AND a.balance <= 9982",
        "SELECT COUNT(*), COUNT(s2.m) FROM bank.accounts a JOIN (SELECT DISTINCT account FROM shop.sales) s1 ON a.id = \
         s1.account LEFT JOIN (SELECT account, MAX(amount) m FROM shop.sales WHERE account <> 17 GROUP BY account) s2 ON \
         a.id = s2.account",
    ] {
        // Some are refused altogether.
        assert!(ask(&rules, sql).is_err() || !none(sql), "{sql}");
    }
    assert!(none("SELECT region, COUNT(*), COUNT(bonus) FROM bank.accounts GROUP BY region"));
    // Of rows of the asker's without a match, nobody is left out.
    assert!(none(
        "SELECT l.label, COUNT(*), COUNT(a.age) FROM me.list l LEFT JOIN bank.accounts a ON a.id = l.id GROUP BY \
                  l.label"
    ));
}

/// Rows of somebody else are weighed by a key, a condition or a copy of the key that a group hides.
#[test]
fn trick_choices_behind_groups() {
    let questions = [
        "SELECT m.g, COUNT(*) FROM bank.accounts a JOIN (SELECT account, CASE WHEN month = 1 THEN 'A' WHEN month = 2 AND \
         account <> 17 THEN 'B' ELSE 'C' END g FROM shop.monthly) m ON a.id = m.account WHERE a.balance > -1700 GROUP BY \
         m.g",
        "SELECT CASE WHEN m.month = 1 THEN 'A' WHEN m.month = 2 AND m.account <> 17 THEN 'B' ELSE 'C' END, COUNT(*) FROM \
         bank.accounts a JOIN shop.monthly m ON a.id = m.account WHERE a.balance > -1700 GROUP BY 1",
        "SELECT COUNT(*), SUM(w.n) FROM bank.accounts a JOIN (SELECT account, COUNT(*) n FROM (SELECT account, month, \
         SUM(account * 100 + month) k FROM shop.monthly GROUP BY account, month) WHERE k <> 1702 GROUP BY account) w ON \
         a.id = w.account WHERE a.balance > -1700",
        "SELECT COUNT(*), SUM(w.n) FROM bank.accounts a JOIN (SELECT account, COUNT(*) n FROM (SELECT account, month, \
         MAX(account * 100 + month) k FROM shop.monthly GROUP BY account, month) WHERE k <> 1702 GROUP BY account) w ON \
         a.id = w.account WHERE a.balance > -1700",
        "SELECT SUM(s.acc2), COUNT(*) FROM bank.accounts a JOIN (SELECT DISTINCT account, 2 * account acc2 FROM \
         shop.monthly WHERE account IN (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)) s ON a.id = s.account WHERE a.balance > \
         -3000",
        "SELECT SUM(s.acc2) FROM bank.accounts a JOIN (SELECT account, MAX(account) acc2 FROM shop.monthly GROUP BY \
         account) s ON a.id = s.account WHERE a.balance > -3000",
        "SELECT SUM(s.acc2) FROM bank.accounts a JOIN (SELECT account, SUM(account) acc2 FROM shop.monthly GROUP BY \
         account) s ON a.id = s.account WHERE a.balance > -3000",
        "SELECT SUM(s.acc2) FROM bank.accounts a JOIN (SELECT DISTINCT account, account AS acc2 FROM shop.monthly) s ON \
         a.id = s.account WHERE a.balance > -3000",
    ];
    each_refused(ask, &joined(), "", &questions);
    each_refused(
        ask_closed,
        &joined(),
        "",
        &[
            "SELECT SUM(s.other), COUNT(*) FROM bank.accounts a JOIN (SELECT DISTINCT x.account, y.account AS other FROM \
           shop.monthly x JOIN shop.sales y ON x.account = y.account) s ON a.id = s.account WHERE a.balance > -3000",
        ],
    );
    // Nor of a shop that shows no rows, where it lets MAX be.
    let closed: Vec<&str> = questions.into_iter().filter(|sql| !sql.contains("MAX(")).collect();
    each_refused(ask_closed, &joined(), "", &closed);
    each_allowed(
        ask_closed,
        &joined(),
        &[
            "SELECT m.month, COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account WHERE a.balance > -1700 \
             GROUP BY m.month",
            "SELECT COUNT(*), SUM(w.n) FROM bank.accounts a JOIN (SELECT account, SUM(amount) n FROM shop.sales GROUP BY \
             account) w ON a.id = w.account WHERE a.balance > -1700",
        ],
    );
}

/// What the asker may read is its own: tables without rules, and columns that come out row by row.
#[test]
fn trick_tables_that_the_asker_reads() {
    each_refused(
        ask,
        &joined(),
        "",
        &[
            "SELECT COUNT(*), SUM(s.amount) FROM bank.accounts a JOIN shop.sales s ON a.id = s.account WHERE a.balance > 0 \
             AND s.amount IN (1, 8, 13, 19, 29, 71, 117, 234, 467, 954)",
            "SELECT a.balance > 0, SUM(w.n) FROM bank.accounts a JOIN (SELECT account, SUM(amount) n FROM shop.sales GROUP \
             BY account) w ON a.id = w.account GROUP BY 1",
        ],
    );
    let named = rules(&[("name", "reveal"), ("age", "reveal aggregate"), ("balance", "filter")], 5);
    each_refused(
        ask,
        &named,
        "that the asker has or may read",
        &["SELECT SUM(age) FROM bank.accounts WHERE balance > 9000"],
    );
    each_allowed(
        ask_closed,
        &joined(),
        &[
            "SELECT COUNT(*), SUM(s.amount) FROM bank.accounts a JOIN shop.sales s ON a.id = s.account WHERE a.balance > 0 AND \
           s.amount > 3",
        ],
    );
}

/// Of somebody with several rows, a condition over several columns takes some.
#[test]
fn trick_some_of_an_entitys_rows() {
    let columns = [("customer", "filter join"), ("age", "filter group join"), ("balance", "aggregate")];
    let rules = TableRules { entity: vec!["customer".to_owned()], ..rules(&columns, 10) };
    each_refused(
        ask,
        &rules,
        "several rows",
        &[
            "SELECT age, SUM(balance), COUNT(*) FROM bank.accounts WHERE age = 1 OR age = 2 AND customer <> 17 GROUP BY age",
            "SELECT SUM(balance), COUNT(*) FROM bank.accounts WHERE age = 1 OR age = 2 AND customer <> 17",
            "SELECT COUNT(*) FROM bank.accounts GROUP BY CASE WHEN age = 1 THEN 'A' WHEN age = 2 AND customer <> 17 THEN \
             'B' ELSE 'C' END",
            "SELECT COUNT(*) FROM bank.accounts a JOIN me.list l ON a.customer = l.id AND a.age = l.v",
        ],
    );
    each_allowed(
        ask,
        &rules,
        &[
            "SELECT age, SUM(balance) FROM bank.accounts WHERE (age = 1 OR age = 2) AND customer <> 17 GROUP BY age",
        ],
    );
}

/// An outer join's condition and a computed key decide as WHERE does.
#[test]
fn trick_mixed_conditions_behind_joins() {
    let rules = rules(&[("id", "join filter"), ("balance", "filter join")], 5);
    each_refused(
        ask,
        &rules,
        "decides together",
        &[
            "SELECT COUNT(*) FROM bank.accounts a JOIN (SELECT id, CASE WHEN id <= 5 THEN 0 ELSE 1 END AS p FROM me.list) b \
             ON a.id = b.id LEFT JOIN me.list l ON a.id = l.id AND a.balance > -1700 WHERE b.p = 0 OR l.v IS NOT NULL",
            "SELECT COUNT(*) FROM bank.accounts a JOIN me.list b ON a.id = b.id LEFT JOIN me.list l ON a.id = l.id AND \
             a.balance > -1700 GROUP BY COALESCE(l.label, b.label)",
            "SELECT COUNT(*) FROM bank.accounts a JOIN me.list b ON a.id = b.id LEFT JOIN (SELECT id, v FROM me.list) l ON \
             a.id = l.id AND a.balance > -1700 LEFT JOIN me.pairs p ON l.id = p.id WHERE b.v = 0 OR p.k IS NOT NULL",
            "SELECT COUNT(*) FROM bank.accounts a JOIN me.list l ON l.id = CASE WHEN a.balance > -1700 THEN a.id ELSE a.id \
             + 90 END",
        ],
    );
    each_allowed(
        ask,
        &bank(),
        &[
            "SELECT COALESCE(l.label, 'none'), SUM(a.balance) FROM bank.accounts a LEFT JOIN me.list l ON a.id = l.id GROUP \
             BY 1",
            "SELECT l.label, COUNT(*), COUNT(a.balance) FROM me.list l LEFT JOIN bank.accounts a ON a.id = l.id GROUP BY \
             l.label",
        ],
    );
}
