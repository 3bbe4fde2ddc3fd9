//! Golden questions: on shares, on plaintext and in DataFusion the rows are the same, and what
//! counting says is what the run paid where nothing random decides.
//!
//! The questions are in `sql/*.sql`, separated by semicolons; `--` starts a comment. The tables
//! are generated here: NULLs, duplicates, negative and extreme values, an empty table and one of
//! a single row.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt8Array, UInt16Array, UInt32Array,
    UInt64Array,
};
use mpc::Security;
use plan::secure::Node;
use testkit::{World, assert_near_rows, rows_of};

/// A table of nullable columns.
fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

/// A small generator: the same rows every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// `None` once in `n` times.
    fn maybe<T>(&mut self, n: u64, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.below(n) == 0 { None } else { Some(value(self)) }
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
}

fn decimals(values: Vec<Option<i128>>, precision: u8, scale: i8) -> ArrayRef {
    Arc::new(
        Decimal128Array::from(values).with_precision_and_scale(precision, scale).expect("values that fit"),
    )
}

/// Where types have their corners: zeros with a sign, letters of several bytes, keys that tie.
fn corners(first: i64) -> RecordBatch {
    let n = 6;
    let doubles = [Some(0.0), Some(-0.0), Some(1.5), None, Some(-0.0), Some(-2.5)];
    let names = [Some("Élise"), Some("b"), None, Some("ΐa"), Some("zz"), Some("b")];
    let words = [Some("ab"), Some("b"), None, Some(""), Some("zz"), Some("b")];
    let at = |row: i64| 1_709_209_799_123_456 + (row / 2) * 499_999;
    table(vec![
        ("i", Arc::new(Int64Array::from_iter_values((0..n).map(|row| row + first)))),
        ("k", Arc::new(Int32Array::from_iter_values((0..n).map(|row| row as i32 + 1)))),
        ("f", Arc::new(Float64Array::from(doubles.to_vec()))),
        ("name", Arc::new(StringArray::from(names.to_vec()))),
        ("at", Arc::new(TimestampMicrosecondArray::from_iter_values((0..n).map(at)))),
        ("old", {
            let values = (0..n).map(|row| row * 400_000 - 1_500_000);
            Arc::new(TimestampMicrosecondArray::from_iter_values(values))
        }),
        ("word", Arc::new(StringArray::from(words.to_vec()))),
        ("long", Arc::new(StringArray::from_iter_values((0..n).map(|row| "long".repeat(20 + row as usize))))),
        ("tie", Arc::new(Int32Array::from_iter_values((0..n).map(|row| row as i32 % 2)))),
    ])
}

/// A column of every type, with the ends of what it holds; `i` tells the rows apart.
fn kinds(r: &mut Random, first: i64) -> RecordBatch {
    let n = 19;
    macro_rules! numbers {
        ($array:ident, $ty:ty) => {{
            let ends = [Some(<$ty>::MIN), Some(<$ty>::MAX), None];
            let more = (0..n - 3).map(|_| r.maybe(6, |r| (r.below(200) as $ty)));
            Arc::new($array::from_iter(ends.into_iter().chain(more).collect::<Vec<_>>())) as ArrayRef
        }};
    }
    let small = (0..n).map(|_| r.maybe(6, |r| r.below(90) as i32 - 40)).collect::<Vec<_>>();
    let wide = (0..n).map(|_| r.maybe(6, |r| (i128::from(r.below(2000)) - 1000) * 10i128.pow(32)));
    let wide = wide.collect::<Vec<_>>();
    let doubles = [-0.5, 0.1, 1.5, f64::INFINITY, -1e300, 5e-324, 0.5, 1e6, -7.25];
    let double = (0..n).map(|_| r.maybe(6, |r| doubles[r.below(9) as usize])).collect::<Vec<_>>();
    let at = (0..n).map(|_| r.maybe(6, |r| 1_600_000_000_000_000 + r.below(90_000_000) as i64 * 1_000_003));
    let at = at.collect::<Vec<_>>();
    let name = (0..n).map(|_| r.maybe(6, |r| r.pick(&[" pad ", "x_y", "tag 12", "", "aXbXc", "zz  "])));
    let name = name.collect::<Vec<_>>();
    table(vec![
        ("i", Arc::new(Int64Array::from_iter_values((0..n).map(|row| row as i64 + first)))),
        ("i8", numbers!(Int8Array, i8)),
        ("i16", numbers!(Int16Array, i16)),
        ("i32", numbers!(Int32Array, i32)),
        ("i64", numbers!(Int64Array, i64)),
        ("u8", numbers!(UInt8Array, u8)),
        ("u16", numbers!(UInt16Array, u16)),
        ("u32", numbers!(UInt32Array, u32)),
        ("u64", numbers!(UInt64Array, u64)),
        ("wide", decimals(wide, 38, 6)),
        ("n", Arc::new(Int32Array::from_iter(small))),
        ("f", Arc::new(Float64Array::from_iter(double))),
        ("at", Arc::new(TimestampMicrosecondArray::from_iter(at))),
        ("s", Arc::new(StringArray::from_iter(name))),
    ])
}

