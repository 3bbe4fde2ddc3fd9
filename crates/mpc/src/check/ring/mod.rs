//! The proof that a batch of ring products was computed as the protocol says.
//!
//! **The relation.** Party `P_i` sent `z_i` of each product `Σ_t x_t·y_t`. Its neighbours know the parts:
//! the left one, `L = P_{i-1}`, holds `x_i`, `y_i` and received `z_i`; the right one, `R = P_{i+1}`,
//! holds `x_{i+1}`, `y_{i+1}`; each shares one of the two mask keys with `P_i`. With
//! `e = z_i − Σ x_i·y_i − F(K_i)`, known to `P` and `L`, and `f = F(K_{i+1})`, known to `P` and `R`, the
//! product is right if and only if 2^k divides the integer `c = Σ (x_i·y_{i+1} + y_i·x_{i+1}) − e − f`, where
//! every ring element stands for the integer from 0 to 2^k − 1. A row that a shuffle moved is such a relation
//! too, of one term without a product ([`moves`]). `P` proves that to both for all
//! products of a batch at once, whatever their rings. Every party takes all three roles at the same
//! time, for the proofs of all three.
//!
//! **The proof.** The quotients `w = c/2^k` of honest products are integers, so their sums over random
//! subsets are too, and 64 such sums are little to share. What is left to prove is an equation
//! modulo a random prime.
//!
//! 0. *Close.* `L` and `R`, once they have every product of the batch, send `P` a coin each, from the
//!    key that `P` lacks. All hash them with session, batch, prover and sizes into `S_0`.
//! 1. *Subsets* from `S_0`: bits `α_g^t` for each product `g` and `t < κ`; `κ = 64`. For a matrix,
//!    `α = a_row·b_column`, and κ is 155 if there is one.
//! 2. *Quotients.* `P` computes `W_t = Σ_g α_g^t·w_g`, `R`'s share comes from `K_{i+1}`, uniform in
//!    `[0, 2^250)`, and `L` receives the rest: 32 bytes, hence something in `[−2^255, 2^255)`.
//! 3. *Prime.* `L` sends `P` a second coin, which `R` knows too. It gives a prime `p ≡ 3 mod 4` above
//!    3·2^62 and `β_t` in F_p. With `γ_g = Σ_t β_t·α_g^t`, the claim is now, in F_p,
//!    `Σ_g γ_g/2^k·Σ(x·y' + y·x') = T_L + T_R`, where `T_L = Σ γ_g/2^k·e_g + Σ β_t·W_L^t` is known to `L`, and
//!    `T_R = Σ γ_g/2^k·f_g + Σ β_t·W_R^t` to `R`: an inner product of `u = γ_g/2^k·(x‖y)`, known to `P` and
//!    `L`, and `v = y'‖x'`, known to `P` and `R`. (Dividing by 2^k here, and by no power of two before,
//!    is what lets rings mix: the integers `2^(128−k)·c` are to be multiples of 2^128.) For a matrix,
//!    `u` holds `β_t/2^k·(aᵀX ‖ Yb)`, `v` holds `Y'b ‖ aᵀX'`, the left terms are `aᵀ(z − F(K_i))b − (aᵀX)(Yb)`.
//! 4. *Skip.* `u` and `v` are cut into 8 rows. The product of their multilinear extensions in the
//!    row's 3 bits has degree 2 in each, hence is known from {0, 1, ∞}^3. The points of bits add up to
//!    `T_L + T_R`; all 27 but the first are shared: `R`'s share comes from `K_{i+1}`, `L` receives the
//!    rest. `S` hashes a salted digest of `L`'s share, and gives three points of F_p[i], the field of
//!    p² elements.
//! 5. *Fold* the rows at these points, and *recurse*: `D` rounds halve the vectors, each with the two
//!    independent coefficients of a quadratic polynomial, shared and hashed alike.
//! 6. *Mask* the last pair `u`, `v` with `u_1` from `K_i` and `v_1` from `K_{i+1}`: at the point `r` of the
//!    last round, `û = u + r(u_1 − u)` and `v̂` alike.
//! 7. *Check.* `L` sends its digests, `û` and `T_L` to `R`, who accepts if `û·v̂ = T_L + T_R`.
//!
//! **Order.** As in the proof of bits: no coin leaves before everything it must not influence has
//! arrived; the second one, which is what makes the prime unpredictable, not before `W_L`. `L` and `R`
//! take all coins from their key, never from a message. `R` computes every challenge itself. `P` sends
//! its last `S` to both; `L` compares it with its own before `û` and `T_L` leave, `R` before it looks at
//! them. Digests are salted. Every lane of randomness is named by use, prover and batch, and a batch
//! has one proof, since a second under the same masks leaks.
//!
//! **Soundness**, per proof. Let one product of the batch be wrong.
//!
//! - *Subsets.* Scaled to one modulus, some `2^(128−k)·c` is no multiple of 2^128. Let 2^s be the largest
//!   power that divides all of them: their quotients by 2^s are not all even. A random subset of
//!   products, apart from matrices, has an odd sum with probability 1/2, so 64 of them are all
//!   even with 2^-64. If the odd ones are in a matrix `C` alone, modulo two, `a·C` is not zero with 1/2 at least,
//!   and then `a·C·b` is odd with 1/2: 155 subsets fail to show it with (3/4)^155 < 2^-64. Else some
//!   `D_t = Σ α·2^(128−k)·c − 2^128·W_t` is not zero for any integers `W_t`. `S_0` hangs on the coin of an
//!   honest verifier, sent after the statement was fixed.
//! - *Prime.* With at most 2^40 multiplications in a batch, and 32 bytes for `W_L`, `|D_t| < 2^384`: at most 6
//!   primes of the range divide it. The range has 2^55.5 primes that are 3 modulo 4 (the prime number
//!   theorem for that progression), and `W_L` was fixed before the second coin: below 2^-52.9.
//! - *Weights.* If no `D_t` that is not zero vanishes modulo p, a random `β` gives a true claim with 1/p < 2^-63.5.
//! - *Rounds.* `P` commits to the values of each round by `L`'s digest and `R`'s key before it learns the
//!   point: per hash query, a wrong polynomial agrees with the right one with probability 6/p² at most in
//!   the first round, 2/p² in each later one. With 2^64 queries and p² > 2^127.1: below 2^-60.5. The
//!   hash is a random oracle here.
//!
//! In all below 2^-52 that hangs on coins, once per batch, and cannot be ground, and 2^-60 that can. A
//! cheater that is caught in one batch has no second try, so the same bound holds for a session.
//!
//! **Zero knowledge** against one verifier: `L` sees shares of quotients that are uniform but for 155·2^-80
//! (a quotient has at most 170 bits) and shares of the proof that are uniform but for 2^-57 (128 random bits
//! modulo p each); `R` sees salted digests, `û`, which its mask makes uniform, and `T_L = û·v̂ − T_R`. `P`
//! learns the verdict, which it knows. Selections, primes and weights are public to all three.
//!
//! **Sources.** Boneh, Boyle, Corrigan-Gibbs, Gilboa, Ishai, CRYPTO 2019, §5 (recursion of fully linear
//! proofs); Boyle, Gilboa, Ishai, Nof, CCS 2019 (three parties). Subsets, shared quotients, the
//! random prime, the split into coins and hashes and the composition as a whole are our own, and **nobody
//! else has reviewed them**.
//!
//! **Cost.** Five latencies; with κ subsets and `D = ⌈log2 ⌈n/8⌉⌉` for vectors of `n` elements (two for each
//! multiplication and for each row of a lane that moved, 310 for each inner index of a matrix product), a proof
//! takes 32κ bytes of quotients and `208 + 32(D + 1)` of shares to the left, `D + 2` digests from left to right
//! verifier, and 192 bytes more.

