//! Opens the result to the asker, and nothing else to anybody.
//!
//! Failures come first: if there was one, every row is invalid from there on.
//! Then values beside NULLs and in invalid rows become zero, and the rows are
//! shuffled unless the question orders them, so that positions say nothing
//! about which input rows passed.

use std::collections::BTreeSet;

use math::{Column as Elements, X64, Z64};
use mpc::{Lane, Session, Shared, SharedBits, Shuffler, open_bits_to, open_to, verify};
use net::PartyId;
use plan::secure::{Node, Op, OutputColumn, SecurePlan};

use crate::answer::{Answer, Suppressed};
use crate::context::{Context, Result};
use crate::decode::{Cell, Layout};
use crate::errors::{EngineError, Failure, FailureKind, Failures};
use crate::kernel;
use crate::relation::{Data, Relation};

/// What was opened to the asker, and nobody has looked at: how long that takes, and whether it
/// succeeds, hangs on secrets. So it comes after the last message to anybody.
pub struct Opened {
    node: usize,
    columns: Vec<OutputColumn>,
    layout: Layout,
    words: Vec<Elements<X64>>,
    failures: Vec<Failure>,
    suppressed_groups: Option<Suppressed>,
}

impl Opened {
    /// The answer.
    ///
    /// # Errors
    /// `Failed` if the data made the question fail; `Plan` if a value is none of its column's type,
    /// which nobody's own checked rows bring about. Either is the asker's to know, and nobody else's.
    pub fn answer(self) -> Result<Answer> {
        let Opened { node, columns, layout, words, failures, suppressed_groups } = self;
        if !failures.is_empty() {
            return Err(EngineError::Failed { failures });
        }
        let rows = layout.rows(&columns, &words);
        let answer = rows.and_then(|rows| Answer::try_new(&columns, &rows));
        let answer =
            answer.map_err(|reason| EngineError::Plan { node, operator: NAME.to_owned(), reason })?;
        Ok(Answer { suppressed_groups, ..answer })
    }
}

// The answer is the asker's alone.
impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened(<{} columns hidden>)", self.columns.len())
    }
}

const NAME: &str = "Answer";

