//! The proof that a shuffle moved words as its factors say.
//!
//! **The relation.** A pass has three stages ([`crate::shuffle::stages`]). In the stage of `K_i`, party `P_i` sends
//! `m = f(x_{i+1}) + F` to `P_{i+1}`, and in that of `K_{i+1}` it sends `m = f(x_i) + F` to `P_{i-1}`, for the factor `f`
//! and masks `F` of that key. So of each message the receiver knows `x` and `m`, and the other one, who
//! holds the key, `f` and `F`: for public weights `γ` of rows and a linear map `h` of a row's words,
//! `⟨γ∘f^-1, h(x)⟩ = Σ_g γ_g·h(m_g) − Σ_g γ_g·h(F_g)`, an inner product of what one of them knows with what the other
//! knows, and a claim of which each knows a summand. Whatever else a pass does is local: what two parties
//! have in common they move alone. That both holders of an `x` have the same one was seen to when it was
//! an input. `P_i` proves
//! this to both, with `L = P_{i-1}` and `R = P_{i+1}`, for all passes of a batch at once. Every party takes all
//! three roles at the same time. Numbers have the same relation in their ring: they are proved among
//! the products ([`super::ring`]).
//!
//! **The proof**, in GF(2^128).
//!
//! 0. *Close.* `L` and `R`, once they have every row of the batch, send `P` a coin each, from the key
//!    that `P` lacks. All hash them with session, batch, prover and sizes into `S_0`.
//! 1. *Weights* from `S_0`: `κ_c` in GF(2^64) for each word of a row, `γ_g` in GF(2^128) for each row of
//!    each message. `h` of a row is `Σ κ_c·word_c`, taken for a polynomial of degree below 64.
//! 2. *Sides.* `u` holds, for each pass, `γ∘f^-1` of the rows that went to `R`, and `h(x_i)` of those
//!    that went to `L`; `v` holds `h(x_{i+1})` and `γ∘f^-1`. `P` and `L` know `u`, `P` and `R` know `v`. The claim is
//!    `⟨u, v⟩ = T_L + T_R`, with `T_L = Σ γ·h(F)` over the former and `Σ γ·h(m)` over the latter, `T_R` the other way round.
//! 3. *Recurse*: `D` rounds halve both vectors. `P` shares `h(0)` and `h(∞)` of the products along each
//!    pair's line: `R`'s share is pseudorandom from their key, `L`'s share is sent; `h(1)` follows from the
//!    claim. `S_{t+1} = H(S_t, H(salt ‖ L-share))` gives the point.
//! 4. *Mask.* One more such round pairs what is left with pseudorandom `u_1` and `v_1`, of which `K_i` and
//!    `K_{i+1}` give a summand each. `L` sends `R` the digests, `û_L`, `v̂_L` and its claim, where `v_L` is zero before its
//!    mask; `R` adds its own summands, and accepts if `û·v̂ = T_L + T_R`.
//!
//! **Order.** As in the proof of bits ([`super::bits`]): no coin leaves before all that it must not
//! influence has arrived; `L` and `R` take coins from their key, never from a message; `R` computes every
//! challenge itself; both compare the prover's last `S` with their own before what `L` tells leaves, or is
//! looked at; digests are salted; every lane of randomness is named by use, prover and batch, and a
//! batch has one proof.
//!
//! **Soundness**, per proof. Let a message of `P` be another one than its receiver's `x`, the factor and the
//! mask give, in row `g`, by an error `ε`: `h(ε) = 0` for one of 2^64 `κ` at most, and if it is not, the claim
//! is true for one of 2^128 `γ_g`. Both hang on a coin of an honest verifier, sent after the rows were
//! fixed, so this `2^-64 + 2^-128` cannot be ground. (Weights are AES-128 in counter mode under a hash of `S_0`.) Then, per hash query, a wrong polynomial agrees with
//! the right one with probability 2/2^128. With 2^64 queries: below 2^-61 in all. The hash is a random
//! oracle here. A pass that moved some rows to wrong places has errors of this kind.
//!
//! **Zero knowledge** against one verifier: `L` sees uniform shares; `R` salted digests, uniform `û_L` and `v̂_L`, and
//! `T_L = û·v̂ − T_R`. `P` learns the verdict, which it knows: honest verifiers' hangs on its messages alone, never
//! on where rows went, so that it learns nothing of the factor that it lacks.
//!
//! **Sources.** Boneh, Boyle, Corrigan-Gibbs, Gilboa, Ishai, CRYPTO 2019, §5 (recursion of fully linear
//! proofs); Boyle, Gilboa, Ishai, Nof, CCS 2019 (three parties); Laur, Willemson, Zhang, ISC 2011 (stages).
//! That permutations fit such proofs, the split into coins and hashes and the composition are our own,
//! and **nobody else has reviewed them**.
//!
//! **Cost.** Three latencies; with `D = ⌈log2 2n⌉`, two at least, for `n` rows in all passes, `32(D + 1)` bytes of shares to
//! the left, as many of digests from left to right verifier, and 176 bytes more. Each party keeps a few columns of 16 bytes
//! for each row, for a while.

mod parties;
mod proof;
mod sides;
mod transcript;

use std::sync::Arc;

use crate::error::ProtocolError;
use crate::session::{Role, Session};
use crate::shuffle::stages::Pass;
use crate::step::Step;
use parties::Parties;
use proof::Shape;

/// Proves this party's messages of passes to both neighbours and verifies theirs, for lanes of words.
///
/// - **In:** passes whose messages have all arrived, the same ones in the same order at every party.
///   `step` is a fresh step of the batch: all messages and randomness are named below it.
/// - **Cost:** 3 rounds; see the module.
/// - **Model:** one active corruption of three, with abort. If a row of an honest party's neighbour is
///   wrong, an honest party returns an error but with probability 2^-61: see [`super::bits::prove`].
///
/// # Errors
/// `PeerDeviated` if a proof does not hold or a party sent what it should not have;
/// `StepReused` for a second proof of one batch; `Link`.
pub(crate) fn prove(s: &mut Session, step: &Step, passes: &[Arc<Pass>]) -> Result<(), ProtocolError> {
    s.claim(&step.child("proof".into()))?;
    let shape = Shape::of(passes);
    match &s.core.clone().role {
        Role::Rep3 { roots, .. } => Parties::of(s, step, roots, passes, shape).run(s),
        Role::Count(_) => {
            parties::count(s, shape);
            Ok(())
        }
        Role::Plain | Role::Observer => Ok(()),
    }
}

/// `κ` of a batch of one pass of lanes of two words, which a row of errors can be hidden from, once the
/// coins are known.
#[cfg(feature = "lab")]
pub(crate) fn word_keys(
    s: &Session,
    step: &Step,
    pass: Pass,
    prover: usize,
    coins: &[[u8; 32]; 2],
) -> Vec<math::gf::Gf64> {
    let passes = [Arc::new(pass)];
    let statement = transcript::Statement::of(*s.session_id(), step, &passes, Shape::of(&passes));
    transcript::Weights::of(&statement.transcript(prover, coins)).of_words(0, 2)
}

#[cfg(test)]
mod tests;
