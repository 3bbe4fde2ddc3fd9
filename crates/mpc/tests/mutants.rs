//! Planted mutants: protocols that lack one guard, and for each an attack that the guard stops.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use buf::Buf;
use math::{Column, Planes, Z64};
use mpc::lab::{self, Cheat, Ending, Lab, Mutant, Names, Sweep};
use mpc::{ProtocolError, Security, Session, SharedBits};
use net::{Interceptor, PartyId, Tag, Verdict};

#[path = "mutants/products.rs"]
mod products;
#[path = "mutants/shuffles.rs"]
mod shuffles;

/// Party 3 owns data and does not compute.
const OUTSIDE: PartyId = PartyId::from_index(3);

/// Whether the cheater gets what it wants.
type Attack = fn(&Lab) -> bool;

fn opened(s: &mut Session, x: SharedBits) -> Result<Option<u128>, ProtocolError> {
    let x = mpc::verify(s, x)?;
    Ok(mpc::open_bits(s, "open", x)?.map(|x: Planes| x.row(0)))
}

/// Party 0 goes on with a wrong product; who opens something after it?
#[derive(Default)]
struct WrongProduct {
    names: Arc<Names>,
    is_opened: AtomicBool,
}

impl Cheat for WrongProduct {
    fn product(&self, party: PartyId, _: Tag, z: &mut [u8]) {
        if party == PartyId::FIRST {
            z[0] ^= 1;
        }
    }

    fn factor(&self, _: PartyId, _: Tag, _: usize, _: &mut [u32]) {}
}

impl Interceptor for WrongProduct {
    fn message(&self, from: PartyId, _: PartyId, tag: Tag, _: &mut Buf) -> Verdict {
        if from != PartyId::FIRST && self.names.opens(tag) {
            self.is_opened.store(true, Ordering::Relaxed);
        }
        Verdict::Deliver
    }
}

/// An honest party opens something that hangs on a wrong product.
fn is_opened(lab: &Lab, f: fn(&mut Session, [SharedBits; 2]) -> Result<(), ProtocolError>) -> bool {
    let cheat = Arc::new(WrongProduct::default());
    let lab = lab.clone().named(Arc::clone(&cheat.names));
    let lab = lab.intercepted(Arc::clone(&cheat) as Arc<dyn Interceptor>).cheating(Arc::clone(&cheat) as _);
    lab.run(|s| {
        let factors = [1, 2].map(|seed| lab::deal_numbers(s, seed, 4, &[5, 3]));
        f(s, factors)
    });
    cheat.is_opened.load(Ordering::Relaxed)
}

fn a_wrong_product_is_opened(lab: &Lab) -> bool {
    is_opened(lab, |s, [x, y]| {
        let z = mpc::and(s, "and", &x, &y)?;
        opened(s, z).map(drop)
    })
}

/// One computed before the fork, by a branch.
fn a_branch_opens_a_wrong_product(lab: &Lab) -> bool {
    is_opened(lab, |s, [x, y]| {
        let z = mpc::and(s, "and", &x, &y)?;
        s.join(|s| opened(s, z), |_| Ok(())).map(drop)
    })
}

/// One computed by a fork, after it.
fn a_wrong_product_of_a_fork_is_opened(lab: &Lab) -> bool {
    is_opened(lab, |s, [x, y]| {
        let mut chunks = s.chunks("chunks", 2, |s, _| mpc::and(s, "and", &x, &y))?;
        opened(s, chunks.remove(0)).map(drop)
    })
}

/// Party 0 keeps the coins of its first proof, and chooses the errors of its second product so
/// that they cancel under the weights that these coins give.
#[derive(Default)]
struct CoinCollector {
    names: Arc<Names>,
    coins: Mutex<[[u8; 32]; 2]>,
    errors: Mutex<[u64; 2]>,
}

impl Interceptor for CoinCollector {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        if to == PartyId::FIRST && self.names.of(tag) == "first/and/check bits.0" {
            // The left verifier comes first: party 2.
            self.coins.lock().expect("no party panics")[usize::from(from.index() == 1)] =
                payload.bytes().try_into().expect("a coin");
        }
        Verdict::Deliver
    }
}

