//! The interactive steps, whatever the protocol: shapes are checked and names
//! taken here, then the session's protocol does the work.

use math::{Column, Group, Planes, Ring};

use crate::bits::SharedBits;
use crate::check::{Form, ProductStep};
use crate::error::ProtocolError;
use crate::prss::{Stream, Use};
use crate::rep3;
use crate::session::{Role, Session};
use crate::share::{Parts, Shared, Verified};
use crate::step::{Label, Step};
use crate::timeline::Work;

pub(crate) fn same_shape(step: &Step, left: usize, right: usize) -> Result<(), ProtocolError> {
    if left == right { Ok(()) } else { Err(ProtocolError::Shape { step: step.clone(), left, right }) }
}

/// One product step: `n` elements, for which `masked` writes this party's masked cross terms,
/// or `plain` gives the values themselves. `form` says what was multiplied, for its proof.
fn product<R: Ring>(
    s: &mut Session,
    step: &Step,
    n: usize,
    masked: impl FnOnce(&mut [R], &Stream, &Stream),
    plain: impl FnOnce() -> Column<R>,
    form: impl FnOnce() -> Form<R>,
) -> Result<Shared<R>, ProtocolError> {
    let parts = match &s.core.clone().role {
        Role::Rep3 { roots, .. } => {
            let z = rep3::masked(roots, step, n, masked);
            #[cfg(feature = "lab")]
            let z = s.product_of(step, 0, z.bytes()).map_or(z, Column::from);
            let z_next = rep3::pass_left(s, step, z.bytes().clone())?;
            Parts::Two([z, z_next.into()])
        }
        Role::Plain => Parts::One([plain()]),
        Role::Observer => Parts::Zero,
        Role::Count(_) => {
            s.count_left(n * R::BYTES);
            Parts::Zero
        }
    };
    let z = Shared::from_parts(n, parts);
    if s.records() {
        s.record_products(ProductStep { step: step.clone(), form: form(), z: z.clone() })?;
    }
    Ok(z)
}

/// Multiplies two shared columns, element by element.
///
/// - **Shape:** `x` and `y` hold `n` elements of `R`; so does the result.
/// - **Cost:** 1 round, `n·R::BYTES` bytes sent per compute party.
/// - **Model:** one passive corruption of three.
/// - **Source:** Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016; in this form
///   Mohassel and Rindal, ABY3, ePrint 2018/403.
///
/// # Errors
/// `Shape` if the lengths differ; `Link` if a neighbour fails.
pub fn mul<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    y: &Shared<R>,
) -> Result<Shared<R>, ProtocolError> {
    dot(s, label, &[(x, y)])
}

/// Multiplies several pairs of columns in one flight.
///
/// - **Cost:** 1 round, the bytes of all results.
///
/// # Errors
/// As [`mul`].
pub fn mul_many<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    pairs: &[(&Shared<R>, &Shared<R>)],
) -> Result<Vec<Shared<R>>, ProtocolError> {
    let step = s.begin(label)?;
    let mut ends = Vec::with_capacity(pairs.len());
    for (x, y) in pairs {
        same_shape(&step, x.len(), y.len())?;
        ends.push(ends.last().unwrap_or(&0) + x.len());
    }
    let each = |mut out: &mut [R], f: fn(&mut [R], &Shared<R>, &Shared<R>)| {
        for (x, y) in pairs {
            let (head, tail) = out.split_at_mut(x.len());
            f(head, x, y);
            out = tail;
        }
    };
    let n = ends.last().copied().unwrap_or(0);
    let masked = |out: &mut [R], own: &Stream, next: &Stream| {
        Stream::zero_share(own, next, out);
        each(out, |out, x, y| math::kernel::mul_terms(out, rep3::two(x), rep3::two(y)));
    };
    let plain = || {
        Column::build(n, |out| {
            out.fill(R::ZERO);
            each(out, plain_mul);
        })
    };
    let form = || Form::Rows(pairs.iter().map(|(x, y)| vec![((*x).clone(), (*y).clone())]).collect());
    let all = product(s, &step, n, masked, plain, form)?;
    Ok(pairs.iter().zip(&ends).map(|((x, _), end)| all.rows(end - x.len()..*end)).collect())
}

/// Adds up the element-wise products of several pairs of columns: `Σ_t x_t·y_t`.
///
/// - **Shape:** all columns hold `n` elements; so does the result.
/// - **Cost:** 1 round, `n·R::BYTES` bytes per compute party, however many pairs.
///
/// # Errors
/// As [`mul`].
pub fn dot<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    pairs: &[(&Shared<R>, &Shared<R>)],
) -> Result<Shared<R>, ProtocolError> {
    let step = s.begin(label)?;
    let n = pairs.first().map_or(0, |(x, _)| x.len());
    for (x, y) in pairs {
        same_shape(&step, n, x.len())?;
        same_shape(&step, n, y.len())?;
    }
    let masked = |out: &mut [R], own: &Stream, next: &Stream| match pairs {
        [(x, y)] => Stream::mul_masked(own, next, out, rep3::two(x), rep3::two(y)),
        _ => {
            Stream::zero_share(own, next, out);
            pairs.iter().for_each(|(x, y)| math::kernel::mul_terms(out, rep3::two(x), rep3::two(y)));
        }
    };
    let plain = || {
        Column::build(n, |out| {
            out.fill(R::ZERO);
            pairs.iter().for_each(|(x, y)| plain_mul(out, x, y));
        })
    };
    let form = || Form::Rows(vec![pairs.iter().map(|(x, y)| ((*x).clone(), (*y).clone())).collect()]);
    product(s, &step, n, masked, plain, form)
}

