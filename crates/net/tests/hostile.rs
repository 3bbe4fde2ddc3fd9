//! A peer with a valid key that breaks every rule: each is a typed error that names it.
//!
//! The hostile party is written on rustls' buffered interface and on plain bytes,
//! so that it shares nothing with the code under test but the tables of `docs/wire.md`.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Parties, party, quick, tag};
use net::frame::Garbage;
use net::{Limits, Mesh, NetError, Options, TlsMesh};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConfig, ServerConnection,
    SignatureScheme, StreamOwned,
};

/// Accepts anybody.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// Party 1 of 2, who means no good.
struct Villain {
    /// To the victim.
    out: StreamOwned<ClientConnection, TcpStream>,
    /// From the victim.
    _back: StreamOwned<ServerConnection, TcpStream>,
}

const ALPN: &[u8] = b"junto-mesh/1";

/// The greeting of docs/wire.md, by hand.
fn hello(version: u16, from: u8, to: u8) -> Vec<u8> {
    let mut bytes = vec![7, 0, 0, 0, 68, 0, 0, 0];
    bytes.extend(b"JUNTO/ms");
    bytes.extend(version.to_le_bytes());
    bytes.extend([from, to, 2, 0, 0, 0]);
    bytes.extend([0; 32]);
    bytes.extend((1u64 << 20).to_le_bytes());
    bytes.extend((1u64 << 26).to_le_bytes());
    bytes.extend(8192u32.to_le_bytes());
    bytes
}

/// A data frame by hand.
fn data(step: u128, total: u64, offset: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1, 0, 0, 0];
    bytes.extend((40 + payload.len() as u32).to_le_bytes());
    bytes.extend(step.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend([0; 4]);
    bytes.extend(total.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend(payload);
    bytes
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 0, 0, 0];
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(body);
    bytes
}

impl Villain {
    /// Both handshakes, with `greeting` as the words of party 1.
    fn connect(parties: &Parties, greeting: &[u8], patience: Duration) -> std::io::Result<Villain> {
        let pem = parties.identities[1].to_pem();
        let key = rcgen::KeyPair::from_pem(&pem).unwrap();
        let params = rcgen::CertificateParams::new(vec!["whoever".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let private = || PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());

        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], private())
            .unwrap();
        config.alpn_protocols = vec![ALPN.to_vec()];
        let (socket, _) = parties.listeners[1].accept()?;
        socket.set_read_timeout(Some(patience))?;
        let mut back = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket);
        back.read_exact(&mut [0; 76])?;
        back.write_all(greeting)?;
        back.flush()?;

        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_client_auth_cert(vec![certificate], private())
            .unwrap();
        config.alpn_protocols = vec![ALPN.to_vec()];
        let socket = TcpStream::connect(&parties.peers[0].addr)?;
        socket.set_read_timeout(Some(patience))?;
        let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("x").unwrap()).unwrap();
        let mut out = StreamOwned::new(connection, socket);
        out.write_all(greeting)?;
        out.flush()?;
        out.read_exact(&mut [0; 76])?;
        Ok(Villain { out, _back: back })
    }

    fn say(&mut self, bytes: &[u8]) {
        // The victim may hang up in the middle.
        let _ = self.out.write_all(bytes).and_then(|()| self.out.flush());
    }
}

/// Runs `victim` at party 0 against `villain` at party 1.
fn duel<R: Send>(
    options: &Options,
    villain: impl FnOnce(Villain) + Send,
    victim: impl FnOnce(TlsMesh) -> R + Send,
) -> R {
    let parties = Parties::new(2);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| victim(parties.connect(0, options).unwrap()));
        villain(Villain::connect(&parties, &hello(1, 1, 0), Duration::from_secs(3)).unwrap());
        thread.join().unwrap()
    })
}

/// What a victim that waits for 8 bytes under step 99 is told after these bytes.
/// The connection stays open and silent afterwards, so that only the bytes speak.
fn told_after(bytes: &[u8]) -> NetError {
    // The victim posts first, where the order matters: see the tests of windows.
    let start = Instant::now();
    let error = duel(
        &Options { stall: Duration::from_secs(3), ..quick() },
        |mut villain| {
            villain.say(bytes);
            // Until the victim has hung up; it does so after its error.
            let _ = villain._back.read(&mut [0; 1 << 16]);
            while let Ok(1..) = villain._back.read(&mut [0; 1 << 16]) {}
        },
        |mesh| mesh.recv(party(1), tag(99, 0), 8).unwrap_err(),
    );
    assert!(start.elapsed() < Duration::from_secs(3), "{error}");
    assert_eq!(error.peer(), Some(party(1)), "{error}");
    error
}

fn garbage(what: Garbage) -> NetError {
    NetError::Garbage { peer: party(1), what }
}

