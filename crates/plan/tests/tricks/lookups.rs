//! What the asker's own tables look up: a list or a dimension chooses rows as a condition does.

use super::super::policies::{ask, ask_closed, each_allowed, each_refused, rules};
use plan::policy::TableRules;

/// A list of the asker's, of which no two rows have the same key and number.
const TAGS: &str = "(SELECT id, v, MAX(label) label FROM me.many GROUP BY id, v)";
/// One whose key alone is unique.
const TAG: &str = "(SELECT id, MAX(label) label FROM me.many GROUP BY id)";

/// Each question with the lists in it.
fn with_lists<const N: usize>(questions: [&str; N]) -> [String; N] {
    questions.map(|sql| sql.replace("TAGS", TAGS).replace("TAG", TAG))
}

#[track_caller]
fn refused<const N: usize>(rules: &TableRules, words: &str, questions: [&str; N]) {
    each_refused(ask_closed, rules, words, &with_lists(questions).each_ref().map(String::as_str));
}

#[track_caller]
fn allowed<const N: usize>(rules: &TableRules, questions: [&str; N]) {
    each_allowed(ask_closed, rules, &with_lists(questions).each_ref().map(String::as_str));
}

/// Of the rows of a third owner that repeat somebody's, a list takes some into one group and others
/// into another, so that groups overlap in all but one.
#[test]
fn trick_a_list_picks_among_rows_that_repeat_one() {
    let rules = rules(&[("id", "join"), ("region", "join"), ("balance", "filter")], 5);
    refused(
        &rules,
        "JOIN: by several columns of rows that match one",
        [
            "SELECT t.label, COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account JOIN TAGS t ON t.id = \
             m.account AND t.v = m.month WHERE a.balance > -1700 GROUP BY t.label",
            "SELECT t.label, COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account JOIN TAGS t ON t.id = \
             a.id AND t.v = m.month WHERE a.balance > -1700 GROUP BY t.label",
            "SELECT COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account LEFT JOIN TAGS t ON t.id = \
             m.account AND t.v = m.month WHERE a.balance > -1700 AND t.v IS NULL",
            "SELECT COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account WHERE a.balance > -1700 AND EXISTS \
             (SELECT 1 FROM TAGS t WHERE t.id = m.account AND t.v = m.month)",
            "SELECT COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account WHERE a.balance > -1700 AND NOT \
             EXISTS (SELECT 1 FROM me.list t WHERE t.id = m.account AND t.v = m.month)",
            "SELECT COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account JOIN me.list l ON m.account = \
             l.id JOIN me.pairs o ON m.month = o.id WHERE a.balance > -1700 AND EXISTS (SELECT 1 FROM TAGS t WHERE t.id = \
             l.v AND t.v = o.k)",
            // A line's number is enough, also where a third table repeats the lines.
            "SELECT t.label, COUNT(*) FROM bank.accounts a JOIN shop.lines m ON a.id = m.account JOIN TAG t ON t.id = m.line \
             WHERE a.balance > -1700 GROUP BY t.label",
            "SELECT COUNT(*) FROM bank.accounts a JOIN shop.lines m ON a.id = m.account WHERE a.balance > -1700 AND NOT \
             EXISTS (SELECT 1 FROM TAG t WHERE t.id = m.line)",
            "SELECT t.label, COUNT(*) FROM bank.accounts a JOIN shop.lines m ON a.id = m.account JOIN shop.sales s ON a.id = \
             s.account JOIN TAG t ON t.id = m.line WHERE a.balance > -1700 GROUP BY t.label",
        ],
    );
    // Nor by its own conditions and keys, where the shop lets it look at its lines.
    refused(
        &rules,
        "match one of this table",
        [
            "SELECT CASE WHEN m.line IN (1, 2, 3) THEN 'A' WHEN m.line IN (4, 5) THEN 'B' END, COUNT(*) FROM bank.accounts a \
             JOIN shop.lines m ON a.id = m.account WHERE a.balance > -1700 GROUP BY 1",
            "SELECT COUNT(*) FROM bank.accounts a JOIN shop.lines m ON a.id = m.account WHERE a.balance > -1700 AND m.line \
             IN (1, 2, 3, 5)",
        ],
    );
    allowed(
        &rules,
        [
            "SELECT o.label, COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account JOIN me.list o ON o.id = \
             m.month WHERE a.balance > -1700 GROUP BY o.label",
            "SELECT l.label, COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account JOIN me.list l ON l.id = \
             m.account WHERE a.balance > -1700 GROUP BY l.label",
            "SELECT l.label, m.month, COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account JOIN me.list l ON \
             l.id = a.id WHERE a.balance > -1700 GROUP BY l.label, m.month",
            "SELECT COUNT(*) FROM bank.accounts a JOIN shop.lines m ON a.id = m.account WHERE a.balance > -1700 AND m.line > \
             7",
            // What many lines look up is no choice of single ones.
            "SELECT COUNT(*) FROM shop.lines p JOIN shop.sales s ON s.amount = p.line JOIN bank.accounts a ON a.id = s.account \
             WHERE p.line IN (1, 2, 5) AND a.balance > -1700",
            "SELECT m.month, COUNT(*) FROM bank.accounts a JOIN shop.monthly m ON a.id = m.account JOIN (SELECT account, \
             amount, COUNT(*) n FROM shop.sales GROUP BY account, amount) s ON s.account = m.account AND s.amount = m.month \
             WHERE a.balance > -1700 GROUP BY m.month",
        ],
    );
}

