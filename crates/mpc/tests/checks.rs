//! What a malicious session proves, when, and what becomes of what it does not prove.

use std::sync::Arc;

use math::{Column, Planes, X64, Z64};
use mpc::lab::{self, Cheat, Lab, Mutant, Trace};
use mpc::{Params, ProtocolError, Security, Session, SharedBits};
use net::{PartyId, Tag};

fn bits(s: &Session, seed: u64, n_rows: usize, width: usize) -> SharedBits {
    let planes = Planes::build(n_rows, width, |plane, out| {
        out.iter_mut().enumerate().for_each(|(at, out)| {
            *out = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left((7 * plane + 3 * at) as u32);
        });
    });
    lab::deal_bits(s, seed, &planes)
}

fn malicious() -> Lab {
    Lab::seeded(1).security(Security::Malicious)
}

fn opened(s: &mut Session, label: &'static str, x: SharedBits) -> Result<Option<Vec<u128>>, ProtocolError> {
    let x = mpc::verify(s, x)?;
    let x = mpc::open_bits(s, label, x)?;
    Ok(x.map(|x| (0..x.n_rows()).map(|row| x.row(row)).collect()))
}

/// Chunks in branches in chunks, openings in branches of what the parent, an uncle and the
/// branch itself computed: something for every rule that ends a batch.
fn deep(s: &mut Session) -> Result<Option<Vec<Vec<u128>>>, ProtocolError> {
    let (x, y) = (bits(s, 1, 3000, 3), bits(s, 2, 3000, 3));
    let first = mpc::and(s, "first", &x, &y)?;
    let ((a, b), c) = s.join(
        |s| {
            let chunks = s.chunks("work", 3000, |s, rows| {
                let (x, y) = (first.rows(rows.clone()), y.rows(rows));
                let (a, b) = s.join(|s| mpc::and(s, "a", &x, &y), |s| mpc::and(s, "b", &y, &y))?;
                mpc::and(s, "c", &a, &b)
            })?;
            let all = SharedBits::concat(&chunks.iter().collect::<Vec<_>>());
            let early = opened(s, "early", first.clone())?;
            s.join(|s| opened(s, "left", all), |_| Ok(early))
        },
        |s| {
            let z = mpc::and(s, "beside", &first, &x)?;
            opened(s, "right", z)
        },
    )?;
    let onto = mpc::and_onto(s, "onto", &[(&first, &y, Some(&x))])?.remove(0);
    let last = opened(s, "last", onto)?;
    Ok((|| Some(vec![a?, b?, c?, last?]))())
}

#[test]
fn batches_end_alike_for_every_number_of_threads() {
    let plain = malicious().plain(deep).expect("the oracle succeeds");
    let mut costs = Vec::new();
    for max_ands in [1, 10_000, 1 << 21] {
        for threads in [[1, 1, 1], [8, 8, 8], [1, 2, 8]] {
            let params = threads.map(|threads| Params {
                threads,
                in_flight: 2 * threads,
                chunk_rows: 512,
                security: Security::Malicious,
                ..Params::default()
            });
            let lab = Lab::seeded(4).params(&params).batches(max_ands);
            let run = lab.run(deep);
            assert_eq!(run.cost(), lab.count(deep).expect("counting succeeds"), "{max_ands} {threads:?}");
            costs.push(run.cost().bytes_sent[0]);
            assert_eq!(run.agreed(), plain);
        }
    }
    costs.dedup();
    assert_eq!(costs.len(), 3, "batches of other sizes: {costs:?}");
}

/// Every changed product of the same tree, wherever its batch is proved.
#[test]
fn every_product_of_the_tree_is_proved() {
    for max_ands in [1, 10_000, 1 << 21] {
        let lab = malicious().batches(max_ands).parties(3);
        let report = lab::Sweep::new(lab).flips(1).sampled(max_ands as u64, 250).run(deep);
        println!("batches of {max_ands}: {report}");
        report.assert_clean();
    }
    let lab = malicious().mutant(Mutant::OpensUnverified);
    let report = lab::Sweep::new(lab).flips(1).sampled(1, 100).run(deep);
    assert!(!report.ended(lab::Ending::Wrong).is_empty(), "{report}");
}

