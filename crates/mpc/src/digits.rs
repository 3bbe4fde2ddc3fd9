//! Comparison of numbers whose digits are unrolled.

use math::kernel::Line;
use math::{Planes, PlanesMut, Tile};

use crate::bits::SharedBits;
use crate::error::ProtocolError;
use crate::prss::{Stream, Use};
use crate::rep3;
use crate::rows::SharedRows;
use crate::session::{Role, Session};
use crate::share::Parts;
use crate::step::Label;

/// Rows of a tile: a line of each plane.
const TILE_ROWS: usize = 512;

/// Digit by digit, whether row `left[i]` of `rows` is less than row `right[i]`, and whether they
/// are the same.
///
/// - **Shape:** each row has `n_digits` digits of the same number of values, of which bit
///   `(v − 1)·n_digits + k` says whether digit `k` is `v`, for `v` from 1 on. Two columns of
///   `n_digits` planes.
/// - **Cost:** 1 round; two bits per pair of rows, digit and compute party, however many values.
/// - **Model:** as [`crate::and`]: both are inner products of bits.
///
/// # Errors
/// `Unsupported` in malicious sessions, whose records do not know its form; `Shape` if there are
/// more or fewer rows left than right; `Link`.
///
/// # Panics
/// If rows are not of so many digits, or there is no such row.
pub fn compare_digits(
    s: &mut Session,
    label: impl Into<Label>,
    rows: &SharedRows,
    left: &[u32],
    right: &[u32],
    n_digits: usize,
) -> Result<[SharedBits; 2], ProtocolError> {
    assert!(rows.width().is_multiple_of(n_digits), "digits of one number of values");
    s.semi_honest_only()?;
    let step = s.begin(label)?;
    if left.len() != right.len() {
        return Err(ProtocolError::Shape { step, left: left.len(), right: right.len() });
    }
    let (n, width) = (left.len(), 2 * n_digits);
    let core = s.core.clone();
    let parts = match (&core.role, rows.parts().as_slice()) {
        (Role::Rep3 { roots, .. }, [a, b]) => {
            let [own, next] = roots.streams(&step, Use::Mask);
            let mut out = PlanesMut::stale(n, width);
            Stream::zero_planes(&own, &next, n, out.words_mut());
            let mut tiles = [(); 4].map(|()| Tile::new(rows.width()));
            by_tiles(&mut out, left, right, |less, same, left, right| {
                let [xa, xb, ya, yb] = &mut tiles;
                let x = [xa.read(a, left), xb.read(b, left)];
                let y = [ya.read(a, right), yb.read(b, right)];
                math::kernel::compare_digits(less, same, x, y);
            });
            let z = out.freeze();
            let z_next = rep3::pass_left(s, &step, z.dense_bytes())?;
            Parts::Two([z, Planes::from_buf(z_next, n, width)])
        }
        (Role::Plain, [a]) => {
            let mut out = PlanesMut::zeroed(n, width);
            let mut tiles = [(); 2].map(|()| Tile::new(rows.width()));
            let zeros = vec![[0; 8]; rows.width()];
            by_tiles(&mut out, left, right, |less, same, left, right| {
                let [x, y] = &mut tiles;
                let (x, y) = (x.read(a, left), y.read(a, right));
                math::kernel::compare_digits(less, same, [x, &zeros], [y, &zeros]);
            });
            Parts::One([out.freeze()])
        }
        (Role::Count(_), _) => {
            s.count_left(width * math::planes::words_per_plane(n) * 8);
            Parts::Zero
        }
        _ => Parts::Zero,
    };
    let both = SharedBits::from_parts(n, width, parts);
    // The sums leave out that two digits without a bit are the same.
    Ok([both.planes(0..n_digits), both.planes(n_digits..width).not(s)])
}

/// Adds to the planes of `out`, half of them `less` and half `same`, 512 rows at a time.
fn by_tiles(
    out: &mut PlanesMut,
    left: &[u32],
    right: &[u32],
    mut add: impl FnMut(&mut [Line], &mut [Line], &[u32], &[u32]),
) {
    let (width, stride) = (out.width(), out.stride());
    let mut lines = vec![[0; 8]; width];
    for (tile, (left, right)) in left.chunks(TILE_ROWS).zip(right.chunks(TILE_ROWS)).enumerate() {
        lines.fill([0; 8]);
        let (less, same) = lines.split_at_mut(width / 2);
        add(less, same, left, right);
        for (plane, line) in lines.iter().enumerate() {
            let out = &mut out.words_mut()[plane * stride + tile * 8..(plane + 1) * stride];
            out.iter_mut().zip(line).for_each(|(out, line)| *out ^= line);
        }
    }
}
