//! Where the value of an expression comes from, and what its conditions need.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{BinaryExpr, Cast, ScalarFunction, WindowFunction};
use datafusion::logical_expr::{Expr, Operator};

use super::Grant;
use super::check::{Check, planner};
use super::flow::{Flow, Origin, Shape};
use crate::checked::type_of;
use crate::error::PlanError;
use crate::types::Type;

/// Rows that an expression is about, and the operator that holds it.
pub(super) struct Rows<'a> {
    pub(super) schema: &'a DFSchema,
    pub(super) origins: &'a [Origin],
    pub(super) operator: &'a str,
    /// Whether constants are the asker's choice of what goes beside other tables' rows.
    pub(super) chosen: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn of(flow: &'a Flow, operator: &'a str) -> Rows<'a> {
        let chosen = flow.chosen.is_some() && flow.tables.is_empty();
        Rows { schema: flow.plan.schema(), origins: &flow.origins, operator, chosen }
    }
}

impl Check<'_> {
    /// Where the value comes from.
    ///
    /// # Errors
    /// `Forbidden` if a condition in it looks at a column that may not filter.
    pub(super) fn origin(&mut self, expr: &Expr, rows: &Rows<'_>) -> Result<Origin, PlanError> {
        match expr {
            Expr::Alias(alias) => self.origin(&alias.expr, rows),
            Expr::Literal(value, _) => {
                Ok(Origin { nullable: value.is_null(), askers: rows.chosen, ..Origin::constant() })
            }
            Expr::Column(column) => {
                let index = rows.schema.index_of_column(column).map_err(planner)?;
                Ok(rows.origins[index].clone())
            }
            Expr::Cast(Cast { expr, field }) => {
                let origin = self.origin(expr, rows)?;
                let from = type_of(expr, rows.schema).map_err(planner)?;
                let to = field.data_type();
                Ok(match from == *to {
                    true => origin,
                    false if origin.is_exact_as(&from, to) => Origin { range: None, ..origin },
                    false => origin.bent(),
                })
            }
            Expr::Negative(inside) => self.origin(inside, rows),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
                Operator::Plus | Operator::Minus => self.arithmetic(left, right, rows, Shape::beside),
                Operator::Multiply => self.arithmetic(left, right, rows, Shape::times),
                Operator::Divide => self.quotient(left, right, rows),
                _ => self.bent(&[left.as_ref(), right.as_ref()], rows),
            },
            Expr::ScalarFunction(ScalarFunction { func, args }) => match (func.name(), args.as_slice()) {
                ("checked_add" | "checked_sub", [left, right]) => {
                    self.arithmetic(left, right, rows, Shape::beside)
                }
                ("checked_mul", [left, right]) => self.arithmetic(left, right, rows, Shape::times),
                ("checked_div", [left, right]) => self.quotient(left, right, rows),
                ("checked_neg", [inside]) => self.origin(inside, rows),
                _ => self.bent(&args.iter().collect::<Vec<_>>(), rows),
            },
            Expr::Case(case) => {
                let whens = case.when_then_expr.iter().map(|(when, _)| when.as_ref());
                let conditions: Vec<&Expr> = case.expr.as_deref().into_iter().chain(whens).collect();
                let thens = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
                let values: Vec<&Expr> = thens.chain(case.else_expr.as_deref()).collect();
                let rows = &Rows { operator: "CASE", ..*rows };
                let decided = self.condition(&conditions, rows)?;
                Ok(self.bent(&values, rows)?.with(&decided, Shape::Bent))
            }
            Expr::WindowFunction(call) => self.window(call, rows),
            Expr::ScalarSubquery(_)
            | Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::SetComparison(_)
            | Expr::OuterReferenceColumn(..) => {
                let reason = "under a policy it has to be one that turns into a join: write the join";
                Err(PlanError::unsupported("a subquery in this place", reason))
            }
            other => self.bent(&children(other), rows),
        }
    }

    /// A scale can be such that a double is infinite from a value on, so arithmetic of doubles bends.
    fn arithmetic(
        &mut self,
        left: &Expr,
        right: &Expr,
        rows: &Rows<'_>,
        shape: fn(Shape, Shape) -> Shape,
    ) -> Result<Origin, PlanError> {
        let types =
            [type_of(left, rows.schema).map_err(planner)?, type_of(right, rows.schema).map_err(planner)?];
        let (left, right) = (self.origin(left, rows)?, self.origin(right, rows)?);
        let shape = match shape(left.shape, right.shape) {
            Shape::Degree(0) => Shape::Degree(0),
            // Months end on different days, too.
            _ if types.iter().any(|ty| ty.is_floating() || !ty.is_numeric()) => Shape::Bent,
            exact => exact,
        };
        Ok(left.with(&right, shape))
    }

    /// Division cuts after some digits, also by a constant: what is left says which values are large.
    fn quotient(&mut self, left: &Expr, right: &Expr, rows: &Rows<'_>) -> Result<Origin, PlanError> {
        let shape = |left, right| match (left, right) {
            (Shape::Degree(0), Shape::Degree(0)) => Shape::Degree(0),
            _ => Shape::Bent,
        };
        self.arithmetic(left, right, rows, shape)
    }

    pub(super) fn bent(&mut self, parts: &[&Expr], rows: &Rows<'_>) -> Result<Origin, PlanError> {
        let mut all = Origin::constant();
        for part in parts {
            all = all.with(&self.origin(part, rows)?, Shape::Bent);
        }
        // What is made of constants alone is a constant.
        let constant = parts.iter().all(|part| part.column_refs().is_empty());
        Ok(if constant { Origin { nullable: true, shape: Shape::Degree(0), ..all } } else { all.bent() })
    }

    /// What these decide on: their columns need the grant to filter.
    pub(super) fn condition(&mut self, parts: &[&Expr], rows: &Rows<'_>) -> Result<Origin, PlanError> {
        let all = self.bent(parts, rows)?;
        self.decides(all, &[Grant::Filter], rows)
    }

    /// That it decides, which takes one of these grants.
    pub(super) fn decides(
        &mut self,
        all: Origin,
        grants: &[Grant],
        rows: &Rows<'_>,
    ) -> Result<Origin, PlanError> {
        for source in &all.values {
            self.require_any(*source, grants, rows.operator)?;
        }
        Ok(Origin { conditions: all.all(), values: BTreeSet::new(), ..all })
    }

    fn window(&mut self, call: &WindowFunction, rows: &Rows<'_>) -> Result<Origin, PlanError> {
        let name = format!("{}() OVER", call.fun.name());
        let rows = &Rows { operator: &name, ..*rows };
        let params = &call.params;
        let order = params.order_by.iter().map(|key| &key.expr);
        let filter = params.filter.as_deref().into_iter();
        let conditions: Vec<&Expr> = params.partition_by.iter().chain(order).chain(filter).collect();
        let decided = self.condition(&conditions, rows)?;
        let mut values = self.bent(&params.args.iter().collect::<Vec<_>>(), rows)?;
        let number = self.number();
        values.parts.insert(number);
        values.roots.insert(number);
        values.kin.insert(number);
        Ok(values.with(&decided, Shape::Bent))
    }
}

