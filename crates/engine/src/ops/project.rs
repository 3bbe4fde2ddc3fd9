//! Computed columns.

use plan::secure::{Expr, Node};

use crate::context::{Context, Result};
use crate::expr::Rows;
use crate::relation::{Column, Data, Relation};
use crate::share::TextRule;

/// Computes one column per expression.
///
/// - **SQL:** `SELECT exprs FROM input`
/// - **In:** `n` rows. **Out:** the same rows.
/// - **Reveals:** nothing; that a valid row failed becomes an error bit.
/// - **Cost:** the expressions'.
pub(crate) fn run(
    cx: &mut Context,
    node: &Node,
    exprs: &[Expr],
    input: Relation,
    rule: TextRule,
) -> Result<Relation> {
    let mut columns = Vec::with_capacity(exprs.len());
    for (expr, field) in exprs.iter().zip(&node.schema) {
        // What fails fails also where nobody looks at the value.
        columns.push(if field.needs.any() || expr.can_fail() {
            Rows::new(&input, rule).column(cx, expr, &input.valid)?
        } else {
            Column { ty: expr.ty, data: Data::Dropped, present: None, zeroed: true }
        });
    }
    Ok(Relation { columns, valid: input.valid, compact: input.compact })
}
