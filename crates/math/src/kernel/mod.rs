//! The loops that every share passes through, over plain slices.
//!
//! All of them are compiled for several processors and chosen at run time.
//! Slices of one call have one length; other lengths are a bug of the caller.
//!
//! *Cross terms* are what the holder of two neighbouring parts of `x` and of
//! `y` adds to the product: `x = [xa, xb]` and `y = [ya, yb]` give
//! `xa·ya + xa·yb + xb·ya`, computed as `xa·(ya + yb) + xb·ya`.

mod bits;
mod cross;
mod digits;
pub mod lookup;
mod matrix;
mod slices;
mod trunc;

pub use bits::{
    add_and, add_generate, add_propagate, and_into, carry_alone, carry_along, carry_message, not, xor_of,
    xor_words,
};
pub use cross::{and_masked, and_terms, mul_masked, mul_terms};
pub use digits::{Line, compare_digits};
pub use matrix::matmul_into;
pub use slices::{add_gathered, add_into, dot, dot_terms, sub_gathered, sub_into, sum, sum_of, xor_into};
pub use trunc::{trunc_first, trunc_helper, trunc_second};
