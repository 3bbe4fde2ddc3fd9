//! The proof that a batch of ANDs was computed as the protocol says: bits first.
//!
//! **The relation.** Party `P_i` sent `z_i` of each AND. Its neighbours know the parts: the left
//! one, `L = P_{i-1}`, holds `x_i`, `y_i` and received `z_i`; the right one, `R = P_{i+1}`, holds
//! `x_{i+1}`, `y_{i+1}`; each shares one of the two mask keys with `P_i`. With
//! `x = x_i ⊕ x_{i+1}` and `y = y_i ⊕ y_{i+1}`, with `e = z_i ⊕ F(K_i)`, known to `P` and `L`, and
//! `f = x_{i+1}∧y_{i+1} ⊕ F(K_{i+1})`, known to `P` and `R`, the AND is right if and only if `x∧y = e ⊕ f`: one product of
//! what `P` knows and of which both neighbours hold a summand each. `P` proves that to both
//! for all gates of a batch at once. A message may hold the sum of two ANDs: then the sum of both
//! terms' left sides is `e ⊕ f`. Every party takes all three roles at the same time, for
//! the proofs of all three.
//!
//! **The proof.** Gates lie in lines of 512, and 2^k lines make a block `b`; gate `(b, row, q, h, j)`
//! is bit `128·q + 64·h + j` of a line, for `j` below 64.
//!
//! 0. *Close.* `L` and `R`, once they have every gate of the batch, send `P` a coin each, from the
//!    key that `P` lacks. All hash them with session, batch, prover and sizes into `S_0`.
//! 1. *Weights* from `S_0`: `w(b, q, h, j) = β_{b,h}·ω_q²·X^j` in GF(2^128), with `β_{b,h}` of degree below
//!    64: sums over blocks have a degree below 127 before `ω_q²`, and need no reduction.
//!    The second terms of sums lie at the places of their first ones, in blocks of their own that
//!    have the weights of the first terms' blocks, and no `e` or `f`.
//! 2. *Rows.* `L` computes `T_L[row] = Σ w·e`, `R` computes `T_R[row] = Σ w·f`.
//! 3. *Skip.* The polynomial `G(r) = Σ w·x̃(r)·ỹ(r)`, where `x̃` is the multilinear
//!    extension over the row's `k` bits, has degree 2 in each variable, hence is known from
//!    {0, 1, ∞}^k, where extensions of bits are bits again. At points of bits it is `T_L + T_R`;
//!    `P` shares its values at the others: `R`'s share is pseudorandom from their key, `L`'s share
//!    is sent. `S_1 = H(S_0, H(salt ‖ L-share))` gives the point `r`.
//! 4. *Fold.* The lines of each block become one of field elements, and cells take them up: the vector `u` takes
//!    `√β·x̃`, `v` takes `√β·ỹ`. Two ANDs with one left factor, at the same places of two blocks `b` and `c`, take
//!    one cell: `x̃` and `β_b·ỹ_b + β_c·ỹ_c`. Both vectors are linear in the factors, so that each verifier has its
//!    summand `u_L`, `v_L` or `u_R`, `v_R` of them, and the products add up to the same sum: cells bear on the price
//!    alone.
//! 5. *Recurse* over cells and then over elements, halving each time: `P` shares `h(0)` and
//!    `h(∞)` of the products along each pair's line, `h(1)` follows from the claim.
//! 6. *Mask.* One more such round pairs what is left, `u` and `v`, with pseudorandom `u_1`, `v_1`, of both of which
//!    `K_i` gives `L`'s summand and `K_{i+1}` gives `R`'s.
//!    `L` sends `R` the digests, `û_L`, `v̂_L` and its claim `T_L`; `R` accepts if
//!    `(û_L + û_R)·(v̂_L + v̂_R) = T_L + T_R`.
//!
//! **Order.** A coin leaves when its sender's statement is fixed: all products of the batch
//! have arrived. `L` and `R` take the coins for `S_0` from their key, never from a message. `R`
//! computes every challenge itself. `P` sends its last `S` to both; `L` compares it with its own before
//! `û_L`, `v̂_L` and `T_L` leave, `R` before it looks at them. Without these comparisons a false coin or
//! digest makes the verifiers follow other challenges than the prover, and the verdict answers
//! questions about inputs. Digests are salted: `R` knows its own share of each value and could
//! test guesses of the other. Every lane of randomness is named by use, prover and batch, and a
//! batch has one proof, since a second under the same masks leaks.
//!
//! **Soundness**, per proof. Let one AND be wrong, or one sum of two: it has one weight, whatever its terms.
//! The sum of its row misses the claim unless the weights cancel: the four elements of lines cancel for
//! one of 2^128 `ω` at most, blocks and the halves of one element for one of 2^64 `β`, since each half has its own.
//! Both hang on a coin of an honest verifier, sent after the statement was fixed, so this
//! 2^-64 + 2^-128 cannot be ground. Then `P` commits to the values of each round by `L`'s digest
//! and `R`'s key before it learns the point: per hash query, a wrong polynomial agrees with the right
//! one at the skip's point with probability 2k/2^128 at most, in each later round 2/2^128; a query is
//! about one round. With 2^64 queries and k ≤ 7: 2^64 · 14/2^128 + 2^-64 + 2^-128 < 2^-60 in all. The hash
//! is a random oracle here. Over the batches of a session the first term adds up, one 2^-64 each;
//! queries are counted once.
//!
//! **Zero knowledge** against one verifier: `L` sees uniform shares; `R` salted digests, uniform `û_L` and `v̂_L`,
//! and `T_L = û·v̂ − T_R`. `P` learns the verdict, which it knows. A lying `L` that adds `δ`, `ε` and `τ` to what it sends
//! is refused but if `δ·v̂ + ε·û + δ·ε = τ`: `û` and `v̂` are uniform to it by `R`'s masks, so that the verdict
//! tells it nothing but with probability 2^-128.
//!
//! **Sources.** Boneh, Boyle, Corrigan-Gibbs, Gilboa, Ishai, CRYPTO 2019, §5 (recursion of fully linear
//! proofs); Boyle, Gilboa, Ishai, Nof, CCS 2019 (three parties). The rounds on bits, the split into
//! coins and hashes, and the composition as a whole are our own, and **nobody else has
//! reviewed them**.
//!
//! **Cost.** Three latencies; with `D = log2(m) − k`, for `m` gates in cells of a block each, a proof takes `3^k − 2^k + 2(D + 1)` elements of 16 bytes
//! to the left, `D + 2` digests from left to right verifier, and 176 bytes more.

