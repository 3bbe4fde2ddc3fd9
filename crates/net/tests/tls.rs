//! Parties over TLS on the loopback interface.

mod common;

use std::time::{Duration, Instant};

use common::{Parties, content, party, quick, tag};
use net::{Limits, LinkProfile, Mesh, NetError, Options, agree, exchange_documents};

#[test]
fn messages_come_whole_whatever_their_length_and_order() {
    let lengths = [0, 1, 4095, 4096, 4097, (1 << 17) + 1, (1 << 18) - 1, 1 << 18, (1 << 20) + 1, 3_000_001];
    let mesh = Parties::new(2).meshes(&quick());
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
    assert_eq!(mesh[0].name(party(1)), "firm1");
}

#[test]
fn a_ring_of_long_messages_sent_before_any_receive_does_not_deadlock() {
    let n = 8 << 20;
    let done = Parties::new(3).each(&quick(), |mesh| {
        let me = mesh.me().index();
        for chunk in 0..2 {
            mesh.send(party((me + 1) % 3), tag(1, chunk), 0, content(me, n)).unwrap();
        }
        let from = (me + 2) % 3;
        let fits = [0, 1].map(|chunk| {
            let received = mesh.recv(party(from), tag(1, chunk), n).unwrap();
            received.payload.bytes() == content(from, n).bytes()
        });
        mesh.finish().unwrap();
        fits == [true; 2]
    });
    assert_eq!(done, [true; 3]);
}

#[test]
fn a_thousand_small_rounds_between_three() {
    Parties::new(3).each(&quick(), |mesh| {
        let me = mesh.me().index();
        for round in 0..1000 {
            mesh.send(party((me + 1) % 3), tag(1, round), round, content(me, 8)).unwrap();
            mesh.recv(party((me + 2) % 3), tag(1, round), 8).unwrap();
        }
        mesh.finish().unwrap();
    });
}

#[test]
fn many_threads_share_a_mesh() {
    Parties::new(2).each(&quick(), |mesh| {
        let other = party(1 - mesh.me().index());
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let mesh = &mesh;
                scope.spawn(move || {
                    for chunk in 0..100 {
                        let n = (chunk as usize * 977) % 20_000;
                        mesh.send(other, tag(thread, chunk), 0, content(chunk as usize, n)).unwrap();
                        let received = mesh.recv(other, tag(thread, chunk), n).unwrap();
                        assert_eq!(received.payload.bytes(), content(chunk as usize, n).bytes());
                    }
                });
            }
        });
        mesh.finish().unwrap();
    });
}

#[test]
fn sixteen_parties_exchange_and_agree() {
    // Heartbeats as in real life: 240 connections on a small machine take their time.
    let options = Options { connect_deadline: Duration::from_secs(20), ..Options::default() };
    Parties::new(16).each(&options, |mesh| {
        let mine = vec![mesh.me().index() as u8; mesh.me().index()];
        let all = exchange_documents(&mesh, tag(1, 0), &mine, 16).unwrap();
        assert!(all.iter().enumerate().all(|(k, document)| document.bytes() == vec![k as u8; k]));
        agree(&mesh, tag(2, 0), "plan", [7; 32]).unwrap();
        mesh.finish().unwrap();
    });
}

#[test]
fn one_party_alone_is_a_session_too() {
    let mesh = Parties::new(1).meshes(&quick());
    agree(&mesh[0], tag(1, 0), "plan", [1; 32]).unwrap();
    mesh[0].finish().unwrap();
}

#[test]
fn a_simulated_link_is_as_slow_as_it_says() {
    let link = LinkProfile {
        delay: Duration::from_millis(30),
        jitter: Duration::from_millis(5),
        bits_per_second: Some(20_000_000),
    };
    Parties::new(2).each(&Options { link, ..quick() }, |mesh| {
        let start = Instant::now();
        let other = party(1 - mesh.me().index());
        for round in 0..3 {
            mesh.send(other, tag(round, 0), 0, content(0, 8)).unwrap();
            mesh.recv(other, tag(round, 0), 8).unwrap();
        }
        // 500 kB at 20 Mbit/s take 200 ms.
        mesh.send(other, tag(9, 0), 0, content(1, 500_000)).unwrap();
        let received = mesh.recv(other, tag(9, 0), 500_000).unwrap();
        assert_eq!(received.payload.bytes(), content(1, 500_000).bytes());
        let elapsed = start.elapsed();
        assert!(elapsed >= Duration::from_millis(320) && elapsed < Duration::from_secs(3), "{elapsed:?}");
        mesh.finish().unwrap();
    });
}

