//! Parties in one process: order, credit, windows, loss and the interceptor.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use buf::{Buf, Bytes};
use net::{
    Interceptor, Limits, LinkProfile, LocalMesh, LocalOptions, Mesh, NetError, PartyId, Tag, Verdict, agree,
    exchange_documents,
};

fn party(index: usize) -> PartyId {
    PartyId::from_index(index)
}

fn tag(step: u128, chunk: u32) -> Tag {
    Tag { step, chunk }
}

/// `n_bytes` that depend on `seed` and the place.
fn content(seed: usize, n_bytes: usize) -> Bytes {
    let bytes: Vec<u8> = (0..n_bytes).map(|k| ((k * 31 + k / 251 + seed * 7) % 256) as u8).collect();
    Buf::copy_of(&bytes).freeze()
}

/// Runs one closure per party, each in its own thread.
fn each<R: Send>(mesh: Vec<LocalMesh>, run: impl Fn(&LocalMesh) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = mesh.into_iter().map(|mesh| scope.spawn(move || run(&mesh))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no party panics")).collect()
    })
}

#[test]
fn messages_come_whole_whatever_their_length_and_order() {
    let lengths = [0, 1, 47, 4096, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 1 << 20, (1 << 20) + 1, 3_000_001];
    let mesh = LocalMesh::new(2, LinkProfile::INSTANT);
    for (k, n) in lengths.into_iter().enumerate() {
        mesh[0].send(party(1), tag(1, k as u32), k as u32 + 5, content(k, n)).unwrap();
    }
    for (k, n) in lengths.into_iter().enumerate().rev() {
        let received = mesh[1].recv(party(0), tag(1, k as u32), n).unwrap();
        assert_eq!(received.payload.bytes(), content(k, n).bytes());
        assert_eq!(received.depth, k as u32 + 5);
    }
    let sent = mesh[0].traffic().peers[1];
    let got = mesh[1].traffic().peers[0];
    assert_eq!(sent.payload_bytes_sent, lengths.iter().sum::<usize>() as u64);
    assert_eq!(sent.payload_bytes_sent, got.payload_bytes_received);
    assert_eq!((sent.messages_sent, got.messages_received), (10, 10));
    assert_eq!(sent.frames_sent, got.frames_received);
}

#[test]
fn a_ring_of_long_messages_sent_before_any_receive_does_not_deadlock() {
    let n = 8 << 20;
    let done = each(LocalMesh::new(3, LinkProfile::INSTANT), |mesh| {
        let me = mesh.me().index();
        mesh.send(party((me + 1) % 3), tag(1, 0), 0, content(me, n)).unwrap();
        let from = (me + 2) % 3;
        let received = mesh.recv(party(from), tag(1, 0), n).unwrap();
        mesh.finish().unwrap();
        received.payload.bytes() == content(from, n).bytes()
    });
    assert_eq!(done, [true; 3]);
}

#[test]
fn a_sender_that_runs_far_ahead_is_held_back_and_never_starves() {
    // The window takes 64 small messages; the last of 5000 is asked for first.
    let limits = Limits { window_messages: 64, window_bytes: 4096, initial_credit: 64, patience: None };
    let options = LocalOptions { limits, ..LocalOptions::default() };
    for link in
        [LinkProfile::INSTANT, LinkProfile { delay: Duration::from_micros(50), ..LinkProfile::INSTANT }]
    {
        let mesh = LocalMesh::with(2, LocalOptions { link, ..options.clone() });
        let n = 5000;
        each(mesh, |mesh| {
            if mesh.me() == party(0) {
                for k in 0..n {
                    mesh.send(party(1), tag(1, k), 0, content(k as usize, (k % 200) as usize)).unwrap();
                }
            } else {
                std::thread::sleep(Duration::from_millis(20));
                assert!(mesh.traffic().peers[0].messages_received <= 64);
                for k in (0..n).rev() {
                    let received = mesh.recv(party(0), tag(1, k), (k % 200) as usize).unwrap();
                    assert_eq!(received.payload.bytes(), content(k as usize, (k % 200) as usize).bytes());
                }
            }
            mesh.finish().unwrap();
        });
    }
}