mod gates;
mod integer;
mod lanes;
mod matrix;
mod moves;
mod operand;
mod parties;
mod prover;
mod shape;
mod sides;
mod transcript;
mod verifier;
mod word;

use crate::check::RingBatch;
use crate::error::ProtocolError;
use crate::session::{Role, Session};
use crate::step::Step;
use parties::Parties;
use shape::Shape;

/// Proves this party's ring products of one batch to both neighbours and verifies theirs.
///
/// - **In:** steps whose products have all arrived, the same ones in the same order at every
///   party. `step` is a fresh step of the batch: all messages and randomness are named below it.
/// - **Cost:** 5 rounds; see the module. No products cost nothing, and neither does a session
///   that trusts its peers to have no part in them.
/// - **Model:** one active corruption of three, with abort. If a product of an honest party's
///   neighbour is wrong, an honest party returns an error but with probability 2^-52.
///
/// # Errors
/// `PeerDeviated` if a proof does not hold or a party sent what it should not have;
/// `StepReused` for a second proof of one batch; `Unsupported` for more than 2^40 multiplications;
/// `Link`.
pub(crate) fn prove(s: &mut Session, step: &Step, batch: &RingBatch) -> Result<(), ProtocolError> {
    s.claim(&step.child("proof".into()))?;
    let shape = Shape::of(batch);
    if shape.n_gates == 0 && shape.n_matrices == 0 {
        return Ok(());
    }
    if shape.n_terms > shape::MAX_TERMS {
        let reason = "one proof covers at most 2^40 multiplications of ring elements";
        return Err(ProtocolError::Unsupported { step: step.clone(), reason });
    }
    match &s.core.clone().role {
        Role::Rep3 { roots, .. } => Parties::of(s, step, roots, batch, shape).run(s),
        Role::Count(_) => {
            parties::count(s, shape);
            Ok(())
        }
        Role::Plain | Role::Observer => Ok(()),
    }
}

/// What the coins of a batch of single products give.
#[cfg(feature = "lab")]
pub(crate) struct Foreseen {
    statement: transcript::Statement,
    shape: Shape,
    prover: usize,
}

#[cfg(feature = "lab")]
impl Foreseen {
    /// For this party's proof.
    pub(crate) fn of(s: &Session, step: &Step, batch: &RingBatch) -> Self {
        let shape = Shape::of(batch);
        let statement = transcript::Statement::of(*s.session_id(), step, batch, shape);
        Foreseen { statement, shape, prover: s.seat().expect("a compute party").index }
    }

    /// Each product's subsets, from the first coins.
    pub(crate) fn selections(&self, coins: &[[u8; 32]; 2]) -> Vec<u64> {
        transcript::Selections::of(&self.start(coins), self.shape).gates().to_vec()
    }

    /// The prime, from the second coin too.
    pub(crate) fn prime(&self, coins: &[[u8; 32]; 2], second: &[u8; 32]) -> u64 {
        let mut transcript = self.start(coins);
        transcript.absorb(second);
        transcript::Challenge::of(&transcript, self.shape).prime.value()
    }

    fn start(&self, coins: &[[u8; 32]; 2]) -> transcript::Transcript {
        transcript::Transcript::new(&self.statement, self.prover, coins)
    }
}

#[cfg(test)]
mod tests;