#[test]
fn a_sender_that_runs_far_ahead_is_held_back_and_never_starves() {
    let limits = Limits { window_messages: 64, window_bytes: 4096, initial_credit: 64, patience: None };
    let n = 3000;
    Parties::new(2).each(&Options { limits, ..quick() }, |mesh| {
        if mesh.me() == party(0) {
            for k in 0..n {
                mesh.send(party(1), tag(1, k), 0, content(k as usize, (k % 200) as usize)).unwrap();
            }
        } else {
            std::thread::sleep(Duration::from_millis(50));
            assert!(mesh.traffic().peers[0].messages_received <= 64);
            for k in (0..n).rev() {
                let received = mesh.recv(party(0), tag(1, k), (k % 200) as usize).unwrap();
                assert_eq!(received.payload.bytes(), content(k as usize, (k % 200) as usize).bytes());
            }
        }
        mesh.finish().unwrap();
    });
}

#[test]
fn parties_may_start_at_different_times() {
    let parties = Parties::new(3);
    std::thread::scope(|scope| {
        let spawn = |me: usize| {
            let parties = &parties;
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(150 * me as u64));
                let mesh = parties.connect(me, &quick()).unwrap();
                agree(&mesh, tag(1, 0), "plan", [1; 32]).unwrap();
                mesh.finish().unwrap();
            })
        };
        let threads: Vec<_> = (0..3).map(spawn).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn one_who_said_goodbye_has_not_vanished() {
    let mut mesh = Parties::new(3).meshes(&quick());
    mesh[2].send(party(0), tag(1, 0), 0, content(0, 2 << 20)).unwrap();
    std::thread::scope(|scope| {
        let leaver = mesh.pop().unwrap();
        scope.spawn(move || {
            leaver.finish().unwrap();
            drop(leaver);
        });
        std::thread::sleep(Duration::from_millis(50));
        // The leaver waits until its message is claimed.
        mesh[0].recv(party(2), tag(1, 0), 2 << 20).unwrap();
    });
    std::thread::sleep(Duration::from_millis(700));
    mesh[0].send(party(1), tag(1, 0), 0, content(0, 8)).unwrap();
    mesh[1].recv(party(0), tag(1, 0), 8).unwrap();
    let error = mesh[1].recv(party(2), tag(1, 0), 8).unwrap_err();
    assert_eq!(error, NetError::Left { peer: party(2), tag: tag(1, 0) });
}

#[test]
fn loss_and_abort_reach_a_blocked_receive() {
    let mut mesh = Parties::new(3).meshes(&quick());
    std::thread::scope(|scope| {
        let gone = mesh.pop().unwrap();
        let mesh = &mesh;
        // Party 0 waits for party 1, and hears that party 2 is gone.
        let waiting = scope.spawn(move || {
            let start = Instant::now();
            let error = mesh[0].recv(party(1), tag(1, 0), 8).unwrap_err();
            (error, start.elapsed())
        });
        std::thread::sleep(Duration::from_millis(50));
        drop(gone);
        let (error, elapsed) = waiting.join().unwrap();
        assert_eq!(error, NetError::Vanished { peer: party(2) });
        assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    });

    let mut mesh = Parties::new(3).meshes(&quick());
    std::thread::scope(|scope| {
        let stops = mesh.pop().unwrap();
        let mesh = &mesh;
        let waiting = scope.spawn(move || mesh[0].recv(party(1), tag(1, 0), 8).unwrap_err());
        std::thread::sleep(Duration::from_millis(50));
        stops.abort("the shares do not add up");
        drop(stops);
        let expected = NetError::Aborted { peer: party(2), reason: "the shares do not add up".into() };
        assert_eq!(waiting.join().unwrap(), expected);
    });
}
