//! Shared relations: typed secret columns, a secret `valid` bit per row, and a
//! public number of rows.

use mpc::SharedBits;
use oblivious::{Cells, Table};
use plan::secure::{Field, Needs};
use plan::types::{Range, Type};

use crate::context::{Context, Result};
use crate::kernel;
use crate::number::{Number, Ring};

/// Digits after the binary point of a mean of integers: what a double between
/// 1 and 2 has.
pub(crate) const FLOAT_BITS: u32 = 52;

/// Text, in the forms that operators above need.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// At most so many bytes.
    pub(crate) width_bytes: usize,
    /// What equals exactly where the text does.
    pub(crate) key: Option<SharedBits>,
    /// The bytes as one unsigned number, the first byte highest, padded with
    /// zeros at the end: it orders as the text does.
    pub(crate) bytes: Option<SharedBits>,
}

/// What a column holds.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// Nothing: no operator above needs it.
    Dropped,
    /// Everything that is an integer: numbers, decimals, dates, truths, and
    /// means of integers with [`FLOAT_BITS`] digits after the binary point.
    Number(Number),
    /// Text.
    Text(Text),
    /// The 64 bits of a double that only passes through.
    Opaque(SharedBits),
}

/// A secret column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) ty: Type,
    pub(crate) data: Data,
    /// One plane: where a value is. `None` for a column without NULL.
    pub(crate) present: Option<SharedBits>,
    /// Whether every NULL has the value zero beside it.
    pub(crate) zeroed: bool,
}

/// A secret relation.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) columns: Vec<Column>,
    /// One plane: which rows exist.
    pub(crate) valid: SharedBits,
    /// Whether the rows that exist come before those that do not.
    pub(crate) compact: bool,
}

/// Between which numbers a column of this type and range lies on shares.
pub(crate) fn stored_range(cx: &Context, ty: Type, range: Option<Range>) -> Result<Range> {
    match (ty, range) {
        (Type::Float64, Some(range)) => {
            let bits = range.width_bits() + FLOAT_BITS;
            if bits > 127 {
                return Err(cx.too_wide(bits));
            }
            Ok(Range { low: range.low << FLOAT_BITS, high: range.high << FLOAT_BITS })
        }
        (_, Some(range)) => Ok(range),
        (_, None) => ty.range().ok_or_else(|| cx.wrong_plan(format!("a {ty} is no number"))),
    }
}

impl Column {
    /// A column of numbers that has no NULL.
    pub(crate) fn number(ty: Type, number: Number) -> Column {
        Column { ty, data: Data::Number(number), present: None, zeroed: true }
    }

    /// A column of truths: one plane, zero beside a NULL.
    pub(crate) fn truth(bits: SharedBits, present: Option<SharedBits>) -> Column {
        let number = Number::from_bits(Range::new(0, 1), bits);
        Column { ty: Type::Bool, data: Data::Number(number), present, zeroed: true }
    }

    /// A column of the same forms in which there is nothing but zeros.
    pub(crate) fn none(&self, cx: &Context, n_rows: usize) -> Column {
        let zero = |bits: &SharedBits| SharedBits::constant(cx.session(), n_rows, bits.width(), 0);
        let parts = Parts::of(std::slice::from_ref(self));
        let parts = parts.map(zero, |ring| Ring::constant(cx, n_rows, ring.kind(), 0));
        parts.into_columns(std::slice::from_ref(self), n_rows).remove(0)
    }

    /// Its number.
    pub(crate) fn as_number(&self, cx: &Context) -> Result<&Number> {
        match &self.data {
            Data::Number(number) => Ok(number),
            _ => Err(cx.wrong_plan(format!("a {} column is used as a number", self.ty))),
        }
    }

    /// Its text.
    pub(crate) fn as_text(&self, cx: &Context) -> Result<&Text> {
        match &self.data {
            Data::Text(text) => Ok(text),
            _ => Err(cx.wrong_plan(format!("a {} column is used as text", self.ty))),
        }
    }

    /// Where a value is, as a plane.
    pub(crate) fn present(&self, cx: &Context, n_rows: usize) -> SharedBits {
        match &self.present {
            Some(present) => present.clone(),
            None => SharedBits::constant(cx.session(), n_rows, 1, 1),
        }
    }

