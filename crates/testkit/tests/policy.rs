//! Groups of too few are suppressed, and only those: on shares, on plaintext, and as the same
//! question with the count of entities written out in DataFusion.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use engine::Suppressed;
use mpc::Security;
use plan::policy::{ColumnRules, Grant, Policy, TableRules};
use plan::types::Value;
use testkit::{World, assert_foretold, assert_near_rows, rows_of};

/// A small generator: the same rows every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

fn ints(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

/// Everything but rows is allowed; groups are of `min_group` customers, or rows.
fn rules(entity: &[&str], min_group: u64) -> Policy {
    let all = [Grant::Join, Grant::Filter, Grant::Group, Grant::Aggregate];
    let columns = ["id", "customer", "region", "balance", "age"]
        .map(|name| (name.to_owned(), ColumnRules { allow: all.into_iter().collect(), min_group: None }));
    Policy::Rules(TableRules {
        entity: entity.iter().map(|name| name.to_string()).collect(),
        min_group: Some(min_group),
        result_rows: true,
        columns: columns.into_iter().collect(),
        ..TableRules::default()
    })
}

/// A shop that shows no rows, nor groups of one, and lets everything else be made of them.
fn closed_shop(min_group: u64) -> TableRules {
    let all = [Grant::Join, Grant::Filter, Grant::Aggregate].into();
    let columns = ["account", "amount"]
        .map(|name| (name.to_owned(), ColumnRules { allow: BTreeSet::clone(&all), min_group: None }));
    TableRules {
        min_group: Some(min_group),
        result_rows: true,
        columns: columns.into(),
        ..TableRules::default()
    }
}

/// An asker with a list of its own, a bank with rules, a shop with some of the bank's accounts.
fn world(seed: u64, n: u64, policy: Policy, shop: Policy) -> World {
    let mut r = Random(seed);
    let mut one = |n: u64, null: u64| {
        let value = r.below(n);
        (null == 0 || r.below(null) > 0).then_some(value as i64)
    };
    let rows = 0..n as i64;
    let accounts = batch(vec![
        ("id", ints(rows.clone().map(Some).collect())),
        ("customer", ints(rows.clone().map(|_| one(n / 2 + 1, 9)).collect())),
        ("region", {
            let names = ["north", "south", "east", "west", "nowhere"];
            let values =
                rows.clone().map(|row| one(5 - u64::from(row % 4 > 0), 12).map(|at| names[at as usize]));
            Arc::new(StringArray::from_iter(values.collect::<Vec<_>>()))
        }),
        ("balance", ints(rows.clone().map(|_| one(2000, 4).map(|value| value - 1000)).collect())),
        ("age", ints(rows.map(|_| one(90, 0)).collect())),
    ]);
    let list = batch(vec![
        ("id", ints((0..n as i64).map(|row| Some(row * 2)).collect())),
        ("label", {
            let values = (0..n).map(|_| one(3, 0).map(|at| ["a", "b", "c"][at as usize]));
            Arc::new(StringArray::from_iter(values.collect::<Vec<_>>()))
        }),
    ]);
    let sales = batch(vec![
        ("account", ints((0..n).map(|_| one(n + 3, 7)).collect())),
        ("amount", ints((0..n).map(|_| one(500, 5)).collect())),
    ]);
    World::new(&["me", "bank", "shop"])
        .table_described("bank", "accounts", accounts, |table| table.policy = policy)
        .table("me", "list", list)
        .table_described("shop", "sales", sales, |table| table.policy = shop)
}

/// A question, the same with its entities counted, and that for the groups that are suppressed.
struct Golden {
    sql: &'static str,
    /// The question of the oracle, with `{k}` for the least size and `{e}` for the entity.
    counted: &'static str,
}

const GOLDEN: &[Golden] = &[
    // All at its owner.
    Golden {
        sql: "SELECT region, COUNT(*), SUM(age) FROM bank.accounts GROUP BY region",
        counted: "SELECT region, COUNT(*), SUM(age) FROM bank.accounts GROUP BY region HAVING COUNT(DISTINCT {e}) {k}",
    },
    // A mean leaves NULLs out, so those who have a value are counted too, and those who have none.
    Golden {
        sql: "SELECT region, AVG(balance), SUM(age) FROM bank.accounts WHERE age > 20 GROUP BY region",
        counted: "SELECT region, AVG(balance), SUM(age) FROM bank.accounts WHERE age > 20 GROUP BY region HAVING \
                  LEAST(COUNT(DISTINCT {e}), COUNT(DISTINCT CASE WHEN balance IS NOT NULL THEN {e} END), \
                  COUNT(DISTINCT CASE WHEN balance IS NULL THEN {e} END)) {k}",
    },
    // Of the whole table, none without a value will do.
    Golden {
        sql: "SELECT region, AVG(balance), SUM(age) FROM bank.accounts GROUP BY region",
        counted: "SELECT region, AVG(balance), SUM(age) FROM bank.accounts GROUP BY region HAVING LEAST(COUNT(DISTINCT \
                  {e}), COUNT(DISTINCT CASE WHEN balance IS NOT NULL THEN {e} END), COALESCE(NULLIF(COUNT(DISTINCT CASE \
                  WHEN balance IS NULL THEN {e} END), 0), 999)) {k}",
    },
    // Where all aggregates leave out the same rows, nothing is said of them.
    Golden {
        sql: "SELECT region, AVG(balance), COUNT(balance) FROM bank.accounts GROUP BY region",
        counted: "SELECT region, AVG(balance), COUNT(balance) FROM bank.accounts GROUP BY region HAVING \
                  LEAST(COUNT(DISTINCT {e}), COUNT(DISTINCT CASE WHEN balance IS NOT NULL THEN {e} END)) {k}",
    },
    // One group of all.
    Golden {
        sql: "SELECT SUM(age), COUNT(*) FROM bank.accounts WHERE id < 9",
        counted: "SELECT SUM(age), COUNT(*) FROM bank.accounts WHERE id < 9 HAVING COUNT(DISTINCT {e}) {k}",
    },
    Golden {
        sql: "SELECT SUM(age) FROM bank.accounts WHERE id < 0",
        counted: "SELECT SUM(age) FROM bank.accounts WHERE id < 0 HAVING COUNT(DISTINCT {e}) {k}",
    },
    // Joined with the asker's list, by its label.
    Golden {
        sql: "SELECT l.label, SUM(a.age), COUNT(*) FROM bank.accounts a JOIN me.list l ON a.id = l.id GROUP BY l.label",
        counted: "SELECT l.label, SUM(a.age), COUNT(*) FROM bank.accounts a JOIN me.list l ON a.id = l.id GROUP BY \
                  l.label HAVING COUNT(DISTINCT a.{e}) {k}",
    },
    // Rows that another party repeats count once.
    Golden {
        sql: "SELECT a.region, SUM(s.amount), COUNT(*) FROM bank.accounts a JOIN shop.sales s ON a.id = s.account GROUP BY \
              a.region",
        counted: "SELECT a.region, SUM(s.amount), COUNT(*) FROM bank.accounts a JOIN shop.sales s ON a.id = s.account \
                  GROUP BY a.region HAVING LEAST(COUNT(DISTINCT a.{e}), COUNT(DISTINCT CASE WHEN s.amount IS NOT NULL \
                  THEN a.{e} END), COUNT(DISTINCT CASE WHEN s.amount IS NULL THEN a.{e} END)) {k}",
    },
    // Rows of other tables do not count at all.
    Golden {
        sql: "SELECT l.label, COUNT(*) FROM me.list l LEFT JOIN bank.accounts a ON a.id = l.id AND a.age > 30 GROUP BY \
              l.label",
        counted: "SELECT l.label, COUNT(*) FROM me.list l LEFT JOIN bank.accounts a ON a.id = l.id AND a.age > 30 GROUP \
                  BY l.label HAVING COUNT(DISTINCT a.{e}) {k}",
    },
    Golden {
        sql: "SELECT l.label, COUNT(*) FROM me.list l WHERE l.id IN (SELECT id FROM bank.accounts WHERE age > 10) GROUP BY \
              l.label",
        counted: "SELECT l.label, COUNT(*) FROM me.list l JOIN (SELECT id, customer FROM bank.accounts WHERE age > 10) a \
                  ON l.id = a.id GROUP BY l.label HAVING COUNT(DISTINCT a.{e}) {k}",
    },
    Golden {
        sql: "SELECT x, SUM(n) FROM (SELECT region AS x, age AS n FROM bank.accounts UNION ALL SELECT label, id FROM me.list) \
              GROUP BY x",
        counted: "SELECT x, SUM(n) FROM (SELECT region AS x, age AS n, {e} AS e FROM bank.accounts UNION ALL SELECT label, \
                  id, NULL FROM me.list) GROUP BY x HAVING COUNT(DISTINCT e) {k}",
    },
    // What follows groups sees those that are left.
    Golden {
        sql: "SELECT COUNT(*), SUM(s) FROM (SELECT region, SUM(age) AS s FROM bank.accounts GROUP BY region)",
        counted: "SELECT COUNT(*), SUM(s) FROM (SELECT region, SUM(age) AS s FROM bank.accounts GROUP BY region HAVING \
                  COUNT(DISTINCT {e}) {k})",
    },
    Golden {
        sql: "SELECT DISTINCT region FROM bank.accounts",
        counted: "SELECT region FROM bank.accounts GROUP BY region HAVING COUNT(DISTINCT {e}) {k}",
    },
    Golden {
        sql: "SELECT region, COUNT(DISTINCT age) FROM bank.accounts GROUP BY region HAVING SUM(age) > 100 ORDER BY region",
        counted: "SELECT region, COUNT(DISTINCT age) FROM bank.accounts GROUP BY region HAVING SUM(age) > 100 AND \
                  COUNT(DISTINCT {e}) {k} ORDER BY region",
    },
    Golden {
        sql: "SELECT l.label, x.s FROM me.list l JOIN (SELECT age, SUM(age) AS s FROM bank.accounts GROUP BY age) x ON \
              l.id = x.age",
        counted: "SELECT l.label, x.s FROM me.list l JOIN (SELECT age, SUM(age) AS s FROM bank.accounts GROUP BY age \
                  HAVING COUNT(DISTINCT {e}) {k}) x ON l.id = x.age",
    },
];

/// The number of groups that a question of the oracle keeps back, if that is a group of rows.
fn suppressed(world: &World, golden: &Golden, entity: &str, min_group: u64) -> Option<usize> {
    let simple = !golden.counted.starts_with("SELECT COUNT(*), SUM(s)")
        && !golden.counted.contains("x.s")
        && !golden.counted.contains("SUM(age) > 100");
    let sql = golden.counted.replace("{e}", entity).replace("{k}", &format!("< {min_group}"));
    simple.then(|| world.oracle(&sql).expect("the oracle counts").len())
}

fn agrees(world: &World, golden: &Golden, entity: &str, min_group: u64, on_shares: bool) {
    let Golden { sql, counted } = golden;
    let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}\n plan: {error}"));
    // One is any number, also none.
    let least = if min_group > 1 { min_group } else { 0 };
    let expected = counted.replace("{e}", entity).replace("{k}", &format!(">= {least}"));
    let expected = world.oracle(&expected).unwrap_or_else(|error| panic!("{expected}\n oracle: {error}"));
    let what = format!("{sql} with groups of {min_group} by {entity}");
    let check = |answer: &engine::Answer| {
        let rows: Vec<Vec<Value>> = rows_of(std::slice::from_ref(&answer.batch));
        assert_near_rows(&what, &rows, &expected, plan.ordered, 1e-9);
        if min_group > 1 {
            // Of filtered or joined rows, the number is not told.
            let joined = sql.contains("JOIN") && !sql.contains("x.s");
            let told = !joined && !sql.contains("WHERE") && !sql.contains("UNION");
            let groups = answer.suppressed_groups.unwrap_or_else(|| panic!("{what}: nothing is suppressed"));
            assert_eq!(groups != Suppressed::Untold, told, "{what}");
            if let Some(few) = suppressed(world, golden, entity, min_group).filter(|_| told) {
                assert_eq!(groups, Suppressed::Groups(few as u64), "{what}");
            }
        } else {
            assert_eq!(answer.suppressed_groups, None, "{what}");
        }
    };
    check(&world.plain(&plan).unwrap_or_else(|error| panic!("{what}\n plain: {error}")));
    if on_shares {
        let (answer, paid) = world.lab_with_cost(&plan, 7);
        check(&answer.unwrap_or_else(|error| panic!("{what}\n lab: {error:?}")));
        let sorts = plan.explain(&Default::default()).contains("Join") || plan.root.nodes().len() > 4;
        if !sorts {
            let counted = world.count(&plan).expect("it can be priced");
            assert_foretold(&what, Security::Malicious, &paid, &counted);
        }
    }
}

