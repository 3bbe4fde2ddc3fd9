//! Public tables at secret positions, for passive adversaries.

use buf::Buf;
use math::{Column, Planes, X8, X64, Z64};

use crate::bits::SharedBits;
use crate::error::ProtocolError;
use crate::prss::{Roots, Stream, Use};
use crate::session::{Role, Session};
use crate::share::{Parts, Shared};
use crate::step::{Label, Step};

/// Bits of the longest index: a query has a bit for each entry.
const MAX_INDEX: usize = 8;

/// The entry of each public table at each row's secret index.
///
/// - **Shape:** `index` has `n` rows of `w ≤ 8` planes, each of `tables` `2^w` entries; a column of
///   `n` elements for each table.
/// - **Cost:** 3 rounds; `P_0` sends `n·(max(2^w, 64)/8 + 8·t)` bytes for `t` tables, `P_1` and `P_2`
///   `8·n·t` each. Every entry of every table is read for every row: about `2^w·(1 + t)/4` instructions.
/// - **Model:** one passive corruption of three. A cheater changes results unseen.
/// - **Source:** private retrieval from two servers (Chor, Goldreich, Kushilevitz, Sudan, FOCS
///   1995): `P_0`, who knows `u = i_0 ⊕ i_1`, asks `P_1` and `P_2`, who know `v = i_2`, for entry `u`
///   of the table reordered by `v` and less a mask `μ`, by two sets of entries that differ in
///   that one. Both blind their answers alike.
///
/// # Errors
/// `Unsupported` in malicious sessions; `Shape` if a table has another size; `Link`.
///
/// # Panics
/// If the index has more than eight planes.
pub fn lookup(
    s: &mut Session,
    label: impl Into<Label>,
    index: &SharedBits,
    tables: &[&[Z64]],
) -> Result<Vec<Shared<Z64>>, ProtocolError> {
    let (n, width) = (index.n_rows(), index.width());
    assert!(width <= MAX_INDEX, "a table of at most {} entries", 1 << MAX_INDEX);
    s.semi_honest_only()?;
    let step = s.begin(label)?;
    for table in tables {
        if table.len() != 1 << width {
            return Err(ProtocolError::Shape { step, left: 1 << width, right: table.len() });
        }
    }
    let n_words = (1usize << width).div_ceil(64);
    let n_bytes = n * 8 * tables.len();
    let core = s.core.clone();
    let [p0, p1, p2] = core.compute;
    let (seat, roots) = match (&core.role, index.parts()) {
        (Role::Rep3 { index, roots }, _) => (*index, roots),
        (Role::Plain, Parts::One([index])) => {
            let at: Column<X8> = math::pack::elements(index);
            let entry = |table: &[Z64]| at.map(|at| table[usize::from(at.0)]);
            return Ok(tables.iter().map(|t| Shared::from_parts(n, Parts::One([entry(t)]))).collect());
        }
        _ => {
            s.count_messages(&[(p0, p1, n * 8 * n_words), (p2, p0, n_bytes)]);
            s.count_messages(&[(p1, p0, n_bytes)]);
            s.count_messages(&[(p0, p1, n_bytes)]);
            return Ok(vec![Shared::from_parts(n, Parts::Zero); tables.len()]);
        }
    };
    let draw = |what: &'static str, at: usize, key: usize| stream(roots, &step, (what, at), key);
    let query = |key: usize| -> Vec<u64> {
        let mut words = vec![0; n * n_words];
        for (at, words) in words.chunks_exact_mut(n.max(1)).enumerate() {
            draw("query", at, key).fill::<X64>(bytemuck::cast_slice_mut(words));
        }
        words
    };
    let masks = |key: usize| -> Vec<Column<X64>> {
        (0..tables.len()).map(|column| draw("result", column, key).column(n)).collect()
    };
    // Step 3 at both servers: blinded answers, one column after the other.
    let answer = |mut query: Vec<u64>, at: &[u8], masks: &[Column<X64>], key: usize| -> Buf {
        reorder(&mut query, n, at);
        let mut out = Buf::stale(n_bytes);
        for (column, out) in out.as_mut_slice::<X64>().chunks_exact_mut(n.max(1)).enumerate() {
            draw("blind", column, key).fill(out);
        }
        let masks: Vec<&[u64]> = masks.iter().map(|mask| mask.bytes().as_slice()).collect();
        for (word, query) in query.chunks_exact(n.max(1)).enumerate() {
            let first = word * math::kernel::lookup::WORD;
            let last = (1 << width).min(first + math::kernel::lookup::WORD);
            let entries: Vec<&[u64]> =
                tables.iter().map(|table| bytemuck::cast_slice(&table[first..last])).collect();
            math::kernel::lookup::answer(out.as_mut_slice(), &masks, query, &entries);
        }
        out
    };
    let ring = |mask: Column<X64>| Column::<Z64>::new(mask.bytes().as_slice());
    let at_of = |planes: &Planes| -> Column<X8> { math::pack::elements(planes) };
    let index = index.parts().as_slice();
    let pairs: Vec<[Column<Z64>; 2]> = match seat {
        0 => {
            // Step 1: the random set with entry u flipped; P_2 draws the one without.
            let at = at_of(&index[0].zip(&index[1], |a, b| a ^ b));
            let mut words = query(0);
            for (word, query) in words.chunks_exact_mut(n.max(1)).enumerate() {
                math::kernel::lookup::flip_entry(query, at.bytes().as_slice(), word * 64);
            }
            s.send(&step, 0, p1, Buf::copy_of(&words).freeze())?;
            let mut found = s.recv(&step, 1, p2, n_bytes)?;
            let other = s.recv(&step, 1, p1, n_bytes)?;
            math::kernel::xor_into(found.as_mut_slice(), other.bytes());
            // Step 4: entry − μ = y_0 + y_1, and y_1 goes to P_1.
            let mut firsts = Vec::with_capacity(tables.len());
            for (column, found) in found.as_mut_slice::<Z64>().chunks_exact_mut(n.max(1)).enumerate() {
                let y_0: Column<Z64> = draw("first", column, 0).column(n);
                math::kernel::sub_into(found, y_0.items());
                firsts.push(y_0);
            }
            firsts.resize_with(tables.len(), || Column::new(&[]));
            let rest = Column::<Z64>::from(found);
            s.send(&step, 2, p1, rest.bytes().clone())?;
            firsts
                .into_iter()
                .enumerate()
                .map(|(column, y_0)| [y_0, rest.rows(column * n..(column + 1) * n)])
                .collect()
        }
        1 => {
            let at = at_of(&index[1]);
            let asked = s.recv(&step, 0, p0, n * 8 * n_words)?;
            let masks = masks(1);
            let answer = answer(asked.as_slice().to_vec(), at.bytes().as_slice(), &masks, 1);
            s.send(&step, 1, p0, answer.freeze())?;
            let y_1 = Column::<Z64>::from(s.recv(&step, 2, p0, n_bytes)?);
            let y_1 = (0..tables.len()).map(|at| y_1.rows(at * n..(at + 1) * n));
            y_1.zip(masks).map(|(y_1, mask)| [y_1, ring(mask)]).collect()
        }
        _ => {
            let at = at_of(&index[0]);
            let masks = masks(0);
            let answer = answer(query(1), at.bytes().as_slice(), &masks, 0);
            s.send(&step, 1, p0, answer.freeze())?;
            let firsts = (0..tables.len()).map(|at| draw("first", at, 1).column(n));
            masks.into_iter().zip(firsts).map(|(mask, y_0)| [ring(mask), y_0]).collect()
        }
    };
    Ok(pairs.into_iter().map(|pair| Shared::from_parts(n, Parts::Two(pair))).collect())
}

/// A stream of this step under `K_i` (`key` 0) or `K_{i+1}` (`key` 1).
fn stream(roots: &Roots, step: &Step, what: (&'static str, usize), key: usize) -> Stream {
    roots.0[key].stream(&step.child(what.into()), Use::Part)
}

/// Turns queries for the table reordered by `at` into queries for the table.
fn reorder(query: &mut [u64], n: usize, at: &[u8]) {
    for words in query.chunks_exact_mut(n.max(1)) {
        math::kernel::lookup::move_entries(words, at);
    }
    let n_words = query.len() / n.max(1);
    let mut distance = 1;
    while distance < n_words {
        for first in (0..n_words).filter(|word| word & distance == 0) {
            let (low, high) = query.split_at_mut((first + distance) * n);
            let low = &mut low[first * n..][..n];
            math::kernel::lookup::exchange_words(low, &mut high[..n], at, 6 + distance.trailing_zeros());
        }
        distance *= 2;
    }
}
