//! Opened words to the answer's values.

use math::{Column as Elements, X64};
use plan::secure::OutputColumn;
use plan::types::{Type, Value};

use crate::relation::FLOAT_BITS;

/// How a value lies in the planes of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell {
    /// A number, in two's complement if it is signed.
    Number { signed: bool },
    /// Bytes, the first one highest.
    Text { width_bytes: usize },
    /// The bits of a double.
    Opaque,
}

/// Where each column lies in the planes of a row. Plane 0 says whether the row exists.
pub(crate) struct Layout {
    columns: Vec<Place>,
    width: usize,
}

struct Place {
    cell: Cell,
    present: Option<usize>,
    first: usize,
    width: usize,
}

impl Layout {
    pub(crate) fn new() -> Layout {
        Layout { columns: Vec::new(), width: 1 }
    }

    /// Adds a column: a validity plane if it is nullable, then its value.
    pub(crate) fn push(&mut self, cell: Cell, nullable: bool, width: usize) {
        let present = nullable.then_some(self.width);
        let first = self.width + usize::from(nullable);
        self.columns.push(Place { cell, present, first, width });
        self.width = first + width;
    }

    /// The rows that exist, in order.
    pub(crate) fn rows(
        &self,
        columns: &[OutputColumn],
        words: &[Elements<X64>],
    ) -> Result<Vec<Vec<Value>>, String> {
        if columns.len() != self.columns.len() {
            return Err("the answer lacks a column".to_owned());
        }
        let n_rows = words.first().map_or(0, Elements::len);
        let exists = (0..n_rows).filter(|row| bit(words, *row, 0));
        let value = |row, (column, place): (&OutputColumn, &Place)| place.value(column.ty, words, row);
        exists.map(|row| columns.iter().zip(&self.columns).map(|cell| value(row, cell)).collect()).collect()
    }
}

impl Place {
    fn value(&self, ty: Type, words: &[Elements<X64>], row: usize) -> Result<Value, String> {
        if self.present.is_some_and(|plane| !bit(words, row, plane)) {
            return Ok(Value::Null);
        }
        let number = match self.cell {
            Cell::Text { width_bytes } => return self.text(words, row, width_bytes).map(Value::Utf8),
            Cell::Opaque => return Ok(Value::Float(f64::from_bits(self.number(words, row) as u64))),
            Cell::Number { .. } => self.number(words, row),
        };
        match ty {
            Type::Float64 => Ok(Value::Float(number as f64 / (1u64 << FLOAT_BITS) as f64)),
            Type::Bool => Ok(Value::Bool(number != 0)),
            _ if ty.range().is_some_and(|range| range.holds(number)) => Ok(Value::Int(number)),
            _ => Err(format!("a value of the answer leaves {ty}")),
        }
    }

    fn number(&self, words: &[Elements<X64>], row: usize) -> i128 {
        let mut value = 0u128;
        for plane in 0..self.width.min(128) {
            value |= u128::from(bit(words, row, self.first + plane)) << plane;
        }
        let signed = matches!(self.cell, Cell::Number { signed: true });
        if signed && self.width < 128 && bit(words, row, self.first + self.width - 1) {
            value |= u128::MAX << self.width;
        }
        value.cast_signed()
    }

    fn text(&self, words: &[Elements<X64>], row: usize, width_bytes: usize) -> Result<String, String> {
        let mut bytes: Vec<u8> = (0..width_bytes)
            .map(|at| {
                let first = self.first + 8 * (width_bytes - 1 - at);
                (0..8).map(|plane| u8::from(bit(words, row, first + plane)) << plane).sum()
            })
            .collect();
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        String::from_utf8(bytes).map_err(|_| "a text of the answer is no UTF-8".to_owned())
    }
}

fn bit(words: &[Elements<X64>], row: usize, plane: usize) -> bool {
    words[plane / 64].items()[row].0 >> (plane % 64) & 1 == 1
}
