//! Forks over a long link, and how sessions start.

use std::sync::Arc;
use std::time::{Duration, Instant};

use math::{Column, Planes, Z64};
use mpc::lab::{self, Lab};
use mpc::{Params, ProtocolError, Security, Session, SharedBits};
use net::{LinkProfile, LocalMesh, Mesh, PartyId};

/// Chunks in chunks in chunks over 150 ms round trips, with 1, 2 and 8 threads at the three
/// parties: everybody finishes, and the waits of chunks in flight overlap.
#[test]
fn triple_nested_forks_finish_over_a_long_link() {
    let x = Planes::build(4096, 1, |_, out| out.fill(0x5555_3333_0f0f_00ff));
    let params =
        [1, 2, 8].map(|threads| Params { threads, in_flight: 8, chunk_rows: 512, ..Params::default() });
    let lab = Lab::seeded(1).params(&params).link(LinkProfile::wan(150, 1000));
    let start = Instant::now();
    let run = lab.run(|s| {
        let x = lab::deal_bits(s, 1, &x);
        let outer = s.chunks("outer", 4096, |s, rows| {
            let x = x.rows(rows.clone());
            let (left, right) = s.join(
                |s| {
                    let inner = s.chunks("inner", rows.len(), |s, rows| {
                        let x = x.rows(rows);
                        mpc::and(s, "and", &x, &x)
                    })?;
                    Ok(SharedBits::concat(&inner.iter().collect::<Vec<_>>()))
                },
                |s| mpc::and(s, "beside", &x, &x),
            )?;
            mpc::and(s, "meet", &left, &right)
        })?;
        let all = SharedBits::concat(&outer.iter().collect::<Vec<_>>());
        let all = mpc::verify(s, all)?;
        Ok(mpc::open_bits(s, "open", all)?.map(|all| all.plane(0).to_vec()))
    });
    assert_eq!(run.rounds, 3);
    assert_eq!(run.agreed(), Some(x.plane(0).to_vec()));
    // Eight chunks of two rounds one after the other would take 1.2 s and the open on top.
    assert!(start.elapsed() < Duration::from_millis(1100), "{:?}", start.elapsed());
}

/// A party that fails inside a fork takes the others with it, promptly, and says why.
#[test]
fn one_failing_chunk_stops_everybody() {
    [Security::SemiHonest, Security::Malicious].into_iter().for_each(one_failing_chunk);
}

fn one_failing_chunk(security: Security) {
    let run = Lab::seeded(1).security(security).run(|s| {
        let me = s.me();
        s.chunks("work", 5000, |s, rows| {
            let x = lab::deal(s, 1, &Column::filled(rows.len(), Z64(3)));
            let short = x.rows(0..rows.len() - 1);
            let other = if me == PartyId::FIRST && rows.start > 0 { &short } else { &x };
            mpc::mul(s, "mul", &x, other)
        })
    });
    assert!(
        matches!(run.outcomes[0], Err(ProtocolError::Shape { .. })),
        "{:?}",
        run.outcomes[0].as_ref().err()
    );
    for outcome in &run.outcomes[1..] {
        assert!(outcome.as_ref().is_err_and(ProtocolError::is_remote_abort));
    }
}

fn establish(
    digests: [[u8; 32]; 4],
    links: [LinkProfile; 4],
    compute: [usize; 3],
) -> Vec<Result<[u8; 32], ProtocolError>> {
    let meshes = LocalMesh::new(4, LinkProfile::INSTANT);
    std::thread::scope(|threads| {
        let spawned: Vec<_> = meshes
            .into_iter()
            .zip(digests)
            .zip(links)
            .map(|((mesh, digest), link)| {
                threads.spawn(move || {
                    let mesh: Arc<dyn Mesh> = Arc::new(mesh);
                    let compute = compute.map(PartyId::from_index);
                    let params =
                        Params { threads: 1, in_flight: 1, chunk_rows: 512, link, ..Params::default() };
                    let mut s = Session::establish(Arc::clone(&mesh), compute, &digest, params)?;
                    let mine = (s.me().index() == 2).then(|| Column::new(&[Z64(7), Z64(9)]));
                    let x = mpc::input(&mut s, "x", PartyId::from_index(2), 2, mine.as_ref())?;
                    let x = mpc::mul(&mut s, "square", &x, &x)?;
                    let x = mpc::verify(&mut s, x)?;
                    let to = PartyId::from_index(0);
                    if let Some(x) = mpc::open_to(&mut s, "open", to, x)? {
                        assert_eq!(x.items(), [Z64(49), Z64(81)]);
                    } else {
                        assert_ne!(s.me(), to);
                    }
                    let id = *s.session_id();
                    mesh.finish().expect("an honest run ends well");
                    Ok(id)
                })
            })
            .collect();
        spawned.into_iter().map(|thread| thread.join().expect("no party panics")).collect()
    })
}