impl Cheat for CoinCollector {
    fn product(&self, party: PartyId, _: Tag, z: &mut [u8]) {
        if party == PartyId::FIRST {
            let errors = self.errors.lock().expect("no party panics");
            let bytes = errors.iter().flat_map(|error| error.to_le_bytes());
            z.iter_mut().zip(bytes).for_each(|(z, error)| *z ^= error);
        }
    }

    fn factor(&self, _: PartyId, _: Tag, _: usize, _: &mut [u32]) {}
}

/// A wrong product passes its proof.
fn errors_cancel_under_known_coins(lab: &Lab) -> bool {
    let cheat = Arc::new(CoinCollector::default());
    let lab = lab.clone().named(Arc::clone(&cheat.names)).cheating(Arc::clone(&cheat) as Arc<dyn Cheat>);
    let run = lab.intercepted(Arc::clone(&cheat) as Arc<dyn Interceptor>).run(|s| {
        let [x, y] = [1, 2].map(|seed| lab::deal_bits(s, seed, &Planes::zeroed(512, 1)));
        let z = s.scope("first", |s| mpc::and(s, "and", &x, &y))?;
        drop(mpc::verify(s, z)?);
        s.scope("second", |s| {
            if s.me() == PartyId::FIRST {
                let coins = *cheat.coins.lock().expect("no party panics");
                let errors = lab::cancelling_errors(s, "and", &x, &y, &coins);
                *cheat.errors.lock().expect("no party panics") = errors;
            }
            let z = mpc::and(s, "and", &x, &y)?;
            mpc::verify(s, z).map(drop)
        })
    });
    assert_ne!(*cheat.errors.lock().expect("no party panics"), [0; 2], "the second product is wrong");
    run.outcomes[1..3].iter().all(Result::is_ok)
}

/// What a session does with two factors. It opens by way of the function that it is given.
type Opens = fn(&mut Session, [SharedBits; 2], &Open<'_>) -> Result<(), ProtocolError>;
type Open<'a> = dyn Fn(&mut Session, SharedBits) -> Result<(), ProtocolError> + Sync + 'a;

/// Party 0 does not accept a proof, and something is opened all the same, by whom ever: that takes a message
/// of one who should have heard of the refusal.
fn is_ignored(lab: Lab, f: Opens) -> bool {
    struct Refuser(Arc<Names>);
    impl Interceptor for Refuser {
        fn message(&self, from: PartyId, _: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
            let name = self.0.of(tag);
            if from == PartyId::FIRST && name.contains("check") && name.ends_with(".7") {
                payload.bytes_mut()[0] = 0;
            }
            Verdict::Deliver
        }
    }
    let (names, is_open) = (Arc::new(Names::default()), AtomicBool::new(false));
    let open = |s: &mut Session, z: SharedBits| {
        if opened(s, z)?.is_some() {
            is_open.store(true, Ordering::SeqCst);
        }
        Ok(())
    };
    let run = lab.named(Arc::clone(&names)).intercepted(Arc::new(Refuser(names))).run(|s| {
        let factors = [1, 2].map(|seed| lab::deal_numbers(s, seed, 4, &[5, 3]));
        f(s, factors, &open)
    });
    drop(run);
    is_open.into_inner()
}

fn a_refusal_is_ignored(lab: &Lab) -> bool {
    is_ignored(lab.clone(), |s, [x, y], open| {
        let z = mpc::and(s, "and", &x, &y)?;
        open(s, z)
    })
}

/// That of a proof made in a chunk.
fn a_refusal_in_a_chunk_is_ignored(lab: &Lab) -> bool {
    is_ignored(lab.clone().batches(1), |s, [x, y], open| {
        let mut chunks = s.chunks("chunks", 2, |s, _| mpc::and(s, "and", &x, &y))?;
        open(s, chunks.remove(0))
    })
}

/// That of a proof made before a fork, in which a branch opens.
fn a_refusal_before_a_fork_is_ignored_in_it(lab: &Lab) -> bool {
    is_ignored(lab.clone().batches(1), |s, [x, y], open| {
        let z = mpc::and(s, "and", &x, &y)?;
        s.join(|s| open(s, z), |_| Ok(())).map(drop)
    })
}

/// That of a proof made before a fork, after which the session opens.
fn a_refusal_before_a_fork_is_ignored_after_it(lab: &Lab) -> bool {
    is_ignored(lab.clone().batches(1), |s, [x, y], open| {
        let z = mpc::and(s, "and", &x, &y)?;
        s.join(|_| Ok(()), |_| Ok(()))?;
        open(s, z)
    })
}

/// Changing one message of an opening changes what is opened.
fn a_wrong_share_is_opened(lab: &Lab) -> bool {
    let sweep = Sweep::new(lab.clone());
    let report = sweep.run(|s| {
        let x = lab::deal_numbers(s, 1, 4, &[5]);
        opened(s, x)
    });
    !report.ended(Ending::Wrong).is_empty()
}

/// An owner gives the holders of a share different ones, and they go on.
fn an_owner_is_of_two_minds(lab: &Lab) -> bool {
    struct TwoMinds;
    impl Interceptor for TwoMinds {
        fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
            if (from, to.index(), tag.step & 0xff) == (OUTSIDE, 1, 1) {
                payload.bytes_mut()[0] ^= 1;
            }
            Verdict::Deliver
        }
    }
    let run = lab.clone().intercepted(Arc::new(TwoMinds)).run(|s| {
        let mine = (s.me() == OUTSIDE).then(|| Column::new(&[Z64(7)]));
        mpc::input(s, "input", OUTSIDE, 1, mine.as_ref())
    });
    run.outcomes[..3].iter().all(Result::is_ok)
}

