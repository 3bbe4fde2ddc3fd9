//! Who may connect, and what an eavesdropper on the wire sees.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use buf::Buf;
use common::{Parties, party, quick, tag};
use net::tap::{Tap, tls_records};
use net::{Identity, Mesh, NetError, Options};

/// Runs both sides' `connect` at once and returns what both are told.
fn both(parties: &Parties, options: [&Options; 2]) -> [Option<NetError>; 2] {
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| parties.connect(0, options[0]).err());
        let one = parties.connect(1, options[1]).err();
        [zero.join().unwrap(), one]
    })
}

fn is_refused(error: &NetError, peer: usize, words: &str) -> bool {
    matches!(error, NetError::NotAuthentic { peer: p, cause, .. } if *p == party(peer) && cause.contains(words))
}

fn short() -> Options {
    Options { connect_deadline: Duration::from_millis(900), ..quick() }
}

#[test]
fn the_dialling_side_alone_refuses_a_stranger() {
    // Only party 0's dialling is tried: party 1 dials where nobody listens.
    let parties = Parties::new(2);
    let other = Identity::generate().unwrap();
    let mut its_list = parties.peers.clone();
    its_list[1].key = other.public_key();
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    its_list[0].addr = nobody.to_string();
    let (zero, one) = std::thread::scope(|scope| {
        let zero = scope.spawn(|| parties.connect(0, &short()).err().unwrap());
        let one = parties.connect_as(1, &other, &its_list, &short()).err().unwrap();
        (zero.join().unwrap(), one)
    });
    assert!(is_refused(&zero, 1, "another key"), "{zero}");
    assert!(matches!(&one, NetError::Unreachable { peer, .. } if *peer == party(0)), "{one}");
}

#[test]
fn the_accepting_side_alone_refuses_a_stranger() {
    // Only party 0's acceptance is tried: nobody listens where it dials.
    let mut parties = Parties::new(2);
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    parties.peers[1].addr = nobody.to_string();
    let other = Identity::generate().unwrap();
    let mut its_list = parties.peers.clone();
    its_list[1].key = other.public_key();
    let (zero, one) = std::thread::scope(|scope| {
        let zero = scope.spawn(|| parties.connect(0, &short()).err().unwrap());
        let one = parties.connect_as(1, &other, &its_list, &short()).err().unwrap();
        (zero.join().unwrap(), one)
    });
    assert!(is_refused(&one, 0, "refused this party's key"), "{one}");
    assert!(matches!(&zero, NetError::Unreachable { peer, .. } if *peer == party(1)), "{zero}");
}

#[test]
fn another_session_and_an_absent_party_are_named() {
    let parties = Parties::new(2);
    let other = Options { session: [1; 32], ..quick() };
    let told = both(&parties, [&quick(), &other]);
    assert!(told.iter().flatten().any(|error| matches!(error, NetError::Misfit { what: "the session", .. })));
    assert!(told.iter().all(Option::is_some), "{told:?}");

    let start = Instant::now();
    let parties = Parties::new(2);
    let error = parties.connect(0, &short()).err().unwrap();
    assert!(
        matches!(&error, NetError::Unreachable { peer, name, .. } if *peer == party(1) && name == "firm1")
    );
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_list_that_cannot_work_is_an_error_here() {
    let parties = Parties::new(2);
    let local = |error: NetError| match error {
        NetError::Local { cause } => cause,
        other => panic!("{other}"),
    };
    let wrong = parties.connect_as(0, &parties.identities[1], &parties.peers, &short());
    assert!(local(wrong.err().unwrap()).contains("firm0"));
    let mut twins = parties.peers.clone();
    twins[1].key = twins[0].key;
    let twins = parties.connect_as(0, &parties.identities[0], &twins, &short());
    assert!(local(twins.err().unwrap()).contains("same public key"));
    let outside = parties.connect_as(1, &parties.identities[1], &parties.peers[..1], &short());
    assert!(local(outside.err().unwrap()).contains("not among"));
}

#[test]
fn strangers_at_the_door_delay_nobody() {
    let parties = Parties::new(2);
    let addr = &parties.peers[0].addr;
    // One says nothing, one talks HTTP, one begins a handshake that it never ends.
    let mut strangers: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(addr).unwrap()).collect();
    strangers[1].write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    strangers[2].write_all(&[22, 3, 1, 2, 0, 1, 0]).unwrap();
    let start = Instant::now();
    std::thread::scope(|scope| {
        let one = scope.spawn(|| parties.connect(1, &quick()).unwrap());
        // Party 0's own threads wait for their strangers at most as long as the deadline.
        let zero = parties.connect(0, &quick()).unwrap();
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        one.join().unwrap().finish().unwrap();
        zero.finish().unwrap();
    });
}

#[test]
fn a_crowd_at_the_door_keeps_nobody_out() {
    let parties = Parties::new(2);
    let addr = &parties.peers[0].addr;
    let crowd: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(addr).unwrap()).collect();
    std::thread::scope(|scope| {
        let one = scope.spawn(|| parties.connect(1, &quick()).unwrap());
        parties.connect(0, &quick()).unwrap().finish().unwrap();
        one.join().unwrap().finish().unwrap();
    });
    drop(crowd);
}

