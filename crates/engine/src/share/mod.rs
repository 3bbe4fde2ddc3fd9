//! How an owner's rows become a shared relation.
//!
//! Only the owner has rows. They are checked against what the plan says about
//! them, padded to the public bound and shared; every other party takes part
//! with the shape alone.

mod clear;
mod order;

use math::{Column as Elements, Group, Planes, Ring as _, Z64, Z128};
use mpc::{Session, input, input_bits};
use net::PartyId;
use plan::secure::{Field, LocalStage, Node};
use plan::types::{Range, Type};

use clear::ClearColumn;
pub(crate) use clear::{Clear, double_bits, to_fixed};
pub(crate) use order::{come_in_order, in_order};

use crate::context::{Context, Result};
use crate::number::{Number, Ring, RingKind, width_of};
use crate::relation::{Column, Data, Relation, Text, stored_range};

/// How text is compared in one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextRule {
    /// Whether the bytes themselves are the key, since all text that is
    /// compared is short, or some of it comes of other text and has no hash.
    pub(crate) by_bytes: bool,
    /// The width of a hash otherwise.
    pub(crate) hash_bits: usize,
}

impl TextRule {
    /// The rule for a plan. Two different texts among `n` have equal hashes
    /// with a probability below n²/2 · 2^-(40 + 2·log2 n) < 2^-40.
    pub(crate) fn of(root: &Node) -> TextRule {
        let (mut n_rows, mut widest, mut new) = (1u64, 0, false);
        root.visit(&mut |node| {
            new |= crate::expr::makes_text(node);
            n_rows = n_rows.saturating_add(node.row_bound);
            let compared = node.schema.iter().filter(|f| f.ty == Type::Utf8 && f.needs.equality);
            widest = compared.map(|field| field.width_bytes).fold(widest, u32::max);
            crate::expr::each_text(node, &mut |width| widest = widest.max(width));
        });
        let log_rows = n_rows.next_power_of_two().trailing_zeros() as usize;
        let hash_bits = (40 + 2 * log_rows).min(128);
        TextRule { by_bytes: new || widest as usize * 8 <= hash_bits, hash_bits }
    }

    /// The hashes of texts as planes, then zeros. No text has hash zero but the
    /// empty one, which looks like what stands beside a NULL.
    pub(crate) fn planes(&self, s: &Session, n_rows: usize, texts: &[String]) -> Planes {
        let hash = |text: &String| if text.is_empty() { 0 } else { self.hash(s, text) };
        word_planes(n_rows, self.hash_bits, texts.iter().map(hash).collect())
    }

    /// The hash that stands for a text in this session.
    fn hash(&self, s: &Session, text: &str) -> u128 {
        let key = blake3::derive_key("junto 2026 text key v1", s.session_id());
        let hash = blake3::keyed_hash(&key, text.as_bytes());
        let word = <[u8; 16]>::try_from(&hash.as_bytes()[..16]).expect("16 of 32 bytes");
        u128::from_le_bytes(word) & (u128::MAX >> (128 - self.hash_bits))
    }
}

/// Shares one local stage's rows, which are here at its owner alone.
pub(crate) fn share(
    cx: &mut Context,
    node: &Node,
    stage: &LocalStage,
    rows: Option<&Clear>,
    rule: TextRule,
) -> Result<Relation> {
    let owner = PartyId::from_index(stage.party);
    let n_rows = padded_rows(node);
    let valid = rows.map(|rows| flags(n_rows, rows.valid.iter().copied()));
    let valid = cx.step("valid", |s| input_bits(s, "row", owner, [n_rows, 1], valid.as_ref()))?;
    let mut columns = Vec::with_capacity(node.schema.len());
    for (index, field) in node.schema.iter().enumerate() {
        let clear = rows.map(|rows| &rows.columns[index]);
        columns.push(share_column(cx, owner, n_rows, field, clear, rule)?);
    }
    Ok(Relation { columns, valid, compact: true })
}

/// Rows of a relation that stands for a node: one at least, so that nothing
/// above has to do without.
pub(crate) fn padded_rows(node: &Node) -> usize {
    node.row_bound.max(1) as usize
}

