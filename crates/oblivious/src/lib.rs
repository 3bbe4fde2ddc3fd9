//! Algorithms whose steps do not depend on the data: compare, convert, shuffle, sort, scan, join, numeric functions, linear algebra; written once, for every protocol.
//!
//! Never knows SQL or files.

pub mod adder;
pub mod compare;
pub mod convert;
pub mod divide;
pub mod permute;
pub mod rowwise;
pub mod select;
pub mod table;

pub use permute::{apply, compose, invert, shuffle};
pub use table::{Cells, Table};
