//! Frames to bytes and back. `docs/wire.md` shows the same layout as a table.
//!
//! Bytes from a peer become a frame or a [`Garbage`]; nothing here allocates more
//! than a frame's own small body.

use crate::Tag;

/// Kind, three zero bytes, length of the body.
pub const PREFIX_BYTES: usize = 8;

/// The prefix and the fixed part of a data frame's body.
pub const DATA_HEADER_BYTES: usize = 48;

/// The most payload that one data frame carries: a heartbeat, a credit or an
/// abort never waits behind more.
pub const MAX_FRAME_PAYLOAD: usize = 1 << 18;

/// The most bytes of an abort's reason.
pub const MAX_REASON_BYTES: usize = 1024;

/// The version of the frames. Peers with another one are refused.
pub const PROTOCOL_VERSION: u16 = 1;

const MAGIC: [u8; 8] = *b"JUNTO/ms";
const DATA_FIXED_BYTES: usize = DATA_HEADER_BYTES - PREFIX_BYTES;
const CREDIT_BYTES: usize = 20;
const CLAIMED_BYTES: usize = 16;
const HELLO_BYTES: usize = 68;

const DATA: u8 = 1;
const CREDIT: u8 = 2;
const CLAIMED: u8 = 3;
const HEARTBEAT: u8 = 4;
const ABORT: u8 = 5;
const GOODBYE: u8 = 6;
const HELLO: u8 = 7;

/// What was wrong with bytes from a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Garbage {
    /// No such kind of frame.
    #[error("unknown frame kind {0}")]
    UnknownKind(u8),
    /// The bytes kept for later versions are not zero.
    #[error("reserved bytes are set")]
    Reserved,
    /// The body has a length that its kind cannot have.
    #[error("a frame of kind {kind} with a body of {n_bytes} bytes")]
    BodyLength {
        /// The kind.
        kind: u8,
        /// The length in the prefix.
        n_bytes: u32,
    },
    /// A data frame that is empty, or leaves its message.
    #[error("a data frame outside its message")]
    Extent,
    /// A data frame that does not continue where the one before ended, or changes
    /// the message's length or depth.
    #[error("a data frame that does not continue its message")]
    Gap,
    /// A message went on beyond the initial credit although nobody asked for it.
    #[error("data beyond its credit")]
    NoCredit,
    /// The same credit twice.
    #[error("a credit given twice")]
    CreditTwice,
    /// More claimed than was sent.
    #[error("an impossible count of claimed messages")]
    Claimed,
    /// An abort whose reason is no text.
    #[error("an abort whose reason is not UTF-8")]
    Reason,
    /// A greeting that does not begin as one.
    #[error("a greeting without its magic bytes")]
    Magic,
    /// A greeting in the middle of the session, or anything else before it.
    #[error("a greeting out of place")]
    HelloOutOfPlace,
    /// Goodbye in the middle of a message, or a frame after goodbye.
    #[error("goodbye out of place")]
    GoodbyeOutOfPlace,
    /// The TLS layer refused a record.
    #[error("a broken TLS record")]
    Record,
}

/// The fixed part of a data frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataHeader {
    /// Which message.
    pub tag: Tag,
    /// The sender's Lamport clock.
    pub depth: u32,
    /// Bytes of the whole message.
    pub total: u64,
    /// Where this frame's payload starts in the message.
    pub offset: u64,
    /// Bytes of payload in this frame.
    pub n_bytes: u32,
}

/// A greeting: the first frame in each direction of a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The version of the frames.
    pub version: u16,
    /// The sender's place in the list of parties.
    pub from: u8,
    /// The receiver's place.
    pub to: u8,
    /// How many parties the session has.
    pub n_parties: u8,
    /// What all parties must agree on before they talk.
    pub session: [u8; 32],
    /// The greeter's limit on unasked bytes of one message.
    pub initial_credit: u64,
    /// The greeter's limit on unasked bytes.
    pub window_bytes: u64,
    /// The greeter's limit on unasked messages.
    pub window_messages: u32,
}

/// A frame without payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// The rest of this message may come: its receive is posted.
    Credit(Tag),
    /// How much the receiver has taken in all.
    Claimed {
        /// Messages.
        messages: u64,
        /// Bytes, each message counted up to the initial credit.
        bytes: u64,
    },
    /// The sender is alive.
    Heartbeat,
    /// The session is over, and why.
    Abort(String),
    /// The sender leaves in order.
    Goodbye,
    /// The first frame of a connection.
    Hello(Hello),
}

