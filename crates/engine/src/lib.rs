//! Runs a secure plan: local stages on DataFusion, shared stages on `oblivious`.
//!
//! This crate never knows identities or tasks: parties are numbers on a mesh.

mod calendar;
pub mod local;
pub mod output;