#[test]
fn an_honest_stranger_to_our_code_is_understood() {
    // The same helper, behaving: the frames in docs/wire.md are the frames in the code.
    duel(
        &quick(),
        |mut villain| {
            villain.say(&data(7, 8, 0, b"abc"));
            villain.say(&frame(4, b""));
            villain.say(&data(7, 8, 3, b"defgh"));
            villain.say(&frame(6, b""));
        },
        |mesh| {
            let received = mesh.recv(party(1), tag(7, 0), 8).unwrap();
            assert_eq!(received.payload.bytes(), b"abcdefgh");
            assert!(matches!(mesh.recv(party(1), tag(8, 0), 8), Err(NetError::Left { .. })));
        },
    );
}

#[test]
fn malformed_frames_are_garbage() {
    let [mut reserved, mut long] = [frame(4, b""), data(1, 8, 0, b"12345678")];
    reserved[2] = 1;
    long[4..8].copy_from_slice(&(41u32 + (1 << 18)).to_le_bytes());
    assert_eq!(told_after(&frame(0, b"")), garbage(Garbage::UnknownKind(0)));
    assert_eq!(told_after(&frame(8, b"")), garbage(Garbage::UnknownKind(8)));
    assert_eq!(told_after(&reserved), garbage(Garbage::Reserved));
    assert_eq!(told_after(&long), garbage(Garbage::BodyLength { kind: 1, n_bytes: 41 + (1 << 18) }));
    assert_eq!(told_after(&frame(4, b"!")), garbage(Garbage::BodyLength { kind: 4, n_bytes: 1 }));
    assert_eq!(told_after(&frame(5, &[0xff])), garbage(Garbage::Reason));
    assert_eq!(told_after(&frame(5, &[b'a'; 1025])), garbage(Garbage::BodyLength { kind: 5, n_bytes: 1025 }));
    assert_eq!(told_after(&hello(1, 1, 0)), garbage(Garbage::HelloOutOfPlace));
    assert_eq!(told_after(&data(1, 8, 0, b"123456789")), garbage(Garbage::Extent));
    assert_eq!(told_after(&data(1, 8, 0, b"")), garbage(Garbage::Extent));
    assert_eq!(told_after(&data(1, u64::MAX, u64::MAX, b"1")), garbage(Garbage::Extent));
    assert_eq!(told_after(&data(1, 8, 4, b"1234")), garbage(Garbage::Gap));
}

#[test]
fn frames_out_of_order_are_garbage() {
    let both = |a: Vec<u8>, b: Vec<u8>| [a, b].concat();
    let half = || data(1, 8, 0, b"1234");
    assert_eq!(told_after(&both(half(), data(1, 8, 5, b"678"))), garbage(Garbage::Gap));
    assert_eq!(told_after(&both(half(), data(1, 9, 4, b"5678"))), garbage(Garbage::Gap));
    assert_eq!(told_after(&both(half(), frame(6, b""))), garbage(Garbage::GoodbyeOutOfPlace));
    let credit = frame(2, &[5; 20]);
    assert_eq!(told_after(&both(credit.clone(), credit)), garbage(Garbage::CreditTwice));
    for at in [0, 8] {
        let mut claimed = [0; 16];
        claimed[at] = 1;
        assert_eq!(told_after(&frame(3, &claimed)), garbage(Garbage::Claimed));
    }
}

#[test]
fn a_frame_after_goodbye_is_garbage() {
    let bytes = [frame(6, b""), frame(4, b"")].concat();
    // Whoever waits on the leaver may be told first that it left.
    let error = duel(
        &quick(),
        |mut villain| {
            villain.say(&bytes);
            let _ = villain._back.read(&mut [0; 64]);
        },
        |mesh| {
            std::thread::sleep(Duration::from_millis(100));
            mesh.recv(party(1), tag(1, 0), 8).unwrap_err()
        },
    );
    assert_eq!(error, garbage(Garbage::GoodbyeOutOfPlace));
}

#[test]
fn twice_is_an_error_also_after_the_first_was_taken() {
    let once = data(1, 8, 0, b"12345678");
    let twice = NetError::Twice { peer: party(1), tag: tag(1, 0) };
    assert_eq!(told_after(&[once.clone(), once.clone()].concat()), twice);
    let halves = [data(1, 8, 0, b"1234"), data(1, 8, 0, b"1234")].concat();
    assert_eq!(told_after(&halves), twice);
    let error = duel(
        &quick(),
        |mut villain| {
            villain.say(&once);
            std::thread::sleep(Duration::from_millis(100));
            villain.say(&once);
            let _ = villain._back.read(&mut [0; 64]);
        },
        |mesh| {
            mesh.recv(party(1), tag(1, 0), 8).unwrap();
            mesh.recv(party(1), tag(2, 0), 8).unwrap_err()
        },
    );
    assert_eq!(error, twice);
}

#[test]
fn a_wrong_length_is_an_error_before_memory_is_spent() {
    let error = told_after(&data(99, 1 << 60, 0, b"12345678"));
    let expected = NetError::WrongLength { peer: party(1), tag: tag(99, 0), expected: 8, announced: 1 << 60 };
    assert_eq!(error, expected);
}

