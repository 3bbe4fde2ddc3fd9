//! One TLS connection over one socket, without a buffer between them and us:
//! payload is encrypted from where it lies, and decrypted records are handed on
//! as they come.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, InsufficientSizeError, UnbufferedStatus,
};

/// What one read from the socket may bring.
const INCOMING_BYTES: usize = 1 << 18;

/// Plaintext that is encrypted and written at a time.
pub(crate) const PIECE_BYTES: usize = 1 << 17;

/// A TLS record takes this much plaintext, and this much room beside it.
const RECORD_BYTES: usize = 1 << 14;
const RECORD_OVERHEAD: usize = 22;

/// Room for a key update that goes before the data.
const SLACK_BYTES: usize = 128;

/// Why a channel stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    #[error("the connection closed")]
    Closed,
    #[error("no answer in time")]
    TooLate,
}

/// Either side of a TLS connection.
pub(crate) trait Side {
    type Data;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl Side for UnbufferedClientConnection {
    type Data = ClientConnectionData;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
}

impl Side for UnbufferedServerConnection {
    type Data = ServerConnectionData;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
}

/// What the handshake needs next.
enum Next {
    Again,
    Flush,
    Read,
    Done,
    Refuse(rustls::Error),
}

/// A connection with its socket.
pub(crate) struct Channel<S> {
    side: S,
    socket: TcpStream,
    incoming: Vec<u8>,
    /// Where the bytes in `incoming` start and end that were not processed.
    start: usize,
    end: usize,
    outgoing: Vec<u8>,
    n_outgoing: usize,
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOutcome {
    /// Something came.
    Bytes,
    /// Nothing came in the socket's read timeout.
    Nothing,
    /// The peer closed.
    End,
}

impl<S: Side> Channel<S> {
    pub(crate) fn new(side: S, socket: TcpStream) -> Self {
        let outgoing = vec![0; sealed_bytes(2 * PIECE_BYTES)];
        Channel { side, socket, incoming: vec![0; INCOMING_BYTES], start: 0, end: 0, outgoing, n_outgoing: 0 }
    }

    pub(crate) fn side(&self) -> &S {
        &self.side
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Completes the handshake before `deadline`. Data that arrives in the same
    /// breath is handed to `plain`.
    pub(crate) fn handshake(
        &mut self,
        deadline: Instant,
        mut plain: impl FnMut(&[u8]),
    ) -> Result<(), ChannelError> {
        loop {
            let status = self.side.process(&mut self.incoming[self.start..self.end]);
            let discard = status.discard;
            let next = match status.state {
                Ok(ConnectionState::EncodeTlsData(data)) => {
                    encode(data, &mut self.outgoing, &mut self.n_outgoing)?;
                    Next::Again
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    Next::Flush
                }
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        plain(record?.payload);
                    }
                    Next::Again
                }
                Ok(ConnectionState::BlockedHandshake) => Next::Read,
                Ok(ConnectionState::WriteTraffic(_)) => Next::Done,
                Ok(_) => return Err(ChannelError::Closed),
                Err(error) => Next::Refuse(error),
            };
            self.start += discard;
            match next {
                Next::Again => {}
                Next::Flush => self.flush(deadline)?,
                Next::Read => self.read_by(deadline)?,
                Next::Done => return Ok(()),
                Next::Refuse(error) => {
                    self.send_alert(deadline);
                    return Err(error.into());
                }
            }
        }
    }

    /// Reads until `plain` has had something, or until `deadline`.
    pub(crate) fn read_some(
        &mut self,
        deadline: Instant,
        mut plain: impl FnMut(&[u8]),
    ) -> Result<(), ChannelError> {
        let mut has_any = false;
        while !has_any {
            self.read_by(deadline)?;
            let is_open = self.open_records(|bytes| {
                has_any |= !bytes.is_empty();
                plain(bytes);
            })?;
            if !is_open && !has_any {
                return Err(ChannelError::Closed);
            }
        }
        Ok(())
    }

    /// Reads once from the socket and hands every complete record to `plain`.
    pub(crate) fn read(&mut self, plain: impl FnMut(&[u8])) -> Result<ReadOutcome, ChannelError> {
        match self.fill() {
            Ok(0) => return Ok(ReadOutcome::End),
            Ok(_) => {}
            Err(error) if is_timeout(&error) => return Ok(ReadOutcome::Nothing),
            Err(error) => return Err(error.into()),
        }
        Ok(if self.open_records(plain)? { ReadOutcome::Bytes } else { ReadOutcome::End })
    }

