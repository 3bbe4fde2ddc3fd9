//! The sweep over the proofs by themselves: what becomes of every changed product and every
//! changed word of a proof.

use math::Planes;
use mpc::lab::{self, Ending, Lab, Mutant, Report, Sweep};
use mpc::{ProtocolError, Session};

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
