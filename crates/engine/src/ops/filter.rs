//! Rows that meet a condition.

use plan::secure::Expr;

use crate::context::{Context, Result};
use crate::expr::Rows;
use crate::kernel;
use crate::relation::Relation;
use crate::share::TextRule;

/// Keeps the rows where `predicate` is true, hiding which they are and how many.
///
/// - **SQL:** `SELECT * FROM input WHERE predicate`
/// - **In:** `n` rows. **Out:** `n` rows; a dropped row has `valid = 0`.
/// - **Reveals:** nothing beyond `n` and the schema.
/// - **Cost:** the predicate's, then 1 round and one AND per row.
pub(crate) fn run(cx: &mut Context, predicate: &Expr, input: Relation, rule: TextRule) -> Result<Relation> {
    let keep = Rows::new(&input, rule).condition(cx, predicate, &input.valid)?;
    let valid = kernel::and(cx, &input.valid, &keep)?;
    Ok(Relation { columns: input.columns, valid, compact: false })
}
