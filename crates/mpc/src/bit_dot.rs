//! Inner products of bits.

use math::{Planes, PlanesMut};

use crate::bits::SharedBits;
use crate::error::ProtocolError;
use crate::prss::{Stream, Use};
use crate::rep3;
use crate::session::{Role, Session};
use crate::share::Parts;
use crate::step::Label;

/// `⊕_i x_i ∧ y_i` over the planes of all pairs of a list: one plane for each list.
///
/// - **Shape:** all sides have `n` rows; the sides of a pair are equally wide.
/// - **Cost:** 1 round; one bit per row, list and compute party, however many pairs and planes.
/// - **Model:** as [`crate::and`].
///
/// # Errors
/// `Unsupported` in malicious sessions, whose records do not know its form; `Shape` if sides do not
/// fit together; `Link`.
pub fn bit_dot(
    s: &mut Session,
    label: impl Into<Label>,
    lists: &[&[(&SharedBits, &SharedBits)]],
) -> Result<SharedBits, ProtocolError> {
    s.semi_honest_only()?;
    let step = s.begin(label)?;
    let n_rows = lists.iter().flat_map(|list| list.first()).next().map_or(0, |(x, _)| x.n_rows());
    for (x, y) in lists.iter().copied().flatten() {
        let shapes = [(n_rows, x.n_rows()), (n_rows, y.n_rows()), (x.width(), y.width())];
        if let Some((left, right)) = shapes.into_iter().find(|(left, right)| left != right) {
            return Err(ProtocolError::Shape { step, left, right });
        }
    }
    let width = lists.len();
    let parts = match &s.core.clone().role {
        Role::Rep3 { roots, .. } => {
            let [own, next] = roots.streams(&step, Use::Mask);
            let mut out = PlanesMut::stale(n_rows, width);
            Stream::zero_planes(&own, &next, &mut out);
            let pairs =
                lists.iter().enumerate().flat_map(|(at, list)| list.iter().map(move |pair| (at, pair)));
            for (at, (x, y)) in pairs {
                let (x_parts, y_parts) = (x.parts().as_slice(), y.parts().as_slice());
                for plane in 0..x.width() {
                    let x = [x_parts[0].plane(plane), x_parts[1].plane(plane)];
                    let y = [y_parts[0].plane(plane), y_parts[1].plane(plane)];
                    math::kernel::and_terms(out.plane_mut(at), x, y);
                }
            }
            let z = out.freeze();
            let z_next = rep3::pass_left(s, &step, z.dense_bytes())?;
            Parts::Two([z, Planes::from_buf(z_next, n_rows, width)])
        }
        Role::Plain => {
            let sum = |at: usize, out: &mut [u64]| {
                out.fill(0);
                for (x, y) in lists[at] {
                    let (x, y) = (&x.parts().as_slice()[0], &y.parts().as_slice()[0]);
                    for plane in 0..x.width() {
                        for (out, (x, y)) in out.iter_mut().zip(x.plane(plane).iter().zip(y.plane(plane))) {
                            *out ^= x & y;
                        }
                    }
                }
            };
            Parts::One([Planes::build(n_rows, width, sum)])
        }
        Role::Observer => Parts::Zero,
        Role::Count(_) => {
            s.count_left(width * math::planes::words_per_plane(n_rows) * 8);
            Parts::Zero
        }
    };
    Ok(SharedBits::from_parts(n_rows, width, parts))
}
