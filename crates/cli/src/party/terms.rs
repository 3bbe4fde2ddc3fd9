//! What the parties tell one another before they plan: each its own catalog,
//! and the question that it was given, so that a difference has a name.

use net::{Mesh, PartyId, Tag};
use plan::catalog::{PartyCatalog, PublicCatalog};
use plan::secure::Security;
use serde::{Deserialize, Serialize};

use super::budget::Given;
use crate::event::{Failure, Nearness};

/// The most bytes of one party's terms.
const MAX_BYTES: usize = 1 << 24;
/// The one message in which terms travel.
const TAG: Tag = Tag { step: u128::from_be_bytes(*b"junto catalogues"), chunk: 0 };

/// What one party brings to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Terms {
    /// The program's version.
    pub(super) version: String,
    /// The question it was given.
    pub(super) question: String,
    /// Who asks.
    pub(super) asker: String,
    /// Who computes.
    pub(super) compute: Vec<String>,
    /// Against whom the run holds, if this party asks, and else the least it takes part in.
    pub(super) security: Security,
    /// What is public about its tables.
    pub(super) catalog: PartyCatalog,
    /// How many answers it gave of tables that have a limit.
    pub(super) given: Given,
}

/// What all parties bring, together.
pub(super) struct Agreed {
    /// What is public about everybody's tables.
    pub(super) catalog: PublicCatalog,
    /// Against whom the run holds.
    pub(super) security: Security,
    /// How many answers each party gave.
    pub(super) given: Vec<Given>,
}

/// Exchanges terms with all parties. The asker says against whom the run holds, and nobody else
/// wants more.
pub(super) fn exchange(mesh: &dyn Mesh, names: &[String], mine: &Terms) -> Result<Agreed, Failure> {
    let bytes = serde_json::to_vec(mine).map_err(|error| Failure::own(error.to_string()))?;
    if bytes.len() > MAX_BYTES {
        return Err(Failure::own(format!("{}: the catalog has {} bytes", mine.catalog.name, bytes.len())));
    }
    let all =
        net::exchange_documents(mesh, TAG, &bytes, MAX_BYTES).map_err(|error| Failure::net(&error, names))?;
    let mut parties = Vec::with_capacity(all.len());
    let mut given = Vec::with_capacity(all.len());
    let mut wanted = Vec::with_capacity(all.len());
    for (peer, bytes) in PartyId::all(all.len()).zip(&all) {
        let name = &names[peer.index()];
        let disagrees = |message: String| Failure { message, nearness: Nearness::Peer };
        let theirs: Terms = serde_json::from_slice(bytes.bytes()).map_err(|_| {
            disagrees(format!("{name} sent terms that cannot be read; does it run this version?"))
        })?;
        let differences = [
            (theirs.version == mine.version, "runs another version of junto"),
            (theirs.question == mine.question, "was given another question"),
            (theirs.asker == mine.asker, "was told that another party asks"),
            (theirs.compute == mine.compute, "was told that other parties compute"),
            (theirs.catalog.name == *name, "sent the catalog of another party"),
        ];
        if let Some((_, what)) = differences.iter().find(|(same, _)| !same) {
            return Err(disagrees(format!("{name} {what}; give all parties the same")));
        }
        wanted.push((name.as_str(), theirs.security));
        parties.push(theirs.catalog);
        given.push(theirs.given);
    }
    let security =
        agreed(&mine.asker, &wanted).map_err(|message| Failure { message, nearness: Nearness::Peer })?;
    Ok(Agreed { catalog: PublicCatalog { parties }, security, given })
}

/// The asker's security, unless somebody takes part in stronger ones alone.
fn agreed(asker: &str, wanted: &[(&str, Security)]) -> Result<Security, String> {
    let chosen = wanted.iter().find(|(name, _)| *name == asker);
    // The planner says who is missing; until then the strongest is on the safe side.
    let chosen = chosen.map_or(Security::ALL[0], |(_, security)| *security);
    match wanted.iter().find(|(_, least)| *least > chosen) {
        None => Ok(chosen),
        Some((name, least)) => Err(format!(
            "{asker} asks with {chosen} security, and {name} takes part in {least} alone: \
             ask with --security {least}, or let {name} choose --security {chosen}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Security::{Malicious, SemiHonest};

    #[test]
    fn the_asker_chooses_and_everybody_else_sets_a_least() {
        let wanted = |a, b| [("bank", a), ("shop", b)];
        assert_eq!(agreed("bank", &wanted(Malicious, Malicious)), Ok(Malicious));
        assert_eq!(agreed("bank", &wanted(SemiHonest, SemiHonest)), Ok(SemiHonest));
        assert_eq!(agreed("bank", &wanted(Malicious, SemiHonest)), Ok(Malicious));
        let refused = agreed("bank", &wanted(SemiHonest, Malicious)).unwrap_err();
        assert_eq!(
            refused,
            "bank asks with semi-honest security, and shop takes part in malicious alone: \
             ask with --security malicious, or let shop choose --security semi-honest"
        );
        assert_eq!(agreed("nobody", &wanted(Malicious, Malicious)), Ok(Malicious));
    }
}