#[test]
fn what_is_waited_for_passes_a_window_that_fills_afterwards() {
    let limits = Limits { window_messages: 64, ..Limits::default() };
    let mesh = LocalMesh::with(2, LocalOptions { limits, ..LocalOptions::default() });
    assert!(mesh[1].try_recv(party(0), tag(2, 0), 1).unwrap().is_none());
    for chunk in 0..100 {
        mesh[0].send(party(1), tag(1, chunk), 0, content(0, 1)).unwrap();
    }
    mesh[0].send(party(1), tag(2, 0), 0, content(0, 1)).unwrap();
    mesh[0].send(party(1), tag(3, 0), 0, content(0, 1)).unwrap();
    assert!(mesh[1].try_recv(party(0), tag(2, 0), 1).unwrap().is_some());
    // Nobody waited for this one, and it waits.
    assert_eq!(mesh[1].traffic().peers[0].messages_received, 65);
    assert!(mesh[1].try_recv(party(0), tag(3, 0), 1).unwrap().is_some());
}

#[test]
fn a_simulated_link_is_as_slow_as_it_says() {
    let link =
        LinkProfile { delay: Duration::from_millis(30), jitter: Duration::ZERO, bits_per_second: None };
    let start = Instant::now();
    each(LocalMesh::new(3, link), |mesh| {
        for round in 0..4 {
            exchange_documents(mesh, tag(round, 0), b"hello", 10).unwrap();
        }
        mesh.finish().unwrap();
    });
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(120) && elapsed < Duration::from_secs(3), "{elapsed:?}");

    // 250 kB at 10 Mbit/s take 200 ms.
    let link = LinkProfile { bits_per_second: Some(10_000_000), ..LinkProfile::INSTANT };
    let mesh = LocalMesh::new(2, link);
    let start = Instant::now();
    mesh[0].send(party(1), tag(1, 0), 0, content(0, 250_000)).unwrap();
    assert!(start.elapsed() < Duration::from_millis(100), "sending does not wait for the link");
    mesh[1].recv(party(0), tag(1, 0), 250_000).unwrap();
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(200) && elapsed < Duration::from_secs(3), "{elapsed:?}");
}

#[test]
fn jitter_reorders_messages_and_loses_none() {
    let link =
        LinkProfile { delay: Duration::ZERO, jitter: Duration::from_millis(20), bits_per_second: None };
    each(LocalMesh::new(2, link), |mesh| {
        let other = party(1 - mesh.me().index());
        for k in 0..200 {
            mesh.send(other, tag(1, k), 0, content(k as usize, 10_000)).unwrap();
        }
        for k in 0..200 {
            let received = mesh.recv(other, tag(1, k), 10_000).unwrap();
            assert_eq!(received.payload.bytes(), content(k as usize, 10_000).bytes());
        }
        mesh.finish().unwrap();
    });
}

#[test]
fn try_recv_posts_and_then_takes() {
    let mesh = LocalMesh::new(2, LinkProfile::INSTANT);
    let n = 2 << 20;
    assert!(mesh[1].try_recv(party(0), tag(1, 0), n).unwrap().is_none());
    mesh[0].send(party(1), tag(1, 0), 0, content(0, n)).unwrap();
    assert_eq!(mesh[1].try_recv(party(0), tag(1, 0), n).unwrap().unwrap().payload.len(), n);
    let again = mesh[1].recv(party(0), tag(1, 0), n).unwrap_err();
    assert_eq!(again, NetError::Reclaimed { peer: party(0), tag: tag(1, 0) });
}

