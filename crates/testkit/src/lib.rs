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

pub use rows::{assert_near_rows, assert_same_rows, rows_of};
pub use stage::StageRows;
pub use world::{Outcome, RunError, World};
