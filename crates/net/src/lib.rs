#![allow(missing_docs)]
//! temporary
use buf::{Buf, Bytes};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(u8);
impl PartyId { pub const FIRST: PartyId = PartyId(0); pub fn from_index(i: usize) -> Self { PartyId(i as u8) } pub fn index(self) -> usize { self.0 as usize } }
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag { pub step: u128, pub chunk: u32 }
pub struct Received { pub payload: Buf, pub depth: u32 }
#[derive(Debug, thiserror::Error)]
pub enum NetError { #[error("aborted by {peer:?}: {reason}")] Aborted { peer: PartyId, reason: String }, #[error("length")] Length, #[error("disagree")] Disagree }
#[derive(Default, Clone, Copy)]
pub struct LinkProfile;
pub trait Interceptor: Send + Sync {}
pub struct Traffic(u64);
impl Traffic { pub fn payload_bytes_sent(&self) -> u64 { self.0 } }
pub trait Mesh: Send + Sync {
    fn me(&self) -> PartyId;
    fn n_parties(&self) -> usize;
    fn send(&self, to: PartyId, tag: Tag, depth: u32, payload: Bytes) -> Result<(), NetError>;
    fn recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Received, NetError>;
    fn try_recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Option<Received>, NetError>;
    fn abort(&self, reason: &str);
    fn traffic(&self) -> Traffic;
    fn finish(&self) -> Result<(), NetError>;
}
pub fn agree(m: &dyn Mesh, tag: Tag, _l: &str, d: [u8; 32]) -> Result<(), NetError> {
    for p in 0..m.n_parties() { if p != m.me().index() { m.send(PartyId(p as u8), tag, 0, Buf::copy_of(&d).freeze())?; } }
    for p in 0..m.n_parties() { if p != m.me().index() { if m.recv(PartyId(p as u8), tag, 32)?.payload.bytes() != d { return Err(NetError::Disagree); } } }
    Ok(())
}
#[derive(Default)]
struct Hub { q: Mutex<(HashMap<(u8, u8, Tag), (Bytes, u32)>, Option<(u8, String)>)>, cv: Condvar }
pub struct LocalMesh { me: u8, n: usize, hub: Arc<Hub>, sent: Mutex<u64> }
impl LocalMesh {
    pub fn with_interceptor(n: usize, _l: LinkProfile, _i: Option<Arc<dyn Interceptor>>) -> Vec<LocalMesh> {
        let hub = Arc::new(Hub::default());
        (0..n).map(|me| LocalMesh { me: me as u8, n, hub: hub.clone(), sent: Mutex::new(0) }).collect()
    }
}
impl Mesh for LocalMesh {
    fn me(&self) -> PartyId { PartyId(self.me) }
    fn n_parties(&self) -> usize { self.n }
    fn send(&self, to: PartyId, tag: Tag, depth: u32, payload: Bytes) -> Result<(), NetError> {
        *self.sent.lock().unwrap() += payload.len() as u64;
        let mut q = self.hub.q.lock().unwrap();
        assert!(q.0.insert((self.me, to.0, tag), (payload, depth)).is_none());
        self.hub.cv.notify_all();
        Ok(())
    }
    fn recv(&self, from: PartyId, tag: Tag, n: usize) -> Result<Received, NetError> {
        loop {
            if let Some(r) = self.try_recv(from, tag, n)? { return Ok(r); }
            let q = self.hub.q.lock().unwrap();
            if q.0.contains_key(&(from.0, self.me, tag)) { continue; }
            if let Some((p, r)) = &q.1 { return Err(NetError::Aborted { peer: PartyId(*p), reason: r.clone() }); }
            let _q = self.hub.cv.wait_timeout(q, std::time::Duration::from_secs(1)).unwrap();
        }
    }
    fn try_recv(&self, from: PartyId, tag: Tag, n: usize) -> Result<Option<Received>, NetError> {
        let mut q = self.hub.q.lock().unwrap();
        match q.0.remove(&(from.0, self.me, tag)) {
            None => Ok(None),
            Some((b, depth)) if b.len() == n => Ok(Some(Received { payload: Buf::copy_of(b.bytes()), depth })),
            Some(_) => Err(NetError::Length),
        }
    }
    fn abort(&self, reason: &str) { let mut q = self.hub.q.lock().unwrap(); if q.1.is_none() { q.1 = Some((self.me, reason.into())); } self.hub.cv.notify_all(); }
    fn traffic(&self) -> Traffic { Traffic(*self.sent.lock().unwrap()) }
    fn finish(&self) -> Result<(), NetError> { Ok(()) }
}
