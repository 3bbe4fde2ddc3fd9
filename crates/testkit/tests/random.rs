//! Random questions: on plaintext and on shares the engine gives DataFusion's rows, or an error
//! with a reason; never a panic, and never a plan that the engine cannot run.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int8Array, Int64Array, RecordBatch, StringArray,
};
use engine::{EngineError, FailureKind};
use plan::PlanError;
use testkit::{World, assert_same_rows, rows_of};

/// A small generator: the same choices every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.below(6) == 0 { None } else { Some(value(self)) }
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
}

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
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

/// Writes SQL.
struct Writer<'a> {
    r: Random,
    sides: &'a [&'a str],
}

impl Writer<'_> {
    fn column(&mut self, names: &[&str]) -> String {
        format!("{}.{}", self.r.pick(self.sides), self.r.pick(names))
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 || self.r.below(4) == 0 {
            return match self.r.below(5) {
                0 => ["0", "1", "-3", "7", "2.5", "0.01", "100"][self.r.below(7) as usize].to_owned(),
                _ => self.column(&["k", "tiny", "big", "money", "rate"]),
            };
        }
        let d = depth - 1;
        match self.r.below(16) {
            0..5 => {
                let op = self.r.pick(&["+", "-", "*", "+", "-", "*", "/", "%"]);
                format!("({} {op} {})", self.number(d), self.number(d))
            }
            5 => format!("(-{})", self.number(d)),
            6 => format!("CASE WHEN {} THEN {} ELSE {} END", self.truth(d), self.number(d), self.number(d)),
            7 => format!("CASE WHEN {} THEN {} END", self.truth(d), self.number(d)),
            8 => format!("COALESCE({}, {})", self.number(d), self.number(d)),
            9 => {
                let ty = self.r.pick(&["INT", "BIGINT", "DECIMAL(14,3)", "DECIMAL(9,0)", "SMALLINT"]);
                format!("CAST({} AS {ty})", self.number(d))
            }
            10 => format!("ABS({})", self.number(d)),
            11 => {
                let name = self.r.pick(&["GREATEST", "LEAST"]);
                format!("{name}({}, {})", self.number(d), self.number(d))
            }
            12 => format!("NULLIF({}, {})", self.number(d), self.number(d)),
            13 => {
                let name = self.r.pick(&["ROUND", "TRUNC"]);
                format!("{name}({}, {})", self.column(&["money", "rate"]), self.r.pick(&["0", "1", "3"]))
            }
            14 => {
                let name = self.r.pick(&["FLOOR", "CEIL"]);
                format!("{name}({})", self.column(&["money", "rate"]))
            }
            _ => {
                let part = self.r.pick(&["YEAR", "MONTH", "DAY", "DOW", "DOY", "WEEK", "QUARTER"]);
                format!("EXTRACT({part} FROM {})", self.date(d))
            }
        }
    }

    fn date(&mut self, depth: u32) -> String {
        if depth == 0 || self.r.below(3) == 0 {
            return self.column(&["day"]);
        }
        let d = depth - 1;
        match self.r.below(4) {
            0 => {
                let more = self.r.pick(&["'3' DAY", "'1' MONTH", "'2' YEAR", "'-1' MONTH"]);
                format!("({} {} INTERVAL {more})", self.date(d), self.r.pick(&["+", "-"]))
            }
            1 => format!("GREATEST({}, DATE '1970-01-03')", self.date(d)),
            2 => format!("CASE WHEN {} THEN {} ELSE {} END", self.truth(d), self.date(d), self.date(d)),
            _ => format!(
                "CAST(DATE_TRUNC('{}', {}) AS DATE)",
                self.r.pick(&["month", "week", "year"]),
                self.date(d)
            ),
        }
    }

    /// A double, which nothing is computed from.
    fn double(&mut self, depth: u32) -> String {
        let number = self.number(depth);
        match self.r.below(4) {
            0 => format!("CAST({number} AS DOUBLE) * 0.5e0"),
            1 => {
                format!("CAST({number} AS DOUBLE) / CAST({} AS DOUBLE)", self.column(&["k", "tiny", "money"]))
            }
            2 => format!("SQRT(ABS({number}))"),
            _ => format!("POWER({}, 2) + 1e0", self.column(&["k", "tiny", "money"])),
        }
    }

    /// A function over the rows' neighbours whose answer ties do not decide.
    fn window(&mut self) -> String {
        let partition = match self.r.below(3) {
            0 => String::new(),
            _ => format!("PARTITION BY {} ", self.any(1)),
        };
        let order = self.column(&["k", "tiny", "big", "money", "day", "name"]);
        let down = self.r.pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
        let call = match self.r.below(9) {
            0 => "RANK()".to_owned(),
            1 => "DENSE_RANK()".to_owned(),
            2 => "PERCENT_RANK()".to_owned(),
            3 => "CUME_DIST()".to_owned(),
            4 => format!("COUNT({})", self.any(1)),
            5 => format!("MIN({})", self.any(1)),
            6 => format!("MAX({})", self.any(1)),
            7 => format!("AVG({})", self.number(1)),
            _ => format!("SUM({})", self.number(1)),
        };
        let whole = self.r.below(4) == 0 && !call.ends_with("()");
        let order = if whole { String::new() } else { format!("ORDER BY {order}{down}") };
        format!("{call} OVER ({partition}{order})")
    }

    fn text(&mut self, depth: u32) -> String {
        match self.r.below(if depth == 0 { 4 } else { 9 }) {
            6 => format!("CONCAT({}, {})", self.text(depth - 1), self.text(depth - 1)),
            7 => format!("({} || {})", self.text(depth - 1), self.text(depth - 1)),
            8 => match self.r.below(3) {
                0 => format!("SUBSTR({}, {})", self.text(depth - 1), self.r.pick(&["1, 2", "2", "3, 4"])),
                1 => format!("UPPER({})", self.text(depth - 1)),
                _ => format!("GREATEST({}, {})", self.text(depth - 1), self.text(depth - 1)),
            },
            0 => self.r.pick(&["'a'", "'b'", "''", "'longer than a hash of so few rows'", "'zz'"]).to_owned(),
            1..4 => self.column(&["name"]),
            4 => format!(
                "CASE WHEN {} THEN {} ELSE {} END",
                self.truth(depth - 1),
                self.text(depth - 1),
                self.text(depth - 1)
            ),
            _ => format!("COALESCE({}, {})", self.text(depth - 1), self.text(depth - 1)),
        }
    }

    fn truth(&mut self, depth: u32) -> String {
        let compare = ["=", "<>", "<", "<=", ">", ">="];
        if depth == 0 {
            return self.column(&["flag"]);
        }
        let d = depth - 1;
        match self.r.below(14) {
            12 => {
                let pattern = self.r.pick(&["a%", "%b", "%e%", "_", "a_%", "lo%th%", "%"]);
                format!("{} {}LIKE '{pattern}'", self.text(d), self.r.pick(&["", "NOT "]))
            }
            13 => format!("LENGTH({}) {} {}", self.text(d), self.r.pick(&compare), self.r.below(5)),
            0..4 => format!("{} {} {}", self.number(d), self.r.pick(&compare), self.number(d)),
            4 => format!("{} {} {}", self.text(d), self.r.pick(&compare), self.text(d)),
            5 => {
                let day = self.r.pick(&["1970-01-05", "1969-12-31"]);
                format!("{} {} DATE '{day}'", self.column(&["day"]), self.r.pick(&compare))
            }
            6 => format!("({} AND {})", self.truth(d), self.truth(d)),
            7 => format!("({} OR {})", self.truth(d), self.truth(d)),
            8 => format!("NOT ({})", self.truth(d)),
            9 => {
                let operand = if self.r.below(2) == 0 { self.number(d) } else { self.text(d) };
                format!("({operand}) IS {}NULL", self.r.pick(&["", "NOT "]))
            }
            10 => {
                format!("{} {}IN (1, -2, 3)", self.column(&["tiny", "k", "big"]), self.r.pick(&["", "NOT "]))
            }
            _ => format!("{} BETWEEN {} AND {}", self.number(d), self.number(d), self.number(d)),
        }
    }

    /// Whether other rows exist.
    fn existence(&mut self) -> String {
        let (side, not) = (self.r.pick(self.sides), self.r.pick(&["", "NOT "]));
        let key = self.r.pick(&["k", "tiny", "name", "day"]);
        let other = self.r.pick(&["bank.t", "telecom.u"]);
        let some = self.r.pick(&["TRUE", "z.flag", "z.tiny > 0", "z.name IS NOT NULL"]);
        match self.r.below(4) {
            0 => format!("{side}.{key} {not}IN (SELECT z.{key} FROM {other} z WHERE {some})"),
            1 => format!("{not}EXISTS (SELECT 1 FROM {other} z WHERE z.{key} = {side}.{key} AND {some})"),
            2 => format!(
                "{not}EXISTS (SELECT 1 FROM {other} z WHERE z.{key} = {side}.{key} AND z.big {} {side}.k AND {some})",
                self.r.pick(&["<", ">=", "<>"])
            ),
            _ => format!(
                "({side}.flag OR {not}EXISTS (SELECT 1 FROM {other} z WHERE z.{key} = {side}.{key} AND {some}))"
            ),
        }
    }

    fn any(&mut self, depth: u32) -> String {
        match self.r.below(6) {
            0 => self.text(depth),
            1 => self.truth(depth),
            2 => self.date(depth),
            _ => self.number(depth),
        }
    }

    fn aggregate(&mut self, depth: u32) -> String {
        match self.r.below(16) {
            15 => {
                let name = self.r.pick(&["SUM", "AVG", "MIN", "MAX"]);
                format!("{name}(CAST({} AS DOUBLE) * 0.5e0)", self.column(&["k", "tiny", "money"]))
            }
            0 => "COUNT(*)".to_owned(),
            1 => format!("COUNT({})", self.any(depth)),
            2 => format!("SUM({})", self.number(depth)),
            3 => format!("AVG({})", self.number(depth)),
            4 => format!("MIN({})", self.any(depth)),
            5 => format!("MAX({})", self.any(depth)),
            6 => format!("COUNT(DISTINCT {})", self.any(depth)),
            7 => format!("SUM({}) FILTER (WHERE {})", self.number(depth), self.truth(depth)),
            8 => format!("{}({})", self.r.pick(&["BOOL_AND", "BOOL_OR"]), self.truth(depth)),
            9 => format!(
                "{}({})",
                self.r.pick(&["VAR_POP", "VAR_SAMP", "STDDEV"]),
                self.column(&["k", "tiny"])
            ),
            10 => format!("MEDIAN({})", self.number(depth)),
            11 => format!("COVAR_POP({}, {})", self.column(&["k", "tiny"]), self.column(&["tiny", "k"])),
            12 => format!("REGR_SLOPE({}, {})", self.column(&["tiny", "big"]), self.column(&["k", "tiny"])),
            13 => format!("COUNT(DISTINCT {}) FILTER (WHERE {})", self.any(1), self.truth(1)),
            _ => format!("SUM(CASE WHEN {} THEN 1 ELSE 0 END)", self.truth(depth)),
        }
    }
}

