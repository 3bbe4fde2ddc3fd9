//! Tampering, oracles, workloads, on top of the in-process party lab that lives in `mpc`.
//!
//! Never knows a real network, and is never part of what users run: it sees every party's
//! rows at once.
//!
//! A [`World`] holds the parties' tables in clear. The same question goes to
//! DataFusion over all of them ([`World::oracle`]), to the engine on plaintext
//! ([`World::plain`]) and to a session of parties on shares ([`World::lab`]).

mod facts;
mod rows;
mod stage;
mod world;

pub use rows::{assert_cancelled_rows, assert_near_rows, assert_same_rows, rows_of};
pub use stage::StageRows;
pub use world::{Outcome, RunError, World};

/// Asserts that a run paid what was counted: bytes exactly, and rounds too, of which a malicious
/// session may take one less, since word that proofs are accepted can come before a slower message.
///
/// # Panics
/// If it did not.
pub fn assert_foretold(what: &str, security: mpc::Security, paid: &mpc::Cost, counted: &mpc::Cost) {
    assert_eq!(paid.bytes_sent, counted.bytes_sent, "{what}: bytes paid, and counted");
    let spare = u32::from(security == mpc::Security::Malicious);
    let foretold = counted.rounds - spare.min(counted.rounds)..=counted.rounds;
    assert!(
        foretold.contains(&paid.rounds),
        "{what}: {} rounds paid, {} counted",
        paid.rounds,
        counted.rounds
    );
}
