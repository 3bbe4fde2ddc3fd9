//! Random questions: on plaintext and on shares the engine gives DataFusion's rows, or an error
//! with a reason; never a panic, and never a plan that the engine cannot run.

mod writer;

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, UInt8Array,
};
use engine::{EngineError, FailureKind};
use mpc::Security;
use plan::PlanError;
use plan::policy::RowCount;
use testkit::{World, assert_cancelled_rows, rows_of};

use self::writer::{Random, question};

const N: u64 = 23;

fn table(r: &mut Random, unique: bool) -> RecordBatch {
    let keys =
        (0..N).map(|row| if unique { Some(row as i64 - 4) } else { r.maybe(|r| r.below(N + 4) as i64 - 6) });
    let keys: Vec<_> = keys.collect();
    let tiny: Vec<_> = (0..N).map(|_| r.maybe(|r| r.below(7) as i8 - 3)).collect();
    let big: Vec<_> = (0..N).map(|_| r.maybe(|r| r.below(2_000_000) as i64 - 1_000_000)).collect();
    let money: Vec<_> = (0..N).map(|_| r.maybe(|r| i128::from(r.below(20_000)) - 9_000)).collect();
    let rate: Vec<_> = (0..N).map(|_| r.maybe(|r| i128::from(r.below(20_001)) - 10_000)).collect();
    let flag: Vec<_> = (0..N).map(|_| r.maybe(|r| r.below(2) == 0)).collect();
    let name: Vec<_> = (0..N)
        .map(|_| r.maybe(|r| r.pick(&["", "a", "ab", "b", "longer than a hash of so few rows", "é"])))
        .collect();
    let day: Vec<_> = (0..N).map(|_| r.maybe(|r| r.below(40) as i32 - 20)).collect();
    let float: Vec<_> = (0..N).map(|_| r.maybe(|r| (r.below(9) as f64 - 4.0) / 2.0 + 0.1)).collect();
    let at: Vec<_> =
        (0..N).map(|_| r.maybe(|r| (r.below(4_000_000) as i64 - 2_000_000) * 1_000_007)).collect();
    let byte: Vec<_> = (0..N).map(|_| r.maybe(|r| r.below(256) as u8)).collect();
    let wide: Vec<_> =
        (0..N).map(|_| r.maybe(|r| (i128::from(r.below(2000)) - 1000) * 10i128.pow(22))).collect();
    let first = if unique { 0 } else { 1000 };
    let decimal = |values: Vec<Option<i128>>, precision, scale| -> ArrayRef {
        let array = Decimal128Array::from(values).with_precision_and_scale(precision, scale);
        Arc::new(array.expect("values that fit"))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("k", Arc::new(Int64Array::from(keys))),
        ("tiny", Arc::new(Int8Array::from(tiny))),
        ("big", Arc::new(Int64Array::from(big))),
        ("money", decimal(money, 8, 2)),
        ("rate", decimal(rate, 5, 4)),
        ("flag", Arc::new(BooleanArray::from(flag))),
        ("name", Arc::new(StringArray::from(name))),
        ("day", Arc::new(Date32Array::from(day))),
        ("f", Arc::new(Float64Array::from(float))),
        ("at", Arc::new(TimestampMicrosecondArray::from(at))),
        ("byte", Arc::new(UInt8Array::from(byte))),
        ("wide", decimal(wide, 30, 3)),
        ("id", Arc::new(Int64Array::from_iter_values((0..N as i64).map(|row| row + first)))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Same,
    BothFail,
    Refused,
    /// The engine fails where DataFusion does not look: behind an AND or an OR.
    OnlyEngineFails,
    /// DataFusion fails on rows that do not count.
    OnlyOracleFails,
}

/// What the doubles of an answer may differ by a part of, beside themselves.
///
/// A slope is Σ(x-x̄)(y-ȳ) / Σ(x-x̄)². DataFusion keeps ȳ and the upper sum as running doubles: each of
/// n steps rounds ȳ by 2^-53 of |y|, so the sum by that times Σ|x-x̄| <= sqrt(n·Σ(x-x̄)²), and for whole
/// x the slope by n·2^-53·|y|, below 10^-12 of |y| for all pairs of two tables. Here the sums are exact.
/// It is no part of the slope, which can be zero.
fn scale(sql: &str) -> f64 {
    if sql.contains("REGR_SLOPE(x.big") || sql.contains("REGR_SLOPE(y.big") { 1e6 } else { 1.0 }
}

fn ask(world: &World, name: &str, sql: &str, seed: Option<u64>) -> End {
    let expected = world.oracle(sql);
    let plan = match world.plan(sql) {
        Ok(plan) => plan,
        Err(
            PlanError::Unsupported { .. }
            | PlanError::TooWide { .. }
            | PlanError::Constant { .. }
            | PlanError::ManyToMany { .. }
            | PlanError::BoundTooLarge { .. },
        ) => return End::Refused,
        // Nonsense that DataFusion refuses in its own words.
        Err(_) if expected.is_err() => return End::Refused,
        Err(error) => panic!("{name}: {sql}\n plan: {error}"),
    };
    let told = world.told(&plan).map(|(told, _)| told);
    let answer = match told.as_ref().map_or_else(|_| world.plain(&plan), |told| world.plain(told)) {
        Ok(answer) => answer,
        Err(EngineError::Failed { failures }) => {
            let known = [FailureKind::Overflow, FailureKind::DivisionByZero, FailureKind::OutOfDomain];
            assert!(failures.iter().all(|failure| known.contains(&failure.kind)), "{sql}: {failures:?}");
            return if expected.is_ok() { End::OnlyEngineFails } else { End::BothFail };
        }
        // An owner's filter looks at rows that other owners' rows would have dropped.
        Err(EngineError::Local { .. }) => {
            return if expected.is_ok() { End::OnlyEngineFails } else { End::BothFail };
        }
        Err(EngineError::TooWide { .. }) => return End::Refused,
        Err(error) => panic!("{name}: {sql}\n plaintext: {error}"),
    };
    let plan = told.unwrap_or(plan);
    let Ok(expected) = expected else { return End::OnlyOracleFails };
    let same = |way: &str, rows: &[Vec<_>]| {
        assert_cancelled_rows(&format!("{name}: {sql}\n {way}"), rows, &expected, plan.ordered, scale(sql));
    };
    same("plaintext", &rows_of(&[answer.batch]));
    if let Some(seed) = seed {
        let shared =
            world.lab(&plan, seed).unwrap_or_else(|error| panic!("{name}: {sql}\n shares: {error:?}"));
        same("shares", &rows_of(&[shared.batch]));
        world.count(&plan).unwrap_or_else(|error| panic!("{name}: {sql}\n count: {error}"));
    }
    End::Same
}

fn world() -> World {
    world_that_tells(RowCount::Hidden)
}

/// The world, of which everybody learns how many rows a filter at their owner keeps.
fn world_that_tells(local_rows: RowCount) -> World {
    let mut r = Random(7);
    let (t, u) = (table(&mut r, true), table(&mut r, false));
    World::new(&["bank", "telecom"])
        .table_described("bank", "t", t, |table| table.local_rows = local_rows)
        .table_described("telecom", "u", u, |table| table.local_rows = local_rows)
}

fn setting<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Some of the questions that there are; `RANDOM_QUESTIONS` says how many from `FIRST_QUESTION` on,
/// `SHARED_EVERY` which of them run on shares as well, and `SECURITY` against whom.
#[test]
fn random_questions_have_the_same_answer_everywhere() {
    let security = match setting("SECURITY", String::new()).as_str() {
        "semi-honest" => Security::SemiHonest,
        _ => Security::Malicious,
    };
    let worlds = [world(), world_that_tells(RowCount::Exact)].map(|world| world.security(security));
    let (n, first, every) =
        (setting("RANDOM_QUESTIONS", 200), setting("FIRST_QUESTION", 0), setting("SHARED_EVERY", 10));
    let shown = std::env::var_os("SHOW_QUESTIONS").is_some();
    let (mut ends, mut wrong): (Vec<End>, _) = (Vec::new(), 0u64);
    for number in first..first + n {
        let sql = question(number);
        // Before it is asked, since it may not come to an end.
        if shown {
            println!("{number} {sql}");
        }
        let seed = (number % every == 0).then_some(number);
        let world = &worlds[usize::from(number / every % 2 == 1)];
        let asked = std::panic::AssertUnwindSafe(|| ask(world, &format!("question {number}"), &sql, seed));
        let end = std::panic::catch_unwind(asked);
        if shown {
            println!("{number} {end:?}");
        }
        match end {
            Ok(end) => ends.push(end),
            Err(_) => wrong += 1,
        }
    }
    let count = |end: End| ends.iter().filter(|other| **other == end).count();
    let kinds = [End::Same, End::BothFail, End::Refused, End::OnlyEngineFails, End::OnlyOracleFails];
    println!("{:?}", kinds.map(|end| (end, count(end))));
    assert_eq!(wrong, 0, "of {n} questions");
    assert!(count(End::Same) as u64 > n / 3, "most questions have an answer: {:?}", kinds.map(count));
}

/// Questions that had a wrong answer once.
#[test]
fn questions_that_were_wrong_once() {
    let world = world();
    let known = [
        (
            // DataFusion moved the filter below the join by the name of its column, which both sides have.
            "a filter over a full join",
            "SELECT y.day AS g, y.tiny AS h, SUM(GREATEST(y.k, 100)) FILTER (WHERE x.name NOT LIKE '%') AS a \
             FROM bank.t x FULL JOIN telecom.u y ON x.tiny = y.tiny AND x.big > y.k \
             WHERE (((x.flag AND y.flag) OR y.k < 7) OR y.big IN (1, -2, 3)) \
             GROUP BY GROUPING SETS ((y.day), (y.tiny), (y.day, y.tiny))",
        ),
        (
            "an aggregate over such a filter",
            "SELECT MIN((x.day - INTERVAL '3' DAY)) AS a0, COVAR_POP(x.tiny, x.k) AS a1, VAR_POP(y.tiny) AS a2 \
             FROM bank.t x FULL JOIN telecom.u y ON x.tiny = y.tiny AND x.big > y.k \
             WHERE ((y.money - y.k) = TRUNC(y.money, 0) OR (x.money + y.k) > (-y.money))",
        ),
        (
            // DataFusion took a column for constant where a grouping set leaves it out.
            "grouping sets of a column that a filter fixes",
            "SELECT x.name AS g, x.tiny AS h, SUM(COALESCE(x.tiny, x.big)) AS a \
             FROM (SELECT * FROM bank.t UNION ALL SELECT * FROM telecom.u) x WHERE 'b' = x.name \
             GROUP BY GROUPING SETS ((x.name), (x.tiny), (x.name, x.tiny))",
        ),
        (
            "grouping sets of a column that a filter fixes, at its owner",
            "SELECT x.name AS g, x.tiny AS h, SUM(x.tiny) AS a \
             FROM (SELECT * FROM bank.t UNION ALL SELECT * FROM bank.t) x WHERE 'b' = x.name \
             GROUP BY GROUPING SETS ((x.name), (x.tiny), (x.name, x.tiny))",
        ),
    ];
    // Slopes that are small beside what goes in.
    let slopes = "SELECT NULLIF(x.byte, x.money) AS g, y.name AS h, REGR_SLOPE(y.big, x.tiny) AS a \
                  FROM bank.t x LEFT JOIN telecom.u y ON x.f = y.f OR x.day > y.day GROUP BY g, h";
    assert_eq!(ask(&world, "slopes", slopes, None), End::Same);
    // Too wide for shares, whether or not the rows that an owner has come near it.
    let wide = "SELECT CAST((y.wide * y.k) AS DOUBLE) / CAST(x.money AS DOUBLE) AS b \
                FROM bank.t x JOIN telecom.u y ON x.tiny = y.tiny";
    assert_eq!(ask(&world, "wide", wide, None), End::Refused);
    for (name, sql) in known {
        assert_eq!(ask(&world, name, sql, Some(1)), End::Same, "{name}");
    }
}

/// Processes hash with keys of their own, start elsewhere and plan in another order; the plans'
/// digests, and the reasons of refusals, are the same.
#[test]
fn plans_have_the_same_digest_in_every_process() {
    const CHILD: &str = "PLAN_DIGESTS_OF_PARTY";
    const N_QUESTIONS: u64 = 1000;
    if let Ok(party) = std::env::var(CHILD) {
        let world = world();
        let mut numbers: Vec<u64> = (0..N_QUESTIONS).collect();
        if party == "1" {
            numbers.reverse();
        }
        let texts = numbers.into_iter().map(|number| (number, question(number)));
        // Columns that only an order reads.
        let orders = [
            "x.k + y.k + x.big",
            "CASE WHEN x.flag THEN y.tiny ELSE x.k END, y.k",
            "x.k * y.k + y.byte - x.tiny",
        ];
        let orders = orders.into_iter().flat_map(|order| {
            let joined = "FROM bank.t x JOIN telecom.u y ON x.tiny = y.tiny";
            [
                format!("SELECT x.name, y.day {joined} ORDER BY {order} LIMIT 3"),
                format!("SELECT x.name, MAX(y.k) AS m {joined} GROUP BY x.name ORDER BY SUM(y.k) + SUM(x.k) + COUNT(*)"),
                format!("SELECT a FROM (SELECT x.name AS a {joined} ORDER BY {order}, x.day LIMIT 5) q"),
            ]
        });
        for (number, sql) in texts.chain((N_QUESTIONS..).zip(orders)) {
            let outcome = match world.plan(&sql) {
                Ok(plan) => plan.digest().iter().map(|byte| format!("{byte:02x}")).collect(),
                Err(error) => format!("{error:?}"),
            };
            println!("\nquestion {number}: {outcome}");
        }
        return;
    }
    let program = std::env::current_exe().expect("this test's program");
    let children = ["0", "1", "2"].map(|party| {
        let mut child = std::process::Command::new(&program);
        child.args(["--exact", "plans_have_the_same_digest_in_every_process", "--nocapture"]);
        child.env(CHILD, party).stdout(std::process::Stdio::piped());
        if party == "2" {
            child.env("TZ", "Asia/Tokyo").env("LANG", "de_DE.UTF-8").current_dir("/");
        }
        child.spawn().expect("a process")
    });
    let planned = children.map(|child| {
        let output = child.wait_with_output().expect("a process that ends");
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).expect("text");
        let mut lines: Vec<_> =
            text.lines().filter(|line| line.starts_with("question ")).map(str::to_owned).collect();
        lines.sort();
        lines
    });
    assert_eq!(planned[0].len() as u64, N_QUESTIONS + 9);
    for other in &planned[1..] {
        let differs = planned[0].iter().zip(other).find(|(mine, theirs)| mine != theirs);
        assert_eq!(differs, None);
        assert_eq!(planned[0].len(), other.len());
    }
    let n_planned = planned[0].iter().filter(|line| !line.contains(['{', '('])).count() as u64;
    assert!(n_planned > N_QUESTIONS / 2, "{n_planned} plans");
    let of_orders = |line: &&String| line.starts_with("question 100") && line.find(':') == Some(13);
    let refused = planned[0].iter().filter(of_orders).find(|line| line.contains('{'));
    assert_eq!(refused, None);
}
