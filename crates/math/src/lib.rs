//! Rings, fields, packed bits, fixed-point encodings and pseudorandom streams, as plain data-parallel code.
//!
//! Never knows parties.

pub mod column;
pub mod fixed;
pub mod gf;
pub mod group;
pub mod kernel;
pub mod pack;
pub mod planes;
pub mod prg;
pub mod prime;
pub mod records;
pub mod simd;
pub mod subsets;
pub mod transpose;

pub use column::Column;
pub use fixed::Format;
pub use group::{Group, Ring, X8, X16, X32, X64, X128, Z8, Z16, Z32, Z64, Z128};
pub use planes::{Planes, PlanesMut};
pub use prg::Prg;
pub use records::{Records, Tile};