/// No opened byte leaves before both others have vouched for the products before it.
#[test]
fn nothing_is_opened_before_it_is_verified() {
    let f = |s: &mut Session| {
        let (x, y) = (bits(s, 1, 100, 2), bits(s, 2, 100, 2));
        let z = mpc::and(s, "first", &x, &y)?;
        opened(s, "open one", z.clone())?;
        let z = mpc::and(s, "second", &z, &y)?;
        let verified = mpc::verify(s, z.clone())?;
        mpc::open_bits_to(s, "open two", PartyId::from_index(1), verified)?;
        let z = mpc::and(s, "third", &z, &y)?;
        let words = z.xor(&z).to_word::<X64>();
        let words = mpc::verify(s, words)?;
        mpc::check_zero(s, "open zero", words)
    };
    let early = |lab: &Lab| {
        let trace = Trace::of(lab, f).expect("an honest run succeeds");
        assert!(trace.messages.iter().any(|message| message.is_opening));
        trace.early_openings().len()
    };
    assert_eq!(early(&malicious()), 0);
    // Six messages to open to all, two to one, six to compare.
    for mutant in [Mutant::OpensUnverified, Mutant::VerifiesLate] {
        assert_eq!(early(&malicious().mutant(mutant)), 14, "{mutant:?}");
    }
}

/// A party that leaves with products that nobody vouched for takes the session with it.
#[test]
fn dropped_records_end_the_session() {
    let run = malicious().run(|s| {
        let (x, y) = (bits(s, 1, 100, 2), bits(s, 2, 100, 2));
        let z = mpc::and(s, "and", &x, &y)?;
        if s.me() == PartyId::FIRST {
            return Ok(None);
        }
        opened(s, "open", z)
    });
    for outcome in &run.outcomes[1..] {
        let error = outcome.as_ref().expect_err("nobody opens");
        assert!(error.is_remote_abort(), "{error}");
        let reason = error.to_string();
        assert!(reason.contains("dropped before they were verified") || reason.contains("party"), "{reason}");
    }
    // What was verified may go, and so may what was never multiplied.
    let run = malicious().run(|s| {
        let x = bits(s, 1, 100, 2);
        let z = mpc::and(s, "and", &x, &x)?;
        let z = mpc::verify(s, z)?;
        drop(z);
        opened(s, "open", x)
    });
    run.agreed();
}

/// What waits for its proof stays within the bound, and one step, for each fork.
#[test]
fn memory_of_the_recorder_is_bounded() {
    let peak = |n_steps: usize, security: Security| {
        let run = Lab::seeded(1).security(security).batches(100_000).run(|s| {
            // Of a size whose six bits each are no whole bytes.
            let x = bits(s, 1, 20_001, 1);
            for step in 0..n_steps {
                mpc::and(s, ("and", step), &x, &x)?;
            }
            let x = mpc::verify(s, x)?;
            mpc::open_bits(s, "open", x)?;
            Ok(s.recorded_bytes_peak())
        });
        run.agreed()
    };
    assert_eq!(peak(3, Security::SemiHonest), 0);
    assert_eq!(peak(3, Security::Malicious), 3 * (20_001 * 6 / 8));
    assert_eq!(peak(40, Security::Malicious), 5 * (20_001 * 6 / 8));
}

/// What no check covers is refused, by name.
#[test]
fn steps_without_a_check_are_refused() {
    let refused = |f: fn(&mut Session) -> Result<(), ProtocolError>| {
        for outcome in malicious().run(f).outcomes {
            let error = outcome.expect_err("no check");
            assert!(matches!(error, ProtocolError::Unsupported { .. }) || error.is_remote_abort(), "{error}");
        }
    };
    refused(|s| {
        let x = lab::deal(s, 1, &Column::filled(3, Z64(3)));
        mpc::trunc_1ulp(s, "truncate", &x, 3).map(drop)
    });
}

