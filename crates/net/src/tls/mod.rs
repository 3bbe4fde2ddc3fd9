//! Parties on a network: TLS 1.3, each side's key pinned by the other.
//!
//! One connection per direction of each pair; whoever dials sends, whoever
//! accepts receives. A writer thread owns each outgoing connection and a reader
//! thread each incoming one. A reader never waits for a worker, so the parties
//! cannot block one another in a circle of full buffers.

mod channel;
mod config;
mod connect;
mod handshakes;
mod identity;
mod mesh;
mod pump;

pub use connect::{Options, Peer};
pub use identity::{BadKey, Identity, PublicKey};
pub use mesh::TlsMesh;
