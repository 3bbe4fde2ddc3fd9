//! The sweep over the proofs by themselves: what becomes of every changed product and every
//! changed word of a proof.

use std::sync::{Arc, Mutex};

use buf::Buf;
use math::Planes;
use mpc::lab::{self, Cheat, Ending, Lab, Mutant, Names, Report, Sweep};
use mpc::{ProtocolError, Session};
use net::{Interceptor, PartyId, Tag, Verdict};

/// What a party holds after a product and its proof: with one seed it is the same in every run
/// in which nobody spoils it.
fn proved(s: &mut Session, n_rows: usize) -> Result<Vec<Vec<u128>>, ProtocolError> {
    let [x, y] = [1u64, 2].map(|seed| {
        let planes = Planes::build(n_rows, 2, |plane, out| out.fill(0x9e37_79b9_7f4a_7c15 << plane >> seed));
        lab::deal_bits(s, seed, &planes)
    });
    let z = lab::proved_and(s, &x, &y)?;
    let rows = |planes: &Planes| (0..planes.n_rows()).map(|row| planes.row(row)).collect();
    Ok(lab::parts_of_bits(&z).iter().map(rows).collect())
}

fn sweep(lab: Lab, n_rows: usize) -> Report {
    let report = Sweep::new(lab).flips(40).elements(16).run(|s| proved(s, n_rows));
    println!("{n_rows} rows: {report}");
    report
}

/// One line, and a block of several.
#[test]
fn bit_proofs_hold_or_stop() {
    for n_rows in [3, 700] {
        sweep(Lab::seeded(1), n_rows).assert_clean();
    }
}

/// A proof that is not looked at, and one whose refusal nobody minds, let wrong products pass.
#[test]
fn bit_proofs_without_a_guard_are_seen_through() {
    for mutant in [Mutant::BitProofUnchecked, Mutant::BitProofVerdictIgnored] {
        // Who ignores a verdict may still be stopped by who gave it: some runs are faster.
        let is_seen = |seed| {
            let report = sweep(Lab::seeded(seed).mutant(mutant), 3);
            !report.ended(Ending::Wrong).is_empty()
        };
        assert!((1..6).any(is_seen), "{mutant:?} survives");
    }
}

/// Party 0 keeps the coins of its first proof, and chooses the errors of its second product so
/// that they cancel under the weights that these coins give.
#[derive(Default)]
struct CoinCollector {
    names: Arc<Names>,
    coins: Mutex<[[u8; 32]; 2]>,
    errors: Mutex<[u128; 2]>,
}

impl Interceptor for CoinCollector {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        if to == PartyId::FIRST && self.names.of(tag) == "first/check.0" {
            // The left verifier comes first: party 2.
            self.coins.lock().unwrap()[usize::from(from.index() == 1)] = payload.bytes().try_into().unwrap();
        }
        Verdict::Deliver
    }
}

impl Cheat for CoinCollector {
    fn product(&self, party: PartyId, _: Tag, z: &mut [u8]) {
        if party == PartyId::FIRST {
            let errors = self.errors.lock().unwrap();
            let bytes = errors.iter().flat_map(|error| error.to_le_bytes());
            z.iter_mut().zip(bytes).for_each(|(z, error)| *z ^= error);
        }
    }

    fn factor(&self, _: PartyId, _: Tag, _: usize, _: &mut [u32]) {}
}

/// Coins that serve two proofs let a wrong product through: each proof has coins of its own.
#[test]
fn coins_serve_one_proof() {
    let passes = |lab: Lab| {
        let cheat = Arc::new(CoinCollector::default());
        let lab = lab.named(Arc::clone(&cheat.names)).cheating(Arc::clone(&cheat) as Arc<dyn Cheat>);
        let run = lab.intercepted(Arc::clone(&cheat) as Arc<dyn Interceptor>).run(|s| {
            let [x, y] = [1, 2].map(|seed| lab::deal_bits(s, seed, &Planes::zeroed(512, 1)));
            s.scope("first", |s| lab::proved_and(s, &x, &y))?;
            s.scope("second", |s| {
                if s.me() == PartyId::FIRST {
                    let coins = *cheat.coins.lock().unwrap();
                    *cheat.errors.lock().unwrap() = lab::cancelling_errors(s, &x, &y, &coins);
                }
                lab::proved_and(s, &x, &y).map(drop)
            })
        });
        assert_ne!(*cheat.errors.lock().unwrap(), [0; 2], "the second product is wrong");
        run.outcomes[1..].iter().all(Result::is_ok)
    };
    assert!(!passes(Lab::seeded(1)), "the attack works");
    assert!(passes(Lab::seeded(1).mutant(Mutant::BitProofCoinsReused)), "the attack is none");
}