#[test]
fn parties_that_run_the_same_agree_on_a_fresh_session() {
    for compute in [[0, 1, 2], [3, 1, 0]] {
        let ids: Vec<_> = (0..2)
            .map(|_| {
                let ids: Vec<_> = establish([[5; 32]; 4], [LinkProfile::wan(20, 100); 4], compute)
                    .into_iter()
                    .map(|id| id.expect("agreed"))
                    .collect();
                assert!(ids.iter().all(|id| *id == ids[0]));
                ids[0]
            })
            .collect();
        assert_ne!(ids[0], ids[1], "two runs of one question share nothing");
    }
}

#[test]
fn parties_that_run_different_things_stop_before_anything_is_shared() {
    let (digest, link) = ([5; 32], LinkProfile::wan(20, 100));
    let other_digests = ([digest, digest, [6; 32], digest], [link; 4]);
    let other_links = ([digest; 4], [link, LinkProfile::wan(20, 200), link, link]);
    let outcomes = [other_digests, other_links].map(|(digests, links)| establish(digests, links, [0, 1, 2]));
    for outcome in outcomes.into_iter().flatten() {
        let error = outcome.expect_err("no session").to_string();
        assert!(
            error.contains("what to run") || error.contains("stopped") || error.contains("abort"),
            "{error}"
        );
    }
    assert!(
        establish([[5; 32]; 4], [LinkProfile::INSTANT; 4], [0, 0, 1])
            .into_iter()
            .all(|outcome| outcome.is_err())
    );
}

/// What a session holds out against is part of what all agree on.
#[test]
fn parties_that_want_different_security_do_not_meet() {
    let meet = |securities: [Security; 3]| -> Vec<Result<Session, ProtocolError>> {
        let compute = [0, 1, 2].map(PartyId::from_index);
        std::thread::scope(|threads| {
            let spawned: Vec<_> = LocalMesh::new(3, LinkProfile::INSTANT)
                .into_iter()
                .zip(securities)
                .map(|(mesh, security)| {
                    threads.spawn(move || {
                        let params = Params { security, ..Params::default() };
                        Session::establish(Arc::new(mesh), compute, &[0; 32], params)
                    })
                })
                .collect();
            spawned.into_iter().map(|thread| thread.join().expect("no party panics")).collect()
        })
    };
    let (passive, active) = (Security::SemiHonest, Security::Malicious);
    assert!(meet([active; 3]).iter().all(|s| s.as_ref().is_ok_and(|s| s.security() == active)));
    assert!(meet([active, active, passive]).into_iter().all(|outcome| outcome.is_err()));
    assert_eq!(Params::default().security, passive);
}

/// A bug in one branch ends the run with its panic; nobody waits for ever.
#[test]
fn a_panic_in_a_branch_stops_everybody() {
    let securities = [Security::SemiHonest, Security::Malicious];
    for (side, security) in [0, 1].into_iter().flat_map(|side| securities.map(|security| (side, security))) {
        let params = Params { threads: 1, in_flight: 3, chunk_rows: 512, security, ..Params::default() };
        let lab = Lab::seeded(1).params(&[params]);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            lab.run(|s| {
                let x = lab::deal(s, 1, &Column::filled(2000, Z64(3)));
                let branch = |s: &mut Session, fails: bool| {
                    assert!(!fails || s.me() != PartyId::FIRST, "a planted bug");
                    s.chunks("work", 2000, |s, rows| mpc::mul(s, "mul", &x.rows(rows.clone()), &x.rows(rows)))
                };
                s.join(|s| branch(s, side == 0), |s| branch(s, side == 1)).map(drop)
            })
        }));
        assert!(outcome.is_err(), "the panic comes through");
    }
}