fn world() -> World {
    let mut r = Random(2026);
    let n = 37;
    let accounts = table(vec![
        ("id", Arc::new(Int64Array::from_iter_values((0..n).map(|row| row * 3 - 20)))),
        ("region", {
            let values = (0..n).map(|_| r.maybe(6, |r| r.pick(&["north", "south", "east", "west", ""])));
            Arc::new(StringArray::from_iter(values.collect::<Vec<_>>()))
        }),
        ("age", {
            let values = (0..n).map(|_| r.maybe(8, |r| r.below(80) as i32 - 5));
            Arc::new(Int32Array::from_iter(values.collect::<Vec<_>>()))
        }),
        ("balance", {
            let values = (0..n).map(|_| r.maybe(7, |r| i128::from(r.below(4_000_000)) - 1_500_000)).collect();
            decimals(values, 12, 2)
        }),
        ("opened", {
            let values = (0..n).map(|_| r.maybe(9, |r| 18_000 + r.below(1_500) as i32));
            Arc::new(Date32Array::from_iter(values.collect::<Vec<_>>()))
        }),
        ("active", {
            let values = (0..n).map(|_| r.maybe(5, |r| r.below(2) == 1));
            Arc::new(BooleanArray::from_iter(values.collect::<Vec<_>>()))
        }),
    ]);
    let one = table(vec![
        ("id", Arc::new(Int64Array::from(vec![Some(1)]))),
        ("word", Arc::new(StringArray::from(vec![Some("only")]))),
    ]);
    let m = 61;
    let calls = table(vec![
        ("customer", {
            let values = (0..m).map(|_| r.maybe(10, |r| r.below(45) as i64 * 3 - 20));
            Arc::new(Int64Array::from_iter(values.collect::<Vec<_>>()))
        }),
        ("minutes", {
            let values = (0..m).map(|_| r.maybe(8, |r| r.below(600) as i64 - 40));
            Arc::new(Int64Array::from_iter(values.collect::<Vec<_>>()))
        }),
        ("cost", {
            let values = (0..m).map(|_| r.maybe(9, |r| i128::from(r.below(90_000)) - 9_000)).collect();
            decimals(values, 10, 3)
        }),
        ("kind", {
            let values = (0..m).map(|_| r.maybe(12, |r| r.pick(&["voice", "data", "text"])));
            Arc::new(StringArray::from_iter(values.collect::<Vec<_>>()))
        }),
        ("day", {
            let values = (0..m).map(|_| 18_200 + r.below(900) as i32);
            Arc::new(Date32Array::from_iter_values(values.collect::<Vec<_>>()))
        }),
        ("region", {
            let values = (0..m).map(|_| r.maybe(6, |r| r.pick(&["north", "south", "centre", ""])));
            Arc::new(StringArray::from_iter(values.collect::<Vec<_>>()))
        }),
    ]);
    let nothing = table(vec![
        ("customer", Arc::new(Int64Array::from(Vec::<Option<i64>>::new()))),
        ("amount", decimals(Vec::new(), 10, 2)),
    ]);
    let blank = table(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 4, 7]))),
        ("v", Arc::new(Int64Array::from(vec![None; 3]))),
        ("d", Arc::new(Date32Array::from(vec![None; 3]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![None; 3]))),
        ("m", decimals(vec![None; 3], 10, 2)),
        ("f", Arc::new(Float64Array::from(vec![None; 3]))),
        ("s", Arc::new(StringArray::from(vec![None::<&str>; 3]))),
    ]);
    let extremes = table(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5, 6]))),
        (
            "big",
            Arc::new(Int64Array::from(vec![
                Some(i64::MAX),
                Some(i64::MIN),
                Some(0),
                Some(-1),
                None,
                Some(i64::MAX),
            ])),
        ),
        ("small", Arc::new(Int8Array::from(vec![Some(127), Some(-128), Some(0), None, Some(-1), Some(1)]))),
        ("wide", {
            let most = 10i128.pow(30) - 1;
            decimals(vec![Some(most), Some(-most), Some(0), Some(1), None, Some(most)], 30, 4)
        }),
    ]);
    let products = table(vec![
        ("sku", Arc::new(StringArray::from(vec!["a1", "b2", "c3", "d4", "e5", "f6", "g7"]))),
        (
            "category",
            Arc::new(StringArray::from(vec![
                Some("phone"),
                Some("phone"),
                Some("audio"),
                None,
                Some("laptop"),
                Some("audio"),
                Some("camera"),
            ])),
        ),
        (
            "price",
            decimals(
                vec![Some(19_999), Some(89_900), Some(4_950), Some(100), None, Some(12_000), Some(0)],
                9,
                2,
            ),
        ),
    ]);
    let k = 53;
    let sales = table(vec![
        ("sale", Arc::new(Int64Array::from_iter_values(0..k))),
        ("customer", {
            let values = (0..k).map(|_| r.maybe(9, |r| r.below(40) as i64 * 3 - 20));
            Arc::new(Int64Array::from_iter(values.collect::<Vec<_>>()))
        }),
        ("sku", {
            let values = (0..k).map(|_| r.maybe(9, |r| r.pick(&["a1", "b2", "c3", "d4", "e5", "zz"])));
            Arc::new(StringArray::from_iter(values.collect::<Vec<_>>()))
        }),
        ("qty", {
            let values = (0..k).map(|_| r.maybe(9, |r| r.below(9) as i32 - 1));
            Arc::new(Int32Array::from_iter(values.collect::<Vec<_>>()))
        }),
    ]);
    World::new(&["bank", "telecom", "retailer"])
        .table("bank", "accounts", accounts)
        .table("bank", "one", one)
        .table("telecom", "calls", calls)
        .table("telecom", "nothing", nothing)
        .table("telecom", "extremes", extremes)
        .table("retailer", "blank", blank)
        .table("retailer", "products", products)
        .table("retailer", "sales", sales)
        .table("bank", "kinds", kinds(&mut r, 0))
        .table("telecom", "kinds", kinds(&mut r, 100))
        .table("bank", "corners", corners(0))
        .table("telecom", "corners", corners(50))
}