#[test]
fn what_a_peer_does_wrong_is_an_error_that_names_it() {
    let twice = LocalMesh::new(2, LinkProfile::INSTANT);
    twice[0].send(party(1), tag(1, 3), 0, content(0, 8)).unwrap();
    twice[1].recv(party(0), tag(1, 3), 8).unwrap();
    twice[0].send(party(1), tag(1, 3), 0, content(0, 8)).unwrap();
    let error = twice[1].recv(party(0), tag(1, 4), 8).unwrap_err();
    assert_eq!(error, NetError::Twice { peer: party(0), tag: tag(1, 3) });

    let longer = LocalMesh::new(2, LinkProfile::INSTANT);
    longer[0].send(party(1), tag(1, 3), 0, content(0, 9)).unwrap();
    let error = longer[1].recv(party(0), tag(1, 3), 8).unwrap_err();
    assert_eq!(error, NetError::WrongLength { peer: party(0), tag: tag(1, 3), expected: 8, announced: 9 });

    let document = LocalMesh::new(2, LinkProfile::INSTANT);
    document[0].send(party(1), tag(1, 3), 0, content(0, 11)).unwrap();
    let error = document[1].recv_document(party(0), tag(1, 3), 10).unwrap_err();
    assert!(matches!(error, NetError::TooMuch { peer, limit: 10, .. } if peer == party(0)));

    let alone = LocalMesh::new(2, LinkProfile::INSTANT);
    assert!(matches!(alone[0].recv(party(0), tag(1, 0), 1), Err(NetError::NoSuchPeer { .. })));
    assert!(matches!(
        alone[0].send(party(5), tag(1, 0), 0, Bytes::empty()),
        Err(NetError::NoSuchPeer { .. })
    ));
}

#[test]
fn a_blocked_receive_hears_of_loss_goodbye_and_abort() {
    let blocked = |act: fn(LocalMesh)| {
        let mut mesh = LocalMesh::new(3, LinkProfile::INSTANT);
        let (other, _third, mine) = (mesh.remove(1), mesh.remove(1), mesh.remove(0));
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                let start = Instant::now();
                let error = mine.recv(party(1), tag(1, 0), 1).unwrap_err();
                assert!(start.elapsed() < Duration::from_secs(2));
                assert!(mine.waits().is_empty());
                error
            });
            std::thread::sleep(Duration::from_millis(30));
            act(other);
            thread.join().unwrap()
        })
    };
    assert_eq!(blocked(drop), NetError::Vanished { peer: party(1) });
    assert_eq!(
        blocked(|mesh| {
            mesh.finish().unwrap();
        }),
        NetError::Left { peer: party(1), tag: tag(1, 0) }
    );
    assert_eq!(
        blocked(|mesh| mesh.abort("a check\nfailed")),
        NetError::Aborted { peer: party(1), reason: "a check failed".into() }
    );
}

#[test]
fn a_loss_leaves_what_arrived_usable_and_an_abort_does_not() {
    let mut mesh = LocalMesh::new(2, LinkProfile::INSTANT);
    mesh[0].send(party(1), tag(1, 0), 0, content(0, 4)).unwrap();
    drop(mesh.remove(0));
    mesh[0].recv(party(0), tag(1, 0), 4).unwrap();
    assert_eq!(mesh[0].recv(party(0), tag(1, 1), 4).unwrap_err(), NetError::Vanished { peer: party(0) });

    let mesh = LocalMesh::new(2, LinkProfile::INSTANT);
    mesh[0].send(party(1), tag(1, 0), 0, content(0, 4)).unwrap();
    mesh[0].abort("no");
    assert!(matches!(mesh[1].recv(party(0), tag(1, 0), 4), Err(NetError::Aborted { .. })));
    assert!(matches!(
        mesh[0].send(party(1), tag(1, 1), 0, Bytes::empty()),
        Err(NetError::AbortedHere { .. })
    ));
}

#[test]
fn a_patient_receive_says_what_it_waits_for_and_gives_up() {
    let limits = Limits { patience: Some(Duration::from_millis(80)), ..Limits::default() };
    let mesh = LocalMesh::with(2, LocalOptions { limits, ..LocalOptions::default() });
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| mesh[0].recv(party(1), tag(7, 7), 1).unwrap_err());
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(mesh[0].waits(), [net::Wait { from: party(1), tag: tag(7, 7) }]);
        let error = thread.join().unwrap();
        assert!(
            matches!(error, NetError::TimedOut { peer, waited_ms: 80.., .. } if peer == party(1)),
            "{error}"
        );
    });
}

type Seen = (PartyId, PartyId, Tag, Vec<u8>);

/// Keeps a view of everything, and treats steps 1 to 4 in four ways.
#[derive(Default)]
struct Meddler {
    view: Mutex<Vec<Seen>>,
}

