//! TPC-H questions from their SQL text, tables split among three parties: on shares and in
//! DataFusion the rows are the same, decimals exact.
//!
//! Customers, orders, nations and regions belong to `a`, line items to `b`, parts and suppliers
//! to `c`.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::DataType;
use mpc::Params;
use testkit::{World, assert_same_rows, rows_of};
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

fn world(scale: f64) -> World {
    World::new(&["a", "b", "c"])
        .params(Params { threads: 2, in_flight: 4, chunk_rows: 1 << 14, ..Params::default() })
        .table("a", "customer", table(CustomerArrow::new(CustomerGenerator::new(scale, 1, 1))))
        .table("a", "orders", table(OrderArrow::new(OrderGenerator::new(scale, 1, 1))))
        .table("a", "nation", table(NationArrow::new(NationGenerator::new(scale, 1, 1))))
        .table("a", "region", table(RegionArrow::new(RegionGenerator::new(scale, 1, 1))))
        .table("b", "lineitem", table(LineItemArrow::new(LineItemGenerator::new(scale, 1, 1))))
        .table("c", "part", table(PartArrow::new(PartGenerator::new(scale, 1, 1))))
        .table("c", "supplier", table(SupplierArrow::new(SupplierGenerator::new(scale, 1, 1))))
        .table("c", "partsupp", table(PartSuppArrow::new(PartSuppGenerator::new(scale, 1, 1))))
}

/// The questions of this SQL, at scale factor 0.01: 60,000 line items.
#[test]
fn questions_agree_at_scale_one_hundredth() {
    let world = world(0.01);
    let questions = [
        ("Q1", include_str!("tpch/q1.sql")),
        ("Q3", include_str!("tpch/q3.sql")),
        ("Q6", include_str!("tpch/q6.sql")),
        ("Q12", include_str!("tpch/q12.sql")),
        ("Q14", include_str!("tpch/q14.sql")),
    ];
    for (name, sql) in questions {
        let expected = world.oracle(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!expected.is_empty(), "{name} has an answer");
        let plan = world.plan(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        let start = std::time::Instant::now();
        let shared = world.lab(&plan, 1).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        println!("{name}: {} rows, {:.1} s", shared.batch.num_rows(), start.elapsed().as_secs_f64());
        assert_same_rows(name, &rows_of(&[shared.batch]), &expected, plan.ordered);
    }
}