fn share_column(
    cx: &mut Context,
    owner: PartyId,
    n_rows: usize,
    field: &Field,
    clear: Option<&ClearColumn>,
    rule: TextRule,
) -> Result<Column> {
    let needs = field.needs;
    if !needs.any() {
        return Ok(Column { ty: field.ty, data: Data::Dropped, present: None, zeroed: true });
    }
    let present = if field.nullable {
        let planes = clear.map(|clear| flags(n_rows, clear.present.iter().copied()));
        Some(cx.step("present", |s| input_bits(s, "row", owner, [n_rows, 1], planes.as_ref()))?)
    } else {
        None
    };
    let data = match field.ty {
        Type::Utf8 => {
            let texts = clear.map(|clear| clear.values.texts());
            let width_bytes = field.width_bytes as usize;
            let bytes = needs.order || needs.output || rule.by_bytes;
            let bytes = if bytes {
                let planes = texts.map(|texts| text_planes(n_rows, width_bytes, texts));
                let shape = [n_rows, (8 * width_bytes).max(1)];
                Some(cx.step("bytes", |s| input_bits(s, "row", owner, shape, planes.as_ref()))?)
            } else {
                None
            };
            let key = if needs.equality && !rule.by_bytes {
                let planes = texts.map(|texts| rule.planes(cx.session(), n_rows, texts));
                let shape = [n_rows, rule.hash_bits];
                Some(cx.step("hash", |s| input_bits(s, "row", owner, shape, planes.as_ref()))?)
            } else {
                None
            };
            Data::Text(Text { width_bytes, key, bytes })
        }
        Type::Float64 if field.range.is_none() => {
            let words = clear.map(|clear| clear.values.words());
            let planes = words.map(|words| word_planes(n_rows, 64, words));
            Data::Opaque(cx.step("double", |s| input_bits(s, "row", owner, [n_rows, 64], planes.as_ref()))?)
        }
        ty => {
            let range = stored_range(cx, ty, field.range)?;
            // Zero stands beside a NULL and in the padding.
            let range = Range { low: range.low.min(0), high: range.high.max(0) };
            let words = clear.map(|clear| clear.values.words());
            let sums_only = needs.arithmetic && !needs.equality && !needs.order && !needs.output;
            if sums_only && ty != Type::Bool {
                let ring = match RingKind::of(range) {
                    RingKind::Z64 => {
                        let values = words.map(|words| elements::<Z64>(n_rows, &words));
                        Ring::Z64(cx.step("number", |s| input(s, "row", owner, n_rows, values.as_ref()))?)
                    }
                    RingKind::Z128 => {
                        let values = words.map(|words| elements::<Z128>(n_rows, &words));
                        Ring::Z128(cx.step("number", |s| input(s, "row", owner, n_rows, values.as_ref()))?)
                    }
                };
                Data::Number(Number::from_ring(range, ring))
            } else {
                let width = width_of(range);
                let planes = words.map(|words| word_planes(n_rows, width, words));
                let shape = [n_rows, width];
                let bits = cx.step("number", |s| input_bits(s, "row", owner, shape, planes.as_ref()))?;
                Data::Number(Number::from_bits(range, bits))
            }
        }
    };
    Ok(Column { ty: field.ty, data, present, zeroed: true })
}

/// One plane with these bits, then zeros.
fn flags(n_rows: usize, bits: impl Iterator<Item = bool>) -> Planes {
    let mut all = vec![false; n_rows];
    all.iter_mut().zip(bits).for_each(|(out, bit)| *out = bit);
    Planes::from_bools(&all)
}

/// These words, then zeros.
fn elements<G: Group>(n_rows: usize, words: &[u128]) -> Elements<G> {
    Elements::from_fn(n_rows, |row| words.get(row).map_or(G::ZERO, |word| G::from_word(*word)))
}

/// The low bits of these words as planes, then zeros.
fn word_planes(n_rows: usize, width: usize, words: Vec<u128>) -> Planes {
    if width <= 64 {
        math::pack::planes(&elements::<Z64>(n_rows, &words), width)
    } else {
        math::pack::planes(&elements::<Z128>(n_rows, &words), width)
    }
}

/// The planes of texts: each one unsigned number, its first byte highest.
pub(crate) fn text_planes(n_rows: usize, width_bytes: usize, texts: &[String]) -> Planes {
    if width_bytes == 0 {
        return Planes::zeroed(n_rows, 1);
    }
    let bytes: Vec<Planes> = (0..width_bytes)
        .rev()
        .map(|at| {
            let byte = |row: usize| texts.get(row).and_then(|text| text.as_bytes().get(at)).copied();
            let column = Elements::from_fn(n_rows, |row| math::Z8(byte(row).unwrap_or(0)));
            math::pack::planes(&column, 8)
        })
        .collect();
    Planes::stack(&bytes.iter().collect::<Vec<_>>())
}

/// A number's two's complement form in the widest ring.
pub(crate) fn word(value: i128) -> u128 {
    Z128::from_signed(value).word()
}