/// What is found by a column says what the column says, under another name.
#[test]
fn trick_a_dimension_decides_as_its_key_does() {
    let rules = rules(&[("id", "join"), ("age", "join group"), ("balance", "aggregate")], 5);
    let from = "SELECT COUNT(*), SUM(a.balance) FROM bank.accounts a JOIN me.list l ON a.id = l.id";
    let questions = [
        "{F} JOIN me.pairs r ON a.age = r.id WHERE l.label = 'pad' OR r.k = 2",
        "{F} LEFT JOIN (SELECT id, k FROM me.pairs WHERE k = 2) r ON a.age = r.id WHERE l.label = 'pad' OR r.k IS NULL",
        "{F} LEFT JOIN (SELECT id, k FROM me.pairs WHERE k = 2) r ON a.age = r.id WHERE l.label = 'pad' OR r.k IS NOT NULL",
        "{F} JOIN me.pairs r ON a.age = r.id GROUP BY CASE WHEN l.label = 'pad' OR r.k = 2 THEN 1 ELSE 0 END",
        "{F} JOIN me.pairs r ON a.age = r.id AND (l.label = 'pad' OR r.k = 2)",
        "{F} JOIN TAGS w ON w.id = l.v AND w.v = a.age",
        "{F} WHERE EXISTS (SELECT 1 FROM TAGS w WHERE w.id = l.v AND w.v = a.age)",
        "{F} WHERE NOT EXISTS (SELECT 1 FROM me.list w WHERE w.id = l.v AND w.v = a.age)",
        "{F} WHERE l.label = 'pad' OR EXISTS (SELECT 1 FROM me.pairs r WHERE r.k = 2 AND r.id = a.age)",
        "{F} JOIN me.pairs r ON a.age = r.id JOIN TAGS w ON w.id = l.v AND w.v = r.k",
        // Both columns of one list.
        "SELECT COUNT(*), SUM(a.balance) FROM bank.accounts a JOIN TAGS w ON a.id = w.id AND a.age = w.v",
        "SELECT COUNT(*), SUM(a.balance) FROM bank.accounts a JOIN (SELECT l.id, r.id AS age FROM me.list l CROSS JOIN \
         me.pairs r WHERE l.label = 'pad' OR r.k = 2 GROUP BY l.id, r.id) w ON a.id = w.id AND a.age = w.age",
        // Further on.
        "{F} JOIN (SELECT k, MAX(id) id FROM me.pairs GROUP BY k) p ON p.k = l.v JOIN me.pairs r ON a.age = r.id WHERE p.id = 1 \
         OR r.k = 2",
    ];
    let questions = questions.map(|sql| sql.replace("{F}", from));
    refused(&rules, "decides together", questions.each_ref().map(String::as_str));
    let questions = [
        "{F} JOIN me.pairs r ON a.age = r.id WHERE l.label = 'pad' AND r.k = 2",
        "SELECT l.label, r.k, COUNT(*), SUM(a.balance) FROM bank.accounts a JOIN me.list l ON a.id = l.id JOIN me.pairs r ON \
         a.age = r.id GROUP BY l.label, r.k",
        "{F} WHERE l.label = 'pad' OR l.v = 2",
        "{F} JOIN me.pairs p ON a.id = p.id WHERE l.label = 'pad' OR p.k = 2",
        "{F} JOIN me.pairs p ON l.v = p.id WHERE l.label = 'pad' OR p.k = 2",
        "SELECT r.k, COUNT(*), AVG(a.balance) FROM bank.accounts a JOIN me.pairs r ON a.age = r.id GROUP BY r.k",
        // Groups are looked up by several columns.
        "SELECT w.label, g.n FROM (SELECT age, COUNT(*) n FROM bank.accounts GROUP BY age) g JOIN TAGS w ON w.id = g.age AND \
         w.v = g.n",
    ];
    let questions = questions.map(|sql| sql.replace("{F}", from));
    allowed(&rules, questions.each_ref().map(String::as_str));
    // Two columns that are one name.
    let named = TableRules { entity: vec!["age".to_owned(), "customer".to_owned()], ..rules.clone() };
    let named = TableRules {
        columns: [("customer".to_owned(), rules.columns["id"].clone())]
            .into_iter()
            .chain(named.columns)
            .collect(),
        ..named
    };
    allowed(
        &named,
        ["SELECT COUNT(*) FROM bank.accounts a JOIN TAGS w ON a.age = w.id AND a.customer = w.v"],
    );
}

