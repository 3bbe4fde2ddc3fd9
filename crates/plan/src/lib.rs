//! SQL text to logical plan to secure plan; cost, disclosure and policy are
//! data on that plan.
//!
//! This crate never knows the network or shares: a plan is made, printed and
//! priced without either.
//!
//! ```text
//! SQL ─ parse ─▶ DataFusion plan ─ place ─▶ SecurePlan ─ explain ─▶ text
//!                    ▲                          ▲
//!              PublicCatalog              interval analysis,
//!        (schemas, bounds, keys)          unique keys, disclosures
//! ```

mod allow;
mod around;
pub mod calendar;
pub mod catalog;
pub mod checked;
mod common;
pub mod context;
mod copies;
mod disclose;
pub mod error;
pub mod explain;
mod inlined;
mod interval;
mod locate;
mod logical;
mod lower;
mod order_columns;
pub mod planner;
pub mod policy;
pub mod question;
mod rewrite;
pub mod secure;
pub mod types;
mod unordered;
mod written;

pub use error::PlanError;
pub use locate::nearest;
pub use logical::nearest_table;
pub use logical::table_schema;
pub use planner::{Request, plan};
