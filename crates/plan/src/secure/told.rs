//! A plan after the owners have told how many rows their filters keep.

use std::collections::BTreeMap;

use super::{LocalStage, Node, Op, SecurePlan};
use crate::error::PlanError;

impl SecurePlan {
    /// The stages whose owners tell how many rows they keep, in the order of their nodes' ids.
    pub fn telling_stages(&self) -> Vec<(&Node, &LocalStage)> {
        self.local_stages().into_iter().filter(|(_, stage)| !stage.told.is_hidden()).collect()
    }

    /// The plan with as many rows in each of those stages as was told, by the nodes' ids. Its digest
    /// covers the numbers, so that parties that were told different ones share nothing.
    ///
    /// # Errors
    /// `Parties` if a number is missing, is no rounded one, or counts what nobody tells.
    pub fn with_told_rows(&self, told: &BTreeMap<usize, u64>) -> Result<SecurePlan, PlanError> {
        let stages = self.telling_stages();
        for (node, stage) in &stages {
            let rows = told.get(&node.id).copied();
            if !rows.is_some_and(|rows| stage.told.tells(rows, node.row_bound)) {
                let (owner, name) = (&self.parties[stage.party], &stage.name);
                let reason = format!(
                    "{owner} does not tell the number of rows of `{name}` {} as its catalog says",
                    stage.told
                );
                return Err(PlanError::Parties { reason });
            }
        }
        if told.len() != stages.len() {
            return Err(PlanError::Parties { reason: "a number of rows was told that is hidden".to_owned() });
        }
        if told.is_empty() {
            return Ok(self.clone());
        }
        let mut plan = self.clone();
        bound(&mut plan.root, told);
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 told rows v1");
        hasher.update(&self.digest);
        for (node, rows) in told {
            hasher.update(&(*node as u64).to_le_bytes()).update(&rows.to_le_bytes());
        }
        plan.digest = *hasher.finalize().as_bytes();
        Ok(plan)
    }
}

fn bound(node: &mut Node, told: &BTreeMap<usize, u64>) {
    if let (Op::LocalStage(_), Some(rows)) = (&node.op, told.get(&node.id)) {
        node.row_bound = *rows;
    }
    node.inputs.iter_mut().for_each(|input| bound(input, told));
}