/// The expressions right inside of one.
fn children(expr: &Expr) -> Vec<&Expr> {
    let mut all = Vec::new();
    expr.apply_children(|child| {
        all.push(child);
        Ok(TreeNodeRecursion::Continue)
    })
    .expect("collecting cannot fail");
    all
}

/// So many digits are different in each double.
const DOUBLE_DIGITS: i32 = 15;

impl Origin {
    /// Whether its values are the same numbers in the other type, by their types or by the range that
    /// the owner declares.
    pub(super) fn is_exact_as(&self, from: &DataType, to: &DataType) -> bool {
        let fits = || {
            let (range, from) = (self.range?, Type::from_arrow(from)?);
            let within = match Type::from_arrow(to)? {
                Type::Float64 => 10i128.pow(DOUBLE_DIGITS as u32),
                to if to.is_exact_number() => {
                    let up = u32::from(to.scale().checked_sub(from.scale())?);
                    let all = to.range()?;
                    let end = |value: i128| value.checked_mul(10i128.checked_pow(up)?);
                    return Some(all.low <= end(range.low)? && end(range.high)? <= all.high);
                }
                _ => return None,
            };
            Some(-within <= range.low && range.high <= within)
        };
        widens(from, to) || fits().unwrap_or(false)
    }
}

/// Whether a condition keeps the rows in which one column is in a range.
pub(super) fn is_range(condition: &Expr, rows: &Rows<'_>) -> bool {
    let column = |expr: &Expr| {
        // What stays a number or a date stays in its order.
        let expr = match expr {
            Expr::Cast(cast) if !cast.field.data_type().is_string() => &cast.expr,
            other => other,
        };
        let Expr::Column(column) = expr else { return false };
        let origin = rows.schema.index_of_column(column).map(|index| &rows.origins[index]);
        origin.is_ok_and(|origin| origin.is_plain() && origin.conditions.is_empty())
    };
    let literal = |expr: &Expr| matches!(expr, Expr::Literal(..));
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            use Operator::{Eq, Gt, GtEq, Lt, LtEq};
            let sides = column(left) && literal(right) || literal(left) && column(right);
            sides && matches!(op, Eq | Lt | LtEq | Gt | GtEq)
        }
        Expr::Between(between) => {
            !between.negated && column(&between.expr) && literal(&between.low) && literal(&between.high)
        }
        Expr::IsNull(of) | Expr::IsNotNull(of) => column(of),
        _ => false,
    }
}

/// Whether every value of one type is the same number in the other: nothing is cut, so nothing is
/// told apart, and nothing can fail.
pub(super) fn widens(from: &DataType, to: &DataType) -> bool {
    let digits = |ty: &DataType| match ty {
        DataType::Boolean => Some((1, 0)),
        DataType::Int8 | DataType::UInt8 => Some((3, 0)),
        DataType::Int16 | DataType::UInt16 => Some((5, 0)),
        DataType::Int32 | DataType::UInt32 => Some((10, 0)),
        DataType::Int64 => Some((19, 0)),
        DataType::UInt64 => Some((20, 0)),
        DataType::Decimal128(precision, scale) => Some((i32::from(*precision), i32::from(*scale))),
        _ => None,
    };
    let unsigned = |ty: &DataType| ty.is_unsigned_integer();
    match (digits(from), digits(to)) {
        _ if from == to => true,
        _ if *to == DataType::Boolean => false,
        (Some((from_digits, _)), None) => *to == DataType::Float64 && from_digits <= DOUBLE_DIGITS,
        (Some((from_digits, from_scale)), Some((to_digits, to_scale))) => {
            let room = to_scale >= from_scale && to_digits - to_scale >= from_digits - from_scale;
            // Between integers, digits alone would let a larger unsigned one pass.
            let signs = match (from.is_integer(), to.is_integer()) {
                (true, true) => to_digits > from_digits && (unsigned(from) || !unsigned(to)),
                _ => true,
            };
            room && signs
        }
        _ => false,
    }
}