/// Something that is not zero passes for it.
fn a_number_passes_for_zero(lab: &Lab) -> bool {
    let run = lab.run(|s| {
        let x = lab::deal(s, 1, &Column::new(&[Z64(1)]));
        let x = mpc::verify(s, x)?;
        mpc::check_zero(s, "zero", x)
    });
    run.outcomes[..3].iter().any(Result::is_ok)
}

fn attack_on(mutant: Mutant) -> Attack {
    match mutant {
        Mutant::BitProofUnchecked | Mutant::OpensUnverified | Mutant::VerifiesLate => {
            a_wrong_product_is_opened
        }
        Mutant::VerdictIgnored => a_refusal_is_ignored,
        Mutant::ForksAcceptNothing => a_refusal_in_a_chunk_is_ignored,
        Mutant::ForksOpenUnaccepted => a_refusal_before_a_fork_is_ignored_in_it,
        Mutant::ForksTakeAcceptance => a_refusal_before_a_fork_is_ignored_after_it,
        Mutant::BitProofCoinsReused => errors_cancel_under_known_coins,
        Mutant::ForksOpenUnverified => a_branch_opens_a_wrong_product,
        Mutant::ForksForgotten => a_wrong_product_of_a_fork_is_opened,
        Mutant::CopiesUncompared => a_wrong_share_is_opened,
        Mutant::ZeroUncompared => a_number_passes_for_zero,
        Mutant::InputUncompared => an_owner_is_of_two_minds,
        Mutant::RingProofUnchecked => products::a_wrong_product_is_opened,
        Mutant::RingProofCoinsReused => products::wrong_products_hide_in_known_subsets,
        Mutant::RingProofPrimeEarly => products::quotients_fit_a_known_prime,
        Mutant::ShuffleUnchecked => shuffles::rows_go_elsewhere,
        Mutant::RowProofUnchecked => shuffles::rows_change,
        Mutant::RowProofCoinsReused => shuffles::errors_hide_under_known_coins,
    }
}

#[test]
fn every_guard_stops_an_attack() {
    let lab = Lab::seeded(1).parties(4).security(Security::Malicious);
    for mutant in Mutant::ALL {
        let attack = attack_on(*mutant);
        assert!(!attack(&lab), "the attack that {mutant:?} allows");
        assert!(attack(&lab.clone().mutant(*mutant)), "{mutant:?} survives");
    }
}