/// An owner whose copies differ is named; so is one of whom a holder says so, and nothing is
/// computed with what it gave.
#[test]
fn an_owner_of_two_minds_is_named() {
    use std::sync::Arc;
    struct TwoMinds(PartyId);
    impl net::Interceptor for TwoMinds {
        fn message(&self, from: PartyId, to: PartyId, tag: net::Tag, payload: &mut buf::Buf) -> net::Verdict {
            if from.index() == 3 && to == self.0 && tag.step & 0xff == u128::from(self.0.index() > 0) {
                payload.bytes_mut()[5] ^= 1;
            }
            net::Verdict::Deliver
        }
    }
    for (compute, mutant) in [0, 1, 2].map(|party| (party, None)).into_iter().chain([(1, Some(()))]) {
        let owner = PartyId::from_index(3);
        let mut lab = malicious().parties(4).intercepted(Arc::new(TwoMinds(PartyId::from_index(compute))));
        if mutant.is_some() {
            lab = lab.mutant(Mutant::InputUncompared);
        }
        let run = lab.run(|s| {
            let mine = (s.me() == owner).then(|| Column::filled(100, Z64(7)));
            let x = mpc::input(s, "input", owner, 100, mine.as_ref())?;
            let x = mpc::verify(s, x)?;
            mpc::open(s, "open", x).map(drop)
        });
        let named = |out: &Result<(), ProtocolError>| matches!(out, Err(ProtocolError::InputRefused { owner: named, .. }) if *named == owner);
        if mutant.is_some() {
            assert!(!run.outcomes.iter().any(named));
            continue;
        }
        assert!(run.outcomes[..3].iter().any(named));
        for outcome in &run.outcomes[..3] {
            let error = outcome.as_ref().expect_err("nobody goes on").to_string();
            assert!(error.contains("the shares that party 3 gave"), "{error}");
        }
    }
}

/// An opened share with a changed bit, and a value that is not zero: caught by the comparison of
/// copies and of digests, and by nothing else.
#[test]
fn openings_hang_on_their_comparisons() {
    let open = |s: &mut Session| {
        let x = bits(s, 1, 3, 2);
        opened(s, "open", x)
    };
    let sweep = |lab: Lab| lab::Sweep::new(lab).flips(1).run(open);
    sweep(malicious()).assert_clean();
    let report = sweep(malicious().mutant(Mutant::CopiesUncompared));
    assert!(!report.ended(lab::Ending::Wrong).is_empty(), "{report}");

    let zero = |lab: Lab| {
        lab.run(|s| {
            let x = lab::deal(s, 1, &Column::filled(3, Z64(1)));
            let x = mpc::verify(s, x)?;
            mpc::check_zero(s, "zero", x)
        })
    };
    assert!(zero(malicious()).outcomes.iter().all(Result::is_err));
    assert!(zero(malicious().mutant(Mutant::ZeroUncompared)).outcomes.iter().all(Result::is_ok));
}

/// A caller that goes on after a proof has failed opens nothing, whatever the value.
#[test]
fn nothing_opens_after_a_failed_proof() {
    struct Spoiler;
    impl Cheat for Spoiler {
        fn product(&self, party: PartyId, _: Tag, z: &mut [u8]) {
            if party == PartyId::FIRST {
                z[0] ^= 1;
            }
        }

        fn factor(&self, _: PartyId, _: Tag, _: usize, _: &mut [u32]) {}
    }
    let run = malicious().cheating(Arc::new(Spoiler)).run(|s| {
        let (x, y) = (bits(s, 1, 40, 2), bits(s, 2, 40, 2));
        let spoiled = mpc::and(s, "and", &x, &y)?;
        let failed = mpc::verify(s, spoiled).err();
        Ok((failed.is_some(), opened(s, "open", x).is_err()))
    });
    for outcome in &run.outcomes[1..3] {
        assert!(matches!(outcome, Ok((true, true))), "{outcome:?}");
    }
}

/// Why nobody tests for zero what may be something else by others' choice: a holder of two summands learns
/// whether its guess of the value is right, from the digest that it gets.
#[test]
fn a_zero_test_answers_guesses() {
    #[derive(Default)]
    struct Tap {
        names: Arc<lab::Names>,
        heard: std::sync::Mutex<Vec<u8>>,
    }
    impl net::Interceptor for Tap {
        fn message(&self, _: PartyId, to: PartyId, tag: Tag, payload: &mut buf::Buf) -> net::Verdict {
            if to == PartyId::FIRST && self.names.of(tag) == "zero.1" {
                *self.heard.lock().expect("no party panics") = payload.bytes().to_vec();
            }
            net::Verdict::Deliver
        }
    }
    // The first party's two summands are the same for every value.
    let heard = |value: u64| {
        let tap = Arc::new(Tap::default());
        let lab = malicious().named(Arc::clone(&tap.names)).intercepted(Arc::clone(&tap) as _);
        lab.run(|s| {
            let x = lab::deal(s, 1, &Column::filled(1, Z64(value)));
            let x = mpc::verify(s, x)?;
            mpc::check_zero(s, "zero", x)
        });
        let heard = tap.heard.lock().expect("no party panics").clone();
        assert_eq!(heard.len(), 32);
        heard
    };
    assert_eq!(heard(5), heard(5));
    assert_ne!(heard(5), heard(6));
}
