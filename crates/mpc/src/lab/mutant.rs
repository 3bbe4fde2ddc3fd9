//! Protocols with one guard missing. Tests have to tell each from the real one.

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A protocol that lacks one guard.
        ///
        /// Where the real protocol asks whether something is as it must be, the mutant takes it for true.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $($(#[$doc])* $name,)*
        }

        impl Mutant {
            /// Every one.
            pub const ALL: &[Mutant] = &[$(Mutant::$name,)*];
        }
    };
}

mutants! {
    /// The right verifier of a bit proof accepts whatever the product of the masked operands is.
    BitProofUnchecked,
    /// The coins of all bit proofs of a session are the same.
    BitProofCoinsReused,
    /// The right verifier of a ring proof accepts whatever the product of the masked operands is.
    RingProofUnchecked,
    /// The first coins of all ring proofs of a session are the same.
    RingProofCoinsReused,
    /// The left verifier of a ring proof sends the coin of the prime before it has the quotients.
    RingProofPrimeEarly,
    /// A party goes on whatever the others say of the proofs that they verified.
    VerdictIgnored,
    /// Nobody asks whether the proofs of forks are accepted.
    ForksAcceptNothing,
    /// A branch that opens values does not ask whether proofs from before the fork are accepted.
    ForksOpenUnaccepted,
    /// Branches that open nothing keep what there is to ask.
    ForksTakeAcceptance,
    /// `verify` proves nothing.
    OpensUnverified,
    /// `verify` leaves the proof for the end of the session.
    VerifiesLate,
    /// A branch that opens values proves nothing of what came before the fork.
    ForksOpenUnverified,
    /// What forks computed is proved by nobody.
    ForksForgotten,
    /// An opened share is used whatever the digest of its other copy is.
    CopiesUncompared,
    /// A zero test ends well whatever the digests are.
    ZeroUncompared,
    /// Nobody records what a shuffle moved.
    ShuffleUnchecked,
    /// The right verifier of a row proof accepts whatever the product of the masked operands is.
    RowProofUnchecked,
    /// The coins of all row proofs of a session are the same.
    RowProofCoinsReused,
    /// The holders of an input's shares go on although they hold different ones.
    InputUncompared,
}
