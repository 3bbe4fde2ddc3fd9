//! Opens the result to the asker, and nothing else to anybody.
//!
//! Failures come first: if there was one, every row is invalid from there on.
//! Then values beside NULLs and in invalid rows become zero, and the rows are
//! shuffled unless the question orders them, so that positions say nothing
//! about which input rows passed.

use math::{Column as Elements, X64, Z64};
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
    let suppressed = failures.suppressed();
    let (any_failure, failed) = open_failures(&mut cx, asker, failures)?;
    let unless_failed = |cx: &mut Context, bits: SharedBits| match &any_failure {
        Some(any) => {
            let ok = any.not(cx.session()).gather(&vec![0; bits.n_rows()]);
            kernel::and(cx, &bits, &ok)
        }
        None => Ok(bits),
    };
    let suppressed = match suppressed {
        Some(groups) => {
            let groups = unless_failed(&mut cx, groups)?;
            open_number(&mut cx, asker, &groups)?
        }
        None => None,
    };
    let valid = unless_failed(&mut cx, relation.valid.clone())?;
    let (rows, layout) = zeroed(&mut cx, &relation, &valid)?;
    let words = open_rows(&mut cx, asker, &rows, plan.ordered)?;
    if let Some(failures) = failed.filter(|failures| !failures.is_empty()) {
        return Err(EngineError::Failed { failures });
    }
    let Some(words) = words else { return Ok(None) };
    let rows = layout.rows(&plan.output, &words).map_err(|reason| cx.wrong_plan(reason))?;
    let mut answer = Answer::try_new(&plan.output, &rows).map_err(|reason| cx.wrong_plan(reason))?;
    answer.suppressed_groups = suppressed;
    Ok(Some(answer))
}

/// Opens how many bits of a plane are set.
fn open_number(cx: &mut Context, asker: PartyId, bits: &SharedBits) -> Result<Option<u64>> {
    let total = kernel::bit_to_ring::<Z64>(cx, bits)?.total();
    let opened = cx.step("suppressed", |s| {
        let total = verify(s, total)?;
        open_to(s, "groups", asker, total)
    })?;
    Ok(opened.and_then(|opened| opened.items().first().map(|number| number.0)))
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

#[cfg(test)]
mod tests {
    use math::Planes;
    use mpc::Params;
    use plan::types::{Range, Type};

    use super::*;
    use crate::number::Number;
    use crate::relation::Column;

    fn plane(s: &Session, bits: &[bool]) -> SharedBits {
        SharedBits::public(s, &Planes::from_bools(bits))
    }

    fn numbers(s: &Session, values: &[u128]) -> Number {
        let planes: Vec<SharedBits> = (0..7)
            .map(|at| plane(s, &values.iter().map(|value| value >> at & 1 == 1).collect::<Vec<_>>()))
            .collect();
        let bits = SharedBits::stack(&planes.iter().collect::<Vec<_>>());
        Number::from_bits(Range { low: 0, high: 127 }, bits)
    }

    /// What is opened has zeros beside every NULL and in every row that does not exist,
    /// whatever stood there.
    #[test]
    fn nothing_is_left_beside_null_and_in_invalid_rows() {
        let mut session = Session::plain(Params::default());
        let s = &session;
        let valid = plane(s, &[true, false, true, false]);
        let present = plane(s, &[true, true, false, false]);
        let column = |present| {
            let data = Data::Number(numbers(s, &[17, 18, 19, 20]));
            Column { ty: Type::Int64, data, present, zeroed: false }
        };
        let columns = vec![column(Some(present)), column(None)];
        let relation = Relation { columns, valid: valid.clone(), compact: false };
        let mut failures = Failures::default();
        let mut cx = Context::named(&mut session, &mut failures, 0, "test");
        let (rows, _) = zeroed(&mut cx, &relation, &valid).expect("it computes in clear");
        let opened = cx
            .step("look", |s| {
                let rows = verify(s, rows)?;
                open_bits_to(s, "rows", PartyId::FIRST, rows)
            })
            .expect("it opens in clear")
            .expect("there are values in clear");
        // Valid, then validity and value of the first column, then the value of the second.
        let row = |valid: u128, present: u128, first: u128, second: u128| {
            valid | present << 1 | first << 2 | second << 9
        };
        let expected = [row(1, 1, 17, 17), 0, row(1, 0, 0, 19), 0];
        assert_eq!([0, 1, 2, 3].map(|at| opened.row(at)), expected);
    }

    /// Failures of one kind and operator are one code, whichever row reported them.
    #[test]
    fn failures_are_folded_over_rows_of_any_number() {
        use crate::errors::FailureKind::{DivisionByZero, Overflow};
        for n in [1, 2, 3, 64, 65, 1000] {
            let mut session = Session::plain(Params::default());
            let last: Vec<bool> = (0..n).map(|row| row + 1 == n).collect();
            let (last, never) = (plane(&session, &last), plane(&session, &vec![false; n]));
            let one = plane(&session, &[false]);
            let mut failures = Failures::default();
            for (kind, rows) in [(Overflow, &never), (DivisionByZero, &one), (Overflow, &last)] {
                failures.push(Failure { kind, node: 3, operator: "Project".to_owned() }, rows.clone());
            }
            let mut unused = Failures::default();
            let mut cx = Context::named(&mut session, &mut unused, 0, "test");
            let (any, failed) =
                open_failures(&mut cx, PartyId::FIRST, failures).expect("it computes in clear");
            let kinds: Vec<_> =
                failed.expect("it opens in clear").into_iter().map(|failure| failure.kind).collect();
            assert_eq!(kinds, [Overflow], "{n} rows");
            assert_eq!(any.expect("there are codes").n_rows(), 1);
        }
    }
}
