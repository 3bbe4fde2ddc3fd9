//! What a party compares of a pass, once it knows the keys.

use buf::Bytes;
use math::{Column, Group};

use crate::check::copies::Digest;
use crate::lanes::Lane;
use crate::shuffle::Cast;
use crate::shuffle::rows::{Rows, Seat, shares};
use crate::shuffle::tags::{Layout, Tag, with_tag};

/// Digests of δ at one party, so that parties that compare have equal ones. They do not leave
/// without a key.
pub(super) enum Sides {
    /// `δ(A + B)`, `δ(X1)`, `δ(A' + B')`.
    U { input: Digest, first: Digest, output: Digest },
    /// `−δ(C)` for u and `δ(B + C)` for w, `δ(X2)`, `−δ(C')`.
    V { input: [Digest; 2], middle: Digest, output: Digest },
    /// `−δ(C)` for u and `−δ(A)` for v, `−δ(Y1)`, `−δ(Y2)`, `−δ(C')`.
    W { input: [Digest; 2], first: Digest, middle: Digest, output: Digest },
}

/// Columns of δ in the order of the digests.
type Columns<T> = Vec<Column<T>>;

impl Sides {
    pub(super) fn of(layout: &Layout, keys: &[u8], rows: &Rows, tags: &Rows, out: &[Lane]) -> Self {
        let mut hashers: Vec<blake3::Hasher> = Vec::new();
        for family in &layout.families {
            with_tag!(*family, T => {
                let side = Side { layout, keys: layout.keys::<T>(keys), rows, tags, out };
                let columns = side.columns();
                #[cfg(feature = "lab")]
                let columns = columns.into_iter().enumerate().map(|(at, column)| side.spoiled(at, column));
                hashers.resize_with(columns.len(), || blake3::Hasher::new_derive_key("junto 2026 shuffle rows v1"));
                for (hasher, column) in hashers.iter_mut().zip(columns) {
                    hasher.update(column.bytes().bytes());
                }
            });
        }
        let digests: Vec<Digest> = hashers.iter().map(|hasher| *hasher.finalize().as_bytes()).collect();
        match digests[..] {
            [input, first, output] => Sides::U { input, first, output },
            [to_u, to_w, middle, output] => Sides::V { input: [to_u, to_w], middle, output },
            [to_u, to_v, first, middle, output] => Sides::W { input: [to_u, to_v], first, middle, output },
            _ => unreachable!("a pass has a family, and its columns are as many as one party's digests"),
        }
    }
}

/// One family at one party.
struct Side<'a, T> {
    layout: &'a Layout,
    keys: Vec<T>,
    rows: &'a Rows,
    tags: &'a Rows,
    out: &'a [Lane],
}

impl<T: Tag> Side<'_, T> {
    fn columns(&self) -> Columns<T> {
        let seat: &Seat = &self.rows.seat;
        let Cast { u, v, first, middle, last, .. } = *seat.cast;
        // The share that u lacks, before and after, has the number of the last factor's key.
        let (c, other) = (last, if seat.index == v { first } else { middle });
        if seat.index == u {
            let input = self.of(&[&self.share(first), &self.share(middle)]);
            let x1 = input.gather(seat.factor(first)).zip(&self.of(&[&self.masks(first)]), Group::plus);
            let output = self.of(&[&shares(self.out, 0), &shares(self.out, 1)]);
            return vec![input, x1, output];
        }
        let lacking_u = self.of(&[&self.share(c)]);
        let rest = self.of(&[&self.share(other)]);
        let arrived = self.of(&[&self.arrived()]);
        let output = negated(&self.of(&[&shares(self.out, seat.slot(c))]));
        if seat.index == v {
            let both = rest.zip(&lacking_u, Group::plus);
            return vec![negated(&lacking_u), both, arrived, output];
        }
        let y2 = arrived.gather(seat.factor(middle)).zip(&self.of(&[&self.masks(middle)]), Group::minus);
        vec![negated(&lacking_u), negated(&rest), negated(&arrived), negated(&y2), output]
    }

    /// What a cheater takes a column to be.
    #[cfg(feature = "lab")]
    fn spoiled(&self, number: usize, column: Column<T>) -> Column<T> {
        let seat = &self.rows.seat;
        let Some(cheat) = &seat.core.lab.cheat else { return column };
        let mut changed = buf::Buf::copy_of(column.items());
        cheat.deltas(seat.core.me, seat.step.tag(0), number, changed.bytes_mut());
        changed.into()
    }

    fn of(&self, summands: &[&[Bytes]]) -> Column<T> {
        self.layout.deltas(self.rows.seat.n, &self.keys, summands)
    }

    fn share(&self, key: usize) -> Vec<Bytes> {
        [self.rows.share(key), self.tags.share(key)].concat()
    }

    fn masks(&self, key: usize) -> Vec<Bytes> {
        [self.rows.masks(key), self.tags.masks(key)].concat()
    }

    fn arrived(&self) -> Vec<Bytes> {
        [self.rows.arrived(), self.tags.arrived()].concat()
    }
}

fn negated<T: Tag>(column: &Column<T>) -> Column<T> {
    column.map(Group::negated)
}
