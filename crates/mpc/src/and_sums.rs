//! ANDs and sums of two ANDs.

use math::{Planes, PlanesMut};

use crate::bits::SharedBits;
use crate::check::AndStep;
use crate::error::ProtocolError;
use crate::prss::{Stream, Use};
use crate::rep3;
use crate::session::{Role, Session};
use crate::share::Parts;
use crate::step::Label;

/// Two columns of one shape, whose planes meet one by one.
type Pair<'a> = (&'a SharedBits, &'a SharedBits);

/// `x ∧ y` of each pair of `single`, and `x ∧ y ⊕ x' ∧ y'` of each two pairs of `sums`, in one flight.
///
/// - **Shape:** all have `n` rows; those that meet are equally wide.
/// - **Cost:** 1 round; one bit per bit of result and compute party. In a malicious session the
///   proof costs a sum what it costs two ANDs.
/// - **Model:** as [`crate::and`].
///
/// # Errors
/// `Shape` if sides do not fit together; `Link`.
pub fn and_sums(
    s: &mut Session,
    label: impl Into<Label>,
    single: &[Pair<'_>],
    sums: &[[Pair<'_>; 2]],
) -> Result<Vec<SharedBits>, ProtocolError> {
    let step = s.begin(label)?;
    let first: Vec<Pair<'_>> = single.iter().copied().chain(sums.iter().map(|terms| terms[0])).collect();
    let second: Vec<Pair<'_>> = sums.iter().map(|terms| terms[1]).collect();
    let n_rows = first.first().map_or(0, |(x, _)| x.n_rows());
    let widths: Vec<usize> = first.iter().map(|(x, _)| x.width()).collect();
    let of_second = &widths[single.len()..];
    for ((x, y), width) in first.iter().chain(&second).zip(widths.iter().chain(of_second)) {
        let sizes = [(n_rows, x.n_rows()), (n_rows, y.n_rows()), (*width, x.width()), (*width, y.width())];
        if let Some((left, right)) = sizes.into_iter().find(|(left, right)| left != right) {
            return Err(ProtocolError::Shape { step, left, right });
        }
    }
    let width = widths.iter().sum();
    let starts: Vec<usize> = (0..=widths.len()).map(|at| widths[..at].iter().sum()).collect();
    let places = || first.iter().zip(&starts).chain(second.iter().zip(&starts[single.len()..]));
    let parts = match &s.core.clone().role {
        Role::Rep3 { roots, .. } => {
            let [own, next] = roots.streams(&step, Use::Mask);
            let mut out = PlanesMut::stale(n_rows, width);
            Stream::zero_planes(&own, &next, n_rows, out.words_mut());
            for ((x, y), start) in places() {
                let (x_parts, y_parts) = (x.parts().as_slice(), y.parts().as_slice());
                for plane in 0..x.width() {
                    let x = [x_parts[0].plane(plane), x_parts[1].plane(plane)];
                    let y = [y_parts[0].plane(plane), y_parts[1].plane(plane)];
                    math::kernel::and_terms(out.plane_mut(start + plane), x, y);
                }
            }
            let z = out.freeze();
            #[cfg(feature = "lab")]
            let z =
                s.product_of(&step, 0, &z.dense_bytes()).map_or(z, |z| Planes::from_buf(z, n_rows, width));
            let z_next = rep3::pass_left(s, &step, z.dense_bytes())?;
            Parts::Two([z, Planes::from_buf(z_next, n_rows, width)])
        }
        Role::Plain => {
            let mut out = PlanesMut::zeroed(n_rows, width);
            for ((x, y), start) in places() {
                let (x, y) = (&x.parts().as_slice()[0], &y.parts().as_slice()[0]);
                for plane in 0..x.width() {
                    math::kernel::add_and(out.plane_mut(start + plane), x.plane(plane), y.plane(plane));
                }
            }
            Parts::One([out.freeze()])
        }
        Role::Observer => Parts::Zero,
        Role::Count(_) => {
            s.count_left(width * math::planes::words_per_plane(n_rows) * 8);
            Parts::Zero
        }
    };
    let z = SharedBits::from_parts(n_rows, width, parts);
    if s.records() {
        let owned = |pairs: &[Pair<'_>]| pairs.iter().map(|(x, y)| ((*x).clone(), (*y).clone())).collect();
        let (pairs, second) = (owned(&first), owned(&second));
        s.record_ands(AndStep {
            step,
            pairs,
            second,
            twins: Vec::new(),
            z: z.clone(),
            provers: [true; 3],
            is_apart: false,
        })?;
    }
    Ok(starts.windows(2).map(|ends| z.planes(ends[0]..ends[1])).collect())
}
