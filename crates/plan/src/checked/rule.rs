//! The rewrite that puts checked functions in place of plain operators.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ExprSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::arith::{ArithKind, CheckedArith, type_of};

/// Replaces `+ - * /` and minus on exact numbers by functions that fail rather
/// than wrap. Runs after type coercion and before anything folds constants.
#[derive(Debug, Default)]
pub struct CheckArithmetic;

impl AnalyzerRule for CheckArithmetic {
    fn name(&self) -> &str {
        "check_arithmetic"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(check_node).map(|transformed| transformed.data)
    }
}

fn check_node(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = &plan {
        schema.merge(&scan.projected_schema);
    }
    let names = NamePreserver::new(&plan);
    let checked = plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let checked = expr.transform_up(|expr| check_expr(expr, &schema))?;
        Ok(checked.update_data(|expr| name.restore(expr)))
    })?;
    checked.map_data(|plan| plan.recompute_schema())
}

fn check_expr(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match ArithKind::of(op) {
            Some(kind) if needs_check(kind, &left, schema)? && needs_check(kind, &right, schema)? => {
                Ok(Transformed::yes(CheckedArith::call(kind, vec![*left, *right])))
            }
            _ => Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }))),
        },
        // A literal with its sign is a literal.
        Expr::Negative(value) => match value.as_ref() {
            Expr::Literal(literal, metadata) if !literal.is_null() && is_exact(&literal.data_type()) => {
                let negative = literal.arithmetic_negate()?;
                Ok(Transformed::yes(Expr::Literal(negative, metadata.clone())))
            }
            _ if is_exact(&type_of(&value, schema)?) => {
                Ok(Transformed::yes(CheckedArith::call(ArithKind::Neg, vec![*value])))
            }
            _ => Ok(Transformed::no(Expr::Negative(value))),
        },
        other => Ok(Transformed::no(other)),
    }
}

// Integer division is checked by DataFusion itself.
fn needs_check(kind: ArithKind, operand: &Expr, schema: &dyn ExprSchema) -> Result<bool> {
    let ty = type_of(operand, schema)?;
    Ok(is_exact(&ty) && (kind != ArithKind::Div || matches!(ty, DataType::Decimal128(_, _))))
}

fn is_exact(ty: &DataType) -> bool {
    ty.is_integer() || matches!(ty, DataType::Decimal128(_, _))
}
