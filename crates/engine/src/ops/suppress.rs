//! Groups of too few entities.

use plan::secure::Expr;

use crate::context::{Context, Result};
use crate::expr::Rows;
use crate::kernel;
use crate::relation::Relation;
use crate::share::TextRule;

/// Keeps the groups in which `predicate` is true, as a filter does, and, where their number is told,
/// sets the others aside to be counted when the answer is opened.
///
/// - **In:** `n` groups with the number of entities of each. **Out:** `n` rows; a suppressed group
///   has `valid = 0`, and its values are zeroed before anything is opened.
/// - **Reveals:** if `told`, to the asker, how many groups were suppressed, in all of the plan
///   together; otherwise nothing.
/// - **Cost:** the predicate's, then 1 round and one AND per row; and once, beside the answer, what
///   it takes to count bits.
pub(crate) fn run(
    cx: &mut Context,
    predicate: &Expr,
    told: bool,
    input: Relation,
    rule: TextRule,
) -> Result<Relation> {
    let large = Rows::new(&input, rule).condition(cx, predicate, &input.valid)?;
    let valid = kernel::and(cx, &input.valid, &large)?;
    if told {
        cx.suppressed(input.valid.xor(&valid));
    }
    Ok(Relation { columns: input.columns, valid, compact: false })
}
