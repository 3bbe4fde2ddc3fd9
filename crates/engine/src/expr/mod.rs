//! Evaluates the plan's expressions over the rows of a relation.
//!
//! A value may be public ([`Scalar::Public`]) until it meets a secret one. A
//! failure counts where its guard is set: in valid rows, and inside CASE only in
//! those that take the branch.

mod arith;
mod case;
mod cast;
mod compare;
mod constant;
mod digits;
mod edit;
mod float;
mod logic;
mod numeric;
mod steps;
mod string;
pub(crate) mod text;

use mpc::SharedBits;
use plan::secure::{Expr, ExprKind, Node, Op};
use plan::types::{Type, Value};

pub(crate) use arith::{WIDEST, divide_by_count, scaled_by, with_zero};
pub(crate) use compare::outside;
pub(crate) use constant::constants;

use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::kernel;
use crate::relation::{Column, Relation};
use crate::share::TextRule;

/// The rows that expressions read.
pub(crate) struct Rows<'a> {
    relation: &'a Relation,
    rule: TextRule,
    /// The values of the innermost LET.
    bound: &'a [Scalar],
}

/// The value of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Scalar {
    /// The same public value in every row.
    Public(Value),
    /// A secret column.
    Secret(Box<Column>),
}

impl<'a> Rows<'a> {
    pub(crate) fn new(relation: &'a Relation, rule: TextRule) -> Self {
        Rows { relation, rule, bound: &[] }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.relation.n_rows()
    }

    /// The expression's value in each row. Failures count where `guard` is set.
    pub(crate) fn column(&self, cx: &mut Context, expr: &Expr, guard: &SharedBits) -> Result<Column> {
        let value = self.eval(cx, expr, guard)?;
        self.secret(cx, expr.ty, expr.width_bytes as usize, value)
    }

    /// Where the expression is true: neither false nor NULL.
    pub(crate) fn condition(&self, cx: &mut Context, expr: &Expr, guard: &SharedBits) -> Result<SharedBits> {
        let value = self.eval(cx, expr, guard)?;
        Ok(self.truth(cx, value)?.is_true)
    }

    fn eval(&self, cx: &mut Context, expr: &Expr, guard: &SharedBits) -> Result<Scalar> {
        match &expr.kind {
            ExprKind::Column(index) => Ok(Scalar::secret(self.relation.column(cx, *index)?.clone())),
            ExprKind::Literal(Value::Float(value)) if expr.range.is_none() => {
                Ok(Scalar::secret(constant::opaque(cx, *value, self.n_rows())))
            }
            ExprKind::Literal(value) => Ok(Scalar::Public(value.clone())),
            ExprKind::Arith { op, left, right } => {
                let (x, y) = (self.eval(cx, left, guard)?, self.eval(cx, right, guard)?);
                self.arith(cx, expr, *op, (left, x), (right, y), guard)
            }
            ExprKind::Neg(operand) => {
                self.of_one(cx, operand, guard, |cx, x| self.negate(cx, expr, x, guard))
            }
            ExprKind::Compare { op, left, right } => {
                let (x, y) = (self.eval(cx, left, guard)?, self.eval(cx, right, guard)?);
                self.compare(cx, *op, (left.ty, x), (right.ty, y))
            }
            ExprKind::InList { operand, list } => {
                let x = self.eval(cx, operand, guard)?;
                self.in_list(cx, operand.ty, x, list)
            }
            ExprKind::And(all) => self.and(cx, all, guard),
            ExprKind::Or(all) => self.or(cx, all, guard),
            ExprKind::Not(operand) => {
                let x = self.eval(cx, operand, guard)?;
                self.not(cx, x)
            }
            ExprKind::IsNull(operand) => {
                let x = self.eval(cx, operand, guard)?;
                Ok(self.is_null(cx, x))
            }
            ExprKind::Case { branches, otherwise } => self.case(cx, expr, branches, otherwise, guard),
            ExprKind::Cast(operand) => {
                self.of_one(cx, operand, guard, |cx, x| self.cast(cx, expr, operand.ty, x, guard))
            }
            ExprKind::Round { operand, digits, rounding } => self.of_one(cx, operand, guard, |cx, x| {
                self.round(cx, expr, operand.ty, (*digits, *rounding), x, guard)
            }),
            ExprKind::Steps { operand, first, steps } => {
                self.of_one(cx, operand, guard, |cx, x| self.steps(cx, expr, x, *first, steps))
            }
            ExprKind::Sqrt(operand) => {
                self.of_one(cx, operand, guard, |cx, x| self.sqrt(cx, expr, operand.ty, x, guard))
            }
            ExprKind::Text { func, args } => self.text_function(cx, expr, func, args, guard),
            ExprKind::Numeric(func, operand) => {
                self.of_one(cx, operand, guard, |cx, x| self.numeric(cx, expr, *func, x, guard))
            }
            ExprKind::Same(operand) => self.of_one(cx, operand, guard, |cx, x| self.same(cx, expr, x)),
            ExprKind::Let { values, body } => {
                let values = values.iter().map(|value| self.eval(cx, value, guard));
                let bound = values.collect::<Result<Vec<_>>>()?;
                Rows { bound: &bound, ..*self }.eval(cx, body, guard)
            }
            ExprKind::Bound(index) => {
                let value = self.bound.get(*index).cloned();
                value.ok_or_else(|| cx.wrong_plan("a value that no LET binds"))
            }
        }
    }

