//! Calls of window functions, those of one partition and order together.

use super::facts::{Facts, aggregated, field};
use super::{Relation, typed};
use crate::error::PlanError;
use crate::secure::{
    AggFunc, Expr, Field, Frame, FrameEdge, Op, Overflow, Place, SortKey, WindowCall, WindowFunc,
};
use crate::types::{Range, Type};

/// Functions over the same partition and order.
pub(super) struct Group {
    pub(super) partition: Vec<usize>,
    pub(super) order: Vec<SortKey>,
    /// The group whose order is turned round here, and whether its frames go by rows.
    turned: Option<(usize, bool)>,
    calls: Vec<(WindowFunc, Option<usize>, Type)>,
    /// Where the columns of the calls come out, once there are any.
    first: usize,
}

/// The windows over one relation.
#[derive(Default)]
pub(super) struct Windows {
    groups: Vec<Group>,
}

/// A call: its group and its place there.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(usize, usize);

impl Windows {
    /// The group of this partition and order.
    pub(super) fn group(&mut self, partition: Vec<usize>, order: Vec<SortKey>) -> usize {
        self.known(Group { partition, order, turned: None, calls: Vec::new(), first: 0 })
    }

    /// The group of this partition and order for frames that are counted from the partition's end.
    pub(super) fn turned(&mut self, partition: Vec<usize>, mut order: Vec<SortKey>, by_rows: bool) -> usize {
        let of = self.group(partition.clone(), order.clone());
        for key in &mut order {
            (key.descending, key.nulls_first) = (!key.descending, !key.nulls_first);
        }
        self.known(Group { partition, order, turned: Some((of, by_rows)), calls: Vec::new(), first: 0 })
    }

    fn known(&mut self, group: Group) -> usize {
        let place = |group: &Group| (group.partition.clone(), group.order.clone(), group.turned);
        self.groups.iter().position(|known| place(known) == place(&group)).unwrap_or_else(|| {
            self.groups.push(group);
            self.groups.len() - 1
        })
    }

    /// Makes groups of one window agree on rows that its order does not tell apart: a group that is
    /// turned round goes by the other's row numbers.
    fn agree(&mut self) -> Result<Vec<(usize, At)>, PlanError> {
        let mut by_number = Vec::new();
        for at in 0..self.groups.len() {
            let Some((of, by_rows)) = self.groups[at].turned.filter(|_| !self.groups[at].calls.is_empty())
            else {
                continue;
            };
            let others = self.groups.iter().enumerate().any(|(other, group)| {
                let kin = other == of || group.turned.is_some_and(|(same, _)| same == of);
                other != at && kin && !group.calls.is_empty()
            });
            let single = |(func, ..): &(WindowFunc, _, _)| {
                use WindowFunc::{Count, Max, Min, Sum};
                !matches!(func, Sum(_) | Count(_) | Min(_) | Max(_))
            };
            if others && by_rows {
                by_number.push((at, self.call(of, WindowFunc::RowNumber, None, Type::UInt64)));
            } else if others && self.groups[at].calls.iter().any(single) {
                let construct = "a value of RANGE … UNBOUNDED FOLLOWING beside other functions of its window";
                return Err(PlanError::unsupported(construct, "write ROWS"));
            }
        }
        Ok(by_number)
    }

    /// A call of a group; each different one once.
    pub(super) fn call(&mut self, group: usize, func: WindowFunc, input: Option<usize>, ty: Type) -> At {
        let calls = &mut self.groups[group].calls;
        let at = calls.iter().position(|known| *known == (func, input, ty)).unwrap_or_else(|| {
            calls.push((func, input, ty));
            calls.len() - 1
        });
        At(group, at)
    }

    /// The relation with a column for every call.
    pub(super) fn over(&mut self, mut relation: Relation) -> Result<Relation, PlanError> {
        let by_number = self.agree()?;
        for at in 0..self.groups.len() {
            if self.groups[at].calls.is_empty() {
                continue;
            }
            if let Some((_, number)) = by_number.iter().find(|(turned, _)| *turned == at) {
                let column = self.index(*number);
                self.groups[at].order = vec![SortKey { column, descending: true, nulls_first: true }];
            }
            self.groups[at].first = relation.facts.fields.len();
            relation = compute(relation, &self.groups[at]);
        }
        Ok(relation)
    }

    /// Where the column of a call comes out.
    pub(super) fn index(&self, at: At) -> usize {
        self.groups[at.0].first + at.1
    }

    /// The column of a call.
    pub(super) fn column(&self, at: At, facts: &Facts) -> Expr {
        let index = self.index(at);
        typed::column(index, &facts.fields[index])
    }
}

fn compute(input: Relation, group: &Group) -> Relation {
    let mut facts = input.facts.clone();
    let mut calls = Vec::new();
    for (func, column, ty) in &group.calls {
        let argument = column.map(|column| &input.facts.fields[column]);
        let (field, overflow) = result(*func, *ty, argument, input.facts.bound);
        facts.fields.push(field);
        calls.push(WindowCall { func: *func, input: *column, ty: *ty, overflow });
    }
    let op = Op::Window { partition: group.partition.clone(), order: group.order.clone(), calls };
    Relation { op, place: Place::Shared, facts, inputs: vec![input] }
}

/// What a call gives over at most `n_rows` rows.
fn result(func: WindowFunc, ty: Type, input: Option<&Field>, n_rows: u64) -> (Field, Overflow) {
    let name = func.name();
    let numbers = |low: i128| field(name, ty, false, Some(Range::new(low, n_rows.max(1).into())), 0);
    let passed = |nullable: bool| {
        let mut field = input.cloned().unwrap_or_else(|| numbers(0));
        (field.name, field.nullable) = (name.to_owned(), field.nullable || nullable);
        (field, Overflow::Impossible)
    };
    match func {
        WindowFunc::RowNumber
        | WindowFunc::Rank
        | WindowFunc::DenseRank
        | WindowFunc::LastPeer
        | WindowFunc::Rows => (numbers(1), Overflow::Impossible),
        WindowFunc::Count(_) => (numbers(0), Overflow::Impossible),
        WindowFunc::Lag(_) => passed(true),
        WindowFunc::Nth(n) => passed(n > 1),
        WindowFunc::Last(_) => passed(false),
        WindowFunc::FirstPresent(_) | WindowFunc::LastPresent(_) => passed(true),
        WindowFunc::Bits(_) => {
            let (mut field, overflow) = passed(false);
            field.range = field.range.map(bits_of);
            field.distinct = None;
            (field, overflow)
        }
        WindowFunc::Min(frame) | WindowFunc::Max(frame) => passed(!holds_current(frame)),
        WindowFunc::Sum(frame) => {
            let (mut field, overflow) = aggregated(name, AggFunc::Sum, ty, input, n_rows, true);
            field.nullable |= !holds_current(frame);
            (field, overflow)
        }
    }
}

/// All numbers of as many bits.
fn bits_of(range: Range) -> Range {
    let high = |bits: u32| 1i128.checked_shl(bits).map_or(i128::MAX, |next| next.wrapping_sub(1));
    let bits = range.width_bits();
    if range.low < 0 { Range::new(-high(bits - 1) - 1, high(bits - 1)) } else { Range::new(0, high(bits)) }
}

/// Whether the current row is always in the frame.
pub(super) fn holds_current(frame: Frame) -> bool {
    let starts = !matches!(frame.start, FrameEdge::Rows(n) if n > 0);
    starts && !matches!(frame.end, FrameEdge::Rows(n) if n < 0)
}
