//! A wiretap for tests: forwards TCP connections and keeps what passed, so that a
//! test can show what an eavesdropper sees.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Listens on a port of its own and forwards every connection to one target.
pub struct Tap {
    addr: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    streams: Mutex<Vec<Vec<u8>>>,
    sockets: Mutex<Vec<TcpStream>>,
    is_over: AtomicBool,
}

/// One TLS record: its outer content type and the length of what follows its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsRecord {
    /// 20 change cipher spec, 21 alert, 22 handshake, 23 encrypted.
    pub kind: u8,
    /// Bytes after the five of the header.
    pub n_bytes: usize,
}

/// Where a stream stops being TLS records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of the stream begins no TLS record")]
pub struct NotTls {
    /// The offset of the record that is none.
    pub at: usize,
}

impl Tap {
    /// Starts forwarding to `target`.
    ///
    /// # Errors
    /// If no port can be had on the loopback interface.
    pub fn start(target: SocketAddr) -> std::io::Result<Tap> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let addr = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let shared = Arc::new(Shared::default());
        let all = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !all.is_over.load(Ordering::Acquire) {
                match listener.accept() {
                    // A connection that cannot be forwarded is closed, as it would be without the tap.
                    Ok((socket, _)) => drop(forward(&all, socket, target)),
                    Err(_) => thread::sleep(Duration::from_millis(2)),
                }
            }
        });
        Ok(Tap { addr, shared, thread: Some(thread) })
    }

    /// Where to connect instead of the target.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What passed so far: two streams per connection, there and back.
    pub fn streams(&self) -> Vec<Vec<u8>> {
        self.shared.streams.lock().expect("no panic holds it").clone()
    }

    /// Cuts all connections at once, as a broken network does.
    pub fn cut(&self) {
        for socket in self.shared.sockets.lock().expect("no panic holds it").drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        self.cut();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn forward(shared: &Arc<Shared>, near: TcpStream, target: SocketAddr) -> std::io::Result<()> {
    near.set_nonblocking(false)?;
    let target = target.to_socket_addrs()?.next().expect("an address is its own");
    let far = TcpStream::connect(target)?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    for (source, sink) in [(near.try_clone()?, far.try_clone()?), (far.try_clone()?, near.try_clone()?)] {
        let at = {
            let mut streams = shared.streams.lock().expect("no panic holds it");
            streams.push(Vec::new());
            streams.len() - 1
        };
        let shared = Arc::clone(shared);
        thread::spawn(move || pass(&shared, at, source, sink));
    }
    shared.sockets.lock().expect("no panic holds it").extend([near, far]);
    Ok(())
}

fn pass(shared: &Shared, at: usize, mut source: TcpStream, mut sink: TcpStream) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(n @ 1..) = source.read(&mut bytes) {
        shared.streams.lock().expect("no panic holds it")[at].extend_from_slice(&bytes[..n]);
        if sink.write_all(&bytes[..n]).is_err() {
            break;
        }
    }
    let _ = sink.shutdown(Shutdown::Write);
}

/// Cuts a stream into TLS records; a last one that is incomplete is left out.
///
/// # Errors
/// [`NotTls`] where anything else begins.
pub fn tls_records(stream: &[u8]) -> Result<Vec<TlsRecord>, NotTls> {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(head) = stream.get(at..at + 5) {
        let n_bytes = usize::from(u16::from_be_bytes([head[3], head[4]]));
        // RFC 8446, 5.1 and 5.2: version 3.1 or 3.3, at most 2^14 + 256 bytes.
        let is_record = (20..=23).contains(&head[0])
            && head[1] == 3
            && matches!(head[2], 1 | 3)
            && (1..=(1 << 14) + 256).contains(&n_bytes);
        if !is_record {
            return Err(NotTls { at });
        }
        if at + 5 + n_bytes > stream.len() {
            break;
        }
        records.push(TlsRecord { kind: head[0], n_bytes });
        at += 5 + n_bytes;
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_from_anything_else() {
        let record = [&[23, 3, 3, 0, 4][..], &[9; 4]].concat();
        let two = [&record[..], &record].concat();
        assert_eq!(tls_records(&two).unwrap(), [TlsRecord { kind: 23, n_bytes: 4 }; 2]);
        assert_eq!(tls_records(&two[..17]).unwrap().len(), 1);
        assert_eq!(tls_records(&[&record[..], b"GET / HTTP"].concat()), Err(NotTls { at: 9 }));
        assert_eq!(tls_records(&[23, 3, 3, 0xff, 0xff]), Err(NotTls { at: 0 }));
    }
}