/// A dialler's first flight as it went over the wire.
fn first_flight() -> Vec<u8> {
    let mut parties = Parties::new(2);
    let tap = Tap::start(parties.listeners[1].local_addr().unwrap()).unwrap();
    parties.peers[1].addr = tap.addr().to_string();
    drop(parties.meshes(&quick()));
    let hello = tap.streams().swap_remove(0);
    assert_eq!(hello[0], 22);
    hello
}

#[test]
fn broken_handshakes_are_turned_away_one_by_one() {
    // A real client's bytes: in tiny records, cut off, and with one byte changed.
    let flight = first_flight();
    let n_hello = 5 + usize::from(u16::from_be_bytes([flight[3], flight[4]]));
    let hello = &flight[5..n_hello];
    let mut attempts: Vec<Vec<u8>> = (1..40).map(|k| flight[..k * flight.len() / 40].to_vec()).collect();
    for k in 0..120 {
        let mut changed = flight.clone();
        let at = (k * 7) % changed.len();
        changed[at] ^= 1 << (k % 8);
        attempts.push(changed);
    }
    for n in [1, 3, 50] {
        let record = |piece: &[u8]| [&[22, 3, 1, 0, piece.len() as u8], piece].concat();
        attempts.push(hello.chunks(n).flat_map(record).collect());
    }

    let parties = Parties::new(2);
    let addr = parties.peers[0].addr.clone();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| parties.connect(0, &quick()));
        for (k, attempt) in attempts.iter().enumerate() {
            let mut socket = TcpStream::connect(&addr).unwrap();
            socket.set_nodelay(true).unwrap();
            for piece in attempt.chunks([1 << 16, 33][k % 2]) {
                let _ = socket.write_all(piece);
            }
            if k >= attempts.len() - 3 {
                // Tiny records are legal, and answered.
                let mut answer = [0; 5];
                socket.read_exact(&mut answer).unwrap();
                assert_eq!(answer[0], 22);
            }
            // One at a time: whoever comes while 64 are in a handshake is not heard.
            let _ = socket.shutdown(Shutdown::Write);
            while let Ok(1..) = socket.read(&mut [0; 4096]) {}
        }
        let one = parties.connect(1, &quick()).unwrap();
        let zero = zero.join().unwrap().unwrap();
        drop((zero, one));
    });
}

#[test]
fn only_tls_records_travel_and_no_known_plaintext() {
    let mut parties = Parties::new(2);
    let taps: Vec<Tap> = parties
        .listeners
        .iter()
        .map(|listener| Tap::start(listener.local_addr().unwrap()).unwrap())
        .collect();
    for (peer, tap) in parties.peers.iter_mut().zip(&taps) {
        peer.addr = tap.addr().to_string();
    }
    let secret: Vec<u8> = b"the salary of row seventeen;".repeat(20_000);
    parties.each(&quick(), |mesh| {
        let other = party(1 - mesh.me().index());
        mesh.send(other, tag(1, 0), 3, Buf::copy_of(&secret).freeze()).unwrap();
        mesh.send(other, tag(2, 0), 3, Buf::copy_of(&secret[..56]).freeze()).unwrap();
        assert_eq!(mesh.recv(other, tag(1, 0), secret.len()).unwrap().payload.bytes(), secret);
        mesh.recv(other, tag(2, 0), 56).unwrap();
        std::thread::sleep(Duration::from_millis(120));
        mesh.finish().unwrap();
    });
    std::thread::sleep(Duration::from_millis(50));
    let streams: Vec<Vec<u8>> = taps.iter().flat_map(Tap::streams).collect();
    assert_eq!(streams.len(), 4, "one connection per direction, each with two streams");
    let mut n_encrypted = 0;
    for stream in &streams {
        let records = tls_records(stream).unwrap();
        let n_bytes: usize = records.iter().map(|record| record.n_bytes + 5).sum();
        assert_eq!(n_bytes, stream.len(), "whole records only");
        assert_eq!(records[0].kind, 22, "a hello begins");
        // After the first flights, nothing but encrypted records.
        let n_open = records.iter().filter(|record| record.kind != 23).count();
        assert!(n_open <= 2, "hello and the empty change-cipher-spec: {records:?}");
        n_encrypted += n_bytes;
        for words in [&secret[..12], b"junto party", b"JUNTO/ms", b"firm1"] {
            assert!(!stream.windows(words.len()).any(|window| window == words));
        }
    }
    assert!(n_encrypted > 2 * secret.len());
}

#[test]
fn a_cut_wire_is_a_vanished_peer_on_both_sides() {
    let mut parties = Parties::new(2);
    let tap = Tap::start(parties.listeners[1].local_addr().unwrap()).unwrap();
    parties.peers[1].addr = tap.addr().to_string();
    let mesh = parties.meshes(&quick());
    std::thread::scope(|scope| {
        let waits = |me: usize| {
            let mesh = &mesh[me];
            scope.spawn(move || mesh.recv(party(1 - me), tag(1, 0), 8).unwrap_err())
        };
        let threads = [waits(0), waits(1)];
        std::thread::sleep(Duration::from_millis(100));
        // Only one of the two connections passes the tap; both sides notice all the same.
        tap.cut();
        let start = Instant::now();
        for (me, thread) in threads.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap(), NetError::Vanished { peer: party(1 - me) });
        }
        assert!(start.elapsed() < Duration::from_secs(3));
    });
}
