//! Whole questions with one changed message: the honest parties stop, or the answer is right.
//!
//! Too many messages for every change, so each question gets a sample. `SWEEP_SEED` chooses
//! another one than the usual, and `SWEEP_CASES` another size.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use mpc::lab::{Ending, Lab, Report, Sweep};
use mpc::{Params, Security};
use testkit::World;

/// `U` stands for rows of two parties, of which neither can compute the answer alone.
const QUESTIONS: [&str; 10] = [
    "SELECT k, v FROM U WHERE v > 1",
    "SELECT k + 1, k * v FROM U",
    "SELECT SUM(v), COUNT(*), MIN(k) FROM U WHERE k <> 2",
    "SELECT k, SUM(v) FROM U GROUP BY k",
    "SELECT DISTINCT k FROM U",
    "SELECT k, v FROM U ORDER BY v DESC, k LIMIT 2",
    "SELECT a.id, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer",
    "SELECT c.minutes, a.segment FROM telecom.calls c LEFT JOIN bank.accounts a ON c.customer = a.id",
    "SELECT a.segment, AVG(c.minutes) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.segment",
    "SELECT s.price / c.minutes FROM shop.sales s JOIN telecom.calls c ON s.call = c.call",
];

const U: &str =
    "(SELECT id AS k, visits AS v FROM bank.accounts UNION ALL SELECT customer, minutes FROM telecom.calls)";

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

fn ints(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

/// Two companies that compute, one more that helps, and one that only shares data.
fn world(security: Security) -> World {
    let accounts = table(vec![
        ("id", ints(vec![Some(1), Some(2), Some(3)])),
        ("visits", ints(vec![Some(4), Some(-2), None])),
        ("segment", Arc::new(StringArray::from(vec!["gold", "silver", "gold"]))),
    ]);
    let calls = table(vec![
        ("call", ints(vec![Some(7), Some(8), Some(9)])),
        ("customer", ints(vec![Some(1), Some(1), Some(3)])),
        ("minutes", ints(vec![Some(10), Some(20), None])),
    ]);
    let sales =
        table(vec![("call", ints(vec![Some(9), Some(7)])), ("price", ints(vec![Some(100), Some(60)]))]);
    World::new(&["bank", "telecom", "helper", "shop"])
        .table("bank", "accounts", accounts)
        .table("telecom", "calls", calls)
        .table("shop", "sales", sales)
        .params(Params { security, threads: 2, in_flight: 4, chunk_rows: 512, ..Params::default() })
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

fn swept(world: &World, sql: &str) -> Report {
    let (seed, n) = (number("SWEEP_SEED", 2026), number("SWEEP_CASES", 40) as usize);
    let plan =
        world.plan(&sql.replace(" U", &format!(" {U}"))).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let sweep = Sweep::new(world.rig(Lab::seeded(seed))).sampled(seed, n);
    let report =
        sweep.inputs(|message| message.name.contains("/row.")).over(|lab| world.outcomes(lab, &plan));
    println!("{sql}\n  seed {seed}: {report}");
    report
}

/// Without checks an answer may be wrong, which the sweep sees; nothing hangs or panics.
#[test]
fn semi_honest_questions_end() {
    let mut n_wrong = 0;
    for sql in QUESTIONS {
        let report = swept(&world(Security::SemiHonest), sql);
        let worse = report.failures().into_iter().find(|(_, ending)| *ending != Ending::Wrong);
        assert!(worse.is_none(), "{sql}: {report}: {worse:?}");
        n_wrong += report.ended(Ending::Wrong).len();
    }
    assert!(n_wrong > 0, "nothing came out wrong");
}

#[test]
fn malicious_questions_are_right_or_stop() {
    QUESTIONS.iter().for_each(|sql| swept(&world(Security::Malicious), sql).assert_clean());
}