/// Runs that paid what was counted.
static FORETOLD: AtomicUsize = AtomicUsize::new(0);

/// Up to so many rows sorting costs the same whatever their order: it compares all pairs.
const SHORT_ROWS: u64 = 96;

/// Rows of two parties under common names: what `{both}` stands for in a question. Numbers and
/// text with NULLs, and `i`, which is unique.
const BOTH: &str = "(SELECT id AS i, age AS x, id % 7 AS y, balance AS d, region AS w, opened AS t, active AS b \
     FROM bank.accounts UNION ALL SELECT sale + 1000, qty, customer, CAST(qty * 3.25 AS DECIMAL(12,2)), sku, \
     DATE '2020-02-29', qty > 3 FROM retailer.sales)";

/// Rows of two parties with a column of every type.
const KINDS: &str = "(SELECT * FROM bank.kinds UNION ALL SELECT * FROM telecom.kinds)";

/// Pairs of rows of two parties' corners.
const PAIRS: &str = "bank.corners t JOIN telecom.corners u ON t.k = u.k";

/// The questions of a file, without comments.
fn questions(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split("--").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    lines
        .split(';')
        .map(|question| {
            question.trim().replace("{both}", BOTH).replace("{kinds}", KINDS).replace("{pairs}", PAIRS)
        })
        .filter(|question| !question.is_empty())
        .collect()
}

/// Asks every question of a file three ways.
fn golden(text: &str, at_least: usize) {
    golden_within(text, at_least, 1e-12);
}

