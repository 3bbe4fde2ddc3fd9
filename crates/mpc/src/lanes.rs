//! Columns of any group, for steps that move rows whatever they hold.

use std::ops::Range;

use math::{X8, X16, X32, X64, X128, Z8, Z16, Z32, Z64, Z128};

use crate::share::Shared;

macro_rules! lanes {
    ($($name:ident),*) => {
        /// A shared column of some group: one field of the rows that a shuffle moves.
        #[derive(Clone, Debug)]
        pub enum Lane {
            $(#[doc = concat!("Elements of `", stringify!($name), "`.")] $name(Shared<$name>),)*
        }

        $(
            impl From<Shared<$name>> for Lane {
                fn from(column: Shared<$name>) -> Self {
                    Lane::$name(column)
                }
            }

            impl TryFrom<Lane> for Shared<$name> {
                type Error = Lane;
                fn try_from(lane: Lane) -> Result<Self, Lane> {
                    match lane {
                        Lane::$name(column) => Ok(column),
                        other => Err(other),
                    }
                }
            }
        )*

        /// Runs `$body` with `$column` bound to the lane's column, whatever its group.
        macro_rules! with_lane {
            ($lane:expr, $column:ident => $body:expr) => {
                match $lane { $($crate::lanes::Lane::$name($column) => $body,)* }
            };
        }
        pub(crate) use with_lane;
    };
}

lanes!(X8, X16, X32, X64, X128, Z8, Z16, Z32, Z64, Z128);

impl Lane {
    /// The number of rows.
    pub fn len(&self) -> usize {
        with_lane!(self, column => column.len())
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes per row.
    pub fn row_bytes(&self) -> usize {
        fn bytes<G: math::Group>(_: &Shared<G>) -> usize {
            G::BYTES
        }
        with_lane!(self, column => bytes(column))
    }

    /// Some rows, without copying.
    pub fn rows(&self, rows: Range<usize>) -> Lane {
        with_lane!(self, column => column.rows(rows).into())
    }

    /// The lane with row `index[row]` in each row, for public positions.
    pub fn gather(&self, index: &[u32]) -> Lane {
        with_lane!(self, column => column.gather(index).into())
    }

    /// The lane whose row `to[row]` is this one's row `row`, for a public permutation.
    pub fn scatter(&self, to: &[u32]) -> Lane {
        with_lane!(self, column => column.scatter(to).into())
    }
}
