//! Common subplans: what a plan has more than once is computed once.
//!
//! Equal parts give equal rows, in one order, also where that order was drawn by lot. So a part
//! that occurs again refers to the first one like it. What owners share for a join is left alone,
//! since they bring it into that join's order.

use std::collections::{BTreeMap, BTreeSet};

use crate::secure::{Needs, Node, Op, Place};

/// What tells parts of a plan apart: all but the names of columns and what is made of them above.
type Key = [u8; 32];

/// Puts references in place of all parts but the first of those that are equal, and numbers the
/// nodes anew.
pub(crate) fn compute_once(root: &mut Node) {
    let mut keys = BTreeMap::new();
    key(root, &mut keys);
    let mut times: BTreeMap<Key, usize> = BTreeMap::new();
    for node in root.nodes().into_iter().filter(|node| can_stand_for_others(node)) {
        *times.entry(keys[&node.id]).or_default() += 1;
    }
    times.retain(|_, times| *times > 1);
    if times.is_empty() {
        return;
    }
    // The one that is computed has what any of them is wanted for.
    let mut needs: BTreeMap<Key, Vec<Needs>> = BTreeMap::new();
    for part in root.nodes().into_iter().filter(|node| times.contains_key(&keys[&node.id])) {
        part.visit(&mut |node| {
            let all =
                needs.entry(keys[&node.id]).or_insert_with(|| vec![Needs::default(); node.schema.len()]);
            all.iter_mut().zip(&node.schema).for_each(|(all, field)| *all = all.with(field.needs));
        });
    }
    let mut first = BTreeMap::new();
    replace(root, false, &keys, &times.into_keys().collect(), &needs, &mut first);
    let mut numbers = BTreeMap::new();
    number(root, &mut numbers);
}

/// Whether equal parts with this node on top have equal rows.
fn can_stand_for_others(node: &Node) -> bool {
    node.place == Place::Shared && !matches!(node.op, Op::LocalStage(_))
}

/// Takes down the keys of a node and of all below it, by their numbers.
fn key(node: &Node, keys: &mut BTreeMap<usize, Key>) -> Key {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    match &node.op {
        Op::LocalStage(stage) => {
            part(format!("{} {:?} {:?}", stage.party, stage.unique_keys, stage.told).as_bytes());
            part(renumbered(&stage.logical.display_indent_schema().to_string()).as_bytes());
        }
        op => part(format!("{op:?}").as_bytes()),
    }
    part(format!("{:?} {}", node.place, node.row_bound).as_bytes());
    for field in &node.schema {
        let known = (field.ty, field.nullable, field.range, field.width_bytes, field.distinct);
        part(format!("{known:?}").as_bytes());
    }
    for input in &node.inputs {
        part(&key(input, keys));
    }
    let key = *hasher.finalize().as_bytes();
    keys.insert(node.id, key);
    key
}

/// Names that rules and DataFusion number as they go.
const NUMBERED: [&str; 4] = ["__local_", "__common_expr_", "__scalar_sq_", "__correlated_sq_"];

/// A stage's text with the names that have a number numbered anew in their order; tables keep the
/// names of their columns.
fn renumbered(text: &str) -> String {
    let mut numbers = BTreeMap::new();
    let mut line = |line: &str| {
        if line.trim_start().starts_with("TableScan") {
            return line.to_owned();
        }
        let (mut out, mut rest) = (String::new(), line);
        while let Some((at, name)) =
            NUMBERED.iter().filter_map(|name| Some((rest.find(name)?, name))).min_by_key(|(at, _)| *at)
        {
            let (before, from) = rest.split_at(at + name.len());
            let end = from.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(from.len());
            let next = numbers.len();
            let number = numbers.entry((*name, from[..end].to_owned())).or_insert(next);
            out.push_str(&format!("{before}{number}"));
            rest = &from[end..];
        }
        out + rest
    };
    text.lines().map(&mut line).collect::<Vec<_>>().join("\n")
}

fn replace(
    node: &mut Node,
    inside: bool,
    keys: &BTreeMap<usize, Key>,
    copied: &BTreeSet<Key>,
    needs: &BTreeMap<Key, Vec<Needs>>,
    first: &mut BTreeMap<Key, usize>,
) {
    let key = keys[&node.id];
    let is_copied = copied.contains(&key) && can_stand_for_others(node);
    let inside = inside || is_copied;
    if let (true, Some(needs)) = (inside, needs.get(&key)) {
        node.schema.iter_mut().zip(needs).for_each(|(field, needs)| field.needs = *needs);
    }
    if is_copied {
        if let Some(of) = first.get(&key) {
            node.op = Op::Again { of: *of, as_joined: node.lies_as_joined() };
            node.inputs.clear();
            return;
        }
        first.insert(key, node.id);
    }
    node.inputs.iter_mut().for_each(|input| replace(input, inside, keys, copied, needs, first));
}

fn number(node: &mut Node, numbers: &mut BTreeMap<usize, usize>) {
    let next = numbers.len();
    numbers.insert(node.id, next);
    node.id = next;
    if let Op::Again { of, .. } = &mut node.op {
        *of = numbers[&*of];
    }
    node.inputs.iter_mut().for_each(|input| number(input, numbers));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rules_number_are_numbered_by_their_order() {
        let text = |a: u8, b: u8, c: u8| {
            format!(
                "Projection: __local_{a}, f__b_1\n  Projection: x AS __local_{b}, y AS __local_{c}\n    TableScan: t.__local_1"
            )
        };
        assert_eq!(renumbered(&text(1, 1, 2)), renumbered(&text(7, 7, 9)));
        assert_ne!(renumbered(&text(1, 1, 2)), renumbered(&text(2, 1, 2)));
        assert!(renumbered(&text(7, 7, 9)).ends_with("t.__local_1"));
        assert!(renumbered(&text(7, 7, 9)).contains("f__b_1"));
    }
}