/// Opens `relation` to the plan's asker, or the failures instead.
pub(crate) fn open(
    session: &mut Session,
    plan: &SecurePlan,
    relation: Relation,
    failures: Failures,
) -> Result<Option<Opened>> {
    let asker = PartyId::from_index(plan.asker);
    let mut unused = Failures::default();
    let mut cx = Context::named(session, &mut unused, plan.root.id, NAME);
    // One number that may not be told hides all of them.
    let told = plan.tells_suppressed();
    let suppressed = failures.suppressed().filter(|_| told == Some(true));
    let (any_failure, failed) = open_failures(&mut cx, asker, &plan.root, failures)?;
    let unless_failed = |cx: &mut Context, bits: SharedBits| match &any_failure {
        Some(any) => {
            let ok = any.not(cx.session()).gather(&vec![0; bits.n_rows()]);
            kernel::and(cx, &bits, &ok)
        }
        None => Ok(bits),
    };
    let suppressed_groups = match suppressed {
        Some(groups) => {
            let groups = unless_failed(&mut cx, groups)?;
            open_number(&mut cx, asker, &groups)?
        }
        None => None,
    };
    let valid = unless_failed(&mut cx, relation.valid.clone())?;
    let (rows, layout) = zeroed(&mut cx, &relation, &valid)?;
    let words = open_rows(&mut cx, asker, &rows, plan.ordered)?;
    let (node, columns, failures) = (plan.root.id, plan.output.clone(), failed.unwrap_or_default());
    let suppressed_groups = match told {
        Some(false) => Some(Suppressed::Untold),
        _ => suppressed_groups.map(Suppressed::Groups),
    };
    Ok(words.map(|words| Opened { node, columns, layout, words, failures, suppressed_groups }))
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
///
/// A bound on rows follows from what values can be, and a value that failed can be anything: more
/// rows than a bound are told only if no value failed below.
fn open_failures(
    cx: &mut Context,
    asker: PartyId,
    root: &Node,
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
    let consequences = consequences(root, &codes);
    let mut folds = vec![clean.clone()];
    for (_, causes) in &consequences {
        let causes: Vec<SharedBits> = causes.iter().map(|code| clean.plane(*code)).collect();
        folds.push(SharedBits::stack(&causes.iter().collect::<Vec<_>>()));
    }
    let mut folded = kernel::all_set(cx, folds)?.into_iter();
    let any = folded.next().expect("the first fold").not(cx.session());
    let codes_set = clean.not(cx.session());
    let mut planes: Vec<SharedBits> = (0..codes.len()).map(|code| codes_set.plane(code)).collect();
    let unexplained: Vec<SharedBits> = folded.collect();
    let pairs = consequences.iter().zip(&unexplained).map(|((code, _), clean)| (&planes[*code], clean));
    let told = kernel::and_many(cx, &pairs.collect::<Vec<_>>())?;
    for ((code, _), told) in consequences.iter().zip(told) {
        planes[*code] = told;
    }
    let codes_set = SharedBits::stack(&planes.iter().collect::<Vec<_>>());
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

/// The numbers of all nodes whose rows go into those of a node.
fn beneath(nodes: &[&Node], node: &Node, all: &mut BTreeSet<usize>) {
    let again = match node.op {
        Op::Again { of, .. } => nodes.iter().find(|node| node.id == of).copied(),
        _ => None,
    };
    for input in node.inputs.iter().chain(again) {
        all.insert(input.id);
        beneath(nodes, input, all);
    }
}

/// The codes that others can have brought about, and which: bounds on rows, and the failures of
/// values in the operators below.
fn consequences(root: &Node, codes: &[(Failure, SharedBits)]) -> Vec<(usize, Vec<usize>)> {
    let is_bound = |failure: &Failure| failure.kind == FailureKind::BoundExceeded;
    let nodes = root.nodes();
    let mut all = Vec::new();
    for (code, (failure, _)) in codes.iter().enumerate().filter(|(_, (failure, _))| is_bound(failure)) {
        let Some(node) = nodes.iter().find(|node| node.id == failure.node) else { continue };
        let mut below = BTreeSet::new();
        beneath(&nodes, node, &mut below);
        let causes = codes.iter().enumerate();
        let causes = causes.filter(|(_, (cause, _))| !is_bound(cause) && below.contains(&cause.node));
        let causes: Vec<usize> = causes.map(|(cause, _)| cause).collect();
        if !causes.is_empty() {
            all.push((code, causes));
        }
    }
    all
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
    use plan::secure::Place;
    use plan::types::{Range, Type};

    use super::*;
    use crate::number::Number;
    use crate::relation::Column;

    fn plane(s: &Session, bits: &[bool]) -> SharedBits {
        SharedBits::public(s, &Planes::from_bools(bits))
    }

    fn node(id: usize, inputs: Vec<Node>) -> Node {
        let op = Op::Values { rows: Vec::new() };
        Node { id, op, place: Place::Public, schema: Vec::new(), row_bound: 0, inputs }
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

    /// An owner that deviates may share what no value of the type is. Whether such a row comes out
    /// is the asker's to know: the run has ended for everybody before anybody looks.
    #[test]
    fn what_cannot_be_read_and_what_failed_show_only_when_looked_at() {
        let opened = |byte: u64, failures: Vec<Failure>| {
            let mut layout = Layout::new();
            layout.push(Cell::Text { width_bytes: 1 }, false, 8);
            let columns = vec![OutputColumn { name: "name".to_owned(), ty: Type::Utf8, nullable: false }];
            let words = vec![Elements::from_fn(1, |_| X64(1 | byte << 1))];
            Opened { node: 3, columns, layout, words, failures, suppressed_groups: None }
        };
        assert_eq!(opened(b'a'.into(), vec![]).answer().expect("it is text").batch.num_rows(), 1);
        let unread = opened(0xff, vec![]);
        assert_eq!(format!("{unread:?}"), "Opened(<1 columns hidden>)");
        assert!(matches!(unread.answer(), Err(EngineError::Plan { node: 3, .. })));
        let kind = crate::errors::FailureKind::Overflow;
        let failed = opened(0, vec![Failure { kind, node: 1, operator: "Project".to_owned() }]);
        assert!(matches!(failed.answer(), Err(EngineError::Failed { .. })));
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
            let (any, failed) = open_failures(&mut cx, PartyId::FIRST, &node(3, Vec::new()), failures)
                .expect("it computes in clear");
            let kinds: Vec<_> =
                failed.expect("it opens in clear").into_iter().map(|failure| failure.kind).collect();
            assert_eq!(kinds, [Overflow], "{n} rows");
            assert_eq!(any.expect("there are codes").n_rows(), 1);
        }
    }

    /// A bound that is exceeded beside a value that failed below is no failure of its own; one that
    /// is exceeded alone, or beside a failure elsewhere, is.
    #[test]
    fn a_bound_is_not_blamed_for_what_failed_below() {
        use crate::errors::FailureKind::{BoundExceeded, DivisionByZero, Overflow};
        let root = node(0, vec![node(1, vec![node(2, Vec::new())]), node(3, Vec::new())]);
        for (happened, told) in [
            (&[(BoundExceeded, 1), (DivisionByZero, 2)][..], &[(DivisionByZero, 2)][..]),
            (&[(BoundExceeded, 1)], &[(BoundExceeded, 1)]),
            (&[(BoundExceeded, 1), (Overflow, 1)], &[(BoundExceeded, 1), (Overflow, 1)]),
            (&[(BoundExceeded, 1), (DivisionByZero, 3)], &[(BoundExceeded, 1), (DivisionByZero, 3)]),
            (&[(Overflow, 0), (DivisionByZero, 2)], &[(Overflow, 0), (DivisionByZero, 2)]),
            (&[], &[]),
        ] {
            let mut session = Session::plain(Params::default());
            let mut failures = Failures::default();
            for failure in
                [(Overflow, 0), (BoundExceeded, 1), (Overflow, 1), (DivisionByZero, 2), (DivisionByZero, 3)]
            {
                let rows = plane(&session, &[false, happened.contains(&failure)]);
                let (kind, node) = failure;
                failures.push(Failure { kind, node, operator: String::new() }, rows);
            }
            let mut unused = Failures::default();
            let mut cx = Context::named(&mut session, &mut unused, 0, "test");
            let (_, failed) =
                open_failures(&mut cx, PartyId::FIRST, &root, failures).expect("it computes in clear");
            let failed = failed.expect("it opens in clear");
            let mut failed: Vec<_> = failed.iter().map(|failure| (failure.kind, failure.node)).collect();
            failed.sort_by_key(|(kind, node)| (*node, *kind));
            let mut told = told.to_vec();
            told.sort_by_key(|(kind, node)| (*node, *kind));
            assert_eq!(failed, told, "{happened:?}");
        }
    }
}