/// A question, from its number alone.
fn question(number: u64) -> String {
    let mut r = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    r.below(2);
    let both = "(SELECT * FROM bank.t UNION ALL SELECT * FROM telecom.u)";
    let (from, sides): (String, &[&str]) = match r.below(9) {
        0 => ("bank.t x JOIN telecom.u y ON x.k = y.k".into(), &["x", "y"]),
        1 => ("telecom.u y LEFT JOIN bank.t x ON x.k = y.k".into(), &["x", "y"]),
        2 => ("bank.t x LEFT JOIN telecom.u y ON x.k = y.k".into(), &["x", "y"]),
        3 => ("bank.t x JOIN telecom.u y ON x.k = y.k AND x.tiny = y.tiny".into(), &["x", "y"]),
        4 => ("bank.t x FULL JOIN telecom.u y ON x.k = y.k".into(), &["x", "y"]),
        5 => ("bank.t x JOIN telecom.u y ON x.tiny = y.tiny AND x.name <> y.name".into(), &["x", "y"]),
        6 => ("bank.t x LEFT JOIN telecom.u y ON x.name = y.name AND x.day < y.day".into(), &["x", "y"]),
        7 => ("bank.t x FULL JOIN telecom.u y ON x.tiny = y.tiny AND x.big > y.k".into(), &["x", "y"]),
        _ => (format!("{both} x"), &["x"]),
    };
    let mut w = Writer { r, sides };
    let truth = (w.r.below(2) == 0).then(|| w.truth(3));
    let existence = (w.r.below(4) == 0).then(|| w.existence());
    let filter: Vec<String> = truth.into_iter().chain(existence).collect();
    let filter = if filter.is_empty() { String::new() } else { format!(" WHERE {}", filter.join(" AND ")) };
    match w.r.below(8) {
        7 => {
            let (g, h) = (w.column(&["name", "day", "k"]), w.column(&["tiny", "flag"]));
            let sets = w.r.pick(&["ROLLUP (1, 2)", "CUBE (1, 2)", "GROUPING SETS ((1), (2), (1, 2))"]);
            let sets = sets.replace('1', &g).replace('2', &h);
            format!("SELECT {g} AS g, {h} AS h, {} AS a FROM {from}{filter} GROUP BY {sets}", w.aggregate(1))
        }
        6 => {
            let calls: Vec<String> = (0..2).map(|at| format!("{} AS w{at}", w.window())).collect();
            format!("SELECT {} AS a, {} FROM {from}{filter}", w.any(1), calls.join(", "))
        }
        5 => format!("SELECT {} AS a, {} AS b FROM {from}{filter}", w.double(2), w.double(1)),
        0 => {
            let aggs: Vec<String> = (0..3).map(|at| format!("{} AS a{at}", w.aggregate(2))).collect();
            format!("SELECT {} FROM {from}{filter}", aggs.join(", "))
        }
        1 => {
            let (key, agg) = (w.any(2), w.aggregate(2));
            let having = if w.r.below(2) == 0 {
                format!(" HAVING COUNT(*) > {}", w.r.below(3))
            } else {
                String::new()
            };
            format!(
                "SELECT {key} AS g, {} AS h, {agg} AS a, {} AS b FROM {from}{filter} GROUP BY g, h{having}",
                w.column(&["tiny", "name", "day", "flag"]),
                w.aggregate(1)
            )
        }
        2 => format!("SELECT DISTINCT {} AS a, {} AS b FROM {from}{filter}", w.any(2), w.any(1)),
        _ => {
            let exprs: Vec<String> = (0..3).map(|at| format!("{} AS a{at}", w.any(3))).collect();
            format!("SELECT {} FROM {from}{filter}", exprs.join(", "))
        }
    }
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

fn ask(world: &World, number: u64, on_shares: bool) -> End {
    let sql = question(number);
    let expected = world.oracle(&sql);
    let plan = match world.plan(&sql) {
        Ok(plan) => plan,
        Err(PlanError::Unsupported { .. } | PlanError::TooWide { .. } | PlanError::Constant { .. }) => {
            return End::Refused;
        }
        // Nonsense that DataFusion refuses in its own words.
        Err(_) if expected.is_err() => return End::Refused,
        Err(error) => panic!("question {number}: {sql}\n plan: {error}"),
    };
    let answer = match world.plain(&plan) {
        Ok(answer) => answer,
        Err(EngineError::Failed { failures }) => {
            let known = [FailureKind::Overflow, FailureKind::DivisionByZero, FailureKind::OutOfDomain];
            assert!(failures.iter().all(|failure| known.contains(&failure.kind)), "{sql}: {failures:?}");
            return if expected.is_ok() { End::OnlyEngineFails } else { End::BothFail };
        }
        Err(EngineError::Local { .. }) if expected.is_err() => return End::BothFail,
        Err(EngineError::TooWide { .. }) => return End::Refused,
        Err(error) => panic!("question {number}: {sql}\n plaintext: {error}"),
    };
    let Ok(expected) = expected else { return End::OnlyOracleFails };
    assert_same_rows(
        &format!("question {number}: {sql}\n plaintext"),
        &rows_of(&[answer.batch]),
        &expected,
        false,
    );
    if on_shares {
        let shared =
            world.lab(&plan, number).unwrap_or_else(|error| panic!("{number}: {sql}\n shares: {error:?}"));
        assert_same_rows(
            &format!("question {number}: {sql}\n shares"),
            &rows_of(&[shared.batch]),
            &expected,
            false,
        );
        world.count(&plan).unwrap_or_else(|error| panic!("question {number}: {sql}\n count: {error}"));
    }
    End::Same
}

fn random_world() -> World {
    let mut r = Random(7);
    let (t, u) = (table(&mut r, true), table(&mut r, false));
    World::new(&["bank", "telecom"]).table("bank", "t", t).table("telecom", "u", u)
}

#[test]
fn random_questions_have_the_same_answer_everywhere() {
    let world = random_world();
    let n: u64 = std::env::var("RANDOM_QUESTIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let first: u64 = std::env::var("FIRST_QUESTION").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut ends = Vec::new();
    // Of 2233 DataFusion read a column of one table as that of the same name of the other.
    for number in (first..first + n).chain([2233]) {
        let shown = std::env::var_os("SHOW_QUESTIONS").is_some();
        // Before it is asked, since it may not come to an end.
        if shown {
            println!("{number} {}", question(number));
        }
        let end = ask(&world, number, number % 10 == 0);
        if shown {
            println!("{number} {end:?}");
        }
        ends.push(end);
    }
    let count = |end: End| ends.iter().filter(|other| **other == end).count();
    let kinds = [End::Same, End::BothFail, End::Refused, End::OnlyEngineFails, End::OnlyOracleFails];
    println!("{:?}", kinds.map(|end| (end, count(end))));
    assert!(count(End::Same) as u64 > n / 3, "most questions have an answer: {:?}", kinds.map(count));
}

/// Processes hash with keys of their own, start elsewhere and plan in another order; the plans'
/// digests, and the reasons of refusals, are the same.
#[test]
fn plans_have_the_same_digest_in_every_process() {
    const CHILD: &str = "PLAN_DIGESTS_OF_PARTY";
    const N_QUESTIONS: u64 = 1000;
    if let Ok(party) = std::env::var(CHILD) {
        let world = random_world();
        let mut numbers: Vec<u64> = (0..N_QUESTIONS).collect();
        if party == "1" {
            numbers.reverse();
        }
        for number in numbers {
            let outcome = match world.plan(&question(number)) {
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
    assert_eq!(planned[0].len() as u64, N_QUESTIONS);
    for other in &planned[1..] {
        let differs = planned[0].iter().zip(other).find(|(mine, theirs)| mine != theirs);
        assert_eq!(differs, None);
        assert_eq!(planned[0].len(), other.len());
    }
    let n_planned = planned[0].iter().filter(|line| !line.contains(['{', '('])).count() as u64;
    assert!(n_planned > N_QUESTIONS / 2, "{n_planned} plans");
}
