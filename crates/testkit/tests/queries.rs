//! Questions over small tables: shares, plaintext and DataFusion agree.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use testkit::{RunError, World, assert_same_rows, rows_of};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn shops() -> World {
    let accounts = batch(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5]))),
        ("balance", {
            let values = vec![Some(1050), Some(-200), None, Some(0), Some(99_999)];
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(12, 2).unwrap())
        }),
        ("segment", Arc::new(StringArray::from(vec!["gold", "silver", "gold", "bronze", "silver"]))),
    ]);
    let calls = batch(vec![
        ("customer", Arc::new(Int64Array::from(vec![Some(1), Some(1), Some(3), Some(9), None]))),
        ("minutes", Arc::new(Int64Array::from(vec![Some(10), Some(20), None, Some(40), Some(50)]))),
    ]);
    World::new(&["bank", "telecom"]).table("bank", "accounts", accounts).table("telecom", "calls", calls)
}

fn agrees(world: &World, sql: &str) {
    let expected = world.oracle(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let plain = world.plain(&plan).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_same_rows(sql, &rows_of(&[plain.batch]), &expected, plan.ordered);
    for security in [mpc::Security::SemiHonest, mpc::Security::Malicious] {
        let world = world.clone().security(security);
        let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let (shared, paid) = world.lab_with_cost(&plan, 7);
        let shared = shared.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_same_rows(sql, &rows_of(&[shared.batch]), &expected, plan.ordered);
        // Sorts this short compare all pairs, so that nothing random decides what they cost.
        let counted = world.count(&plan).unwrap_or_else(|error| panic!("{sql}: {error}"));
        testkit::assert_foretold(&format!("{sql}, {}", security.name()), security, &paid, &counted);
    }
}

/// DataFusion has no FETCH.
#[test]
fn fetch_is_limit() {
    let world = shops();
    let rows = |sql: &str| {
        let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let answer = world.lab(&plan, 3).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows_of(&[answer.batch])
    };
    let both = "SELECT a.id, c.minutes FROM bank.accounts a LEFT JOIN telecom.calls c ON a.id = c.customer ORDER BY \
                a.id, c.minutes";
    for (fetch, limit) in
        [("FETCH FIRST 3 ROWS ONLY", "LIMIT 3"), ("OFFSET 2 ROWS FETCH NEXT ROW ONLY", "LIMIT 1 OFFSET 2")]
    {
        assert_eq!(rows(&format!("{both} {fetch}")), rows(&format!("{both} {limit}")));
    }
    let inner = "SELECT COUNT(*) FROM (SELECT id FROM bank.accounts ORDER BY id FETCH FIRST 2 ROWS ONLY) a JOIN \
                 telecom.calls c ON a.id = c.customer";
    assert_eq!(rows(inner), rows(&inner.replace("FETCH FIRST 2 ROWS ONLY", "LIMIT 2")));
    for more in
        ["FETCH FIRST 3 ROWS WITH TIES", "FETCH FIRST 3 PERCENT ROWS ONLY", "LIMIT 5 FETCH FIRST ROW ONLY"]
    {
        let error = world.plan(&format!("{both} {more}")).expect_err("it is no LIMIT").to_string();
        assert!(error.contains("FETCH … WITH TIES, in PERCENT or beside LIMIT"), "{error}");
    }
}

/// Columns of a CSV file without a value pass for text.
#[test]
fn columns_without_a_type_are_named() {
    let untyped = batch(vec![
        ("id", Arc::new(Int64Array::from(vec![1]))),
        ("v", Arc::new(StringArray::from(vec![None::<&str>]))),
    ]);
    let inferred = |table: &mut plan::catalog::Table| {
        table.columns[1].ty = plan::catalog::Fact::inferred(plan::types::Type::Utf8);
    };
    let world = shops().table_described("telecom", "blank", untyped, inferred);
    let told = "`telecom.blank.v` has no value that would tell its type";
    for sql in [
        "SELECT SUM(b.v) FROM bank.accounts a JOIN telecom.blank b ON a.id = b.id",
        "SELECT b.v + a.id FROM bank.accounts a JOIN telecom.blank b ON a.id = b.id",
    ] {
        let error = world.plan(sql).expect_err("text is no number").to_string();
        assert!(error.contains(told), "{error}");
    }
    let other = world.plan("SELECT SUM(segment) FROM bank.accounts").expect_err("text").to_string();
    assert!(!other.contains("no value"), "{other}");
}

/// A plan runs in sessions that hold against whom it says, and in no others.
#[test]
fn a_session_gives_what_its_plan_says() {
    let malicious = shops().security(mpc::Security::Malicious);
    let plan = malicious.plan("SELECT 1 AS one").expect("a plan");
    match shops().lab(&plan, 1) {
        Err(RunError::Engine(errors)) => {
            let told = "the plan is for malicious security, and the session gives semi-honest";
            assert!(errors.iter().all(|(_, error)| error.to_string() == told), "{errors:?}");
        }
        other => panic!("{other:?}"),
    }
    assert!(shops().count(&plan).is_err());
    assert!(malicious.plain(&plan).is_ok());
}

#[test]
fn filters_and_projections() {
    let world = shops();
    agrees(&world, "SELECT id, segment, balance FROM bank.accounts WHERE balance > 1");
    agrees(
        &world,
        "SELECT x + 1, x * x - x, x / 3, x % 7 FROM \
         (SELECT id AS x FROM bank.accounts UNION ALL SELECT minutes FROM telecom.calls) WHERE x <> 3 OR x IS NULL",
    );
}

#[test]
fn orders_limits_and_distinct() {
    let world = shops();
    agrees(
        &world,
        "SELECT id, balance FROM (SELECT id, balance FROM bank.accounts UNION ALL SELECT customer, minutes FROM telecom.calls) ORDER BY balance DESC NULLS LAST, id",
    );
    agrees(
        &world,
        "SELECT id FROM (SELECT id FROM bank.accounts UNION ALL SELECT customer FROM telecom.calls) ORDER BY id LIMIT 4 OFFSET 1",
    );
    agrees(
        &world,
        "SELECT DISTINCT id FROM (SELECT id FROM bank.accounts UNION ALL SELECT customer FROM telecom.calls)",
    );
}

#[test]
fn joins() {
    let world = shops();
    agrees(
        &world,
        "SELECT a.segment, c.minutes FROM telecom.calls c JOIN bank.accounts a ON a.id = c.customer",
    );
    agrees(
        &world,
        "SELECT a.segment, c.minutes, c.customer FROM telecom.calls c LEFT JOIN bank.accounts a ON a.id = c.customer",
    );
    agrees(
        &world,
        "SELECT a.id, a.segment, c.minutes FROM bank.accounts a LEFT JOIN telecom.calls c ON a.id = c.customer",
    );
}

#[test]
fn groups() {
    let world = shops();
    agrees(
        &world,
        "SELECT a.segment, count(*), count(c.minutes), sum(c.minutes), avg(c.minutes), min(c.minutes), max(a.balance), sum(a.balance), avg(a.balance) \
         FROM bank.accounts a LEFT JOIN telecom.calls c ON a.id = c.customer GROUP BY a.segment",
    );
    agrees(
        &world,
        "SELECT count(*), count(c.minutes), sum(c.minutes), avg(c.minutes), min(c.minutes), max(a.segment), sum(a.balance) \
         FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer",
    );
    agrees(
        &world,
        "SELECT sum(c.minutes), count(*) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer WHERE a.balance > c.minutes * 1000",
    );
    agrees(
        &world,
        "SELECT a.segment, sum(c.minutes) AS m FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.segment HAVING count(*) > 1 ORDER BY m",
    );
}

/// Each way to find matches costs what counting says.
#[test]
fn joins_of_other_kinds() {
    let world = shops();
    for sql in [
        "SELECT a.id, c.minutes FROM bank.accounts a FULL JOIN telecom.calls c ON a.id = c.customer",
        "SELECT a.id, c.minutes FROM bank.accounts a FULL JOIN telecom.calls c ON a.id = c.customer AND a.id < c.minutes - 9",
        "SELECT a.id, c.minutes FROM bank.accounts a LEFT JOIN telecom.calls c ON a.id * 10 < c.minutes",
        "SELECT a.id, c.minutes FROM bank.accounts a CROSS JOIN telecom.calls c",
        "SELECT a.id FROM bank.accounts a WHERE a.id IN (SELECT customer FROM telecom.calls)",
        "SELECT c.minutes FROM telecom.calls c WHERE c.customer NOT IN (SELECT id FROM bank.accounts WHERE id < 3)",
        "SELECT a.id FROM bank.accounts a WHERE a.id NOT IN (SELECT customer FROM telecom.calls)",
        "SELECT a.id FROM bank.accounts a WHERE a.id > 3 OR EXISTS (SELECT 1 FROM telecom.calls c WHERE c.customer = a.id)",
        "SELECT a.id FROM bank.accounts a WHERE NOT EXISTS (SELECT 1 FROM telecom.calls c WHERE c.customer = a.id AND c.minutes > a.id * 8)",
        "SELECT a.id, (SELECT MAX(minutes) FROM telecom.calls) FROM bank.accounts a",
        "SELECT id FROM bank.accounts INTERSECT SELECT customer FROM telecom.calls",
        "SELECT customer FROM telecom.calls EXCEPT SELECT id FROM bank.accounts",
    ] {
        agrees(&world, sql);
    }
}

/// Wide columns that follow from a group's key are looked up once for each group, where that is
/// certain: one owner holds them, the key is unique there and never NULL.
#[test]
fn wide_columns_that_follow_from_a_key_are_looked_up() {
    let note = |row: i64| {
        (row != 2)
            .then(|| format!("a remark that goes on and on, and on, until it has more than 64 bytes: {row}"))
    };
    let rows = || 1..6i64;
    let accounts = batch(vec![
        ("id", Arc::new(Int64Array::from_iter_values(rows()))),
        ("note", Arc::new(StringArray::from_iter(rows().map(note)))),
        ("branch", Arc::new(Int64Array::from_iter_values(rows().map(|row| row % 2)))),
    ]);
    let branches = batch(vec![
        ("code", Arc::new(Int64Array::from(vec![0, 1]))),
        ("title", Arc::new(StringArray::from(vec!["even".repeat(20), "odd".repeat(20)]))),
    ]);
    let calls = batch(vec![
        ("customer", Arc::new(Int64Array::from(vec![Some(1), Some(1), Some(3), Some(2), None, Some(9)]))),
        ("minutes", Arc::new(Int64Array::from(vec![Some(10), Some(20), None, Some(40), Some(50), Some(60)]))),
    ]);
    let world = World::new(&["bank", "telecom"])
        .table("bank", "accounts", accounts)
        .table("bank", "branches", branches)
        .table("telecom", "calls", calls);
    let from = "FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer";
    let further = "FROM bank.accounts a JOIN bank.branches b ON a.branch = b.code JOIN telecom.calls c ON a.id = c.customer";
    for (sql, keys) in [
        (format!("SELECT a.id, a.note, SUM(c.minutes) AS m {from} GROUP BY a.id, a.note ORDER BY m, id"), "keys=[id]"),
        (format!("SELECT b.title, a.note, COUNT(*) {further} GROUP BY a.note, a.id, b.title"), "keys=[id]"),
        (format!("SELECT a.note, c.minutes, COUNT(*) {from} GROUP BY a.note, a.id, c.minutes"), "keys=[id, minutes]"),
        // Notes may repeat, a branch has several, and rows without a match have neither.
        (format!("SELECT a.branch, a.note, COUNT(*) {from} GROUP BY a.branch, a.note"), "keys=[branch, note]"),
        (
            "SELECT a.id, a.note, COUNT(*) FROM telecom.calls c LEFT JOIN bank.accounts a ON a.id = c.customer GROUP BY a.id, a.note"
                .to_owned(),
            "keys=[id, note]",
        ),
    ] {
        agrees(&world, &sql);
        let plan = world.plan(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let text = plan.explain(&plan::explain::Prices::default());
        assert!(text.contains(keys), "{sql}\n{text}");
    }
}

/// A function that reads its operand several times computes it once, however deep it stands.
#[test]
fn what_stands_in_functions_is_computed_once() {
    let world = shops();
    let rounds = |depth: usize, function: &str| {
        let (before, behind) = function.split_once('x').expect("where the operand stands");
        let nested = format!("{}a.id - c.minutes{}", before.repeat(depth), behind.repeat(depth));
        let sql = format!("SELECT {nested} FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer");
        let plan = world.plan(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        world.count(&plan).unwrap_or_else(|error| panic!("{sql}: {error}")).rounds
    };
    for function in ["ABS(x - 3)", "NULLIF(x + 1, 3)", "GREATEST(x - 2, 5)", "SIGNUM(x)"] {
        let (none, few, many) = (rounds(0, function), rounds(3, function), rounds(12, function));
        assert!(many - none <= 5 * (few - none), "{function}: {none}, {few} and {many} rounds");
    }
    let many: String = (1..40).map(|at| format!(", a.id + c.minutes * {at}")).collect();
    let sql =
        format!("SELECT GREATEST(a.id{many}) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer");
    agrees(&world, &sql);
}
