//! Catalogs that the tests plan over.
#![allow(dead_code, reason = "each test binary uses its part")]

use plan::catalog::{Column, Fact, MatchesPerKey, PartyCatalog, PublicCatalog, Table};
use plan::policy::{Policy, RowCount};
use plan::secure::{SecurePlan, Security};
use plan::types::{Range, Type};
use plan::{PlanError, Request, plan};

/// A column that is never NULL.
pub fn column(name: &str, ty: &str) -> Column {
    let ty: Type = ty.parse().unwrap();
    let string_width = (ty == Type::Utf8).then(|| Fact::inferred(24));
    Column {
        name: name.into(),
        ty: Fact::declared(ty),
        nullable: Fact::declared(false),
        range: None,
        string_width,
        distinct: None,
    }
}

/// The column, with a declared range.
pub fn ranged(name: &str, ty: &str, low: i128, high: i128) -> Column {
    Column { range: Some(Fact::declared(Range::new(low, high))), ..column(name, ty) }
}

/// The column, which may be NULL.
pub fn nullable(column: Column) -> Column {
    Column { nullable: Fact::inferred(true), ..column }
}

/// A table with one unique key, or none for an empty list.
pub fn table(name: &str, rows: u64, columns: Vec<Column>, unique: &[&str]) -> Table {
    let unique_keys = match unique {
        [] => vec![],
        key => vec![Fact::declared(key.iter().map(|name| name.to_string()).collect())],
    };
    Table {
        name: name.into(),
        row_bound: Fact::declared(rows),
        columns,
        unique_keys,
        matches_per_key: vec![],
        local_rows: RowCount::Hidden,
        policy: Policy::Unstated,
    }
}

/// A bank, a telecom and a retailer.
pub fn shops() -> PublicCatalog {
    let bank = vec![
        table(
            "accounts",
            1000,
            vec![
                ranged("customer_id", "int64", 0, 99_999),
                nullable(ranged("balance", "decimal(12,2)", -1_000_000, 100_000_000)),
                column("segment", "string"),
                column("opened", "date"),
                nullable(column("active", "bool")),
            ],
            &["customer_id"],
        ),
        table(
            "payments",
            5000,
            vec![column("id", "int64"), column("customer_id", "int64"), column("cents", "int64")],
            &["id"],
        ),
    ];
    let telecom = vec![
        table(
            "usage",
            2000,
            vec![
                ranged("customer_id", "int64", 0, 99_999),
                ranged("minutes", "int32", 0, 50_000),
                nullable(column("plan", "string")),
                ranged("month", "int8", 1, 12),
                column("score", "float64"),
            ],
            &[],
        ),
        table(
            "lines",
            1500,
            vec![column("number", "string"), column("customer_id", "int64"), ranged("kind", "int8", 0, 3)],
            &["number"],
        ),
    ];
    let mut lines = telecom;
    lines[1].matches_per_key =
        vec![Fact::declared(MatchesPerKey { key: vec!["customer_id".into()], at_most: 3 })];
    let retailer = vec![table(
        "orders",
        4000,
        vec![column("customer_id", "int64"), column("amount", "int64"), column("item", "string")],
        &[],
    )];
    PublicCatalog {
        parties: vec![
            PartyCatalog { name: "bank".into(), tables: bank },
            PartyCatalog { name: "telecom".into(), tables: lines },
            PartyCatalog { name: "retailer".into(), tables: retailer },
        ],
    }
}

/// TPC-H at scale 0.01, split over three parties.
pub fn tpch() -> PublicCatalog {
    let key = |name: &str, most: i128| ranged(name, "int64", 1, most);
    let money = |name: &str| ranged(name, "decimal(15,2)", -100_000, 60_000_000);
    let text = |name: &str| column(name, "string");
    let a = vec![
        table(
            "customer",
            1500,
            vec![
                key("c_custkey", 1500),
                text("c_name"),
                text("c_mktsegment"),
                key("c_nationkey", 25),
                money("c_acctbal"),
            ],
            &["c_custkey"],
        ),
        table(
            "orders",
            15_000,
            vec![
                key("o_orderkey", 60_000),
                key("o_custkey", 1500),
                text("o_orderstatus"),
                money("o_totalprice"),
                column("o_orderdate", "date"),
                text("o_orderpriority"),
                ranged("o_shippriority", "int32", 0, 0),
            ],
            &["o_orderkey"],
        ),
        table(
            "nation",
            25,
            vec![key("n_nationkey", 25), text("n_name"), key("n_regionkey", 5)],
            &["n_nationkey"],
        ),
        table("region", 5, vec![key("r_regionkey", 5), text("r_name")], &["r_regionkey"]),
    ];
    let b = vec![table(
        "lineitem",
        61_000,
        vec![
            key("l_orderkey", 60_000),
            key("l_partkey", 2000),
            key("l_suppkey", 100),
            ranged("l_linenumber", "int32", 1, 7),
            ranged("l_quantity", "decimal(15,2)", 100, 5000),
            ranged("l_extendedprice", "decimal(15,2)", 90_000, 10_500_000),
            ranged("l_discount", "decimal(15,2)", 0, 10),
            ranged("l_tax", "decimal(15,2)", 0, 8),
            text("l_returnflag"),
            text("l_linestatus"),
            column("l_shipdate", "date"),
            column("l_commitdate", "date"),
            column("l_receiptdate", "date"),
            text("l_shipinstruct"),
            text("l_shipmode"),
        ],
        &["l_orderkey", "l_linenumber"],
    )];
    let c = vec![
        table(
            "part",
            2000,
            vec![key("p_partkey", 2000), text("p_name"), text("p_type"), text("p_brand")],
            &["p_partkey"],
        ),
        table(
            "supplier",
            100,
            vec![key("s_suppkey", 100), text("s_name"), key("s_nationkey", 25)],
            &["s_suppkey"],
        ),
        table(
            "partsupp",
            8000,
            vec![key("ps_partkey", 2000), key("ps_suppkey", 100), money("ps_supplycost")],
            &["ps_partkey", "ps_suppkey"],
        ),
    ];
    let party = |name: &str, tables| PartyCatalog { name: name.into(), tables };
    PublicCatalog { parties: vec![party("a", a), party("b", b), party("c", c)] }
}

/// The plan for the first party as asker and the first three as compute parties.
pub fn ask(catalog: &PublicCatalog, sql: &str) -> Result<SecurePlan, PlanError> {
    ask_with(catalog, sql, Security::DEFAULT)
}

/// [`ask`], for a run that holds against more or less.
pub fn ask_with(catalog: &PublicCatalog, sql: &str, security: Security) -> Result<SecurePlan, PlanError> {
    let compute: Vec<String> = catalog.parties.iter().take(3).map(|party| party.name.clone()).collect();
    plan(Request { sql, catalog, asker: &catalog.parties[0].name, compute: &compute, security })
}
