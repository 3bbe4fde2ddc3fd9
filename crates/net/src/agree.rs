//! What all parties do at once with small documents: agree, and exchange.

use buf::Buf;

use crate::{Mesh, NetError, Tag};

/// Makes sure that every party holds the same `digest` of the thing called `label`.
///
/// Uses `tag` once in each direction of each pair. One round.
///
/// # Errors
/// `Disagree` names the first party with another digest; or why a digest did not come.
pub fn agree(mesh: &dyn Mesh, tag: Tag, label: &str, digest: [u8; 32]) -> Result<(), NetError> {
    let me = mesh.me();
    let others = || crate::PartyId::all(mesh.n_parties()).filter(|peer| *peer != me);
    for to in others() {
        mesh.send(to, tag, 0, Buf::copy_of(&digest).freeze())?;
    }
    // All are taken before any is judged, so that one that differs is named
    // rather than a peer that stopped because of it.
    let mut differs = None;
    for from in others() {
        let theirs = mesh.recv(from, tag, digest.len())?;
        if theirs.payload.bytes() != digest {
            differs = differs.or(Some(from));
        }
    }
    match differs {
        Some(peer) => Err(NetError::Disagree { peer, label: label.to_owned() }),
        None => Ok(()),
    }
}

/// Everybody sends `mine` to everybody; returns all documents in the order of parties.
///
/// Uses `tag` once in each direction of each pair. One round.
///
/// # Errors
/// `TooMuch` where a document exceeds `max_bytes`; or why one did not come.
pub fn exchange_documents(
    mesh: &dyn Mesh,
    tag: Tag,
    mine: &[u8],
    max_bytes: usize,
) -> Result<Vec<Buf>, NetError> {
    let me = mesh.me();
    let shared = Buf::copy_of(mine).freeze();
    for to in crate::PartyId::all(mesh.n_parties()).filter(|peer| *peer != me) {
        mesh.send(to, tag, 0, shared.clone())?;
    }
    crate::PartyId::all(mesh.n_parties())
        .map(|from| {
            if from == me {
                return Ok(Buf::copy_of(mine));
            }
            Ok(mesh.recv_document(from, tag, max_bytes)?.payload)
        })
        .collect()
}