    /// The same column with zero beside every NULL.
    pub(crate) fn zeroed(&self, cx: &mut Context) -> Result<Column> {
        match &self.present {
            Some(present) if !self.zeroed => {
                let present = present.clone();
                let mut column = self.masked_by(cx, &present)?;
                column.zeroed = true;
                Ok(column)
            }
            _ => Ok(self.clone()),
        }
    }

    /// The same column with value zero where `keep` is not set.
    pub(crate) fn masked_by(&self, cx: &mut Context, keep: &SharedBits) -> Result<Column> {
        let data = match &self.data {
            Data::Dropped => Data::Dropped,
            Data::Number(number) => {
                let low = number.range().low.min(0);
                let range = Range { low, high: number.range().high.max(0) };
                let number = number.with_range(cx, range);
                match number.known_ring() {
                    Some(ring) if !number.has_bits() => {
                        Data::Number(Number::from_ring(range, kernel::inject(cx, keep, &ring)?))
                    }
                    _ => {
                        let bits = number.bits(cx)?;
                        Data::Number(Number::from_bits(range, kernel::and(cx, keep, &bits)?))
                    }
                }
            }
            Data::Text(text) => {
                let mut masked = text.clone();
                let forms: Vec<&SharedBits> = [&text.key, &text.bytes].into_iter().flatten().collect();
                let mut out = kernel::and_each(cx, keep, &forms)?.into_iter();
                masked.key = text.key.as_ref().and_then(|_| out.next());
                masked.bytes = text.bytes.as_ref().and_then(|_| out.next());
                Data::Text(masked)
            }
            Data::Opaque(bits) => Data::Opaque(kernel::and(cx, keep, bits)?),
        };
        Ok(Column { data, ..self.clone() })
    }

    /// Adds what moves with the rows, every form that exists.
    fn take_parts(&self, parts: &mut Parts) {
        parts.bits.extend(self.present.clone());
        match &self.data {
            Data::Dropped => {}
            Data::Number(number) => {
                let (bits, rings) = number.forms();
                parts.bits.extend(bits);
                parts.rings.extend(rings);
            }
            Data::Text(text) => {
                parts.bits.extend(text.key.clone());
                parts.bits.extend(text.bytes.clone());
            }
            Data::Opaque(bits) => parts.bits.push(bits.clone()),
        }
    }

    /// The column with other rows, taken in the order of [`Column::take_parts`].
    fn rebuilt(&self, n_rows: usize, parts: &mut Moved) -> Column {
        let present = self.present.as_ref().map(|_| parts.bits());
        let data = match &self.data {
            Data::Dropped => Data::Dropped,
            Data::Number(number) => {
                let (bits, rings) = number.forms();
                let bits = bits.map(|_| parts.bits());
                let rings = rings.iter().map(|_| parts.ring()).collect();
                Data::Number(Number::from_forms(n_rows, number.range(), bits, rings))
            }
            Data::Text(text) => Data::Text(Text {
                width_bytes: text.width_bytes,
                key: text.key.as_ref().map(|_| parts.bits()),
                bytes: text.bytes.as_ref().map(|_| parts.bits()),
            }),
            Data::Opaque(_) => Data::Opaque(parts.bits()),
        };
        Column { ty: self.ty, data, present, zeroed: self.zeroed }
    }

    /// Without the forms that nobody needs.
    fn pruned(&self, needs: Needs) -> Column {
        let data = match &self.data {
            _ if !needs.any() => Data::Dropped,
            Data::Number(number) => {
                let bits = needs.equality || needs.order || needs.output;
                Data::Number(number.keeping(bits, needs.arithmetic))
            }
            Data::Text(text) => Data::Text(Text {
                width_bytes: text.width_bytes,
                key: text.key.clone().filter(|_| needs.equality),
                bytes: text.bytes.clone().filter(|_| needs.order || needs.output || text.key.is_none()),
            }),
            other => other.clone(),
        };
        let present = self.present.clone().filter(|_| needs.any());
        Column { ty: self.ty, data, present, zeroed: self.zeroed }
    }
}

