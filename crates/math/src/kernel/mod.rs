//! The loops that every share passes through, over plain slices.
//!
//! All of them are compiled for several processors and chosen at run time.
//! Slices of one call have one length; other lengths are a bug of the caller.

mod slices;

pub use slices::{add_into, not, sub_into, xor_into};