impl DataHeader {
    /// The bytes that precede the payload.
    pub fn encode(&self) -> [u8; DATA_HEADER_BYTES] {
        let mut out = [0; DATA_HEADER_BYTES];
        out[0] = DATA;
        out[4..8].copy_from_slice(&(DATA_FIXED_BYTES as u32 + self.n_bytes).to_le_bytes());
        out[8..24].copy_from_slice(&self.tag.step.to_le_bytes());
        out[24..28].copy_from_slice(&self.tag.chunk.to_le_bytes());
        out[28..32].copy_from_slice(&self.depth.to_le_bytes());
        out[32..40].copy_from_slice(&self.total.to_le_bytes());
        out[40..48].copy_from_slice(&self.offset.to_le_bytes());
        out
    }

    fn decode(body_bytes: u32, fixed: &[u8; DATA_FIXED_BYTES]) -> Result<Self, Garbage> {
        let header = DataHeader {
            tag: Tag {
                step: u128::from_le_bytes(array(fixed, 0)),
                chunk: u32::from_le_bytes(array(fixed, 16)),
            },
            depth: u32::from_le_bytes(array(fixed, 20)),
            total: u64::from_le_bytes(array(fixed, 24)),
            offset: u64::from_le_bytes(array(fixed, 32)),
            n_bytes: body_bytes - DATA_FIXED_BYTES as u32,
        };
        // A frame makes progress, except that an empty message is one empty frame.
        let empty_message = header.total == 0 && header.n_bytes == 0 && header.offset == 0;
        let end = header.offset.checked_add(u64::from(header.n_bytes)).ok_or(Garbage::Extent)?;
        if !empty_message && (header.n_bytes == 0 || end > header.total) {
            return Err(Garbage::Extent);
        }
        Ok(header)
    }
}

impl Hello {
    /// The length of a greeting, prefix included.
    pub const fn frame_bytes() -> usize {
        PREFIX_BYTES + HELLO_BYTES
    }
}

impl Control {
    /// The message that the frame is about.
    pub fn tag(&self) -> Option<Tag> {
        match self {
            Control::Credit(tag) => Some(*tag),
            _ => None,
        }
    }

    /// The whole frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; PREFIX_BYTES];
        out[0] = match self {
            Control::Credit(tag) => {
                out.extend(tag.step.to_le_bytes());
                out.extend(tag.chunk.to_le_bytes());
                CREDIT
            }
            Control::Claimed { messages, bytes } => {
                out.extend(messages.to_le_bytes());
                out.extend(bytes.to_le_bytes());
                CLAIMED
            }
            Control::Heartbeat => HEARTBEAT,
            Control::Abort(reason) => {
                out.extend(&reason.as_bytes()[..reason.floor_char_boundary(MAX_REASON_BYTES)]);
                ABORT
            }
            Control::Goodbye => GOODBYE,
            Control::Hello(hello) => {
                out.extend(MAGIC);
                out.extend(hello.version.to_le_bytes());
                out.extend([hello.from, hello.to, hello.n_parties, 0, 0, 0]);
                out.extend(hello.session);
                out.extend(hello.initial_credit.to_le_bytes());
                out.extend(hello.window_bytes.to_le_bytes());
                out.extend(hello.window_messages.to_le_bytes());
                HELLO
            }
        };
        let body_bytes = (out.len() - PREFIX_BYTES) as u32;
        out[4..8].copy_from_slice(&body_bytes.to_le_bytes());
        out
    }

    /// Reads the body of a frame whose length [`body_fits`] has checked.
    fn decode(kind: u8, body: &[u8]) -> Result<Self, Garbage> {
        Ok(match kind {
            CREDIT => Control::Credit(Tag {
                step: u128::from_le_bytes(array(body, 0)),
                chunk: u32::from_le_bytes(array(body, 16)),
            }),
            CLAIMED => Control::Claimed {
                messages: u64::from_le_bytes(array(body, 0)),
                bytes: u64::from_le_bytes(array(body, 8)),
            },
            HEARTBEAT => Control::Heartbeat,
            ABORT => {
                let reason = std::str::from_utf8(body).map_err(|_| Garbage::Reason)?;
                // It ends up on a terminal.
                Control::Abort(reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
            }
            GOODBYE => Control::Goodbye,
            HELLO => {
                if array::<8>(body, 0) != MAGIC {
                    return Err(Garbage::Magic);
                }
                if array::<3>(body, 13) != [0; 3] {
                    return Err(Garbage::Reserved);
                }
                Control::Hello(Hello {
                    version: u16::from_le_bytes(array(body, 8)),
                    from: body[10],
                    to: body[11],
                    n_parties: body[12],
                    session: array(body, 16),
                    initial_credit: u64::from_le_bytes(array(body, 48)),
                    window_bytes: u64::from_le_bytes(array(body, 56)),
                    window_messages: u32::from_le_bytes(array(body, 64)),
                })
            }
            _ => return Err(Garbage::UnknownKind(kind)),
        })
    }
}

