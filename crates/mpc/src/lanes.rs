//! Columns of any group, for steps that move rows whatever they hold.

use std::ops::Range;

use math::transpose::rows_to_planes;
use math::{Group, PlanesMut, X8, X16, X32, X64, X128, Z8, Z16, Z32, Z64, Z128, Z192};

use crate::bits::SharedBits;
use crate::share::{Parts, Shared};

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

lanes!(X8, X16, X32, X64, X128, Z8, Z16, Z32, Z64, Z128, Z192);

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

    /// The lane with row `index[row]` in each row, for public positions.
    pub fn gather(&self, index: &[u32]) -> Lane {
        with_lane!(self, column => column.gather(index).into())
    }

    /// The lane whose row `to[row]` is this one's row `row`, for a public permutation.
    pub fn scatter(&self, to: &[u32]) -> Lane {
        with_lane!(self, column => column.scatter(to).into())
    }
}

/// Rows that are gathered and turned into planes at a time: what they take stays in the cache.
const BATCH_ROWS: usize = 4096;

impl SharedBits {
    /// The planes of rows of `width` bits that lie side by side in `lanes`, each from its lowest
    /// bit on: row `index[row]` in each row, for public positions.
    ///
    /// # Panics
    /// If a position is past the last row, or the lanes have fewer bits.
    pub fn gathered(lanes: &[Lane], index: &[u32], width: usize) -> Self {
        let parts = lanes.first().map_or(Parts::Zero, |lane| with_lane!(lane, x => x.parts().map(|_, _| ())));
        let parts = parts.map(|part, ()| {
            let mut planes = PlanesMut::stale(index.len(), width);
            let mut at = 0;
            for lane in lanes {
                let held = (width - at).min(8 * lane.row_bytes());
                with_lane!(lane, x => gather_into(&mut planes, at..at + held, x.parts().as_slice()[part].items(), index));
                at += held;
            }
            assert_eq!(at, width, "lanes of the rows' width");
            let n_words = index.len().div_ceil(64);
            (0..width).for_each(|plane| planes.plane_mut(plane)[n_words..].fill(0));
            planes.freeze()
        });
        SharedBits::from_parts(index.len(), width, parts)
    }
}

fn gather_into<G: Group>(out: &mut PlanesMut, planes: Range<usize>, rows: &[G], index: &[u32]) {
    let stride = out.stride();
    let mut batch_rows = [G::ZERO; BATCH_ROWS];
    for (batch, index) in index.chunks(BATCH_ROWS).enumerate() {
        let first = batch * BATCH_ROWS / 64;
        // A pivot meets many rows: its bits are stretched out, whatever they are.
        if index.len() > 1 && index.iter().all(|row| *row == index[0]) {
            let word = rows[index[0] as usize].word();
            for (bit, plane) in planes.clone().enumerate() {
                let stretched = ((word >> bit) as u64 & 1).wrapping_neg();
                out.plane_mut(plane)[first..][..index.len().div_ceil(64)].fill(stretched);
            }
            continue;
        }
        for (out, from) in batch_rows.iter_mut().zip(index) {
            *out = rows[*from as usize];
        }
        let words = &mut out.words_mut()[planes.start * stride + first..];
        rows_to_planes(&batch_rows[..index.len()], planes.len(), words, stride);
    }
}
