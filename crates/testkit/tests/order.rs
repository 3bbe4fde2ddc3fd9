//! The order in which answers come out says nothing: shuffled, and under ORDER BY with ties in
//! an order that each run draws afresh.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use plan::types::Value;
use testkit::{World, rows_of};

const ROWS: i64 = 30;

fn world() -> World {
    let table = |from: i64| {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(from..from + ROWS));
        RecordBatch::try_from_iter([("id", ids)]).expect("one column")
    };
    World::new(&["bank", "telecom"]).table("bank", "n", table(0)).table("telecom", "n", table(ROWS))
}

/// The answers of runs with different seeds.
fn orders(sql: &str) -> BTreeSet<Vec<i128>> {
    let world = world();
    let plan = world.plan(sql).expect("it plans");
    let answers = (0..8).map(|seed| {
        let rows = rows_of(&[world.lab(&plan, seed).expect("an honest run").batch]);
        rows.into_iter()
            .map(|row| match row[0] {
                Value::Int(id) => id,
                ref other => panic!("{other}"),
            })
            .collect()
    });
    answers.collect()
}

const BOTH: &str = "(SELECT id FROM bank.n UNION ALL SELECT id FROM telecom.n) u";

#[test]
fn unordered_answers_are_shuffled() {
    let orders = orders(&format!("SELECT id FROM {BOTH} WHERE id % 2 = 0"));
    assert_eq!(orders.len(), 8, "every run has an order of its own");
    assert!(orders.iter().all(|order| order.windows(2).any(|pair| pair[0] > pair[1])));
}

#[test]
fn ties_come_in_random_order() {
    let orders = orders(&format!("SELECT id FROM {BOTH} ORDER BY id / 20"));
    assert_eq!(orders.len(), 8, "every run breaks ties its own way");
    for order in orders {
        assert!(order.windows(2).all(|pair| pair[0] / 20 <= pair[1] / 20), "{order:?}");
    }
}

#[test]
fn limits_choose_any_rows_or_the_first() {
    let chosen = orders(&format!("SELECT id FROM {BOTH} ORDER BY id DESC LIMIT 3 OFFSET 2"));
    let expected = (1..=3).map(|at| i128::from(2 * ROWS) - 2 - at).collect::<Vec<_>>();
    assert_eq!(chosen.into_iter().collect::<Vec<_>>(), [expected]);
    assert!(orders(&format!("SELECT id FROM {BOTH} LIMIT 7")).iter().all(|rows| rows.len() == 7));
}

/// Owners sort the rows of a join by its keys: the first of them would be the least.
#[test]
fn limits_of_joins_choose_any_rows() {
    let chosen = orders("SELECT a.id FROM bank.n a JOIN telecom.n b ON a.id = b.id - 30 LIMIT 3");
    let sets: BTreeSet<BTreeSet<i128>> = chosen.into_iter().map(|rows| rows.into_iter().collect()).collect();
    assert!(sets.len() > 4, "{sets:?}");
}