    /// Encrypts `plain` behind what waits in the outgoing buffer.
    ///
    /// At most [`PIECE_BYTES`] may be given at a time, and twice that between flushes.
    pub(crate) fn seal(&mut self, plain: &[u8]) -> Result<(), ChannelError> {
        loop {
            let status = self.side.process(&mut self.incoming[self.start..self.end]);
            let discard = status.discard;
            let is_done = match status.state? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    let room = &mut self.outgoing[self.n_outgoing..];
                    let n =
                        traffic.encrypt(plain, room).map_err(|error| io::Error::other(error.to_string()))?;
                    self.n_outgoing += n;
                    true
                }
                // Messages of TLS itself, such as a key update, go first.
                ConnectionState::EncodeTlsData(data) => {
                    encode(data, &mut self.outgoing, &mut self.n_outgoing)?;
                    false
                }
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    false
                }
                _ => return Err(ChannelError::Closed),
            };
            self.start += discard;
            if is_done {
                return Ok(());
            }
        }
    }

    /// How many encrypted bytes wait.
    pub(crate) fn n_waiting(&self) -> usize {
        self.n_outgoing
    }

    /// Writes what was encrypted. One write that makes no progress until
    /// `deadline`, or in the socket's own write timeout, is too late.
    pub(crate) fn flush(&mut self, deadline: Instant) -> Result<(), ChannelError> {
        let mut at = 0;
        while at < self.n_outgoing {
            match (&self.socket).write(&self.outgoing[at..self.n_outgoing]) {
                Ok(0) => return Err(ChannelError::Closed),
                Ok(n) => at += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => return Err(ChannelError::TooLate),
                Err(error) => return Err(error.into()),
            }
            if Instant::now() > deadline {
                return Err(ChannelError::TooLate);
            }
        }
        self.n_outgoing = 0;
        Ok(())
    }

    /// Tells the peer that nothing more comes. Best effort: the frames above say
    /// goodbye for themselves.
    pub(crate) fn close(&mut self) {
        let status = self.side.process(&mut self.incoming[self.start..self.end]);
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state {
            let room = &mut self.outgoing[self.n_outgoing..];
            if let Ok(n) = traffic.queue_close_notify(room) {
                self.n_outgoing += n;
            }
        }
        let _ = self.flush(Instant::now() + Duration::from_secs(1));
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
    }

    /// Sends the alert that explains a failed handshake, and lets it arrive:
    /// closing with unread bytes would reset the connection and take it back.
    fn send_alert(&mut self, deadline: Instant) {
        // rustls still refers to the bytes that it refused: it gets the same ones again.
        loop {
            let status = self.side.process(&mut self.incoming[self.start..self.end]);
            let discard = status.discard;
            let Ok(ConnectionState::EncodeTlsData(data)) = status.state else { break };
            if encode(data, &mut self.outgoing, &mut self.n_outgoing).is_err() {
                break;
            }
            self.start += discard;
        }
        let linger = deadline.min(Instant::now() + Duration::from_millis(300));
        let _ = self.flush(linger);
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        self.end = 0;
        self.start = 0;
        while self.read_by(linger).is_ok() {
            self.end = 0;
        }
    }

    /// Processes what has arrived; false once the peer has closed.
    fn open_records(&mut self, mut plain: impl FnMut(&[u8])) -> Result<bool, ChannelError> {
        loop {
            let status = self.side.process(&mut self.incoming[self.start..self.end]);
            let discard = status.discard;
            let mut goes_on = true;
            let mut is_open = true;
            match status.state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        plain(record?.payload);
                    }
                }
                // The reading side writes nothing: what TLS wants to say stays unsaid.
                ConnectionState::EncodeTlsData(data) => {
                    encode(data, &mut self.outgoing, &mut self.n_outgoing)?;
                    self.n_outgoing = 0;
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::PeerClosed | ConnectionState::Closed => {
                    (goes_on, is_open) = (false, false);
                }
                _ => goes_on = false,
            }
            self.start += discard;
            if !goes_on {
                return Ok(is_open);
            }
        }
    }

    /// One read from the socket that ends by `deadline`.
    fn read_by(&mut self, deadline: Instant) -> Result<(), ChannelError> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ChannelError::TooLate);
        }
        self.socket.set_read_timeout(Some(left))?;
        match self.fill() {
            Ok(0) => Err(ChannelError::Closed),
            Ok(_) => Ok(()),
            Err(error) if is_timeout(&error) => Err(ChannelError::TooLate),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads behind what is left of `incoming`.
    fn fill(&mut self) -> io::Result<usize> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.incoming.len() - self.end < 2 * RECORD_BYTES {
            // What is left is part of one record, or of one handshake message.
            self.incoming.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        loop {
            match (&self.socket).read(&mut self.incoming[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(n) => {
                    self.end += n;
                    return Ok(n);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn encode<D>(
    mut data: EncodeTlsData<'_, D>,
    outgoing: &mut Vec<u8>,
    n_outgoing: &mut usize,
) -> Result<(), ChannelError> {
    loop {
        match data.encode(&mut outgoing[*n_outgoing..]) {
            Ok(n) => {
                *n_outgoing += n;
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) => {
                outgoing.resize(*n_outgoing + required_size, 0);
            }
            Err(error) => return Err(io::Error::other(error.to_string()).into()),
        }
    }
}

/// The most room that `n` bytes of plaintext take, sealed in any number of pieces
/// of at least 4 kB.
fn sealed_bytes(n: usize) -> usize {
    n + (n / 4096 + 2) * RECORD_OVERHEAD + SLACK_BYTES
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
