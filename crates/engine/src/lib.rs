//! Runs a secure plan: local stages on DataFusion, shared stages on `oblivious`.
//!
//! This crate never knows identities or tasks: parties are numbers on a mesh.
//!
//! ```text
//! LocalRows ── rows of one owner ──▶ share ──▶ ops … ops ──▶ open ──▶ the asker's Answer
//!                                               │
//!                                               └─▶ failure bits, opened first
//! ```
//!
//! Every party calls [`execute`] with the same plan, parties that only own data
//! included; the same code prices a plan in a session that counts ([`price`]).

mod answer;
mod calendar;
mod context;
mod decode;
mod errors;
mod expr;
mod kernel;
pub mod local;
mod number;
mod open;
mod ops;
pub mod output;
mod relation;
mod run;
mod share;

pub use answer::{Answer, Suppressed};
pub use errors::{EngineError, Failure, FailureKind};
pub use open::Opened;
pub use run::{LocalRows, Mark, ToldStages, execute, execute_measured, price, session_security};
