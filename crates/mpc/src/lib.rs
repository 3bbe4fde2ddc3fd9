//! Secret-shared vectors, the protocols on them, the checks that make them trustworthy.
//!
//! Never knows tables, SQL or tokio.
//!
//! Everything is a column: a step takes and returns `n` rows at once. A
//! [`Session`] carries the party's keys, its links and the path of the current
//! step; protocol code is ordinary blocking Rust, and width comes from forks
//! ([`Session::chunks`], [`Session::join`]).
//!
//! Which protocol runs is a value inside the session: replicated three-party
//! sharing (`rep3`), plaintext in one process (`plain`, the oracle), or a run
//! without inputs that yields rounds and bytes (`count`). Share types are
//! concrete and hold as many parts as the protocol gives a party, so algorithms
//! above are written, and compiled, once.

mod and_sums;
mod ands;
mod bit_dot;
mod bits;
mod check;
mod count;
mod digits;
mod error;
mod fork;
mod halves;
mod input;
#[cfg(feature = "lab")]
pub mod lab;
mod lanes;
mod lookup;
mod open;
mod ops;
mod prss;
mod rep3;
mod rows;
mod session;
mod setup;
mod share;
mod shuffle;
mod step;
mod timeline;
mod trunc;

pub use and_sums::and_sums;
pub use ands::{and, and_bit, and_many, and_onto, and_twin};
pub use bit_dot::bit_dot;
pub use bits::SharedBits;
pub use count::Cost;
pub use digits::compare_digits;
pub use error::{Deviation, ProtocolError};
pub use halves::{Carries, Halves};
pub use input::{input, input_bits};
pub use lanes::Lane;
pub use lookup::lookup;
pub use open::{check_zero, open, open_bits, open_bits_to, open_to, verify};
pub use ops::{
    WordMasks, dot, inner_product, matmul, mul, mul_many, random, random_bits, word_finish, word_masks,
};
pub use rows::SharedRows;
pub use session::{Params, Security, Session};
pub use share::{Parts, Shared, Verified};
pub use shuffle::Shuffler;
pub use step::{Label, Step};
pub use trunc::{dot_trunc_1ulp, trunc_1ulp};
