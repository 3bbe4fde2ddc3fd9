//! The order rule, on traces: nothing is opened before all that it can depend on was verified.

use std::collections::{BTreeMap, BTreeSet};

use net::{PartyId, Tag};

use super::hooks::step_of;
use super::place::Place;
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
                    && !message.place.is_apart_from(&opening.place)
                    && !is_verified(message, at)
            });
            early.extend(
                product.map(|product| EarlyOpening { opening: opening.clone(), product: product.clone() }),
            );
        }
        early
    }

    /// After how many messages each party had heard from both others that they accept a proof: a verdict
    /// that left once its sender had all messages of the proof, and had verified it. A branch of a fork
    /// has verified what was proved in it and before the fork, and knows nothing of the other branch.
    fn vouched(&self) -> BTreeMap<(PartyId, Tag), usize> {
        let heard: BTreeMap<(PartyId, PartyId, Tag), usize> =
            self.heard.iter().map(|heard| ((heard.by, heard.from, heard.tag), heard.after)).collect();
        let heard = |message: &Message| heard.get(&(message.to, message.from, message.tag)).copied();
        let proofs: BTreeSet<Tag> = self.proofs.values().flatten().copied().collect();
        let verdicts: Vec<(usize, &Message)> =
            self.messages.iter().enumerate().filter(|(_, message)| message.is_verdict()).collect();
        // When a party has all of a proof.
        let mut complete: BTreeMap<(PartyId, Tag), usize> = BTreeMap::new();
        let mut places: BTreeMap<Tag, &Place> = BTreeMap::new();
        for message in self.messages.iter().filter(|message| !message.is_verdict()) {
            let proof = step_of(message.tag);
            if proofs.contains(&proof) {
                let at = complete.entry((message.to, proof)).or_default();
                *at = heard(message).unwrap_or(usize::MAX).max(*at);
                places.insert(proof, &message.place);
            }
        }
        let mut told: BTreeMap<(PartyId, Tag), BTreeMap<PartyId, usize>> = BTreeMap::new();
        for ((verifier, proof), complete) in &complete {
            let theirs = verdicts.iter().filter(|(at, verdict)| verdict.from == *verifier && at >= complete);
            for (_, verdict) in theirs.filter(|(_, verdict)| !verdict.place.is_apart_from(places[proof])) {
                let Some(heard) = heard(verdict) else { continue };
                let by = told.entry((verdict.to, *proof)).or_default();
                by.entry(*verifier).and_modify(|at| *at = heard.min(*at)).or_insert(heard);
            }
        }
        let both = told.into_iter().filter(|(_, by)| by.len() == 2);
        both.map(|(proof, by)| (proof, by.into_values().max().unwrap_or(0))).collect()
    }
}
