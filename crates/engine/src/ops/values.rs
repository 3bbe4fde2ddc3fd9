//! Constant rows.

use math::Planes;
use mpc::SharedBits;
use plan::secure::Node;
use plan::types::{Type, Value};

use crate::context::{Context, Result};
use crate::expr::constants;
use crate::relation::Relation;
use crate::share::{TextRule, padded_rows};

/// Public rows as a relation.
///
/// - **SQL:** `VALUES …`, and `SELECT constants`
/// - **Out:** the rows, padded to one at least.
/// - **Reveals:** nothing. **Cost:** none.
pub(crate) fn run(cx: &mut Context, node: &Node, rows: &[Vec<Value>], rule: TextRule) -> Result<Relation> {
    let n_rows = padded_rows(node).max(rows.len());
    let valid: Vec<bool> = (0..n_rows).map(|row| row < rows.len()).collect();
    let valid = SharedBits::public(cx.session(), &Planes::from_bools(&valid));
    let mut columns = Vec::with_capacity(node.schema.len());
    for (index, field) in node.schema.iter().enumerate() {
        let values: Vec<Value> = (0..n_rows)
            .map(|row| rows.get(row).and_then(|row| row.get(index)).cloned().unwrap_or(Value::Null))
            .collect();
        let width = if field.ty == Type::Utf8 { field.width_bytes as usize } else { 0 };
        columns.push(constants(cx, field.ty, width, &values, rule)?);
    }
    Ok(Relation { columns, valid, compact: true })
}
