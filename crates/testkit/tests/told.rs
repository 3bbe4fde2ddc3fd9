//! Numbers of rows that owners tell: answers stay what they are, runs become smaller, and two tables
//! that are told alike look alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use mpc::lab::{Lab, Recorder};
use mpc::{Cost, Security};
use plan::policy::{Noise, RowCount};
use plan::secure::SecurePlan;
use testkit::{World, assert_foretold, assert_same_rows, rows_of};

const BOUND: i64 = 20;

fn table(columns: Vec<(&str, Vec<i64>)>) -> RecordBatch {
    RecordBatch::try_from_iter(
        columns.into_iter().map(|(name, values)| (name, Arc::new(Int64Array::from(values)) as ArrayRef)),
    )
    .expect("columns of one length")
}

/// A bank of which `kept` rows of 20 pass `x = 1`, and a shop.
fn world(kept: i64, rule: RowCount) -> World {
    let rows = |f: &dyn Fn(i64) -> i64| (0..BOUND).map(f).collect::<Vec<_>>();
    let bank = table(vec![
        ("id", rows(&|row| row)),
        ("x", rows(&|row| i64::from(row * 7 % BOUND < kept))),
        ("y", rows(&|row| row * row % 11)),
    ]);
    let shop =
        table(vec![("id", (0..9).map(|row| 2 * row).collect()), ("v", (0..9).map(|row| 5 - row).collect())]);
    World::new(&["bank", "shop", "helper"])
        .table_described("bank", "t", bank, |table| {
            table.local_rows = rule;
            // The same facts whatever passes.
            for column in &mut table.columns {
                column.range = Some(plan::catalog::Fact::declared(plan::types::Range::new(0, 100)));
            }
            table.unique_keys.retain(|key| key.value == ["id"]);
        })
        .table("shop", "u", shop)
}

const QUESTIONS: [&str; 6] = [
    "SELECT SUM(t.y * u.v), COUNT(*) FROM bank.t t JOIN shop.u u ON t.id = u.id WHERE t.x = 1",
    "SELECT t.y, u.v FROM bank.t t JOIN shop.u u ON t.y = u.v WHERE t.x = 1",
    "SELECT u.id, t.y FROM shop.u u LEFT JOIN (SELECT id, y FROM bank.t WHERE x = 1) t ON t.id = u.id",
    "SELECT t.y, COUNT(*), SUM(u.v) FROM bank.t t JOIN shop.u u ON t.id <= u.id WHERE t.x = 1 GROUP BY t.y ORDER BY t.y",
    "SELECT id, y, RANK() OVER (ORDER BY y) FROM (SELECT id, y FROM bank.t WHERE x = 1 UNION ALL SELECT id, v FROM \
     shop.u) s ORDER BY id, y LIMIT 5",
    "SELECT id, y FROM bank.t WHERE x = 1",
];

/// The plan after everybody has told, and that the told numbers are these.
fn told(world: &World, sql: &str, expected: u64) -> SecurePlan {
    let plan = world.plan_for(sql, "shop").unwrap_or_else(|error| panic!("{sql}: {error}"));
    let (plan, numbers) = world.told(&plan).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert!(numbers.values().eq([&expected]), "{sql}: {numbers:?}");
    plan
}

fn check(world: &World, plan: &SecurePlan, sql: &str) -> Cost {
    let expected = world.oracle(sql).unwrap_or_else(|error| panic!("{sql}\n oracle: {error}"));
    let same = |rows: RecordBatch| assert_same_rows(sql, &rows_of(&[rows]), &expected, plan.ordered);
    same(world.plain(plan).unwrap_or_else(|error| panic!("{sql}\n plaintext: {error}")).batch);
    let (shared, paid) = world.lab_with_cost(plan, 11);
    same(shared.unwrap_or_else(|error| panic!("{sql}\n shares: {error:?}")).batch);
    let counted = world.count(plan).expect("it has a price");
    assert_foretold(sql, Security::Malicious, &paid, &counted);
    counted
}

