//! TPC-H questions from their SQL text, tables split among three parties: on shares and in
//! DataFusion the rows are the same, decimals exact.

#[path = "tpch/tables.rs"]
mod tables;

use mpc::Security;
use tables::{QUESTIONS, world};
use testkit::{assert_same_rows, rows_of};

/// Asks all questions, and says how long each took.
fn agree(scale: f64) {
    let world = world(scale).security(Security::Malicious);
    let mut total = 0.0;
    for (number, sql) in (1..).zip(QUESTIONS) {
        let name = format!("Q{number}");
        let expected = world.oracle(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        let plan = world.plan(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        let start = std::time::Instant::now();
        let shared = world.lab(&plan, 1).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let seconds = start.elapsed().as_secs_f64();
        total += seconds;
        println!("{name}: {} rows, {seconds:.2} s", shared.batch.num_rows());
        assert_same_rows(&name, &rows_of(&[shared.batch]), &expected, plan.ordered);
    }
    println!("all: {total:.1} s");
}

/// All questions at scale factor 0.001: 6,000 line items.
#[test]
fn all_questions_agree() {
    agree(0.001);
}

/// All questions at scale factor 0.01: 60,000 line items.
#[test]
#[ignore = "takes about a minute"]
fn all_questions_agree_at_scale_one_hundredth() {
    agree(0.01);
}