/// Adds the products of plaintext columns to `out`.
fn plain_mul<R: Ring>(out: &mut [R], x: &Shared<R>, y: &Shared<R>) {
    let (x, y) = (x.parts().as_slice()[0].items(), y.parts().as_slice()[0].items());
    for (out, (x, y)) in out.iter_mut().zip(x.iter().zip(y)) {
        *out = out.plus(x.times(*y));
    }
}

/// The inner product of two columns: one element.
///
/// - **Cost:** 1 round, `R::BYTES` bytes per compute party, however long the columns.
///
/// # Errors
/// As [`mul`].
pub fn inner_product<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    y: &Shared<R>,
) -> Result<Shared<R>, ProtocolError> {
    let step = s.begin(label)?;
    same_shape(&step, x.len(), y.len())?;
    // The terms of each chunk are added up side by side; only their sum is masked and sent.
    let sums: Vec<R> = s.chunks("terms", x.len(), |s, rows| {
        s.count_work(Work::Sums(rows.len()));
        let (x, y) = (x.rows(rows.clone()), y.rows(rows));
        Ok(match &s.core.role {
            Role::Rep3 { .. } => math::kernel::dot_terms(rep3::two(&x), rep3::two(&y)),
            Role::Plain => {
                math::kernel::dot(x.parts().as_slice()[0].items(), y.parts().as_slice()[0].items())
            }
            Role::Observer | Role::Count(_) => R::ZERO,
        })
    })?;
    let sum = math::kernel::sum(&sums);
    let masked = |out: &mut [R], own: &Stream, next: &Stream| {
        Stream::zero_share(own, next, out);
        out[0] = out[0].plus(sum);
    };
    product(s, &step, 1, masked, || Column::new(&[sum]), || Form::Inner(x.clone(), y.clone()))
}

/// Multiplies two shared matrices, row by row in memory.
///
/// - **Shape:** `x` is `rows × inner`, `y` is `inner × columns`, for `shape =
///   [rows, inner, columns]`; the result is `rows × columns`.
/// - **Cost:** 1 round, `rows·columns·R::BYTES` bytes per compute party.
///
/// # Errors
/// As [`mul`].
pub fn matmul<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    y: &Shared<R>,
    shape: [usize; 3],
) -> Result<Shared<R>, ProtocolError> {
    let [rows, inner, columns] = shape;
    let step = s.begin(label)?;
    same_shape(&step, rows * inner, x.len())?;
    same_shape(&step, inner * columns, y.len())?;
    let n = rows * columns;
    let terms = local_matmul(s, x, y, shape);
    s.count_work(Work::Matrix(rows * inner * columns));
    let masked = |out: &mut [R], own: &Stream, next: &Stream| {
        Stream::zero_share(own, next, out);
        math::kernel::add_into(out, terms.items());
    };
    let form = || Form::Matrix { x: x.clone(), y: y.clone(), shape };
    product(s, &step, n, masked, || terms.clone(), form)
}

/// Rows of a piece of a matrix product: enough for packing to cost little.
const PIECE_ROWS: usize = 64;

/// This party's cross terms of a matrix product, or the product itself in plaintext; nothing
/// where there are no values. Pieces of rows are multiplied on all cores.
fn local_matmul<R: Ring>(s: &Session, x: &Shared<R>, y: &Shared<R>, shape: [usize; 3]) -> Column<R> {
    let [rows, inner, columns] = shape;
    let factors: Vec<(&Column<R>, Column<R>)> = match (x.parts().as_slice(), y.parts().as_slice()) {
        ([x], [y]) => vec![(x, y.clone())],
        ([x_own, x_next], [y_own, y_next]) => {
            vec![(x_own, y_own.zip(y_next, R::plus)), (x_next, y_own.clone())]
        }
        _ => return Column::new(&[]),
    };
    let n_pieces = (rows / PIECE_ROWS).clamp(1, s.params().threads);
    let pieces = s.pieces(n_pieces, |at| {
        let rows = at * rows / n_pieces..(at + 1) * rows / n_pieces;
        Column::build(rows.len() * columns, |out| {
            out.fill(R::ZERO);
            for (x, y) in &factors {
                let x = &x.items()[rows.start * inner..rows.end * inner];
                math::kernel::matmul_into(out, x, y.items(), [rows.len(), inner, columns]);
            }
        })
    });
    Column::concat(&pieces.iter().collect::<Vec<_>>())
}

