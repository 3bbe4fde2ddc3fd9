//! How the parties find one another: everybody dials everybody until a deadline,
//! and both ends of each connection greet.

use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, ServerConfig};

use super::channel::{Channel, ChannelError, Side};
use super::config;
use super::handshakes::{Handshakes, Who};
use super::{Identity, PublicKey};
use crate::frame::{Control, Decoder, Event, Garbage, Hello, PROTOCOL_VERSION};
use crate::{Limits, LinkProfile, MAX_PARTIES, NetError, PartyId};

/// One handshake takes at most this long, so that a stranger holds nothing up.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// One party of the session, as everybody lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name, for people.
    pub name: String,
    /// Where it listens: `host:port`.
    pub addr: String,
    /// The key that it must show.
    pub key: PublicKey,
}

/// How the parties talk.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is simulated on top of the real link.
    pub link: LinkProfile,
    /// This party's limits on what arrives.
    pub limits: Limits,
    /// What all parties must name alike, such as a digest of their configuration.
    pub session: [u8; 32],
    /// How long to try until all parties are connected.
    pub connect_deadline: Duration,
    /// How often an idle link says that it is alive.
    pub heartbeat: Duration,
    /// How long a peer may be silent.
    pub stall: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            link: LinkProfile::INSTANT,
            limits: Limits::default(),
            session: [0; 32],
            connect_deadline: Duration::from_secs(30),
            heartbeat: Duration::from_secs(1),
            stall: Duration::from_secs(10),
        }
    }
}

/// Both directions to one peer.
pub(super) struct Link {
    pub(super) outgoing: Channel<UnbufferedClientConnection>,
    pub(super) incoming: Channel<UnbufferedServerConnection>,
    /// Frames that came in one breath with the greeting.
    pub(super) early: Vec<u8>,
    /// What the peer lets this party send.
    pub(super) limits: Limits,
}

type Outgoing = (Channel<UnbufferedClientConnection>, Limits);
type Incoming = (Channel<UnbufferedServerConnection>, Vec<u8>);

/// What the dialling and the accepting threads share.
struct Meeting<'a> {
    me: PartyId,
    peers: &'a [Peer],
    options: &'a Options,
    deadline: Instant,
    state: Mutex<State>,
    is_over: AtomicBool,
    handshakes: Handshakes,
    /// Why the last handshake that was accepted failed: a hint when somebody is missed.
    last_refusal: Mutex<Option<String>>,
}

struct State {
    outgoing: Vec<Option<Outgoing>>,
    incoming: Vec<Option<Incoming>>,
    failure: Option<NetError>,
}

/// Connects to every other party, in both directions. One's own entry is `None`.
pub(super) fn meet(
    listener: &TcpListener,
    identity: &Identity,
    me: PartyId,
    peers: &[Peer],
    options: &Options,
) -> Result<Vec<Option<Link>>, NetError> {
    let local = |cause: String| NetError::Local { cause };
    check_list(identity, me, peers).map_err(local)?;
    let others: Vec<PartyId> = PartyId::all(peers.len()).filter(|peer| *peer != me).collect();
    let keys = others.iter().map(|peer| peers[peer.index()].key).collect();
    let accepting = config::accepting(identity, keys).map_err(|error| local(error.to_string()))?;
    let dialling: Vec<Arc<ClientConfig>> = others
        .iter()
        .map(|peer| config::dialling(identity, peers[peer.index()].key))
        .collect::<Result<_, _>>()
        .map_err(|error| local(error.to_string()))?;
    listener.set_nonblocking(true).map_err(|error| local(format!("its listener failed: {error}")))?;

    let meeting = Meeting {
        me,
        peers,
        options,
        deadline: Instant::now() + options.connect_deadline,
        state: Mutex::new(State {
            outgoing: peers.iter().map(|_| None).collect(),
            incoming: peers.iter().map(|_| None).collect(),
            failure: None,
        }),
        is_over: AtomicBool::new(others.is_empty()),
        handshakes: Handshakes::default(),
        last_refusal: Mutex::default(),
    };
    thread::scope(|scope| {
        for (peer, config) in others.iter().zip(dialling) {
            let meeting = &meeting;
            scope.spawn(move || meeting.dial(*peer, &config));
        }
        meeting.accept(scope, listener, &accepting);
        meeting.handshakes.hang_up();
    });
    meeting.outcome(&others)
}

