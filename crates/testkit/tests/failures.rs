//! Questions that the data makes fail: the asker learns the kind and the
//! operator, nobody learns a value, and what is not taken does not fail.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use engine::{EngineError, Failure, FailureKind};
use mpc::Security;
use plan::secure::{Node, Op};
use testkit::{RunError, World, assert_same_rows, rows_of};

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

fn ints(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

fn world() -> World {
    let digits = |values: Vec<Option<i128>>| -> ArrayRef {
        let array = Decimal128Array::from(values);
        Arc::new(array.with_precision_and_scale(38, 0).expect("38 digits"))
    };
    let left = table(vec![
        ("k", ints(vec![Some(1), Some(2), Some(3), Some(4), None])),
        ("big", ints(vec![Some(i64::MAX), Some(i64::MAX - 1), Some(5), Some(-7), Some(1)])),
        ("zero", ints(vec![Some(1), Some(0), None, Some(-3), Some(0)])),
        ("vast", digits(vec![Some(6 * 10i128.pow(37)), Some(7), Some(-7), None, Some(1)])),
    ]);
    let right = table(vec![
        ("k", ints(vec![Some(1), Some(2), Some(3), Some(9)])),
        ("step", ints(vec![Some(1), Some(0), Some(2), None])),
        ("wide", digits(vec![Some(10i128.pow(37)), Some(-(10i128.pow(37))), Some(3), None])),
        ("vast", digits(vec![Some(55 * 10i128.pow(36)), Some(6 * 10i128.pow(37)), Some(0), Some(1)])),
    ]);
    World::new(&["bank", "telecom"]).table("bank", "l", left).table("telecom", "r", right)
}

/// The failures that plaintext and shares agree on.
fn failures(world: &World, sql: &str) -> Vec<Failure> {
    let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}\n plan: {error}"));
    let plain = match world.plain(&plan) {
        Err(EngineError::Failed { failures }) => failures,
        other => panic!("{sql}\n plaintext: {other:?}"),
    };
    for security in [Security::Malicious, Security::SemiHonest] {
        let world = world.clone().security(security);
        let plan = world.plan(sql).expect("it has been planned");
        match world.lab(&plan, 5) {
            Err(RunError::Engine(errors)) => match errors.as_slice() {
                [(0, EngineError::Failed { failures })] => assert_eq!(*failures, plain, "{sql}"),
                other => panic!("{sql}\n {}: {other:?}", security.name()),
            },
            other => panic!("{sql}\n {}: {other:?}", security.name()),
        }
    }
    let listed: Vec<usize> =
        plan.root.nodes().iter().filter(|node| node.can_fail()).map(|node| node.id).collect();
    assert!(plain.iter().all(|failure| listed.contains(&failure.node)), "{sql}: {plain:?} is disclosed");
    assert!(world.oracle(sql).is_err(), "{sql}: the oracle fails too");
    plain
}

fn kinds(world: &World, sql: &str) -> Vec<(FailureKind, String)> {
    failures(world, sql).into_iter().map(|failure| (failure.kind, failure.operator)).collect()
}

/// Neither shares nor plaintext fail, and they agree with the oracle.
fn succeeds(world: &World, sql: &str) {
    let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}\n plan: {error}"));
    let expected = world.oracle(sql).unwrap_or_else(|error| panic!("{sql}\n oracle: {error}"));
    let plain = world.plain(&plan).unwrap_or_else(|error| panic!("{sql}\n plaintext: {error}"));
    assert_same_rows(sql, &rows_of(&[plain.batch]), &expected, plan.ordered);
    let shared = world.lab(&plan, 5).unwrap_or_else(|error| panic!("{sql}\n shares: {error:?}"));
    assert_same_rows(sql, &rows_of(&[shared.batch]), &expected, plan.ordered);
}

const JOINED: &str = "bank.l JOIN telecom.r ON l.k = r.k";