/// Of somebody with several rows, a list and a dimension take some together.
#[test]
fn trick_some_of_an_entitys_rows_by_lookups() {
    let columns = [("customer", "join"), ("age", "join group"), ("balance", "aggregate")];
    let rules = TableRules { entity: vec!["customer".to_owned()], ..rules(&columns, 5) };
    let from = "FROM bank.accounts s JOIN me.list l ON s.customer = l.id JOIN me.pairs o ON s.age = o.id";
    let questions = [
        "SELECT COUNT(*), SUM(s.balance) {F} WHERE o.k = 1 AND l.label = 'pad' OR o.k = 2 AND l.label <> 'pad'",
        "SELECT CASE WHEN o.k = 1 AND l.label = 'pad' THEN 'A' WHEN o.k = 2 THEN 'B' END, COUNT(*) {F} GROUP BY 1",
        "SELECT COUNT(*), SUM(s.balance) FROM bank.accounts s JOIN me.list l ON s.customer = l.id JOIN TAGS w ON w.id = l.v \
         AND w.v = s.age",
        "SELECT COUNT(*), SUM(s.balance) {F} WHERE EXISTS (SELECT 1 FROM TAGS w WHERE w.id = l.v AND w.v = o.k)",
        "SELECT COUNT(*), SUM(s.balance) FROM bank.accounts s JOIN me.list l ON s.customer = l.id LEFT JOIN (SELECT id, k \
         FROM me.pairs WHERE k = 2) o ON s.age = o.id WHERE l.label = 'pad' OR o.k IS NULL",
    ];
    let questions = questions.map(|sql| sql.replace("{F}", from));
    refused(&rules, "several rows", questions.each_ref().map(String::as_str));
    let questions = [
        "SELECT COUNT(*), SUM(s.balance) {F} WHERE o.k = 1 AND l.label = 'pad'",
        "SELECT l.label, o.k, COUNT(*), SUM(s.balance) {F} GROUP BY l.label, o.k",
        "SELECT s.age, COUNT(*), SUM(s.balance) {F} WHERE o.k IN (1, 2) AND l.v > 3 GROUP BY s.age",
    ];
    let questions = questions.map(|sql| sql.replace("{F}", from));
    each_allowed(ask, &rules, &questions.each_ref().map(String::as_str));
}
