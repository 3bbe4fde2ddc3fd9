//! Rows that the question lists by a join instead of a condition, and rows that match nobody.

use super::super::policies::{
    ask, ask_both, ask_closed, bank, closed_shop, each_allowed, each_refused, rules,
};
use plan::PlanError;
use plan::policy::{ColumnRules, Grant, TableRules};
use plan::secure::SecurePlan;

fn ask_protected(bank: &TableRules, sql: &str) -> Result<SecurePlan, PlanError> {
    ask_both(bank, &TableRules { min_group: Some(5), ..closed_shop() }, sql)
}

/// A list by two keys puts the rows of one account into as many groups as it has lines.
#[test]
fn trick_overlapping_groups_by_a_list_of_two_keys() {
    let tags = "(SELECT account, month, MAX(label) AS label FROM me.tags GROUP BY account, month)";
    let joined = "FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account";
    let questions = [
        format!(
            "SELECT t.label, COUNT(*) {joined} JOIN {tags} t ON t.account = m.account AND t.month = m.month WHERE \
             a.balance > -1700 GROUP BY t.label"
        ),
        format!(
            "SELECT COUNT(*) {joined} WHERE a.balance > -1700 AND EXISTS (SELECT 1 FROM me.tags t WHERE t.account = \
             m.account AND t.month = m.month)"
        ),
        format!(
            "SELECT COUNT(*) {joined} WHERE a.balance > -1700 AND NOT EXISTS (SELECT 1 FROM me.tags t WHERE t.account = \
             m.account AND t.month = m.month)"
        ),
        // One key is enough where it names the row.
        "SELECT t.label, COUNT(*) FROM bank.accounts a JOIN shop.receipts m ON a.id = m.account JOIN (SELECT account, \
         MAX(label) AS label FROM me.tags GROUP BY account) t ON t.account = m.receipt WHERE a.balance > -1700 GROUP BY \
         t.label"
            .to_owned(),
        "SELECT COUNT(*) FROM bank.accounts a JOIN shop.receipts m ON a.id = m.account WHERE a.balance > -1700 AND \
         m.receipt IN (5, 7, 11, 1018)"
            .to_owned(),
        "SELECT CASE WHEN m.receipt IN (5, 7, 11, 1018) THEN 'a' END, COUNT(*) FROM bank.accounts a JOIN shop.receipts m \
         ON a.id = m.account WHERE a.balance > -1700 GROUP BY 1"
            .to_owned(),
    ];
    let questions = questions.each_ref().map(String::as_str);
    each_refused(ask_closed, &bank(), "", &questions);
    each_refused(ask_protected, &bank(), "", &questions);
    each_allowed(
        ask_closed,
        &bank(),
        &["SELECT COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account WHERE m.month = 3"],
    );
}

/// Known rows in every region, and one whose region is looked for.
#[test]
fn trick_a_list_that_mixes_keys_of_two_owners() {
    let rules = rules(&[("id", "join"), ("region", "join"), ("balance", "aggregate")], 5);
    each_refused(
        ask,
        &rules,
        "decides together by columns of this table and of others",
        &[
            "SELECT COUNT(*) FROM bank.accounts a JOIN me.list l ON a.id = l.id JOIN (SELECT account AS k, region FROM \
             me.tags GROUP BY account, region) w ON w.k = l.v AND w.region = a.region",
            "SELECT SUM(a.balance) FROM bank.accounts a JOIN me.list l ON a.id = l.id WHERE EXISTS (SELECT 1 FROM me.tags w \
             WHERE w.account = l.v AND w.region = a.region)",
        ],
    );
}

/// Some of the rows of somebody who has several, by a key that stands for whom they are about.
#[test]
fn trick_a_list_that_tears_somebodys_rows() {
    let grants = [("account", "join"), ("month", "join"), ("used", "aggregate filter")];
    let entity = |rules| TableRules { entity: vec!["account".to_owned()], ..rules };
    each_refused(
        ask,
        &entity(rules(&grants, 5)),
        "",
        &[
            "SELECT w.g, SUM(s.used), COUNT(*) FROM bank.usage s JOIN me.list l ON s.account = l.id JOIN (SELECT account AS \
             k, month, MAX(label) AS g FROM me.tags GROUP BY account, month) w ON w.k = l.v AND w.month = s.month GROUP BY \
             w.g",
        ],
    );
    each_allowed(
        ask,
        &entity(rules(&grants, 5)),
        &["SELECT SUM(s.used), COUNT(*) FROM bank.usage s JOIN me.list l ON s.account = l.id"],
    );
}

