//! Window functions: what is computed over each row's neighbours in an order.

use std::fmt;

use super::Overflow;
use crate::types::Type;

/// Where a frame begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameEdge {
    /// With the partition.
    Partition,
    /// So many rows below the current one; above it if negative.
    Rows(i64),
    /// With the rows that the order does not tell from the current one.
    Peers,
}

/// The rows that a function sees, the partition's alone. A frame begins with the partition or so
/// many rows from the current one; only its end may be that of the peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Its first row.
    pub start: FrameEdge,
    /// Its last row.
    pub end: FrameEdge,
}

/// How bits are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitFunc {
    /// Set where all are.
    And,
    /// Set where one is.
    Or,
    /// Set where an odd number is.
    Xor,
}

/// A function over a row's partition. NULLs are left out by `Count`, `Sum`, `Min` and `Max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WindowFunc {
    /// The row's number in its partition, from 1.
    RowNumber,
    /// The number of the first of the row's peers.
    Rank,
    /// How many different ranks there are up to the row's.
    DenseRank,
    /// The number of the last of the row's peers.
    LastPeer,
    /// How many rows the partition has.
    Rows,
    /// The input so many rows above; below if negative. NULL outside the partition.
    Lag(i64),
    /// The input in the partition's row of this number, from 1; NULL if there is none.
    Nth(u64),
    /// The first input that is not NULL, from the partition's first row to the edge.
    FirstPresent(FrameEdge),
    /// The last input that is not NULL, from the partition's first row to the edge.
    LastPresent(FrameEdge),
    /// The bits of all inputs of the partition combined, NULL over no value.
    Bits(BitFunc),
    /// The input in the frame's last row; the frame ends with the partition or the peers.
    Last(FrameEdge),
    /// How many rows of the frame have an input that is not NULL; without input, how many there are.
    Count(Frame),
    /// The sum over the frame, NULL over no value.
    Sum(Frame),
    /// The least of the frame, NULL over no value.
    Min(Frame),
    /// The greatest of the frame, NULL over no value.
    Max(Frame),
}

impl WindowFunc {
    /// Its name in SQL, or one near to it.
    pub fn name(self) -> &'static str {
        match self {
            WindowFunc::RowNumber => "row_number",
            WindowFunc::Rank => "rank",
            WindowFunc::DenseRank => "dense_rank",
            WindowFunc::LastPeer => "last_peer",
            WindowFunc::Rows => "rows",
            WindowFunc::Lag(_) => "lag",
            WindowFunc::Nth(_) => "nth_value",
            WindowFunc::FirstPresent(_) => "first_present",
            WindowFunc::LastPresent(_) => "last_present",
            WindowFunc::Bits(BitFunc::And) => "bit_and",
            WindowFunc::Bits(BitFunc::Or) => "bit_or",
            WindowFunc::Bits(BitFunc::Xor) => "bit_xor",
            WindowFunc::Last(_) => "last_value",
            WindowFunc::Count(_) => "count",
            WindowFunc::Sum(_) => "sum",
            WindowFunc::Min(_) => "min",
            WindowFunc::Max(_) => "max",
        }
    }
}

/// One window function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowCall {
    /// The function.
    pub func: WindowFunc,
    /// The input column, for those that take one.
    pub input: Option<usize>,
    /// The result's type.
    pub ty: Type,
    /// Whether a sum can leave its type, so that the engine has to look.
    pub overflow: Overflow,
}

impl fmt::Display for FrameEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameEdge::Partition => f.write_str("partition"),
            FrameEdge::Peers => f.write_str("peers"),
            FrameEdge::Rows(0) => f.write_str("current row"),
            FrameEdge::Rows(n) if *n < 0 => write!(f, "{} preceding", -n),
            FrameEdge::Rows(n) => write!(f, "{n} following"),
        }
    }
}

impl fmt::Display for WindowFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            WindowFunc::Lag(n) => write!(f, "[{n}]"),
            WindowFunc::Nth(n) => write!(f, "[{n}]"),
            WindowFunc::Last(edge) | WindowFunc::FirstPresent(edge) | WindowFunc::LastPresent(edge) => {
                write!(f, "[to {edge}]")
            }
            WindowFunc::Count(Frame { start, end })
            | WindowFunc::Sum(Frame { start, end })
            | WindowFunc::Min(Frame { start, end })
            | WindowFunc::Max(Frame { start, end }) => write!(f, "[{start} to {end}]"),
            _ => Ok(()),
        }
    }
}
