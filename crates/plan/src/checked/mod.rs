//! Arithmetic that fails where DataFusion would wrap.
//!
//! DataFusion wraps silently on integer `+ - *`, on minus and in SUM, and lets
//! wide decimals outgrow their precision. Local stages and the plaintext
//! oracle run with this module's rule and aggregates instead, so that an
//! answer is exact or an error.

mod arith;
mod percentile;
mod rule;
mod total;

pub(crate) use arith::type_of;
pub use arith::{ArithKind, CheckedArith};
pub use percentile::PercentileDisc;
pub(crate) use percentile::fraction;
pub use rule::CheckArithmetic;
pub use total::{CheckedTotal, TotalKind};
