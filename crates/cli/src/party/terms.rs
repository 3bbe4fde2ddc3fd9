//! What the parties tell one another before they plan: each its own catalog,
//! and the question that it was given, so that a difference has a name.

use net::{Mesh, PartyId, Tag};
use plan::catalog::{PartyCatalog, PublicCatalog};
use serde::{Deserialize, Serialize};

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
    /// What is public about its tables.
    pub(super) catalog: PartyCatalog,
}

/// Exchanges terms with all parties; returns everybody's catalog.
pub(super) fn exchange(mesh: &dyn Mesh, names: &[String], mine: &Terms) -> Result<PublicCatalog, Failure> {
    let bytes = serde_json::to_vec(mine).map_err(|error| Failure::own(error.to_string()))?;
    if bytes.len() > MAX_BYTES {
        return Err(Failure::own(format!("{}: the catalog has {} bytes", mine.catalog.name, bytes.len())));
    }
    let all =
        net::exchange_documents(mesh, TAG, &bytes, MAX_BYTES).map_err(|error| Failure::net(&error, names))?;
    let mut parties = Vec::with_capacity(all.len());
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
        parties.push(theirs.catalog);
    }
    Ok(PublicCatalog { parties })
}
