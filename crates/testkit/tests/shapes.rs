//! Columns and parties of every shape: text too long to be its own key, doubles
//! that pass through, owners and askers that do not compute, strange numbers.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use mpc::Params;
use plan::secure::SecurePlan;
use testkit::{World, assert_same_rows, rows_of};

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

fn texts(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn ints(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

fn check(world: &World, plan: &SecurePlan, sql: &str) {
    let expected = world.oracle(sql).unwrap_or_else(|error| panic!("{sql}\n oracle: {error}"));
    let plain = world.plain(plan).unwrap_or_else(|error| panic!("{sql}\n plaintext: {error}"));
    assert_same_rows(sql, &rows_of(&[plain.batch]), &expected, plan.ordered);
    let (shared, paid) = world.lab_with_cost(plan, 11);
    let shared = shared.unwrap_or_else(|error| panic!("{sql}\n shares: {error:?}"));
    assert_same_rows(sql, &rows_of(&[shared.batch]), &expected, plan.ordered);
    assert_eq!(paid, world.count(plan).expect("it has a price"), "{sql}: paid, and counted");
}

fn agrees(world: &World, sql: &str) {
    let plan = world.plan(sql).unwrap_or_else(|error| panic!("{sql}\n plan: {error}"));
    check(world, &plan, sql);
}

/// Names of up to 47 bytes: far wider than a hash of so few rows.
fn long_names() -> World {
    let name =
        |at: usize| ["Compañía Española de Seguros y Reaseguros, S.A.", "Ltd", "", "Zürich Gruppe"][at];
    let firms = table(vec![
        ("firm", texts([0, 1, 2, 3].map(|at| Some(name(at))).to_vec())),
        ("country", texts(vec![Some("Kingdom of Spain"), Some("United Kingdom"), None, Some("Switzerland")])),
        ("staff", ints(vec![Some(10), Some(-3), None, Some(7)])),
    ]);
    let deals = table(vec![
        (
            "seller",
            texts(vec![Some(name(0)), Some(name(3)), None, Some("nobody"), Some(name(2)), Some(name(0))]),
        ),
        ("worth", ints(vec![Some(5), Some(6), Some(7), Some(8), None, Some(-9)])),
    ]);
    World::new(&["registry", "broker"]).table("registry", "firms", firms).table("broker", "deals", deals)
}

#[test]
fn long_text_is_joined_grouped_and_compared_by_hash() {
    let world = long_names();
    for sql in [
        "SELECT f.firm, f.country, d.worth FROM broker.deals d JOIN registry.firms f ON d.seller = f.firm",
        "SELECT d.seller, f.staff, f.country FROM broker.deals d LEFT JOIN registry.firms f ON d.seller = f.firm",
        "SELECT f.firm, d.seller, d.worth FROM registry.firms f LEFT JOIN broker.deals d ON d.seller = f.firm",
        "SELECT name, COUNT(*) FROM (SELECT firm AS name FROM registry.firms UNION ALL SELECT seller FROM broker.deals) u GROUP BY name",
        "SELECT COUNT(*) FROM (SELECT firm AS name FROM registry.firms UNION ALL SELECT seller FROM broker.deals) u WHERE name = 'Zürich Gruppe' OR name IN ('Ltd', 'x')",
        "SELECT DISTINCT name FROM (SELECT firm AS name FROM registry.firms UNION ALL SELECT seller FROM broker.deals) u",
        "SELECT f.country, MIN(d.seller), MAX(f.firm) FROM broker.deals d JOIN registry.firms f ON d.seller = f.firm GROUP BY f.country",
        "SELECT MIN(name), MAX(name), COUNT(name) FROM (SELECT country AS name FROM registry.firms UNION ALL SELECT seller FROM broker.deals) u",
        "SELECT name FROM (SELECT firm AS name FROM registry.firms UNION ALL SELECT seller FROM broker.deals) u WHERE name > 'M' ORDER BY name DESC NULLS LAST",
        "SELECT CASE WHEN d.worth > 5 THEN f.firm ELSE 'a rather long name, longer than them all: really' END, d.worth FROM broker.deals d JOIN registry.firms f ON d.seller = f.firm",
        "SELECT n, COUNT(*) FROM (SELECT CASE WHEN d.worth > 5 THEN f.firm ELSE 'other, whatever it may be' END AS n FROM broker.deals d JOIN registry.firms f ON d.seller = f.firm) x GROUP BY n",
        "SELECT COALESCE(f.country, 'nowhere at all, as it seems') FROM broker.deals d LEFT JOIN registry.firms f ON d.seller = f.firm",
        "SELECT COUNT(*) FROM broker.deals d JOIN registry.firms f ON d.seller = f.firm WHERE f.firm <> f.country OR f.country IS NULL",
        "SELECT f.firm, d.seller, d.worth FROM registry.firms f FULL JOIN broker.deals d ON d.seller = f.firm AND d.worth < f.staff",
        "SELECT firm FROM registry.firms INTERSECT SELECT seller FROM broker.deals",
        "SELECT seller FROM broker.deals EXCEPT SELECT country FROM registry.firms",
        "SELECT worth FROM broker.deals WHERE seller NOT IN (SELECT firm FROM registry.firms)",
        "SELECT f.firm FROM registry.firms f WHERE f.staff > 8 OR f.firm IN (SELECT seller FROM broker.deals)",
        "SELECT x.seller, y.firm FROM broker.deals x JOIN registry.firms y ON x.seller < y.firm",
    ] {
        agrees(&world, sql);
    }
}

fn many() -> World {
    let numbers = |from: i64| table(vec![("id", ints((0..6).map(|row| Some(from + row)).collect()))]);
    let facts = table(vec![
        ("id", ints(vec![Some(1), Some(2), Some(3), Some(8)])),
        (
            "rate",
            Arc::new(Float64Array::from(vec![Some(0.1), None, Some(-3.5e300), Some(f64::MIN_POSITIVE)])),
        ),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![Some(1), Some(-1), None, Some(i64::MAX / 2)]))),
        ("count", Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(0), None, Some(1)]))),
        ("tiny", Arc::new(Int8Array::from(vec![Some(i8::MIN), Some(i8::MAX), Some(0), None]))),
        ("wide", {
            let most = 10i128.pow(38) - 1;
            let values = Decimal128Array::from(vec![Some(most), Some(-most), None, Some(1)]);
            Arc::new(values.with_precision_and_scale(38, 10).expect("38 digits"))
        }),
    ]);
    World::new(&["ana", "ben", "cyn", "dan", "eve"])
        .table("ana", "n", numbers(0))
        .table("dan", "n", numbers(4))
        .table("eve", "facts", facts)
}