#[test]
fn overflows_fail_by_kind_and_operator() {
    let world = world();
    let overflow = |operator: &str| vec![(FailureKind::Overflow, operator.to_owned())];
    assert_eq!(kinds(&world, &format!("SELECT l.big + r.step FROM {JOINED}")), overflow("Project"));
    assert_eq!(kinds(&world, &format!("SELECT l.big * (r.step + 1) FROM {JOINED}")), overflow("Project"));
    assert_eq!(
        kinds(&world, &format!("SELECT l.k FROM {JOINED} WHERE l.big + r.step > 0")),
        overflow("Filter")
    );
    assert_eq!(
        kinds(&world, &format!("SELECT SUM(l.big) FROM {JOINED} WHERE r.step >= 0")),
        overflow("Aggregate")
    );
    assert_eq!(
        kinds(&world, &format!("SELECT r.step > 5, SUM(l.big) FROM {JOINED} GROUP BY r.step > 5")),
        overflow("Aggregate")
    );
    assert_eq!(
        kinds(&world, &format!("SELECT r.wide * CAST(l.big AS DECIMAL(38,0)) FROM {JOINED}")),
        overflow("Project")
    );
    assert_eq!(
        kinds(&world, &format!("SELECT CAST(l.big - r.step AS INT) FROM {JOINED}")),
        overflow("Project")
    );
}

/// Between 10^38 and 2^127 a decimal has overflown, though no share has.
#[test]
fn decimals_of_39_digits_fail() {
    let world = world();
    let overflow = |operator: &str| vec![(FailureKind::Overflow, operator.to_owned())];
    for condition in [
        "l.vast + r.vast > 0",
        "l.vast + r.vast + l.vast > 0",
        "-l.vast - r.vast < 0",
        "l.vast * (r.step + 1) > l.vast",
    ] {
        let sql = format!("SELECT l.k FROM {JOINED} WHERE {condition}");
        assert_eq!(kinds(&world, &sql), overflow("Filter"), "{condition}");
    }
    let both = "(SELECT k, vast FROM bank.l UNION ALL SELECT k, vast FROM telecom.r) u";
    let sum = |what: &str| kinds(&world, &format!("SELECT {what} FROM {both}"));
    assert_eq!(sum("SUM(vast)"), overflow("Aggregate"));
    assert_eq!(sum("SUM(vast) > 0"), overflow("Aggregate"));
    assert_eq!(sum("SUM(vast) OVER () > 0"), overflow("Window"));
    assert_eq!(sum("SUM(vast) OVER (ORDER BY k ROWS 3 PRECEDING) > 0"), overflow("Window"));
    succeeds(&world, &format!("SELECT SUM(vast), MAX(vast) FROM {both} WHERE vast < 10 GROUP BY k"));
    succeeds(&world, &format!("SELECT l.k, l.vast + r.vast, l.vast - r.vast FROM {JOINED} WHERE l.k > 1"));
    // One value above 2^126.
    succeeds(
        &world,
        &format!("SELECT l.vast + 3 * r.wide, MAX(l.vast + 3 * r.wide) FROM {JOINED} GROUP BY 1"),
    );
}

#[test]
fn zero_divisors_fail() {
    let world = world();
    let by_zero = vec![(FailureKind::DivisionByZero, "Project".to_owned())];
    assert_eq!(kinds(&world, &format!("SELECT l.k / r.step FROM {JOINED}")), by_zero);
    assert_eq!(kinds(&world, &format!("SELECT l.k % r.step FROM {JOINED}")), by_zero);
    // DataFusion has infinity there.
    assert_eq!(undefined_in(&world, &format!("SELECT POWER(l.k * r.step, -1) FROM {JOINED}")), by_zero);
}

/// A remainder by zero leaves its range, and with it the number of groups there is room for: what is
/// told is the division.
#[test]
fn what_a_failed_value_brings_about_is_not_told() {
    let world = world();
    let by_zero = vec![(FailureKind::DivisionByZero, "Project".to_owned())];
    let sql = format!("SELECT l.k % NULLIF(0, r.step - 2) AS g, COUNT(*) FROM {JOINED} GROUP BY g");
    assert_eq!(kinds(&world, &sql), by_zero);
}