/// What a stream of bytes turned out to hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Part of a data frame's payload, in order; `at` is its place in that frame.
    Data {
        /// The frame's header.
        header: DataHeader,
        /// Where `piece` starts in the frame's payload.
        at: u32,
        /// The bytes at hand.
        piece: &'a [u8],
    },
    /// A frame without payload.
    Control(Control),
}

/// Cuts one direction's stream of bytes into frames, wherever it is cut into pieces.
pub struct Decoder {
    head: [u8; DATA_HEADER_BYTES],
    n_head: usize,
    body: Vec<u8>,
    data: Option<(DataHeader, u32)>,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder { head: [0; DATA_HEADER_BYTES], n_head: 0, body: Vec::new(), data: None }
    }
}

impl Decoder {
    /// Takes the next bytes and hands each event to `take`.
    ///
    /// # Errors
    /// [`Garbage`] of the stream as `E`, or what `take` returns. The stream is
    /// lost after either.
    pub fn feed<E: From<Garbage>>(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            if let Some((header, at)) = &mut self.data {
                let n = bytes.len().min((header.n_bytes - *at) as usize);
                let (piece, rest) = bytes.split_at(n);
                take(Event::Data { header: *header, at: *at, piece })?;
                bytes = rest;
                *at += n as u32;
                if *at == header.n_bytes {
                    self.data = None;
                }
                continue;
            }
            bytes = self.fill_head(bytes);
            if self.n_head < PREFIX_BYTES {
                return Ok(());
            }
            let (kind, body_bytes) = self.prefix()?;
            if kind == DATA {
                if self.n_head < DATA_HEADER_BYTES {
                    continue;
                }
                self.n_head = 0;
                let header = DataHeader::decode(body_bytes, &array(&self.head, PREFIX_BYTES))?;
                if header.n_bytes == 0 {
                    take(Event::Data { header, at: 0, piece: &[] })?;
                } else {
                    self.data = Some((header, 0));
                }
            } else {
                let n = bytes.len().min(body_bytes as usize - self.body.len());
                let (more, rest) = bytes.split_at(n);
                self.body.extend_from_slice(more);
                bytes = rest;
                if self.body.len() == body_bytes as usize {
                    self.n_head = 0;
                    let control = Control::decode(kind, &self.body)?;
                    self.body.clear();
                    take(Event::Control(control))?;
                }
            }
        }
        Ok(())
    }

    /// Whether the stream stands between two frames.
    pub fn is_between_frames(&self) -> bool {
        self.n_head == 0 && self.data.is_none()
    }

    /// Completes the prefix, and for data the header; returns the bytes left over.
    fn fill_head<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        for goal in [PREFIX_BYTES, DATA_HEADER_BYTES] {
            if goal == DATA_HEADER_BYTES && (self.n_head < PREFIX_BYTES || self.head[0] != DATA) {
                break;
            }
            let n = bytes.len().min(goal.saturating_sub(self.n_head));
            let (more, rest) = bytes.split_at(n);
            self.head[self.n_head..self.n_head + n].copy_from_slice(more);
            self.n_head += n;
            bytes = rest;
        }
        bytes
    }

    fn prefix(&self) -> Result<(u8, u32), Garbage> {
        let kind = self.head[0];
        if !(DATA..=HELLO).contains(&kind) {
            return Err(Garbage::UnknownKind(kind));
        }
        if self.head[1..4] != [0; 3] {
            return Err(Garbage::Reserved);
        }
        let n_bytes = u32::from_le_bytes(array(&self.head, 4));
        if body_fits(kind, n_bytes as usize) {
            Ok((kind, n_bytes))
        } else {
            Err(Garbage::BodyLength { kind, n_bytes })
        }
    }
}

fn body_fits(kind: u8, n_bytes: usize) -> bool {
    match kind {
        DATA => (DATA_FIXED_BYTES..=DATA_FIXED_BYTES + MAX_FRAME_PAYLOAD).contains(&n_bytes),
        CREDIT => n_bytes == CREDIT_BYTES,
        CLAIMED => n_bytes == CLAIMED_BYTES,
        ABORT => n_bytes <= MAX_REASON_BYTES,
        HELLO => n_bytes == HELLO_BYTES,
        _ => n_bytes == 0,
    }
}

/// `N` bytes of `bytes` from `at` on; the caller knows that they exist.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes")
}
