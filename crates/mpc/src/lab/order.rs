//! The order rule, on traces: nothing is opened before all that it can depend on was verified.

use std::collections::{BTreeMap, BTreeSet};

use net::{PartyId, Tag};

use super::hooks::step_of;
use super::{Message, Trace};

/// An opening that left before a product that it may depend on was verified.
#[derive(Debug)]
pub struct EarlyOpening {
    /// The opening.
    pub opening: Message,
    /// The product that nobody had vouched for.
    pub product: Message,
}

impl Trace {
    /// What breaks the order rule: messages with which a party opens something although the proof of
    /// a product that it sent before does not exist, or not both others had told it by then that
    /// this proof is right.
    ///
    /// A product in one branch of a fork and an opening in the other one have nothing to do with
    /// each other. Of everything else that was computed before, the opening counts as dependent.
    pub fn early_openings(&self) -> Vec<EarlyOpening> {
        let vouched = self.vouched();
        let is_verified = |product: &Message, before: usize| {
            let is_vouched =
                |proof: &Tag| vouched.get(&(product.from, *proof)).is_some_and(|at| *at <= before);
            let proofs = self.proofs.get(&step_of(product.tag));
            proofs.is_some_and(|proofs| proofs.iter().all(is_vouched))
        };
        let mut early = Vec::new();
        for (at, opening) in self.messages.iter().enumerate().filter(|(_, message)| message.is_opening) {
            let product = self.messages[..at].iter().rev().find(|message| {
                message.from == opening.from
                    && (message.is_product || message.is_move)
                    && !message.payload.is_empty()
                    && !are_apart(&message.name, &opening.name)
                    && !is_verified(message, at)
            });
            early.extend(
                product.map(|product| EarlyOpening { opening: opening.clone(), product: product.clone() }),
            );
        }
        early
    }

    /// After how many messages each party had heard from both others that a proof is right.
    fn vouched(&self) -> BTreeMap<(PartyId, Tag), usize> {
        let verdicts: BTreeSet<(PartyId, PartyId, Tag)> = self
            .messages
            .iter()
            .filter(|message| message.is_verdict())
            .map(|message| (message.from, message.to, message.tag))
            .collect();
        let mut told: BTreeMap<(PartyId, Tag), BTreeMap<PartyId, usize>> = BTreeMap::new();
        for heard in self.heard.iter().filter(|heard| verdicts.contains(&(heard.from, heard.by, heard.tag))) {
            told.entry((heard.by, step_of(heard.tag))).or_default().insert(heard.from, heard.after);
        }
        let both = told.into_iter().filter(|(_, by)| by.len() == 2);
        both.map(|(proof, by)| (proof, by.into_values().max().unwrap_or(0))).collect()
    }
}

/// Whether two steps lie in different branches of one fork.
fn are_apart(a: &str, b: &str) -> bool {
    let parts = a.split('/').zip(b.split('/')).find(|(a, b)| a != b);
    matches!(parts, Some(("left", "right") | ("right", "left")))
}