#[test]
fn more_than_the_window_is_too_much() {
    let many: Vec<u8> = (1..=8193).flat_map(|step| data(step + 1000, 0, 0, b"")).collect();
    let error = told_after(&many);
    assert!(
        matches!(error, NetError::TooMuch { what, limit: 8192, .. } if what.contains("messages")),
        "{error}"
    );

    // A message without end: it counts with its first megabyte, and gets no further.
    let piece = vec![0; 1 << 18];
    let endless: Vec<u8> = (0..5).flat_map(|k| data(1, 1 << 60, k << 18, &piece)).collect();
    assert_eq!(told_after(&endless), garbage(Garbage::NoCredit));

    let limits =
        Limits { initial_credit: 1 << 10, window_bytes: 1 << 12, window_messages: 64, patience: None };
    let error = duel(
        &Options { limits, ..quick() },
        |mut villain| {
            (1..=5).for_each(|step| villain.say(&data(step, 1 << 10, 0, &[0; 1 << 10])));
            let _ = villain._back.read(&mut [0; 64]);
        },
        |mesh| mesh.recv(party(1), tag(99, 0), 8).unwrap_err(),
    );
    assert!(
        matches!(error, NetError::TooMuch { what, limit: 4096, .. } if what.contains("bytes")),
        "{error}"
    );

    let credits: Vec<u8> =
        (0..=1u32 << 16).flat_map(|k| frame(2, &[&k.to_le_bytes()[..], &[0; 16]].concat())).collect();
    assert!(matches!(told_after(&credits), NetError::TooMuch { what, .. } if what.contains("credits")));
}

#[test]
fn silence_is_a_stall_and_heartbeats_are_not() {
    let start = Instant::now();
    let silent = duel(
        &quick(),
        |mut villain| {
            // Alive for longer than the limit, then silent.
            for _ in 0..10 {
                std::thread::sleep(Duration::from_millis(100));
                villain.say(&frame(4, b""));
            }
            while let Ok(1..) = villain._back.read(&mut [0; 64]) {}
        },
        |mesh| mesh.recv(party(1), tag(1, 0), 8).unwrap_err(),
    );
    assert!(
        matches!(silent, NetError::Stalled { peer, silent_ms: 500..3000 } if peer == party(1)),
        "{silent}"
    );
    assert!(start.elapsed() >= Duration::from_millis(1400));
}

#[test]
fn alive_but_without_the_message_is_a_timeout_if_patience_is_limited() {
    let limits = Limits { patience: Some(Duration::from_millis(200)), ..Limits::default() };
    let error = duel(
        &Options { limits, ..quick() },
        |mut villain| {
            for _ in 0..5 {
                villain.say(&frame(4, b""));
                std::thread::sleep(Duration::from_millis(100));
            }
        },
        |mesh| mesh.recv(party(1), tag(1, 0), 8).unwrap_err(),
    );
    assert!(matches!(error, NetError::TimedOut { waited_ms: 200.., .. }), "{error}");
}

#[test]
fn vanishing_in_the_middle_of_a_frame_is_noticed() {
    let error = duel(
        &quick(),
        |mut villain| {
            let bytes = data(1, 8, 0, b"12345678");
            villain.say(&bytes[..50]);
        },
        |mesh| mesh.recv(party(1), tag(1, 0), 8).unwrap_err(),
    );
    assert_eq!(error, NetError::Vanished { peer: party(1) });
}

#[test]
fn bytes_that_are_no_tls_record_are_garbage() {
    let error = duel(
        &quick(),
        |mut villain| {
            // Past the encryption, straight onto the socket.
            villain.out.sock.write_all(&[23, 3, 3, 0, 32]).unwrap();
            villain.out.sock.write_all(&[0xaa; 32]).unwrap();
            let _ = villain._back.read(&mut [0; 64]);
        },
        |mesh| mesh.recv(party(1), tag(1, 0), 8).unwrap_err(),
    );
    assert_eq!(error, garbage(Garbage::Record));
}

#[test]
fn a_greeting_that_does_not_fit_is_refused() {
    let refused = |greeting: Vec<u8>| {
        let parties = Parties::new(2);
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| parties.connect(0, &quick()).err().unwrap());
            let _ = Villain::connect(&parties, &greeting, Duration::from_millis(300));
            thread.join().unwrap()
        })
    };
    let misfit = |error: NetError| match error {
        NetError::Misfit { peer, what, .. } if peer == party(1) => what,
        other => panic!("{other}"),
    };
    assert_eq!(misfit(refused(hello(2, 1, 0))), "the protocol version");
    assert_eq!(misfit(refused(hello(1, 0, 1))), "the list of parties");
    let mut other_session = hello(1, 1, 0);
    other_session[24] = 1;
    assert_eq!(misfit(refused(other_session)), "the session");
    let mut no_window = hello(1, 1, 0);
    no_window[64..72].fill(0);
    assert_eq!(misfit(refused(no_window)), "the smallest window");
    let mut no_magic = hello(1, 1, 0);
    no_magic[8] = b'X';
    assert_eq!(refused(no_magic), garbage(Garbage::Magic));
    assert_eq!(refused(data(1, 28, 0, &[0; 28])), garbage(Garbage::HelloOutOfPlace));
}
