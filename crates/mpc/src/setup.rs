//! How a session starts: the parties agree on what they run and on keys for it.

use std::sync::Arc;

use buf::Buf;
use net::{Mesh, PartyId, Tag};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Deviation, ProtocolError};
use crate::prss::{Root, Roots};
use crate::session::{MAX_PARTIES, Params, Role, Session};
use crate::step::Step;

/// Changes whenever two builds could not compute together.
const PROTOCOL_VERSION: u32 = 4;

impl Session {
    /// Starts a session among all parties of `mesh`, of which the three `compute`.
    ///
    /// Every party contributes a fresh nonce and an ephemeral X25519 key inside the
    /// authenticated links. The session id hashes all of them with `digest`, which
    /// stands for everything the parties agreed to run; neighbours derive the keys of
    /// their common masks from the id and their Diffie-Hellman secret. Keys live as
    /// long as the session.
    ///
    /// - **Cost:** 2 rounds, 96 bytes to every peer.
    ///
    /// # Errors
    /// `Link` with `Disagree` if a party wants to run something else; `PeerDeviated` if a
    /// peer's key is degenerate; `Unsupported` for a malformed list of compute parties.
    pub fn establish(
        mesh: Arc<dyn Mesh>,
        compute: [PartyId; 3],
        digest: &[u8; 32],
        params: Params,
    ) -> Result<Session, ProtocolError> {
        let session = Self::meet(Arc::clone(&mesh), compute, digest, params);
        // The others learn at once that there will be no session, and from whom.
        session.inspect_err(|_| mesh.abort("the session could not start"))
    }

    fn meet(
        mesh: Arc<dyn Mesh>,
        compute: [PartyId; 3],
        digest: &[u8; 32],
        params: Params,
    ) -> Result<Session, ProtocolError> {
        let step = Step::root(&[0; 32]).child("setup".into());
        let fail = |reason| ProtocolError::Unsupported { step: step.clone(), reason };
        let link = |source| ProtocolError::Link { step: step.clone(), source: Box::new(source) };
        let (n, me) = (mesh.n_parties(), mesh.me());
        let [a, b, c] = compute;
        if a == b || b == c || a == c || compute.iter().any(|party| party.index() >= n) || n > MAX_PARTIES {
            return Err(fail(
                "three different parties of the session compute, and at most sixteen take part",
            ));
        }

        let mut random = Zeroizing::new([0u8; 64]);
        getrandom::fill(&mut *random).map_err(|_| fail("the operating system gave no randomness"))?;
        let secret = StaticSecret::from(<[u8; 32]>::try_from(&random[32..]).expect("32 of 64 bytes"));
        let mut mine = [0u8; 64];
        mine[..32].copy_from_slice(&random[..32]);
        mine[32..].copy_from_slice(PublicKey::from(&secret).as_bytes());

        // Step 1: everybody's nonce and key, to everybody.
        let tag: Tag = step.tag(0);
        let others = || (0..n).map(PartyId::from_index).filter(|party| *party != me);
        for peer in others() {
            mesh.send(peer, tag, 0, Buf::copy_of(&mine).freeze()).map_err(link)?;
        }
        let mut hellos = vec![mine; n];
        for peer in others() {
            let hello = mesh.recv(peer, tag, 64).map_err(link)?;
            hellos[peer.index()].copy_from_slice(hello.payload.bytes());
        }

        // Step 2: one id for all, compared before anything depends on it.
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 session id v1");
        hasher.update(&PROTOCOL_VERSION.to_le_bytes());
        hasher.update(&(n as u32).to_le_bytes());
        hasher.update(&compute.map(|party| party.index() as u8));
        hasher.update(&(params.chunk_rows as u64).to_le_bytes());
        hasher.update(&[params.security as u8]);
        hasher.update(&params.link.to_bytes());
        hasher.update(digest);
        hellos.iter().for_each(|hello| {
            hasher.update(hello);
        });
        let session_id = *hasher.finalize().as_bytes();
        net::agree(
            &*mesh,
            step.tag(1),
            "what to run (question, catalogues, compute parties, security, links, version)",
            session_id,
        )
        .map_err(link)?;

        // Step 3: keys with both neighbours, for those that compute.
        let role = match compute.iter().position(|party| *party == me) {
            None => Role::Observer,
            Some(index) => {
                let peers = [compute[(index + 2) % 3], compute[(index + 1) % 3]];
                let keys = peers.map(|peer| {
                    let hello = &hellos[peer.index()];
                    let theirs = PublicKey::from(<[u8; 32]>::try_from(&hello[32..]).expect("32 of 64 bytes"));
                    secret.diffie_hellman(&theirs)
                });
                let mut roots = Vec::with_capacity(2);
                for (key, (shared, peer)) in [index, (index + 1) % 3].into_iter().zip(keys.iter().zip(peers))
                {
                    if !shared.was_contributory() {
                        return Err(ProtocolError::PeerDeviated {
                            step: step.clone(),
                            deviation: Deviation::OtherSession,
                            culprit: Some(peer),
                        });
                    }
                    let mut input = Zeroizing::new(Vec::with_capacity(65));
                    input.extend_from_slice(&session_id);
                    input.extend_from_slice(shared.as_bytes());
                    input.push(key as u8);
                    let mut root = blake3::derive_key("junto 2026 mask root v1", &input);
                    roots.push(Root::new(&root));
                    root.zeroize();
                }
                let next = roots.pop().expect("two keys");
                let own = roots.pop().expect("two keys");
                Role::Rep3 { index, roots: Roots([own, next]) }
            }
        };
        Ok(Session::new(role, Some(mesh), compute, n, me, session_id, params))
    }
}
