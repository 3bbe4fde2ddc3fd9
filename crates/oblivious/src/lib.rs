//! Algorithms whose steps do not depend on the data: compare, convert, shuffle, sort, scan, join, numeric functions, linear algebra; written once, for every protocol.
//!
//! Never knows SQL or files.

pub mod adder;
pub mod compare;
pub mod convert;
pub mod divide;
pub mod fixed;
mod fork;
pub mod group;
pub mod join;
pub mod permute;
pub mod root;
pub mod rowwise;
pub mod scan;
pub mod select;
pub mod sort;
pub mod table;

pub use group::{Aggregate, Aggregated, Distinct, Groups, Rows, distinct, group_by};
pub use join::{Expanded, JoinSide, Lookup, expand, lookup, member};
pub use permute::{Order, apply, compose, invert, shuffle};
pub use scan::{Running, any_row, boundaries, segmented_scan, segmented_sum};
pub use sort::{Method, SortedRows, merge, sort, sort_by_bit};
pub use table::{Cells, Table};