/// The shares behind some columns, for whatever moves rows.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) bits: Vec<SharedBits>,
    pub(crate) rings: Vec<Ring>,
}

/// The same shares after a move, in the same order.
pub(crate) struct Moved {
    bits: std::vec::IntoIter<SharedBits>,
    rings: std::vec::IntoIter<Ring>,
}

impl Moved {
    fn bits(&mut self) -> SharedBits {
        self.bits.next().expect("as many planes as were taken")
    }

    fn ring(&mut self) -> Ring {
        self.rings.next().expect("as many columns as were taken")
    }
}

impl Parts {
    /// The shares behind these columns.
    pub(crate) fn of(columns: &[Column]) -> Parts {
        let mut parts = Parts::default();
        columns.iter().for_each(|column| column.take_parts(&mut parts));
        parts
    }

    /// The same shares as cells, planes first.
    pub(crate) fn cells(&self) -> Vec<Cells> {
        let bits = self.bits.iter().cloned().map(Cells::from);
        let rings = self.rings.iter().map(|ring| match ring {
            Ring::Z64(x) => Cells::from(x.clone()),
            Ring::Z128(x) => Cells::from(x.clone()),
        });
        bits.chain(rings).collect()
    }

    /// The parts behind cells that came from [`Parts::cells`].
    pub(crate) fn from_cells(cx: &Context, cells: Vec<Cells>) -> Result<Parts> {
        let mut parts = Parts::default();
        for cells in cells {
            match cells {
                Cells::Bits(bits) => parts.bits.push(bits),
                Cells::Ring64(x) => parts.rings.push(Ring::Z64(x)),
                Cells::Ring128(x) => parts.rings.push(Ring::Z128(x)),
                _ => return Err(cx.wrong_plan("a column of an unknown ring")),
            }
        }
        Ok(parts)
    }

    /// `f` of every part.
    pub(crate) fn map(
        &self,
        bits: impl Fn(&SharedBits) -> SharedBits,
        ring: impl Fn(&Ring) -> Ring,
    ) -> Parts {
        Parts { bits: self.bits.iter().map(bits).collect(), rings: self.rings.iter().map(ring).collect() }
    }

    /// The columns that these parts were taken from, with these rows.
    pub(crate) fn into_columns(self, like: &[Column], n_rows: usize) -> Vec<Column> {
        let mut moved = Moved { bits: self.bits.into_iter(), rings: self.rings.into_iter() };
        like.iter().map(|column| column.rebuilt(n_rows, &mut moved)).collect()
    }
}

/// Columns as a table whose rows can be moved.
pub(crate) fn to_table(cx: &mut Context, columns: &[Column], n_rows: usize) -> Result<Table> {
    let cells = Parts::of(columns).cells();
    cx.step("table", |s| Table::try_new(s, n_rows, cells))
}

/// The columns of a table made by [`to_table`], in whatever rows it has now.
pub(crate) fn from_table(cx: &Context, table: Table, like: &[Column]) -> Result<Vec<Column>> {
    let n_rows = table.n_rows();
    Ok(Parts::from_cells(cx, table.into_columns())?.into_columns(like, n_rows))
}

impl Relation {
    pub(crate) fn n_rows(&self) -> usize {
        self.valid.n_rows()
    }

    /// The column at an index of the plan.
    pub(crate) fn column(&self, cx: &Context, index: usize) -> Result<&Column> {
        self.columns.get(index).ok_or_else(|| cx.wrong_plan(format!("there is no column {index}")))
    }

    /// Drops what no operator above needs.
    pub(crate) fn pruned(mut self, schema: &[Field]) -> Relation {
        for (column, field) in self.columns.iter_mut().zip(schema) {
            *column = column.pruned(field.needs);
        }
        self
    }

    /// Some of its first rows.
    pub(crate) fn rows(&self, rows: std::ops::Range<usize>) -> Relation {
        let parts =
            Parts::of(&self.columns).map(|bits| bits.copy_rows(rows.clone()), |ring| ring.rows(rows.clone()));
        Relation {
            columns: parts.into_columns(&self.columns, rows.len()),
            valid: self.valid.copy_rows(rows.clone()),
            compact: self.compact,
        }
    }
}