/// A fresh random column that nobody knows. Costs nothing.
///
/// # Errors
/// `StepReused`.
pub fn random<G: Group>(
    s: &mut Session,
    label: impl Into<Label>,
    n: usize,
) -> Result<Shared<G>, ProtocolError> {
    let step = s.begin(label)?;
    let parts = match &s.core.role {
        Role::Rep3 { roots, .. } => {
            Parts::Two(roots.streams(&step, Use::Share).map(|stream| stream.column(n)))
        }
        Role::Plain => {
            let masks = s.test_masks(n);
            Parts::One([Column::from_fn(n, |row| G::from_word(masks[0][row]))])
        }
        Role::Observer | Role::Count(_) => Parts::Zero,
    };
    Ok(Shared::from_parts(n, parts))
}

/// Fresh random bits that nobody knows. Costs nothing.
///
/// # Errors
/// `StepReused`.
pub fn random_bits(
    s: &mut Session,
    label: impl Into<Label>,
    n_rows: usize,
    width: usize,
) -> Result<SharedBits, ProtocolError> {
    let step = s.begin(label)?;
    let parts = match &s.core.role {
        Role::Rep3 { roots, .. } => {
            Parts::Two(roots.streams(&step, Use::Share).map(|stream| stream.planes(n_rows, width)))
        }
        Role::Plain => {
            let masks = s.test_masks(width);
            Parts::One([Planes::build(n_rows, width, |plane, out| {
                out.iter_mut()
                    .enumerate()
                    .for_each(|(at, out)| *out = (masks[0][plane] as u64).rotate_left(at as u32));
            })])
        }
        Role::Observer | Role::Count(_) => Parts::Zero,
    };
    Ok(SharedBits::from_parts(n_rows, width, parts))
}

/// Masks with which a boolean number becomes arithmetic: see [`word_masks`].
pub struct WordMasks<R> {
    /// The masks as boolean numbers of the ring's width.
    pub bits: [SharedBits; 2],
    arithmetic: [Shared<R>; 2],
    step: Step,
}

/// Draws two summands `z_1`, `z_2` of `n` future arithmetic values, each known to two
/// parties, as boolean numbers. The caller computes `x − z_1 − z_2` on bits and hands it to
/// [`word_finish`].
///
/// - **Cost:** none.
///
/// # Errors
/// `StepReused`; `OpenInChunk`, since finishing opens.
pub fn word_masks<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    n: usize,
) -> Result<WordMasks<R>, ProtocolError> {
    let step = s.begin_open(label)?;
    let width = R::BITS as usize;
    let arithmetic: [Shared<R>; 2] = match &s.core.role {
        Role::Rep3 { index, roots } => {
            // P_1 draws both, the others the one whose key they hold.
            let draw = |slot: usize, key: usize, root: usize| {
                if slot == key {
                    roots.0[root].stream(&step, Use::Share).column(n)
                } else {
                    Column::filled(n, R::ZERO)
                }
            };
            [1, 2].map(|slot| {
                let parts = [draw(slot, *index, 0), draw(slot, (index + 1) % 3, 1)];
                Shared::from_parts(n, Parts::Two(parts))
            })
        }
        Role::Plain => {
            let masks = s.test_masks(n);
            [0, 1].map(|at| {
                let mask = Column::from_fn(n, |row| R::from_word(masks[at][row]));
                Shared::from_parts(n, Parts::One([mask]))
            })
        }
        Role::Observer | Role::Count(_) => [(); 2].map(|()| Shared::from_parts(n, Parts::Zero)),
    };
    // Slot by slot the bits of an element are a XOR sharing of it, since only one slot is filled.
    let bits = arithmetic.each_ref().map(|mask| {
        let parts = mask.parts().map(|_, part| crate::bits::planes_of(part, width));
        SharedBits::from_parts(n, width, parts)
    });
    Ok(WordMasks { bits, arithmetic, step })
}

/// Turns `x − z_1 − z_2`, as a boolean number, into an arithmetic sharing of `x`, by showing
/// it to the two parties that hold share 0; the masks are shares 1 and 2.
///
/// - **Cost:** 1 round; `w` bits per row from two of the parties. In malicious sessions the third
///   sends both a digest of 32 bytes.
/// - **Model:** what is shown is uniform to each of the two, who lacks one mask. Under one active
///   corruption both put the right value in place, as in [`crate::open`].
///
/// # Errors
/// `Shape` if the difference has another shape than the masks; as [`crate::open`] otherwise.
pub fn word_finish<R: Ring>(
    s: &mut Session,
    masks: WordMasks<R>,
    difference: Verified<SharedBits>,
) -> Result<Shared<R>, ProtocolError> {
    let WordMasks { bits, arithmetic, step } = masks;
    let difference = difference.0;
    same_shape(&step, bits[0].n_rows(), difference.n_rows())?;
    same_shape(&step, bits[0].width(), difference.width())?;
    let n = difference.n_rows();
    let first = rep3::reveal_to_slot_0(s, &step, &difference)?;
    let first = first.map(|_, planes| math::pack::elements::<R>(planes));
    Ok(Shared::from_parts(n, first).add(&arithmetic[0]).add(&arithmetic[1]))
}