impl Interceptor for Meddler {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        self.view.lock().unwrap().push((from, to, tag, payload.bytes().to_vec()));
        match tag.step {
            1 => {
                payload.bytes_mut()[0] ^= 1;
                Verdict::Deliver
            }
            2 => Verdict::Drop,
            3 => Verdict::Delay(Duration::from_millis(50)),
            4 => Verdict::Duplicate,
            _ => Verdict::Deliver,
        }
    }
}

#[test]
fn an_interceptor_sees_and_changes_whole_messages() {
    let meddler = Arc::new(Meddler::default());
    let options = LocalOptions { interceptor: Some(meddler.clone()), ..LocalOptions::default() };
    let mesh = LocalMesh::with(2, options);
    let n = 3 << 20;
    for step in 0..5 {
        mesh[0].send(party(1), tag(step, 0), 0, content(0, n)).unwrap();
    }
    // The duplicate of step 4 ended the session; a fresh one shows the others.
    let error = mesh[1].recv(party(0), tag(0, 0), n).unwrap_err();
    assert_eq!(error, NetError::Twice { peer: party(0), tag: tag(4, 0) });

    let options = LocalOptions { interceptor: Some(meddler.clone()), ..LocalOptions::default() };
    let mesh = LocalMesh::with(2, options);
    let start = Instant::now();
    for step in 0..4 {
        mesh[0].send(party(1), tag(step, 0), 0, content(0, n)).unwrap();
    }
    assert_eq!(mesh[1].recv(party(0), tag(0, 0), n).unwrap().payload.bytes(), content(0, n).bytes());
    let changed = mesh[1].recv(party(0), tag(1, 0), n).unwrap();
    assert_eq!(changed.payload.bytes()[0], content(0, n).bytes()[0] ^ 1);
    assert_eq!(changed.payload.bytes()[1..], content(0, n).bytes()[1..]);
    assert!(matches!(mesh[1].recv(party(0), tag(2, 0), n), Err(NetError::TimedOut { .. })));
    // Leaving waits for what is still under way.
    std::thread::scope(|scope| {
        scope.spawn(|| mesh[0].finish().unwrap());
        mesh[1].recv(party(0), tag(3, 0), n).unwrap();
    });
    assert!(start.elapsed() >= Duration::from_millis(50));

    let view = meddler.view.lock().unwrap();
    assert_eq!(view.len(), 9);
    assert!(view.iter().all(|(from, to, _, bytes)| {
        (*from, *to) == (party(0), party(1)) && bytes[..] == *content(0, n).bytes()
    }));
}

#[test]
fn sixteen_parties_exchange_and_agree() {
    each(LocalMesh::new(16, LinkProfile::INSTANT), |mesh| {
        let mine = vec![mesh.me().index() as u8; mesh.me().index()];
        let all = exchange_documents(mesh, tag(1, 0), &mine, 16).unwrap();
        assert!(all.iter().enumerate().all(|(k, document)| document.bytes() == vec![k as u8; k]));
        agree(mesh, tag(2, 0), "plan", [7; 32]).unwrap();
        mesh.finish().unwrap();
    });
}

#[test]
fn the_party_that_disagrees_is_named() {
    let seen = each(LocalMesh::new(3, LinkProfile::INSTANT), |mesh| {
        let digest = [u8::from(mesh.me() == party(2)); 32];
        let seen = agree(mesh, tag(1, 0), "plan", digest);
        mesh.finish().unwrap();
        seen.unwrap_err()
    });
    let disagree = |index| NetError::Disagree { peer: party(index), label: "plan".into() };
    assert_eq!(seen, [disagree(2), disagree(2), disagree(0)]);
}

#[test]
fn a_thousand_small_rounds_between_three() {
    each(LocalMesh::new(3, LinkProfile::INSTANT), |mesh| {
        let me = mesh.me().index();
        for round in 0..1000 {
            mesh.send(party((me + 1) % 3), tag(1, round), round, content(me, 8)).unwrap();
            mesh.recv(party((me + 2) % 3), tag(1, round), 8).unwrap();
        }
        mesh.finish().unwrap();
    });
}