/// An owner that says that its keys are unique, and does not look, is found out on shares.
#[test]
fn duplicate_keys_fail_by_name_on_shares() {
    fn forget(node: &mut Node) {
        if let Op::LocalStage(stage) = &mut node.op {
            stage.unique_keys.clear();
        }
        node.inputs.iter_mut().for_each(forget);
    }
    let twice = table(vec![("k", ints(vec![Some(1), Some(1), Some(2)])), ("v", ints(vec![Some(5); 3]))]);
    let other = table(vec![("k", ints(vec![Some(2), Some(1), Some(7)]))]);
    let unique = |table: &mut plan::catalog::Table| {
        table.unique_keys = vec![plan::catalog::Fact::declared(vec!["k".to_owned()])];
    };
    let world = World::new(&["bank", "telecom"])
        .table_described("telecom", "t", twice, unique)
        .table_described("bank", "o", other, |table| table.unique_keys.clear());
    for security in [Security::Malicious, Security::SemiHonest] {
        let world = world.clone().security(security);
        for (join, name) in [("JOIN", "InnerJoin"), ("LEFT JOIN", "LeftJoin"), ("FULL JOIN", "FullJoin")] {
            let sql = format!("SELECT o.k, t.v FROM bank.o {join} telecom.t ON o.k = t.k");
            let mut plan = world.plan(&sql).expect("it plans");
            forget(&mut plan.root);
            let Err(RunError::Engine(errors)) = world.lab(&plan, 5) else { panic!("{sql}: no failure") };
            let [(0, EngineError::Failed { failures })] = errors.as_slice() else { panic!("{errors:?}") };
            assert_eq!(failures.len(), 1, "{failures:?}");
            assert_eq!(failures[0].kind, FailureKind::DuplicateKey);
            assert_eq!(failures[0].operator, name, "{failures:?}");
            assert!(plan.root.nodes().iter().any(|node| node.id == failures[0].node && node.can_fail()));
        }
    }
}

#[test]
fn rows_that_are_not_there_do_not_fail() {
    let world = world();
    // The row that would fail is filtered out, does not match, has a NULL, or takes another branch.
    succeeds(&world, &format!("SELECT l.big + r.step FROM {JOINED} WHERE r.step <> 1"));
    succeeds(&world, &format!("SELECT l.k / r.step FROM {JOINED} WHERE r.step <> 0"));
    succeeds(&world, &format!("SELECT CASE WHEN r.step = 0 THEN -1 ELSE l.k / r.step END FROM {JOINED}"));
    succeeds(&world, &format!("SELECT SUM(l.big) FROM {JOINED} WHERE r.step = 0"));
    succeeds(&world, &format!("SELECT TRY_CAST(l.big - r.step AS INT) FROM {JOINED}"));
    succeeds(
        &world,
        "SELECT l.k, r.step + l.big FROM bank.l LEFT JOIN telecom.r ON l.k = r.k AND r.step > 1",
    );
    // Its owner would find a quotient that is infinite, and could not share it as a number.
    let quotient = "CAST(l.zero AS DOUBLE) / CAST(l.k - 4 AS DOUBLE)";
    succeeds(&world, &format!("SELECT SUM({quotient}) FROM {JOINED}"));
    succeeds(&world, &format!("SELECT SUM({quotient}) FROM telecom.r LEFT JOIN bank.l ON l.k = r.k"));
}

#[test]
fn several_failures_are_all_named() {
    let world = world();
    let all = kinds(&world, &format!("SELECT l.big + r.step, l.k / r.step FROM {JOINED}"));
    let expected =
        [FailureKind::Overflow, FailureKind::DivisionByZero].map(|kind| (kind, "Project".to_owned()));
    assert_eq!(all, expected);
}

