//! Owners sort the rows that a join compares with another owner's, so that the join merges them.

use std::collections::BTreeMap;

use math::{Column as Elements, Planes, Z128};
use mpc::{Session, SharedBits, open_bits, verify};
use plan::secure::{Join, Matching, Node, Op};

use super::{Clear, TextRule, share};
use crate::context::{Context, Result};
use crate::errors::Failures;
use crate::ops;

/// Whether the rows of both sides of a join come in the order of its keys: if each of them is what
/// one owner computes alone.
pub(crate) fn come_in_order(node: &Node) -> bool {
    match &node.op {
        Op::Join(Join { matching: Matching::Pairs, .. }) => false,
        Op::Join(join) => {
            !join.left_keys.is_empty()
                && node.inputs.iter().all(|input| matches!(input.op, Op::LocalStage(_)))
        }
        _ => false,
    }
}

/// Brings this party's rows into the order in which the joins above them want them: by key as the
/// join computes it, and of one key those that take part first. Padding is sorted with the rest.
///
/// The keys are computed by the join's own code, in a session that computes in clear.
pub(crate) fn in_order(
    session: &Session,
    root: &Node,
    clear: &mut BTreeMap<usize, Clear>,
    rule: TextRule,
) -> Result<()> {
    for node in root.nodes() {
        let Op::Join(join) = &node.op else { continue };
        if !come_in_order(node) || node.inputs.iter().all(|input| !clear.contains_key(&input.id)) {
            continue;
        }
        let oracle = &mut session.in_clear();
        let mut failures = Failures::default();
        let mut sides = Vec::with_capacity(2);
        for input in &node.inputs {
            let Op::LocalStage(stage) = &input.op else { continue };
            let mine = clear.get(&input.id);
            // Of a side that is elsewhere the types count alone.
            let (like, none) = (Node { row_bound: 0, ..input.clone() }, Clear::none(input));
            let (input, rows) = mine.map_or((&like, &none), |rows| (input, rows));
            let shared = oracle.scope(("node", input.id), |s| {
                share(&mut Context::new(s, &mut failures, input), input, stage, Some(rows), rule)
            })?;
            sides.push(shared);
        }
        let keys = oracle.scope(("node", node.id), |s| {
            let mut cx = Context::new(s, &mut failures, node);
            let keys = ops::join_keys(&mut cx, node, join, sides, rule)?;
            cx.step("keys", |s| {
                keys.iter()
                    .enumerate()
                    .map(|(side, keys)| s.scope(("side", side), |s| ordered(s, keys)))
                    .collect()
            })
        });
        let keys: Vec<Vec<u32>> = keys?;
        for (input, order) in node.inputs.iter().zip(keys) {
            if let Some(rows) = clear.get_mut(&input.id) {
                *rows = rows.in_order(&order);
            }
        }
    }
    Ok(())
}

/// Where rows lie by their keys, of which plane 0 comes last.
fn ordered(s: &mut Session, keys: &SharedBits) -> std::result::Result<Vec<u32>, mpc::ProtocolError> {
    let keys = verify(s, keys.clone())?;
    let Some(keys) = open_bits(s, "key", keys)? else { return Ok(Vec::new()) };
    let mut order: Vec<u32> = (0..keys.n_rows() as u32).collect();
    // By the lowest planes first: sorts are stable.
    for first in (0..keys.width()).step_by(128) {
        let planes: Planes = keys.planes(first..keys.width().min(first + 128));
        let words: Elements<Z128> = math::pack::elements(&planes);
        order.sort_by_key(|row| words.items()[*row as usize].0);
    }
    Ok(order)
}
