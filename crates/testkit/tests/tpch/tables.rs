//! TPC-H: the tables, split among three parties, and the questions.
//!
//! Customers, orders, nations and regions belong to `a`, line items to `b`, parts and suppliers
//! to `c`.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::DataType;
use mpc::Params;
use plan::catalog::{Fact, MatchesPerKey, Table};
use testkit::{World, rows_of};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow,
    SupplierArrow,
};

/// The rows of a generator, with text as plain text.
fn table<E: std::fmt::Debug>(batches: impl Iterator<Item = Result<RecordBatch, E>>) -> RecordBatch {
    let batches: Vec<RecordBatch> = batches.map(|batch| batch.expect("generated rows")).collect();
    let all = concat_batches(&batches[0].schema(), &batches).expect("batches of one schema");
    let schema = all.schema();
    let columns = schema.fields().iter().zip(all.columns()).map(|(field, column)| {
        let column = match column.data_type() {
            DataType::Utf8View | DataType::LargeUtf8 => cast(column, &DataType::Utf8).expect("text is text"),
            _ => column.clone(),
        };
        (field.name().clone(), column, field.is_nullable())
    });
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

/// Says how often a key of two columns comes at most: among few suppliers, a part has one twice.
fn say_key(table: &mut Table, rows: &RecordBatch, of: [&str; 2]) {
    let columns = of.map(|name| rows.schema().index_of(name).expect("a column"));
    let mut times: BTreeMap<String, u64> = BTreeMap::new();
    for row in rows_of(&[rows.project(&columns).expect("two columns")]) {
        *times.entry(format!("{row:?}")).or_default() += 1;
    }
    let key = of.map(str::to_owned).to_vec();
    match times.into_values().max() {
        Some(1) => table.unique_keys.push(Fact::declared(key)),
        most => {
            let at_most = most.unwrap_or(0);
            table.matches_per_key.push(Fact::declared(MatchesPerKey { key, at_most }));
        }
    }
}

/// The parties with what they hold and say.
pub fn world(scale: f64) -> World {
    let orders = table(OrderArrow::new(OrderGenerator::new(scale, 1, 1)));
    let n_orders = orders.num_rows() as u64;
    let lines = table(LineItemArrow::new(LineItemGenerator::new(scale, 1, 1)));
    let offers = table(PartSuppArrow::new(PartSuppGenerator::new(scale, 1, 1)));
    World::new(&["a", "b", "c"])
        .params(Params { threads: 2, in_flight: 4, chunk_rows: 1 << 14, ..Params::default() })
        .table("a", "customer", table(CustomerArrow::new(CustomerGenerator::new(scale, 1, 1))))
        .table("a", "orders", orders)
        .table("a", "nation", table(NationArrow::new(NationGenerator::new(scale, 1, 1))))
        .table("a", "region", table(RegionArrow::new(RegionGenerator::new(scale, 1, 1))))
        .table_described("b", "lineitem", lines.clone(), |table| {
            say_key(table, &lines, ["l_orderkey", "l_linenumber"]);
            let order = table.columns.iter_mut().find(|column| column.name == "l_orderkey");
            order.expect("a column").distinct = Some(Fact::declared(n_orders));
        })
        .table("c", "part", table(PartArrow::new(PartGenerator::new(scale, 1, 1))))
        .table("c", "supplier", table(SupplierArrow::new(SupplierGenerator::new(scale, 1, 1))))
        .table_described("c", "partsupp", offers.clone(), |table| {
            say_key(table, &offers, ["ps_partkey", "ps_suppkey"]);
        })
}

/// The questions' text, in order.
pub const QUESTIONS: [&str; 22] = [
    include_str!("q1.sql"),
    include_str!("q2.sql"),
    include_str!("q3.sql"),
    include_str!("q4.sql"),
    include_str!("q5.sql"),
    include_str!("q6.sql"),
    include_str!("q7.sql"),
    include_str!("q8.sql"),
    include_str!("q9.sql"),
    include_str!("q10.sql"),
    include_str!("q11.sql"),
    include_str!("q12.sql"),
    include_str!("q13.sql"),
    include_str!("q14.sql"),
    include_str!("q15.sql"),
    include_str!("q16.sql"),
    include_str!("q17.sql"),
    include_str!("q18.sql"),
    include_str!("q19.sql"),
    include_str!("q20.sql"),
    include_str!("q21.sql"),
    include_str!("q22.sql"),
];
