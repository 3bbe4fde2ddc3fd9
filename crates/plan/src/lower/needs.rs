//! What operators above do with each column, from the answer down.

use crate::secure::{AggFunc, Comparison, Expr, ExprKind, Needs, Node, Op, WindowFunc};

const EQUALITY: Needs = Needs { equality: true, order: false, output: false, arithmetic: false };
const ORDER: Needs = Needs { equality: false, order: true, output: false, arithmetic: false };
const OUTPUT: Needs = Needs { equality: false, order: false, output: true, arithmetic: false };
const ARITHMETIC: Needs = Needs { equality: false, order: false, output: false, arithmetic: true };

/// Sets the needs of every column; the answer's columns come out.
pub(super) fn assign(root: &mut Node) {
    let needs = vec![OUTPUT; root.schema.len()];
    set(root, needs);
}

fn set(node: &mut Node, needs: Vec<Needs>) {
    for (field, needs) in node.schema.iter_mut().zip(&needs) {
        field.needs = *needs;
    }
    let widths: Vec<usize> = node.inputs.iter().map(|input| input.schema.len()).collect();
    let mut below: Vec<Vec<Needs>> = widths.iter().map(|width| vec![Needs::default(); *width]).collect();
    match &node.op {
        Op::LocalStage(_) | Op::Values { .. } | Op::Again { .. } => {}
        Op::Filter { predicate } | Op::Suppress { predicate, .. } => {
            below[0].clone_from(&needs);
            read(predicate, ARITHMETIC, &mut below[0]);
        }
        Op::Project { exprs } => {
            for (expr, needs) in exprs.iter().zip(&needs).filter(|(_, needs)| needs.any()) {
                read(expr, *needs, &mut below[0]);
            }
        }
        Op::Join(join) => {
            let (left, right) = needs.split_at(widths[0]);
            below[0].copy_from_slice(left);
            if join.kind.gives_pairs() {
                below[1].copy_from_slice(right);
            }
            if let Some(condition) = &join.condition {
                let mut both = vec![Needs::default(); widths[0] + widths[1]];
                read(condition, ARITHMETIC, &mut both);
                let (left, right) = both.split_at(widths[0]);
                below[0].iter_mut().zip(left).for_each(|(needs, more)| add(needs, *more));
                below[1].iter_mut().zip(right).for_each(|(needs, more)| add(needs, *more));
            }
            join.left_keys.iter().for_each(|key| add(&mut below[0][*key], EQUALITY));
            join.right_keys.iter().for_each(|key| add(&mut below[1][*key], EQUALITY));
        }
        Op::Aggregate { group, aggs } => {
            let (groups, results) = needs.split_at(group.len());
            for (column, needs) in group.iter().zip(groups) {
                add(&mut below[0][*column], needs.with(EQUALITY));
            }
            for (agg, needs) in aggs.iter().zip(results) {
                let Some(column) = agg.input else { continue };
                let need = match agg.func {
                    AggFunc::Min | AggFunc::Max => needs.with(ORDER),
                    _ => ARITHMETIC,
                };
                add(&mut below[0][column], need);
            }
        }
        Op::Window { partition, order, calls } => {
            let (passed, results) = needs.split_at(widths[0]);
            below[0].copy_from_slice(passed);
            partition.iter().for_each(|column| add(&mut below[0][*column], EQUALITY));
            order.iter().for_each(|key| add(&mut below[0][key.column], ORDER));
            for (call, needs) in calls.iter().zip(results) {
                let Some(column) = call.input else { continue };
                let need = match call.func {
                    WindowFunc::Min(_) | WindowFunc::Max(_) => needs.with(ORDER),
                    WindowFunc::Count(_) | WindowFunc::Sum(_) => ARITHMETIC,
                    _ => *needs,
                };
                add(&mut below[0][column], need);
            }
        }
        Op::Expand { group, .. } => {
            let (passed, marked) = needs.split_at(widths[0]);
            below[0].copy_from_slice(passed);
            group.iter().zip(marked).for_each(|(column, needs)| add(&mut below[0][*column], *needs));
        }
        Op::Distinct => {
            below[0] = needs.iter().map(|needs| needs.with(EQUALITY)).collect();
        }
        Op::UnionAll => below.iter_mut().for_each(|input| input.clone_from(&needs)),
        Op::Sort { keys, .. } => {
            below[0].clone_from(&needs);
            keys.iter().for_each(|key| add(&mut below[0][key.column], ORDER));
        }
        Op::Limit { .. } => below[0].clone_from(&needs),
    }
    for (input, needs) in node.inputs.iter_mut().zip(below) {
        set(input, needs);
    }
}

fn add(needs: &mut Needs, more: Needs) {
    *needs = needs.with(more);
}

/// Marks what `expr` reads, given what becomes of its value.
fn read(expr: &Expr, becomes: Needs, columns: &mut [Needs]) {
    read_bound(expr, becomes, columns, &mut []);
}

/// [`read`], and of what the innermost LET binds as well.
fn read_bound(expr: &Expr, becomes: Needs, columns: &mut [Needs], bound: &mut [Needs]) {
    let mut read = |operand: &Expr, needs, columns: &mut [Needs]| read_bound(operand, needs, columns, bound);
    match &expr.kind {
        ExprKind::Column(index) => add(&mut columns[*index], becomes),
        ExprKind::Literal(_) => {}
        ExprKind::Compare { op: Comparison::Eq | Comparison::Ne, left, right } => {
            [left, right].into_iter().for_each(|side| read(side, EQUALITY, columns));
        }
        ExprKind::Compare { left, right, .. } => {
            [left, right].into_iter().for_each(|side| read(side, ORDER, columns));
        }
        ExprKind::InList { operand, .. } => read(operand, EQUALITY, columns),
        ExprKind::Case { branches, otherwise } => {
            for (condition, value) in branches {
                read(condition, ARITHMETIC, columns);
                read(value, becomes, columns);
            }
            read(otherwise, becomes, columns);
        }
        ExprKind::Text { args, .. } => args.iter().for_each(|arg| read(arg, OUTPUT, columns)),
        ExprKind::Bound(index) => add(&mut bound[*index], becomes),
        ExprKind::Let { values, body } => {
            let mut of_values = vec![Needs::default(); values.len()];
            read_bound(body, becomes, columns, &mut of_values);
            for (value, needs) in values.iter().zip(of_values) {
                read(value, needs, columns);
            }
        }
        // Of a tested operand only its validity is looked at.
        _ => expr.operands().into_iter().for_each(|operand| read(operand, ARITHMETIC, columns)),
    }
}
