//! Inner products of bits.

use math::{Planes, PlanesMut};

use crate::bits::SharedBits;
use crate::error::ProtocolError;
use crate::prss::{Stream, Use};
use crate::rep3;
use crate::session::{Role, Security, Session};
use crate::share::Parts;
use crate::step::Label;

/// `⊕_i x_i ∧ y_i` over the planes of all pairs of a list: one plane for each list.
///
/// - **Shape:** all sides have `n` rows; the sides of a pair are equally wide.
/// - **Cost:** 1 round; one bit per row, list and compute party, however many pairs and planes. In
///   malicious sessions one for each plane of each pair: what is proved is single ANDs.
/// - **Model:** as [`crate::and`].
///
/// # Errors
/// `Shape` if sides do not fit together; `Link`.
pub fn bit_dot(
    s: &mut Session,
    label: impl Into<Label>,
    lists: &[&[(&SharedBits, &SharedBits)]],
) -> Result<SharedBits, ProtocolError> {
    let label = label.into();
    let step = s.step.child(label);
    let n_rows = lists.iter().flat_map(|list| list.first()).next().map_or(0, |(x, _)| x.n_rows());
    for (x, y) in lists.iter().copied().flatten() {
        let shapes = [(n_rows, x.n_rows()), (n_rows, y.n_rows()), (x.width(), y.width())];
        if let Some((left, right)) = shapes.into_iter().find(|(left, right)| left != right) {
            return Err(ProtocolError::Shape { step, left, right });
        }
    }
    if s.security() == Security::Malicious {
        return by_ands(s, label, n_rows, lists);
    }
    s.claim(&step)?;
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

/// The same from one AND for each plane of each pair.
fn by_ands(
    s: &mut Session,
    label: Label,
    n_rows: usize,
    lists: &[&[(&SharedBits, &SharedBits)]],
) -> Result<SharedBits, ProtocolError> {
    let pairs: Vec<_> = lists.concat();
    let mut products = crate::and_many(s, label, &pairs)?.into_iter();
    let zero = SharedBits::constant(s, n_rows, 1, 0);
    let sum = |list: &&[_]| {
        let planes = products.by_ref().take(list.len());
        let planes = planes.flat_map(|product| (0..product.width()).map(move |at| product.plane(at)));
        planes.fold(zero.clone(), |sum, plane| sum.xor(&plane))
    };
    let sums: Vec<SharedBits> = lists.iter().map(sum).collect();
    match sums.is_empty() {
        true => Ok(SharedBits::constant(s, n_rows, 0, 0)),
        false => Ok(SharedBits::stack(&sums.iter().collect::<Vec<_>>())),
    }
}
