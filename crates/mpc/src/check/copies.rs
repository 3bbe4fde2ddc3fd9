//! Every share is held twice: the second holder's digest tells whether the first one sent it as it is.

use net::PartyId;
use subtle::ConstantTimeEq;

use buf::Buf;

use crate::error::{Deviation, ProtocolError};
use crate::session::{Security, Session, guard};
use crate::step::Step;

/// The size of a digest.
pub(crate) const DIGEST_BYTES: usize = 32;

pub(crate) type Digest = [u8; DIGEST_BYTES];

impl Session {
    /// Whether shares travel with the digest of their second copy.
    pub(crate) fn compares_copies(&self) -> bool {
        self.security() == Security::Malicious
    }

    /// The digest of share `x_slot` in one step of this session. It goes only to a party that
    /// holds that share, or gets it in this step.
    pub(crate) fn share_digest(&self, step: &Step, slot: usize, share: &[u8]) -> Digest {
        let context = [&self.core.session_id[..], &step.key_bytes(), &[slot as u8]].concat();
        let key = blake3::derive_key("junto 2026 share copy v1", &context);
        *blake3::keyed_hash(&key, share).as_bytes()
    }

    /// Sends a digest as this step's message `part`.
    pub(crate) fn send_digest(
        &mut self,
        step: &Step,
        part: u8,
        to: PartyId,
        digest: &Digest,
    ) -> Result<(), ProtocolError> {
        self.send(step, part, to, Buf::copy_of(digest).freeze())
    }

    /// Receives a digest and compares it with this party's. A difference does not tell who lied:
    /// the sender of the digest or that of the share.
    pub(crate) fn digest_agrees(
        &mut self,
        step: &Step,
        part: u8,
        from: PartyId,
        digest: &Digest,
    ) -> Result<bool, ProtocolError> {
        let theirs = self.recv(step, part, from, DIGEST_BYTES)?;
        Ok(digest.ct_eq(theirs.bytes()).into())
    }

    /// [`Session::digest_agrees`], or the session ends.
    pub(crate) fn same_copy(
        &mut self,
        step: &Step,
        part: u8,
        from: PartyId,
        digest: &Digest,
    ) -> Result<(), ProtocolError> {
        let agrees = self.digest_agrees(step, part, from, digest)?;
        if guard!(self, CopiesUncompared, agrees) {
            return Ok(());
        }
        let deviation = Deviation::CopiesDiffer;
        let error = ProtocolError::PeerDeviated { step: step.clone(), deviation, culprit: None };
        self.give_up(&error);
        Err(error)
    }
}