#[test]
fn what_an_owner_says_is_checked_before_anything_is_shared() {
    let twice = table(vec![("k", ints(vec![Some(1), Some(1), None, None])), ("v", ints(vec![Some(5); 4]))]);
    let other = table(vec![("k", ints(vec![Some(1), Some(2)]))]);
    let sql = "SELECT o.k, t.v FROM bank.o JOIN telecom.t ON o.k = t.k";
    let with = |change: fn(&mut plan::catalog::Table)| {
        World::new(&["bank", "telecom"])
            .table_described("telecom", "t", twice.clone(), change)
            .table_described("bank", "o", other.clone(), |table| table.unique_keys.clear())
    };
    let refused = |world: World, words: &str| {
        let plan = world.plan(sql).expect("it plans");
        match world.lab(&plan, 1) {
            Err(RunError::Engine(errors)) => {
                let [(1, EngineError::Data { reason, .. })] = errors.as_slice() else { panic!("{errors:?}") };
                assert!(reason.contains(words), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    };
    let key = |table: &mut plan::catalog::Table| {
        table.unique_keys = vec![plan::catalog::Fact::declared(vec!["k".to_owned()])];
    };
    refused(with(key), "duplicate key");
    refused(
        with(|table| {
            table.unique_keys = vec![plan::catalog::Fact::declared(vec!["k".to_owned()])];
            table.row_bound = plan::catalog::Fact::declared(3);
        }),
        "more than the bound",
    );
    refused(
        with(|table| {
            table.unique_keys = vec![plan::catalog::Fact::declared(vec!["k".to_owned()])];
            table.columns[1].range = Some(plan::catalog::Fact::declared(plan::types::Range::new(0, 4)));
        }),
        "leaves 0..=4",
    );
}

#[test]
fn functions_fail_where_they_are_not_defined() {
    let world = world();
    let undefined = vec![(FailureKind::OutOfDomain, "Project".to_owned())];
    let both = "(SELECT k, zero AS z FROM bank.l UNION ALL SELECT k, step FROM telecom.r) u";
    let of = |function: &str| undefined_in(&world, &format!("SELECT {function} FROM {both}"));
    assert_eq!(of("SQRT(z + k - 9)"), undefined);
    assert_eq!(of("LN(ABS(z * k))"), undefined);
    // Only in rows that are there and where it is looked at.
    succeeds(&world, &format!("SELECT k, SQRT(z + k) FROM {both} WHERE z + k >= 0"));
    succeeds(&world, &format!("SELECT k, CASE WHEN z > 0 THEN SQRT(z * 1.0) END FROM {both}"));
}

/// What a question fails with for which plaintext has infinity, no number, or letters that shares
/// do not know.
fn undefined_in(world: &World, sql: &str) -> Vec<(FailureKind, String)> {
    let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}\n plan: {error}"));
    let Err(EngineError::Failed { failures: plain }) = world.plain(&plan) else {
        panic!("{sql}: no failure")
    };
    let listed: Vec<usize> =
        plan.root.nodes().iter().filter(|node| node.can_fail()).map(|node| node.id).collect();
    assert!(plain.iter().all(|failure| listed.contains(&failure.node)), "{sql}: {plain:?} is disclosed");
    match world.lab(&plan, 5) {
        Err(RunError::Engine(errors)) => match errors.as_slice() {
            [(0, EngineError::Failed { failures })] => assert_eq!(*failures, plain, "{sql}"),
            other => panic!("{sql}\n shares: {other:?}"),
        },
        other => panic!("{sql}\n shares: {other:?}"),
    }
    plain.into_iter().map(|failure| (failure.kind, failure.operator)).collect()
}

/// Letters of several bytes: lengths count them, and what would cut or change them fails.
#[test]
fn letters_beyond_ascii_are_counted_and_not_cut() {
    let names = |list: Vec<Option<&str>>| -> ArrayRef { Arc::new(StringArray::from(list)) };
    let left = table(vec![("k", ints(vec![Some(1), Some(2)])), ("name", names(vec![Some("Zürich"), None]))]);
    let right =
        table(vec![("k", ints(vec![Some(1), Some(2)])), ("name", names(vec![Some("é"), Some("Genève")]))]);
    let world = World::new(&["bank", "telecom"]).table("bank", "l", left).table("telecom", "r", right);
    let both = "bank.l JOIN telecom.r ON l.k = r.k";
    succeeds(
        &world,
        &format!("SELECT l.k, LENGTH(l.name || r.name), OCTET_LENGTH(CONCAT(l.name, r.name)) FROM {both}"),
    );
    succeeds(&world, &format!("SELECT l.k, CONCAT(l.name, r.name) LIKE '%ü%' FROM {both}"));
    let undefined = vec![(FailureKind::OutOfDomain, "Project".to_owned())];
    for function in [
        "UPPER(CONCAT(l.name, r.name))",
        "SUBSTR(l.name || r.name, 2, 1)",
        "CONCAT(l.name, r.name) LIKE '_%'",
    ] {
        assert_eq!(undefined_in(&world, &format!("SELECT {function} FROM {both}")), undefined, "{function}");
    }
}

#[test]
fn sums_over_windows_overflow_by_name() {
    let world = world();
    let overflow = vec![(FailureKind::Overflow, "Window".to_owned())];
    assert_eq!(kinds(&world, &format!("SELECT SUM(l.big) OVER (ORDER BY l.k) FROM {JOINED}")), overflow);
    succeeds(&world, &format!("SELECT SUM(l.big) OVER (ORDER BY l.k) FROM {JOINED} WHERE r.step = 0"));
}

/// The planner believes what is said of keys that repeat; shares look again.
#[test]
fn more_pairs_than_there_is_room_for_fail() {
    let keys = |n: i64, many: i64| ints((0..n).map(|row| Some(row % (n / many))).collect());
    let tables = |at_most: u64| {
        let say = move |table: &mut plan::catalog::Table| {
            table.unique_keys.clear();
            let fact = plan::catalog::MatchesPerKey { key: vec!["k".to_owned()], at_most };
            table.matches_per_key = vec![plan::catalog::Fact::declared(fact)];
        };
        let side = |name| table(vec![(name, ints((0..120).map(Some).collect())), ("k", keys(120, 3))]);
        World::new(&["bank", "telecom"]).table_described("bank", "l", side("x"), say).table_described(
            "telecom",
            "r",
            side("y"),
            say,
        )
    };
    for join in ["JOIN", "LEFT JOIN", "FULL JOIN"] {
        let sql = format!("SELECT x, y FROM bank.l {join} telecom.r ON l.k = r.k AND x < y");
        // Three rows to a key on both sides: 360 pairs in all.
        succeeds(&tables(3), &sql);
        let world = tables(2);
        let plan = world.plan(&sql).expect("it plans");
        let listed: Vec<usize> =
            plan.root.nodes().iter().filter(|node| node.can_fail()).map(|node| node.id).collect();
        let Err(EngineError::Failed { failures }) = world.plain(&plan) else { panic!("{sql}: no failure") };
        assert_eq!(failures.len(), 1);
        assert_eq!((failures[0].kind, failures[0].node), (FailureKind::BoundExceeded, listed[0]));
        assert!(failures[0].operator.ends_with("Join on k = k, with room for 240 pairs"), "{failures:?}");
        match world.lab(&plan, 5) {
            Err(RunError::Engine(errors)) => {
                let [(0, EngineError::Failed { failures: shared })] = errors.as_slice() else {
                    panic!("{errors:?}")
                };
                assert_eq!(*shared, failures);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Refused before anything runs, by name.
#[test]
fn questions_are_refused_by_name() {
    let names = |list: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(list)) };
    let side = |name: &str| table(vec![("k", ints(vec![Some(1), Some(2)])), ("s", names(vec!["b", name]))]);
    let world =
        World::new(&["bank", "telecom"]).table("bank", "l", side("zz")).table("telecom", "r", side("yy"));
    let both = "bank.l JOIN telecom.r ON l.k = r.k";
    let chain = format!("SELECT l.k{} FROM {both}", " + r.k".repeat(5000));
    let choice = format!("SELECT l.k FROM {both} WHERE l.k * r.k = 0{}", " OR l.k * r.k = 7".repeat(3000));
    let deep = format!("SELECT {}l.k{} FROM {both}", "COALESCE(".repeat(20), " - r.k, 7)".repeat(20));
    let framed = |frame: &str| format!("SELECT SUM(l.k) OVER (ORDER BY r.k {frame}) FROM {both}");
    let grouped = |key: &str| format!("SELECT COUNT(*) FROM {both} GROUP BY {key}");
    for (sql, words) in [
        (format!("SELECT l.k FROM {both} WHERE GREATEST(l.s, r.s) = 'b' || chr(0)"), "NUL"),
        (format!("SELECT l.k FROM {both} WHERE GREATEST(l.s, r.s) IN ('b' || chr(0), 'zz')"), "NUL"),
        (format!("SELECT l.k FROM {both} WHERE GREATEST(l.s, r.s) LIKE '%' || chr(0)"), "NUL"),
        (format!("SELECT LEAD(r.k, -9223372036854775808, 7) OVER (ORDER BY l.k) FROM {both}"), "lead() by"),
        (chain, "operators"),
        (choice, "operators"),
        (deep, "COALESCE so deep"),
        (framed("ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING"), "over ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING"),
        (framed("ROWS BETWEEN 2 FOLLOWING AND 1 FOLLOWING"), "over ROWS"),
        (framed("ROWS BETWEEN CURRENT ROW AND 1 PRECEDING"), "over ROWS"),
        (framed("RANGE BETWEEN 1 PRECEDING AND 2 PRECEDING"), "over RANGE"),
        (framed("GROUPS BETWEEN 1 FOLLOWING AND CURRENT ROW"), "over GROUPS"),
        (grouped("EXP(l.k - r.k)"), "GROUP BY of computed float64"),
        (grouped("POWER(l.k + r.k, 1.5)"), "GROUP BY of computed float64"),
        (grouped("FLOOR(l.k / r.k) / 3"), "GROUP BY of computed float64"),
        (grouped("FLOOR(l.k / r.k) * CAST(0.1 AS DOUBLE)"), "GROUP BY of computed float64"),
        // Neighbours of so many digits are one double.
        (grouped("CAST((l.k + r.k) * 10000000000000000 AS DOUBLE)"), "GROUP BY of computed float64"),
        (
            format!(
                "SELECT COUNT(*) FROM (SELECT SQRT(l.k + r.k) AS x FROM {both}) p JOIN bank.l ON p.x = l.k"
            ),
            "a join of computed float64",
        ),
        (format!("SELECT RANK() OVER (ORDER BY LN(l.k + r.k)) FROM {both}"), "a window's ORDER BY by"),
        (
            format!("SELECT COUNT(*) OVER (PARTITION BY x) FROM (SELECT EXP(l.k - r.k) AS x FROM {both}) q"),
            "PARTITION BY by",
        ),
        (
            format!("SELECT l.k FROM {both} WHERE ROW_NUMBER() OVER (ORDER BY r.k) = 1"),
            "a window function in WHERE",
        ),
        (format!("SELECT l.k FROM {both} ORDER BY POWER(l.k + r.k, r.k), l.k"), "ORDER BY several keys"),
        (
            format!(
                "SELECT l.k FROM {both} WHERE DATE_TRUNC('dow', DATE '2020-01-01' + CAST(l.k AS INT)) IS NULL"
            ),
            "date_trunc() of dow",
        ),
        (
            "SELECT EXTRACT(DECADE FROM DATE '1970-01-01' + CAST(k AS INT)) FROM bank.l".to_owned(),
            "date_part() of decade",
        ),
    ] {
        let error = world.plan(&sql).expect_err("it is refused").to_string();
        assert!(error.contains(words), "{}\n {error}", &sql[..sql.len().min(200)]);
    }
}

/// Values made of a column's are not as few as the column's.
#[test]
fn bits_over_windows_are_other_values() {
    let flags = table(vec![
        ("k", ints((0..6).map(Some).collect())),
        ("part", ints([0, 1, 2, 2, 1, 0].map(Some).to_vec())),
        ("flag", ints([1, 2, 1, 2, 2, 1].map(Some).to_vec())),
    ]);
    let other = table(vec![("k", ints((0..6).map(Some).collect()))]);
    let two = |table: &mut plan::catalog::Table| {
        table.columns[2].distinct = Some(plan::catalog::Fact::declared(2));
    };
    let world = World::new(&["bank", "telecom"])
        .table_described("bank", "f", flags, two)
        .table("telecom", "o", other);
    for func in ["BIT_OR", "BIT_XOR", "BIT_AND"] {
        let of = format!(
            "SELECT {func}(f.flag) OVER (PARTITION BY f.part) AS b FROM bank.f JOIN telecom.o ON f.k = o.k"
        );
        succeeds(&world, &format!("SELECT b, COUNT(*) FROM ({of}) q GROUP BY b"));
    }
}
