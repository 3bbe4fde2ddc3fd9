//! Opens the result to the asker, and nothing else to anybody.
//!
//! Failures come first: if there was one, every row is invalid from there on.
//! Then values beside NULLs and in invalid rows become zero, and the rows are
//! shuffled unless the question orders them, so that positions say nothing
//! about which input rows passed.

use math::{Column as Elements, X64};
use mpc::{Lane, Session, Shared, SharedBits, Shuffler, open_bits_to, open_to, verify};
use net::PartyId;
use plan::secure::SecurePlan;

use crate::answer::Answer;
use crate::context::{Context, Result};
use crate::decode::{Cell, Layout};
use crate::errors::{EngineError, Failure, Failures};
use crate::kernel;
use crate::relation::{Data, Relation};

/// Opens `relation` to the plan's asker, or the failures instead.
pub(crate) fn open(
    session: &mut Session,
    plan: &SecurePlan,
    relation: Relation,
    failures: Failures,
) -> Result<Option<Answer>> {
    let asker = PartyId::from_index(plan.asker);
    let mut unused = Failures::default();
    let mut cx = Context::named(session, &mut unused, plan.root.id, "Answer");
    let (any_failure, failed) = open_failures(&mut cx, asker, failures)?;
    let valid = match any_failure {
        Some(any) => {
            let ok = any.not(cx.session()).gather(&vec![0; relation.n_rows()]);
            kernel::and(&mut cx, &relation.valid, &ok)?
        }
        None => relation.valid.clone(),
    };
    let (rows, layout) = zeroed(&mut cx, &relation, &valid)?;
    let words = open_rows(&mut cx, asker, &rows, plan.ordered)?;
    if let Some(failures) = failed.filter(|failures| !failures.is_empty()) {
        return Err(EngineError::Failed { failures });
    }
    let Some(words) = words else { return Ok(None) };
    let rows = layout.rows(&plan.output, &words).map_err(|reason| cx.wrong_plan(reason))?;
    let answer = Answer::try_new(&plan.output, &rows).map_err(|reason| cx.wrong_plan(reason))?;
    Ok(Some(answer))
}

/// Opens which kinds of failure happened in which operators. Comes back with
/// the bit that says whether there was any, which stays secret.
fn open_failures(
    cx: &mut Context,
    asker: PartyId,
    failures: Failures,
) -> Result<(Option<SharedBits>, Option<Vec<Failure>>)> {
    let codes = failures.into_codes();
    if codes.is_empty() {
        return Ok((None, None));
    }
    let n_rows = codes.iter().map(|(_, rows)| rows.n_rows()).max().unwrap_or(1).next_power_of_two();
    let planes: Vec<SharedBits> = codes
        .iter()
        .map(|(_, rows)| {
            let padding = SharedBits::constant(cx.session(), n_rows - rows.n_rows(), 1, 0);
            if padding.n_rows() == 0 { rows.clone() } else { SharedBits::concat(&[rows, &padding]) }
        })
        .collect();
    // OR all rows of every code at once, by De Morgan.
    let mut clean = SharedBits::stack(&planes.iter().collect::<Vec<_>>()).not(cx.session());
    while clean.n_rows() > 1 {
        let half = clean.n_rows() / 2;
        let (top, bottom) = (clean.copy_rows(0..half), clean.copy_rows(half..2 * half));
        clean = kernel::and(cx, &top, &bottom)?;
    }
    let any = kernel::all_set(cx, vec![clean.clone()])?.remove(0).not(cx.session());
    let codes_set = clean.not(cx.session());
    let opened = cx.step("failures", |s| {
        let codes_set = verify(s, codes_set)?;
        open_bits_to(s, "codes", asker, codes_set)
    })?;
    let failed = opened.map(|planes| {
        let happened = codes.into_iter().enumerate().filter(|(code, _)| planes.bit(0, *code));
        let mut failed: Vec<Failure> = happened.map(|(_, (failure, _))| failure).collect();
        failed.sort_by_key(|failure| (failure.node, failure.kind));
        failed
    });
    Ok((Some(any), failed))
}

/// All that is opened of each row, as planes: `valid`, then each column's
/// validity and value; zero wherever there is nothing.
fn zeroed(cx: &mut Context, relation: &Relation, valid: &SharedBits) -> Result<(SharedBits, Layout)> {
    let nullable: Vec<&SharedBits> =
        relation.columns.iter().filter_map(|column| column.present.as_ref()).collect();
    let mut present = kernel::and_each(cx, valid, &nullable)?.into_iter();
    let mut masks = Vec::with_capacity(relation.columns.len());
    let mut values = Vec::with_capacity(relation.columns.len());
    let mut cells = Vec::with_capacity(relation.columns.len());
    for column in &relation.columns {
        let mask = match &column.present {
            Some(_) => present.next().expect("one mask per nullable column"),
            None => valid.clone(),
        };
        let (value, cell) = match &column.data {
            Data::Number(number) => (number.bits(cx)?, Cell::Number { signed: number.range().low < 0 }),
            Data::Text(text) => match &text.bytes {
                Some(bytes) => (bytes.clone(), Cell::Text { width_bytes: text.width_bytes }),
                None => return Err(cx.wrong_plan("a text of the answer has no bytes")),
            },
            Data::Opaque(bits) => (bits.clone(), Cell::Opaque),
            Data::Dropped => return Err(cx.wrong_plan("a column of the answer is missing")),
        };
        masks.push((mask, column.present.is_some()));
        values.push(value);
        cells.push(cell);
    }
    let pairs: Vec<_> = masks.iter().zip(&values).map(|((mask, _), value)| (mask, value)).collect();
    let values = kernel::and_many(cx, &pairs)?;
    let mut layout = Layout::new();
    let mut planes = vec![valid];
    for ((mask, nullable), (value, cell)) in masks.iter().zip(values.iter().zip(cells)) {
        if *nullable {
            planes.push(mask);
        }
        planes.push(value);
        layout.push(cell, *nullable, value.width());
    }
    Ok((SharedBits::stack(&planes), layout))
}

/// Shuffles the rows unless they are ordered, and opens them to the asker.
fn open_rows(
    cx: &mut Context,
    asker: PartyId,
    rows: &SharedBits,
    ordered: bool,
) -> Result<Option<Vec<Elements<X64>>>> {
    let mut words = rows.to_words();
    if !ordered {
        let lanes: Vec<Lane> = words.into_iter().map(Lane::from).collect();
        let lanes = cx.step("shuffle", |s| {
            let shuffler = Shuffler::new(s, "order", rows.n_rows())?;
            shuffler.shuffle(s, "rows", &lanes)
        })?;
        words = Vec::with_capacity(lanes.len());
        for lane in lanes {
            words.push(Shared::try_from(lane).map_err(|_| cx.wrong_plan("a lane changed its kind"))?);
        }
    }
    let mut opened = Vec::with_capacity(words.len());
    for word in words {
        let column = cx.step("open", |s| {
            let word = verify(s, word)?;
            open_to(s, "word", asker, word)
        })?;
        opened.extend(column);
    }
    Ok((opened.len() == rows.width().div_ceil(64)).then_some(opened))
}