mod field;
mod fold;
mod gates;
mod parties;
mod prover;
mod segment;
mod shape;
mod transcript;
mod verifier;

use crate::check::AndStep;
use crate::error::ProtocolError;
use crate::session::{Role, Session};
use crate::step::Step;
use parties::Parties;

/// Proves this party's ANDs of one batch to both neighbours and verifies theirs.
///
/// - **In:** steps whose products have all arrived, the same ones in the same order at every
///   party. `step` is a fresh step of the batch: all messages and randomness are named below it.
/// - **Cost:** 3 rounds; see the module. No gates cost nothing, and neither does a session
///   that trusts its peers to have no part in the products.
/// - **Model:** one active corruption of three, with abort. If an AND of an honest party's
///   neighbour is wrong, an honest party returns an error but with probability 2^-60: one of them, so that
///   nobody opens anything before both others have said that they accept ([`super::flights::confirm`]).
///
/// # Errors
/// `PeerDeviated` if a proof does not hold or a party sent what it should not have;
/// `StepReused` for a second proof of one batch; `Link`.
pub(crate) fn prove(s: &mut Session, step: &Step, batch: &[AndStep]) -> Result<(), ProtocolError> {
    s.claim(&step.child("proof".into()))?;
    if batch.iter().all(|and| and.z.n_rows() * and.z.width() == 0) {
        return Ok(());
    }
    let link = s.params().link;
    let shapes = [0, 1, 2].map(|prover| gates::shape(&gates::of_prover(batch, prover), &link));
    match &s.core.clone().role {
        Role::Rep3 { roots, .. } => Parties::of(s, step, roots, batch, shapes).run(s),
        Role::Count(_) => {
            parties::count(s, shapes);
            Ok(())
        }
        Role::Plain | Role::Observer => Ok(()),
    }
}

/// A wrong product that passes if the coins are known before it is sent: what to add to the first
/// and second 64 gates of a batch of one line.
#[cfg(feature = "lab")]
pub(crate) fn cancelling(
    s: &Session,
    step: &Step,
    batch: &[AndStep],
    prover: usize,
    coins: &[[u8; 32]; 2],
) -> [u64; 2] {
    let shape = gates::shape(&gates::of_prover(batch, prover), &s.params().link);
    let statement = transcript::Statement::of(*s.session_id(), step, batch, [shape; 3]);
    let transcript = statement.transcript(prover, coins);
    // The errors weigh β_0·β_1·ω_0² and β_1·β_0·ω_0².
    let [lower, upper] = transcript::Weights::of(&transcript, shape).blocks[0];
    [upper, lower]
}

#[cfg(test)]
mod tests;