/// [`golden`] with a part by which doubles may differ.
fn golden_within(text: &str, at_least: usize, tolerance: f64) {
    let world = world();
    let questions = questions(text);
    assert!(questions.len() >= at_least, "{} questions", questions.len());
    let mut failures = Vec::new();
    for (number, sql) in questions.iter().enumerate() {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            ask(&world, sql, number as u64, tolerance)
        }));
        if let Err(panic) = outcome {
            let text = panic.downcast_ref::<String>().cloned();
            failures.push(
                text.unwrap_or_else(|| panic.downcast_ref::<&str>().map_or(sql.clone(), |s| (*s).to_owned())),
            );
        }
    }
    println!("{} runs paid what was counted", FORETOLD.load(Ordering::Relaxed));
    assert!(
        failures.is_empty(),
        "{} of {} questions fail:\n\n{}",
        failures.len(),
        questions.len(),
        failures.join("\n\n")
    );
}

fn ask(world: &World, sql: &str, seed: u64, tolerance: f64) {
    let expected = world.oracle(sql).unwrap_or_else(|error| panic!("{sql}\n oracle: {error}"));
    let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}\n plan: {error}"));
    let plain = world.plain(&plan).unwrap_or_else(|error| panic!("{sql}\n plaintext: {error}"));
    let same = |way: &str, rows: &[Vec<_>]| {
        assert_near_rows(&format!("{sql}\n {way}"), rows, &expected, plan.ordered, tolerance);
    };
    same("plaintext", &rows_of(&[plain.batch]));
    // Malicious sessions run all questions, semi-honest ones, whose steps are fewer, a third.
    for security in [Security::Malicious, Security::SemiHonest] {
        if security == Security::SemiHonest && !seed.is_multiple_of(3) {
            continue;
        }
        let (world, name) = (world.clone().security(security), security.name());
        let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}\n {name} plan: {error}"));
        let (shared, paid) = world.lab_with_cost(&plan, seed);
        let shared = shared.unwrap_or_else(|error| panic!("{sql}\n {name}: {error:?}"));
        same(name, &rows_of(&[shared.batch]));
        let counted = world.count(&plan).unwrap_or_else(|error| panic!("{sql}\n {name} count: {error}"));
        // A longer sort opens a random order, which decides what it costs; a join sorts both sides at once.
        let rows =
            |node: &Node| node.inputs.iter().map(|input| input.row_bound).sum::<u64>().max(node.row_bound);
        if plan.root.nodes().into_iter().all(|node| rows(node) <= SHORT_ROWS) {
            testkit::assert_foretold(&format!("{sql}\n {name}"), security, &paid, &counted);
            FORETOLD.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn expressions() {
    golden(include_str!("sql/expressions.sql"), 15);
}

#[test]
fn filters() {
    golden(include_str!("sql/filters.sql"), 12);
}

#[test]
fn joins() {
    golden(include_str!("sql/joins.sql"), 14);
}

#[test]
fn joins_of_many_to_many() {
    golden(include_str!("sql/many.sql"), 44);
}

#[test]
fn subqueries() {
    golden(include_str!("sql/subqueries.sql"), 40);
}

#[test]
fn sets() {
    golden(include_str!("sql/sets.sql"), 13);
}

#[test]
fn groups() {
    golden(include_str!("sql/groups.sql"), 16);
}

#[test]
fn orders_and_sets() {
    golden(include_str!("sql/orders.sql"), 12);
}

#[test]
fn windows() {
    golden(include_str!("sql/windows.sql"), 55);
}

#[test]
fn statistics() {
    golden(include_str!("sql/statistics.sql"), 60);
}

#[test]
fn functions() {
    golden(include_str!("sql/functions.sql"), 50);
}

#[test]
fn dates() {
    golden(include_str!("sql/dates.sql"), 20);
}

#[test]
fn text() {
    golden(include_str!("sql/text.sql"), 25);
}

#[test]
fn types() {
    golden(include_str!("sql/types.sql"), 40);
}

#[test]
fn corners_of_types() {
    golden(include_str!("sql/corners.sql"), 40);
}

/// Polynomials give these to 2^-21.
#[test]
fn logarithms_and_exponentials() {
    golden_within(include_str!("sql/numeric.sql"), 16, 5e-7);
}