/// No row, one, a multiple and one more, all rows; padded to more than the table has as well.
#[test]
fn answers_are_the_same_whatever_is_told() {
    for (rule, kept, expected) in [
        (RowCount::Multiple(4), 0, 4),
        (RowCount::Multiple(4), 1, 4),
        (RowCount::Multiple(4), 4, 4),
        (RowCount::Multiple(4), 5, 8),
        (RowCount::Multiple(3), 20, 20),
        (RowCount::Multiple(1000), 3, 20),
        (RowCount::PowerOfTwo, 0, 1),
        (RowCount::PowerOfTwo, 9, 16),
        (RowCount::PowerOfTwo, 17, 20),
        (RowCount::Exact, 0, 0),
        (RowCount::Exact, 5, 5),
    ] {
        let world = world(kept, rule).security(Security::Malicious);
        for sql in QUESTIONS {
            check(&world, &told(&world, sql, expected), sql);
        }
    }
}

/// Noise adds rows and takes none, whatever is drawn; the answer is the same.
#[test]
fn answers_are_the_same_with_noise() {
    let noise = Noise::try_new(10_000, 1).expect("it has a table");
    assert_eq!(noise.most(), 6);
    for kept in [0, 1, 7, 20] {
        let world = world(kept, RowCount::Noise(noise)).security(Security::Malicious);
        for sql in QUESTIONS {
            let plan = world.plan_for(sql, "shop").unwrap_or_else(|error| panic!("{sql}: {error}"));
            let (plan, numbers) = world.told(&plan).unwrap_or_else(|error| panic!("{sql}: {error}"));
            let kept = u64::try_from(kept).expect("no fewer than none");
            let possible = kept..=(kept + noise.most()).min(20);
            assert!(
                numbers.len() == 1 && numbers.values().all(|told| possible.contains(told)),
                "{numbers:?}"
            );
            check(&world, &plan, sql);
        }
    }
    let world = world(0, RowCount::Noise(Noise::try_new(2000, 1).expect("it has a table")));
    let plan = world.plan_for(QUESTIONS[5], "shop").expect("it plans");
    let tellings = (0..100).map(|_| world.told(&plan).expect("it tells").1.into_values().next());
    assert!(tellings.collect::<std::collections::BTreeSet<_>>().len() > 1, "each run draws anew");
}

#[test]
fn a_run_is_as_large_as_what_is_told() {
    let sql = QUESTIONS[0];
    let bytes = |rule, expected| {
        let world = world(3, rule);
        world.count(&told(&world, sql, expected)).expect("it has a price").bytes_sent.iter().sum::<u64>()
    };
    let (few, all) = (bytes(RowCount::Multiple(4), 4), bytes(RowCount::Multiple(20), 20));
    assert!(2 * few < all, "{few} bytes, and {all} for all rows");
}

/// What anybody sees of a run beside what is in the messages: which there are, and how long.
fn public_view(kept: i64, rule: RowCount, sql: &str) -> (BTreeMap<usize, u64>, [u8; 32], Vec<String>) {
    let world = world(kept, rule);
    let plan = world.plan_for(sql, "shop").expect("it plans");
    let (plan, numbers) = world.told(&plan).expect("it tells");
    let recorder = Arc::new(Recorder::default());
    let outcomes = world.outcomes(&recorder.on(world.rig(Lab::seeded(3))), &plan);
    assert!(outcomes.iter().all(Result::is_ok), "{sql}");
    let trace = recorder.trace();
    let mut messages: Vec<String> = trace.messages.iter().map(|message| format!("{message:?}")).collect();
    messages.sort();
    (numbers, plan.digest(), messages)
}

#[test]
fn tables_that_are_told_alike_look_alike() {
    let sql = QUESTIONS[0];
    let rule = RowCount::Multiple(4);
    let (five, eight) = (public_view(5, rule, sql), public_view(8, rule, sql));
    assert!(!five.2.is_empty());
    assert_eq!(five, eight);
    assert_ne!(eight, public_view(9, rule, sql), "the next number is another one");
    assert_ne!(
        public_view(5, RowCount::Exact, sql),
        public_view(8, RowCount::Exact, sql),
        "what padding hides"
    );
    assert_eq!(public_view(0, rule, sql), public_view(1, rule, sql), "whether there is any");
}