#[test]
fn small_groups_are_suppressed_and_no_others() {
    for (entity, columns) in [("id", &[][..]), ("customer", &["customer"][..])] {
        for min_group in [1, 4] {
            let shop = Policy::Rules(closed_shop(1));
            let world = world(2026, 40, rules(columns, min_group), shop).security(Security::Malicious);
            for golden in GOLDEN {
                agrees(&world, golden, entity, min_group, true);
            }
        }
    }
}

/// On plaintext, where a run is quick: random tables of every size and least sizes of every kind.
#[test]
fn random_tables_have_their_small_groups_suppressed() {
    let mut r = Random(5);
    for seed in 0..40 {
        let n = 1 + r.below(60);
        let min_group = 1 + r.below(9);
        let (entity, columns): (_, &[&str]) =
            if r.below(2) == 0 { ("id", &[]) } else { ("customer", &["customer"]) };
        let world = world(seed, n, rules(columns, min_group), Policy::Rules(closed_shop(1)));
        for golden in GOLDEN {
            agrees(&world, golden, entity, min_group, false);
        }
    }
}

/// Two owners, each with its own least size, are both heeded.
#[test]
fn each_owner_counts_its_own() {
    let shop = TableRules { entity: vec!["account".to_owned()], ..closed_shop(3) };
    let world = world(11, 50, rules(&["customer"], 4), Policy::Rules(shop));
    let sql = "SELECT a.region, COUNT(*) FROM bank.accounts a JOIN shop.sales s ON a.id = s.account GROUP BY a.region";
    let plan = world.plan(sql).expect("both allow it");
    let expected = world
        .oracle(&format!("{sql} HAVING COUNT(DISTINCT a.customer) >= 4 AND COUNT(DISTINCT s.account) >= 3"))
        .expect("the oracle counts");
    for answer in [world.plain(&plan).expect("plain"), world.lab(&plan, 3).expect("lab")] {
        let rows = rows_of(std::slice::from_ref(&answer.batch));
        assert_near_rows(sql, &rows, &expected, false, 1e-9);
    }
}
