//! Frames between parties: in-process, TLS and simulated links behind one [`Mesh`].
//!
//! Never knows shares, protocols or SQL: a message is bytes with a name.
//!
//! A message travels between one ordered pair of parties under a [`Tag`] that is
//! used once. Sending never waits for the peer, receiving takes exactly the
//! message that it names, and what arrives before it is asked for waits inside a
//! bounded window. [`LocalMesh`] runs all parties in one process over the same
//! frames that [`TlsMesh`] sends between machines; `docs/wire.md` gives them byte
//! by byte.
//!
//! ```
//! use buf::Buf;
//! use net::{LinkProfile, LocalMesh, Mesh, PartyId, Tag};
//!
//! let mesh = LocalMesh::new(2, LinkProfile::INSTANT);
//! let tag = Tag { step: 7, chunk: 0 };
//! mesh[0].send(PartyId::from_index(1), tag, 1, Buf::copy_of(b"hello").freeze())?;
//! let received = mesh[1].recv(PartyId::from_index(0), tag, 5)?;
//! assert_eq!(received.payload.bytes(), b"hello");
//! # Ok::<(), net::NetError>(())
//! ```

mod agree;
mod endpoint;
mod error;
pub mod frame;
mod inbox;
mod link;
mod local;
mod mesh;
mod outbox;
mod seen;
pub mod tap;
mod tls;

pub use agree::{agree, exchange_documents};
pub use error::{Blame, NetError, with_names};
pub use link::LinkProfile;
pub use local::{Interceptor, LocalMesh, LocalOptions, Verdict};
pub use mesh::{Limits, MAX_PARTIES, Mesh, NoSuchParty, PartyId, PeerTraffic, Received, Tag, Traffic, Wait};
pub use tls::{BadKey, Identity, Options, Peer, PublicKey, TlsMesh};