    /// A function of one operand's values; NULL of NULL in all rows.
    fn of_one(
        &self,
        cx: &mut Context,
        operand: &Expr,
        guard: &SharedBits,
        function: impl FnOnce(&mut Context, Column) -> Result<Scalar>,
    ) -> Result<Scalar> {
        let x = self.eval(cx, operand, guard)?;
        if x.is_null() {
            return Ok(x);
        }
        let column = self.secret(cx, operand.ty, operand.width_bytes as usize, x)?;
        function(cx, column)
    }

    /// A value as a secret column.
    fn secret(&self, cx: &mut Context, ty: Type, width_bytes: usize, value: Scalar) -> Result<Column> {
        match value {
            Scalar::Secret(column) => Ok(*column),
            Scalar::Public(value) => {
                constant::constant(cx, ty, width_bytes, &value, self.n_rows(), self.rule)
            }
        }
    }

    /// Where both have a value; `None` if they always have.
    fn both_present(&self, cx: &mut Context, x: &Scalar, y: &Scalar) -> Result<Option<SharedBits>> {
        let present = |value: &Scalar| match value {
            Scalar::Secret(column) => column.present.clone(),
            Scalar::Public(_) => None,
        };
        Ok(match (present(x), present(y)) {
            (Some(x), Some(y)) => Some(kernel::and(cx, &x, &y)?),
            (x, y) => x.or(y),
        })
    }

    /// Reports `failed` where the guard is set and there is a value.
    fn report(
        &self,
        cx: &mut Context,
        kind: FailureKind,
        failed: SharedBits,
        guard: &SharedBits,
        present: Option<&SharedBits>,
    ) -> Result<()> {
        let mut rows = kernel::and(cx, &failed, guard)?;
        if let Some(present) = present {
            rows = kernel::and(cx, &rows, present)?;
        }
        cx.report(kind, rows);
        Ok(())
    }
}

impl Scalar {
    pub(crate) fn secret(column: Column) -> Scalar {
        Scalar::Secret(Box::new(column))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Scalar::Public(Value::Null))
    }
}

/// Whether a node's expressions make new texts, of which nobody has a hash.
pub(crate) fn makes_text(node: &Node) -> bool {
    fn makes(expr: &Expr) -> bool {
        let new = matches!(expr.kind, ExprKind::Text { .. }) && expr.ty == Type::Utf8;
        new || expr.operands().into_iter().any(makes)
    }
    match &node.op {
        Op::Filter { predicate } => makes(predicate),
        Op::Project { exprs } => exprs.iter().any(makes),
        Op::Join(join) => join.condition.as_ref().is_some_and(makes),
        _ => false,
    }
}

/// Shows the width of every text that a node's expressions compare.
pub(crate) fn each_text(node: &Node, see: &mut impl FnMut(u32)) {
    fn visit(expr: &Expr, see: &mut impl FnMut(u32)) {
        match &expr.kind {
            ExprKind::Compare { left, right, .. } => {
                [left, right].into_iter().filter(|x| x.ty == Type::Utf8).for_each(|x| see(x.width_bytes));
            }
            ExprKind::InList { operand, list } => {
                if operand.ty == Type::Utf8 {
                    see(operand.width_bytes);
                }
                for value in list {
                    if let Value::Utf8(text) = value {
                        see(text.len() as u32);
                    }
                }
            }
            _ => {}
        }
        expr.operands().into_iter().for_each(|operand| visit(operand, see));
    }
    match &node.op {
        Op::Filter { predicate } => visit(predicate, see),
        Op::Project { exprs } => exprs.iter().for_each(|expr| visit(expr, see)),
        Op::Join(join) => join.condition.iter().for_each(|condition| visit(condition, see)),
        _ => {}
    }
}