/// Another table of the same owner chooses as well as anybody's.
#[test]
fn trick_overlapping_groups_by_the_owners_second_table() {
    let rules = rules(
        &[
            ("id", "join filter"),
            ("balance", "filter"),
            ("account", "join filter"),
            ("month", "filter group"),
        ],
        5,
    );
    each_refused(
        ask,
        &rules,
        "puts somebody into as many groups",
        &[
            "SELECT CASE WHEN m.month = 1 THEN 'A' WHEN m.month = 2 AND m.account <> 17 THEN 'B' END g, COUNT(*) FROM \
           bank.accounts a JOIN bank.usage m ON a.id = m.account WHERE a.balance > -1700 GROUP BY 1",
        ],
    );
    each_refused(
        ask,
        &rules,
        "as often as the question says",
        &[
            "SELECT COUNT(*) FROM bank.accounts a JOIN bank.usage m ON a.id = m.account WHERE a.balance > -1700 AND (m.month = \
           1 OR m.account <> 17)",
        ],
    );
    each_allowed(
        ask,
        &rules,
        &[
            "SELECT m.month, COUNT(*) FROM bank.accounts a JOIN bank.usage m ON a.id = m.account WHERE a.balance > 0 GROUP \
           BY m.month",
        ],
    );
}

/// Rows that match nobody are no entities: their number beside a large group is somebody's.
#[test]
fn trick_a_whole_table_as_a_pad_by_a_full_join() {
    let joined = "FROM (SELECT * FROM bank.accounts WHERE region = 'south') a FULL JOIN (SELECT id, v FROM me.list WHERE id \
                  = 17) l ON a.id = l.id";
    let questions =
        ["COUNT(*)", "COUNT(*), COUNT(a.balance)", "COUNT(l.v)", "SUM(l.v)", "COUNT(COALESCE(a.balance, 1))"]
            .map(|calls| format!("SELECT {calls} {joined}"));
    each_refused(ask, &bank(), "", &questions.each_ref().map(String::as_str));
    let questions = ["COUNT(a.balance)", "SUM(a.balance), COUNT(a.balance)"];
    let questions = questions.map(|calls| format!("SELECT {calls} {joined}"));
    each_allowed(ask, &bank(), &questions.each_ref().map(String::as_str));
}

/// Groups of one are rows: who may group by a column of such a table has read it.
#[test]
fn trick_weights_that_groups_of_one_print() {
    let shop = rules(&[("account", "join group"), ("amount", "group aggregate filter")], 1);
    let sql = "SELECT SUM(s.amount), COUNT(*) FROM bank.accounts a JOIN shop.sales s ON a.id = s.account WHERE a.balance > 0 \
               AND s.amount IN (1, 8, 13, 19, 29, 71, 117, 234, 467, 954)";
    let error = ask_both(&bank(), &shop, sql).expect_err("the amounts name the rows").to_string();
    assert!(error.contains("bank forbids"), "{error}");
}

/// What decides inside of an aggregate has its own least size.
#[test]
fn trick_a_smaller_least_size_than_the_conditions() {
    let mut rules = TableRules { min_group: None, ..rules(&[("id", "filter"), ("balance", "filter")], 5) };
    let least =
        |grants: &[Grant], min| ColumnRules { allow: grants.iter().copied().collect(), min_group: Some(min) };
    rules.columns.insert("id".to_owned(), least(&[Grant::Filter], 1));
    rules.columns.insert("balance".to_owned(), least(&[Grant::Filter], 25));
    rules.columns.insert("age".to_owned(), least(&[Grant::Aggregate], 1));
    each_refused(
        ask,
        &rules,
        "otherwise than the rest",
        &[
            "SELECT SUM(CASE WHEN balance > -1600 THEN 1 ELSE 0 END) FROM bank.accounts WHERE id = 17",
            "SELECT SUM(CASE WHEN balance > -1600 THEN age ELSE 0 END) FROM bank.accounts WHERE id = 17",
        ],
    );
}
