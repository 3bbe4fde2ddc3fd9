//! Left rows by whether their keys are among those of the right side.

use mpc::SharedBits;
use oblivious::{any_row, member};
use plan::secure::NullKeys;

use super::Sides;
use super::keys::keys;
use crate::context::{Context, Result};
use crate::kernel;
use crate::relation::Relation;

pub(super) fn run(cx: &mut Context, on: Sides<'_>) -> Result<Relation> {
    let (left, right) = keys(cx, &on)?;
    let used = cx.step("member", |s| {
        member(s, "rows", (&right.planes, &right.valid), &left.planes, &left.valid, on.method())
    })?;
    let rows = on.left_rows(used);
    if on.join.nulls != NullKeys::Unknown {
        return Ok(rows);
    }
    let decided = decided(cx, &on, &left.valid, &right.valid)?;
    Ok(Relation { valid: kernel::and(cx, &rows.valid, &decided)?, ..rows })
}

/// Where NOT IN is not NULL: where there is no right row at all; or if no right row has a NULL key, and
/// the left row has none.
fn decided(
    cx: &mut Context,
    on: &Sides<'_>,
    left_known: &SharedBits,
    right_known: &SharedBits,
) -> Result<SharedBits> {
    // Rows with a known key are valid ones.
    let unknown = on.right.valid.xor(right_known);
    let both = [&on.right.valid, &unknown];
    let mut any = Vec::with_capacity(both.len());
    for plane in both {
        any.push(cx.step("any", |s| any_row(s, "row", plane))?);
    }
    let one_each = vec![0; on.left.n_rows()];
    let nothing = any[0].not(cx.session()).gather(&one_each);
    let all_known = any[1].not(cx.session()).gather(&one_each);
    // Nothing on the right means that nothing is unknown there.
    let either = kernel::or_all(cx, vec![nothing, left_known.clone()])?;
    kernel::and(cx, &either, &all_known)
}