fn check_list(identity: &Identity, me: PartyId, peers: &[Peer]) -> Result<(), String> {
    if peers.len() > MAX_PARTIES {
        return Err(format!("{} parties are listed, and a session has at most {MAX_PARTIES}", peers.len()));
    }
    let Some(own) = peers.get(me.index()) else {
        return Err(format!("{me} is not among the {} parties listed", peers.len()));
    };
    if own.key != identity.public_key() {
        return Err(format!("`{}` is listed with another public key than its own", own.name));
    }
    for (k, peer) in peers.iter().enumerate() {
        if let Some(other) = peers[..k].iter().find(|other| other.key == peer.key) {
            return Err(format!("`{}` and `{}` are listed with the same public key", other.name, peer.name));
        }
    }
    Ok(())
}

impl Meeting<'_> {
    /// Dials until somebody answers as the party should.
    fn dial(&self, to: PartyId, config: &Arc<ClientConfig>) {
        let mut pause = Duration::from_millis(10);
        while !self.is_over() {
            let cause = match self.dial_once(to, config) {
                Ok(outgoing) => return self.arrived(|state| state.outgoing[to.index()] = Some(outgoing)),
                Err(Refusal::Fatal(error)) => return self.fail(error),
                Err(Refusal::Again(cause)) => cause,
            };
            if Instant::now() + pause >= self.deadline {
                return self.fail(self.unreachable(to, cause));
            }
            thread::sleep(pause);
            pause = (pause * 3 / 2).min(Duration::from_millis(250));
        }
    }

    fn dial_once(&self, to: PartyId, config: &Arc<ClientConfig>) -> Result<Outgoing, Refusal> {
        let again = |error: std::io::Error| Refusal::Again(error.to_string());
        let addr = &self.peers[to.index()].addr;
        let mut socket = Err(std::io::Error::other("the name has no address"));
        for addr in addr.to_socket_addrs().map_err(again)? {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let timeout = left.clamp(Duration::from_millis(1), Duration::from_secs(2));
            socket = TcpStream::connect_timeout(&addr, timeout);
            if socket.is_ok() {
                break;
            }
        }
        let socket = socket.map_err(again)?;
        let deadline = self.handshake_deadline();
        let number = self.handshakes.enter(&socket, deadline, Who::Dialled, &self.is_over).map_err(again)?;
        let side = UnbufferedClientConnection::new(Arc::clone(config), config::server_name())
            .map_err(|error| Refusal::Again(error.to_string()))?;
        let mut channel = Channel::new(side, socket);
        let mut plain = Vec::new();
        let greeted = channel
            .handshake(deadline, |bytes| plain.extend_from_slice(bytes))
            .and_then(|()| self.greet(&mut channel, to, deadline))
            .and_then(|()| self.hear(&mut channel, &mut plain, deadline));
        self.handshakes.leave(number);
        let hello = match greeted {
            Ok(Ok(hello)) => hello,
            Ok(Err(what)) => return Err(Refusal::Fatal(NetError::Garbage { peer: to, what })),
            Err(error) => return Err(self.refusal(to, error)),
        };
        let limits = self.check_hello(to, &hello).map_err(Refusal::Fatal)?;
        Ok((channel, limits))
    }

    /// Accepts until everybody is here. Each handshake has a thread, so that a
    /// slow stranger delays nobody.
    fn accept<'scope>(
        &'scope self,
        scope: &'scope thread::Scope<'scope, '_>,
        listener: &TcpListener,
        config: &Arc<ServerConfig>,
    ) {
        while !self.is_over() {
            if Instant::now() >= self.deadline {
                return self.give_up();
            }
            let Ok((socket, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(2));
                continue;
            };
            let deadline = self.handshake_deadline();
            let opened = socket
                .set_nonblocking(false)
                .and_then(|()| self.handshakes.enter(&socket, deadline, Who::Stranger, &self.is_over));
            let Ok(number) = opened else { continue };
            let config = Arc::clone(config);
            scope.spawn(move || {
                let welcomed = self.welcome(socket, config, number, deadline);
                self.handshakes.leave(number);
                welcomed.unwrap_or_else(|error| self.fail(error));
            });
        }
    }

    /// The accepting side of one connection. Only what a listed party does wrong is an error.
    fn welcome(
        &self,
        socket: TcpStream,
        config: Arc<ServerConfig>,
        number: usize,
        deadline: Instant,
    ) -> Result<(), NetError> {
        let Ok(side) = UnbufferedServerConnection::new(config) else { return Ok(()) };
        let mut channel = Channel::new(side, socket);
        let mut plain = Vec::new();
        if let Err(error) = channel.handshake(deadline, |bytes| plain.extend_from_slice(bytes)) {
            let mut last = self.last_refusal.lock().expect("nothing panics while it holds this lock");
            *last = Some(match error {
                ChannelError::Tls(rustls::Error::AlertReceived(_)) => {
                    "it refused the key shown here".to_owned()
                }
                ChannelError::Tls(rustls::Error::InvalidCertificate(_)) => {
                    "its key is not pinned here".to_owned()
                }
                other => other.to_string(),
            });
            return Ok(());
        }
        let certificate = channel.side().peer_certificates().and_then(|chain| chain.first());
        let key = certificate.and_then(config::key_of);
        let at = self.peers.iter().position(|peer| Some(peer.key) == key);
        let Some(from) = at.map(PartyId::from_index).filter(|from| *from != self.me) else { return Ok(()) };
        let hello = match self.hear(&mut channel, &mut plain, deadline) {
            Ok(Ok(hello)) => hello,
            Ok(Err(what)) => return Err(NetError::Garbage { peer: from, what }),
            // It will dial again.
            Err(_) => return Ok(()),
        };
        // The greeting is answered before it is judged: both sides say what does not fit.
        if self.greet(&mut channel, from, deadline).is_err() {
            return Ok(());
        }
        self.check_hello(from, &hello)?;
        self.handshakes.leave(number);
        self.arrived(|state| state.incoming[from.index()] = Some((channel, plain)));
        Ok(())
    }

    fn greet<S: Side>(
        &self,
        channel: &mut Channel<S>,
        to: PartyId,
        deadline: Instant,
    ) -> Result<(), ChannelError> {
        let limits = self.options.limits.live();
        let hello = Hello {
            version: PROTOCOL_VERSION,
            from: self.me.index() as u8,
            to: to.index() as u8,
            n_parties: self.peers.len() as u8,
            session: self.options.session,
            initial_credit: limits.initial_credit as u64,
            window_bytes: limits.window_bytes as u64,
            window_messages: u32::try_from(limits.window_messages).unwrap_or(u32::MAX),
        };
        channel.seal(&Control::Hello(hello).encode())?;
        channel.flush(deadline)
    }

    /// Waits for the peer's greeting; what comes behind it stays in `plain`.
    fn hear<S: Side>(
        &self,
        channel: &mut Channel<S>,
        plain: &mut Vec<u8>,
        deadline: Instant,
    ) -> Result<Result<Hello, Garbage>, ChannelError> {
        let hello_bytes = Hello::frame_bytes();
        while plain.len() < hello_bytes {
            channel.read_some(deadline, |bytes| plain.extend_from_slice(bytes))?;
        }
        let mut hello = Err(Garbage::HelloOutOfPlace);
        let first: Vec<u8> = plain.drain(..hello_bytes).collect();
        let fed = Decoder::default().feed(&first, |event| {
            if let Event::Control(Control::Hello(theirs)) = event {
                hello = Ok(theirs);
                return Ok(());
            }
            Err(Garbage::HelloOutOfPlace)
        });
        Ok(fed.and(hello))
    }

    fn check_hello(&self, peer: PartyId, hello: &Hello) -> Result<Limits, NetError> {
        let misfit = |what, ours: String, theirs: String| {
            let name = self.peers[peer.index()].name.clone();
            Err(NetError::Misfit { peer, name, what, ours, theirs })
        };
        if hello.version != PROTOCOL_VERSION {
            return misfit("the protocol version", PROTOCOL_VERSION.to_string(), hello.version.to_string());
        }
        let ours = [self.peers.len(), peer.index(), self.me.index()];
        let theirs = [hello.n_parties, hello.from, hello.to].map(usize::from);
        if ours != theirs {
            let words = |[n, from, to]: [usize; 3]| format!("{n} parties with {from} greeting {to}");
            return misfit("the list of parties", words(ours), words(theirs));
        }
        if hello.session != self.options.session {
            let short = |id: &[u8; 32]| id[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            return misfit("the session", short(&self.options.session), short(&hello.session));
        }
        let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let theirs = Limits {
            initial_credit: whole(hello.initial_credit),
            window_bytes: whole(hello.window_bytes),
            window_messages: whole(u64::from(hello.window_messages)),
            patience: None,
        };
        if theirs.live() != theirs {
            let words = |limits: Limits| format!("{limits:?}");
            return misfit("the smallest window", words(theirs.live()), words(theirs));
        }
        Ok(theirs)
    }

    /// What a failed attempt to dial means.
    fn refusal(&self, to: PartyId, error: ChannelError) -> Refusal {
        let cause = match error {
            ChannelError::Tls(rustls::Error::AlertReceived(alert)) => {
                format!("it refused this party's key or protocol ({alert:?})")
            }
            ChannelError::Tls(rustls::Error::InvalidCertificate(_)) => {
                "it shows another key than the one pinned for it".to_owned()
            }
            ChannelError::Tls(error) => format!("the handshake failed ({error})"),
            other => return Refusal::Again(other.to_string()),
        };
        let name = self.peers[to.index()].name.clone();
        Refusal::Fatal(NetError::NotAuthentic { peer: to, name, cause })
    }

    fn unreachable(&self, peer: PartyId, cause: String) -> NetError {
        let Peer { name, addr, .. } = self.peers[peer.index()].clone();
        NetError::Unreachable { peer, name, addr, cause }
    }

    fn handshake_deadline(&self) -> Instant {
        self.deadline.min(Instant::now() + HANDSHAKE)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn arrived(&self, enter: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().expect("nothing panics while it holds this lock");
        enter(&mut state);
        let n_missing = self.missing(&state).count();
        if n_missing == 0 {
            self.is_over.store(true, Ordering::Release);
        }
    }

    fn fail(&self, error: NetError) {
        let mut state = self.state.lock().expect("nothing panics while it holds this lock");
        if !self.is_over() {
            state.failure.get_or_insert(error);
            self.is_over.store(true, Ordering::Release);
        }
    }

    /// The deadline has come: somebody who never dialled is to be named.
    fn give_up(&self) {
        let state = self.state.lock().expect("nothing panics while it holds this lock");
        let missing = self.missing(&state).next();
        drop(state);
        if let Some(peer) = missing {
            let last = self.last_refusal.lock().expect("nothing panics while it holds this lock").take();
            let cause = match last {
                None => "it did not connect in time".to_owned(),
                Some(why) => {
                    format!("it did not connect in time, and somebody was turned away because {why}")
                }
            };
            self.fail(self.unreachable(peer, cause));
        }
    }

    fn missing(&self, state: &State) -> impl Iterator<Item = PartyId> {
        let is_missing = |peer: &PartyId| {
            let at = peer.index();
            *peer != self.me && (state.outgoing[at].is_none() || state.incoming[at].is_none())
        };
        PartyId::all(self.peers.len()).filter(is_missing).collect::<Vec<_>>().into_iter()
    }

    fn outcome(self, others: &[PartyId]) -> Result<Vec<Option<Link>>, NetError> {
        let state = self.state.into_inner().expect("nothing panics while it holds this lock");
        if let Some(failure) = state.failure {
            return Err(failure);
        }
        let links = state.outgoing.into_iter().zip(state.incoming);
        let links: Vec<Option<Link>> = links
            .map(|ends| match ends {
                (Some((outgoing, limits)), Some((incoming, early))) => {
                    Some(Link { outgoing, incoming, early, limits })
                }
                _ => None,
            })
            .collect();
        assert_eq!(links.iter().flatten().count(), others.len(), "the meeting is over when all are here");
        Ok(links)
    }
}

/// Why one attempt to dial failed.
enum Refusal {
    /// Perhaps the peer is not up yet.
    Again(String),
    Fatal(NetError),
}
