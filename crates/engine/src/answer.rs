//! What the asking party gets.

use plan::secure::OutputColumn;
use plan::types::{Type, Value};

use crate::calendar;

/// What a run cost, for all parties together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The longest chain of messages that waited for one another.
    pub rounds: u64,
    /// Payload bytes that all parties sent.
    pub bytes_sent: u64,
    /// From the start of the session to the answer.
    pub wall_ms: u64,
    /// The protocol's name.
    pub protocol: String,
    /// The security level's name.
    pub security: String,
}

/// The rows of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its columns.
    pub columns: Vec<OutputColumn>,
    /// Its rows, each value in the unscaled form of its column's type.
    pub rows: Vec<Vec<Value>>,
}

/// An unscaled value as people write it: decimals with their point, dates ISO.
pub fn show_exact(ty: Type, value: i128) -> String {
    match ty {
        Type::Bool => (value != 0).to_string(),
        Type::Date => calendar::show_date(value),
        Type::Timestamp => calendar::show_timestamp(value),
        Type::Decimal { scale, .. } if scale > 0 => {
            let unit = 10u128.pow(scale.into());
            let (whole, part) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
            let sign = if value < 0 { "-" } else { "" };
            format!("{sign}{whole}.{part:0width$}", width = scale.into())
        }
        _ => value.to_string(),
    }
}
