//! Inner products of bits.

use math::{Planes, PlanesMut};

use crate::bits::SharedBits;
use crate::error::ProtocolError;
use crate::prss::{Stream, Use};
use crate::rep3;
use crate::session::{Role, Security, Session};
use crate::share::Parts;
use crate::step::{Label, Step};

/// Pairs whose ANDs are added up.
type List<'a> = &'a [(&'a SharedBits, &'a SharedBits)];

/// `⊕_i x_i ∧ y_i` over the planes of all pairs of a list: one plane for each list.
///
/// - **Shape:** all sides have `n` rows; the sides of a pair are equally wide.
/// - **Cost:** 1 round; one bit per row, list and compute party, however many pairs and planes. In
///   malicious sessions one for each plane of each pair: what the proof weighs is an AND
///   by itself, or a sum of two ([`crate::and_sums`]).
/// - **Model:** as [`crate::and`].
///
/// # Errors
/// `Shape` if sides do not fit together; `Link`.
pub fn bit_dot(
    s: &mut Session,
    label: impl Into<Label>,
    lists: &[List<'_>],
) -> Result<SharedBits, ProtocolError> {
    let label = label.into();
    if s.security() == Security::Malicious {
        return sums_of_ands(s, label, lists);
    }
    let step = s.begin(label)?;
    let n_rows = n_rows_of(lists);
    fit_together(&step, n_rows, lists)?;
    let width = lists.len();
    let parts = match &s.core.clone().role {
        Role::Rep3 { roots, .. } => {
            let [own, next] = roots.streams(&step, Use::Mask);
            let mut out = PlanesMut::stale(n_rows, width);
            Stream::zero_planes(&own, &next, n_rows, out.words_mut());
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

/// The same by recorded ANDs.
fn sums_of_ands(s: &mut Session, label: Label, lists: &[List<'_>]) -> Result<SharedBits, ProtocolError> {
    let n_rows = n_rows_of(lists);
    fit_together(&s.step().child(label), n_rows, lists)?;
    let pairs: Vec<_> = lists.iter().copied().flatten().copied().collect();
    let mut products = crate::and_many(s, label, &pairs)?.into_iter();
    let nothing = SharedBits::constant(s, n_rows, 1, 0);
    let sums = lists.iter().map(|list| {
        let products = products.by_ref().take(list.len());
        products.fold(nothing.clone(), |sum, product| {
            (0..product.width()).fold(sum, |sum, plane| sum.xor(&product.plane(plane)))
        })
    });
    let sums: Vec<SharedBits> = sums.collect();
    Ok(match &sums[..] {
        [] => nothing.planes(0..0),
        sums => SharedBits::stack(&sums.iter().collect::<Vec<_>>()),
    })
}

fn n_rows_of(lists: &[List<'_>]) -> usize {
    lists.iter().flat_map(|list| list.first()).next().map_or(0, |(x, _)| x.n_rows())
}

fn fit_together(step: &Step, n_rows: usize, lists: &[List<'_>]) -> Result<(), ProtocolError> {
    for (x, y) in lists.iter().copied().flatten() {
        let shapes = [(n_rows, x.n_rows()), (n_rows, y.n_rows()), (x.width(), y.width())];
        if let Some((left, right)) = shapes.into_iter().find(|(left, right)| left != right) {
            return Err(ProtocolError::Shape { step: step.clone(), left, right });
        }
    }
    Ok(())
}