#[test]
fn owners_and_askers_need_not_compute() {
    let world = many();
    for asker in ["ana", "cyn", "dan", "eve"] {
        for sql in [
            "SELECT f.* FROM dan.n d JOIN eve.facts f ON d.id = f.id + 3",
            "SELECT SUM(id), COUNT(*), AVG(id) FROM (SELECT id FROM ana.n UNION ALL SELECT id FROM dan.n) u",
            "SELECT x.id FROM ana.n x JOIN dan.n y ON x.id = y.id ORDER BY x.id DESC",
        ] {
            let plan = world.plan_for(sql, asker).unwrap_or_else(|error| panic!("{sql}\n plan: {error}"));
            check(&world, &plan, sql);
        }
    }
}

#[test]
fn every_type_passes_through_and_is_computed_on() {
    let world = many();
    for sql in [
        "SELECT a.id, f.rate, f.flag, f.at, f.count, f.tiny, f.wide FROM ana.n a LEFT JOIN eve.facts f ON a.id = f.id",
        "SELECT f.flag, MIN(f.at), MAX(f.count), MIN(f.tiny), MAX(f.wide), COUNT(f.rate) FROM ana.n a JOIN eve.facts f ON a.id = f.id GROUP BY f.flag",
        "SELECT f.tiny FROM ana.n a JOIN eve.facts f ON a.id = f.id WHERE NOT f.flag OR f.flag IS NULL ORDER BY f.tiny",
        "SELECT f.count / 2, f.tiny % 5, -f.tiny / 3 FROM ana.n a JOIN eve.facts f ON a.id = f.id WHERE f.tiny > -128 OR f.tiny IS NULL",
        "SELECT CAST(f.tiny AS DECIMAL(10,3)) / 7, CAST(f.wide AS DECIMAL(32,2)), CAST(f.flag AS INT) FROM ana.n a JOIN eve.facts f ON a.id = f.id",
        "SELECT a.id FROM ana.n a JOIN eve.facts f ON a.id = f.id WHERE f.at < TIMESTAMP '1970-01-02 00:00:00' AND f.wide < 0",
    ] {
        agrees(&world, sql);
    }
}

#[test]
fn means_of_integers_are_doubles_that_can_be_compared() {
    let world = many();
    let ids = "(SELECT id - 5 AS id FROM ana.n UNION ALL SELECT id FROM dan.n) u";
    agrees(
        &world,
        &format!(
            "SELECT id / 4, CAST(AVG(id) AS DECIMAL(6,1)) AS a, CAST(AVG(id) AS INT) AS b, CAST(AVG(id) AS DECIMAL(5,0)) AS c FROM {ids} GROUP BY id / 4"
        ),
    );
    agrees(
        &world,
        "SELECT id % 3 AS g, AVG(id) AS m FROM (SELECT id FROM ana.n UNION ALL SELECT id FROM dan.n) u GROUP BY id % 3 HAVING AVG(id) > 4.2 ORDER BY m DESC",
    );
}

/// The answer and its order do not depend on how a party uses its machine.
#[test]
fn threads_and_chunks_change_nothing() {
    let world = long_names();
    let sql = "SELECT f.firm, d.worth FROM broker.deals d JOIN registry.firms f ON d.seller = f.firm";
    let plan = world.plan(sql).expect("it plans");
    let answers =
        [(1, 1, 512), (2, 4, 512), (8, 20, 1024), (2, 6, 1 << 15)].map(|(threads, in_flight, chunk_rows)| {
            let world = world.clone().params(Params { threads, in_flight, chunk_rows, ..Params::default() });
            rows_of(&[world.lab(&plan, 3).expect("an honest run").batch])
        });
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}
