//! Simulators: whether what a party receives could have been made up from what it knows.

use std::sync::Arc;

use math::Column;

use super::{Form, Lab, Mutant, Script, Small, View, number_planes, views};
use crate::bits::SharedBits;
use crate::error::ProtocolError;
use crate::session::{Security, Session};
use crate::share::Shared;

/// A protocol on two secret numbers of four bits, in many rows.
pub struct Simulated {
    /// What it is called.
    pub name: &'static str,
    /// The kind of session. Nothing is proved in it: proofs draw more coins than can be tried.
    pub security: Security,
    /// How a step's messages are read.
    pub form: fn(&str) -> Form,
    /// The protocol.
    pub run: fn(&mut Session, [Dealt; 2]) -> Result<(), ProtocolError>,
    /// What a party learns of the secrets, and nothing besides.
    pub output: fn(usize, [u8; 2]) -> u8,
    /// For each party, the draws that it does not know and whose masks hide something from it.
    pub needed: [usize; 3],
}

/// Sharings of the secrets that are tried, each with other coins of the party's own.
const N_SHARINGS: u64 = 4;

/// A secret, the same one in all rows.
pub struct Dealt {
    /// As ring elements.
    pub ring: Shared<Small<4>>,
    /// As bits.
    pub bits: SharedBits,
    /// As its owner knows it.
    pub clear: u8,
}

impl Dealt {
    fn deal(s: &Session, script: &Arc<Script>, seed: u8, n: usize, clear: u8) -> Dealt {
        let planes = number_planes(4, &vec![i128::from(clear); n]);
        let ring = script.deal(s, seed, &Column::filled(n, Small(clear)));
        Dealt { ring, bits: script.deal_bits(s, seed + 100, &planes), clear }
    }
}

impl Simulated {
    /// Each party's shares and its own coins are fixed, and the coins that it does not know are
    /// tried, every one. What it receives must be distributed alike for all secrets of one
    /// output, and uniform: each view for equally many sequences of coins. Without one of the draws
    /// that are needed, the party must be able to tell secrets apart.
    ///
    /// # Panics
    /// Otherwise.
    pub fn check(&self) {
        let name = self.name;
        let needed = [0, 1, 2].map(|party| {
            let coins = self.coins_facing(party);
            let scripts: Vec<Arc<Script>> =
                (0..N_SHARINGS).map(|seed| Script::facing(4, party, seed)).collect();
            for script in &scripts {
                for group in self.groups(party) {
                    let view = |secrets| self.view(party, coins, &script.afresh(), secrets);
                    let first = view(group[0]);
                    // Coins of others' own masks leave no trace; all else is seen equally often.
                    let often = (1u32 << coins) / first.len() as u32;
                    assert!(first.values().all(|times| *times == often), "{name}: to {party} not uniform");
                    let told = group[1..].iter().find(|secrets| view(**secrets) != first);
                    assert!(told.is_none(), "{name}: {party} tells {:?} from {told:?}", group[0]);
                }
            }
            let lacking_one = |script: Arc<Script>| {
                self.view(party, coins, &script, [0, 0]);
                script.without_one_draw()
            };
            let mutants: Vec<_> = scripts.iter().map(|script| lacking_one(script.afresh())).collect();
            let n_draws = mutants[0].len();
            let is_needed =
                |draw: &usize| mutants.iter().any(|list| self.tells_apart(party, coins, &list[*draw]));
            let needed = (0..n_draws).filter(is_needed).count();
            println!("{name}: party {party} must not know {needed} of {n_draws} draws, {coins} coins");
            needed
        });
        assert_eq!(needed, self.needed, "{name}: draws that a party must not know");
    }

    /// Coins of the key that the party lacks.
    fn coins_facing(&self, party: usize) -> u32 {
        let script = Script::facing(4, party, 0);
        self.lab().scripted(Arc::clone(&script)).run(|s| self.step(s, &script, 1, [0, 0])).all();
        script.coins()
    }

    fn lab(&self) -> Lab {
        Lab::seeded(1).security(self.security).mutant(Mutant::OpensUnverified)
    }

    fn step(
        &self,
        s: &mut Session,
        script: &Arc<Script>,
        n: usize,
        secrets: [u8; 2],
    ) -> Result<(), ProtocolError> {
        let dealt = [0, 1].map(|at| Dealt::deal(s, script, at as u8, n, secrets[at]));
        (self.run)(s, dealt)?;
        crate::verify(s, ()).map(drop)
    }

    fn view(&self, party: usize, coins: u32, script: &Arc<Script>, secrets: [u8; 2]) -> View {
        let mut views = views(&self.lab(), script, coins, self.form, |s, n| {
            self.step(s, script, n, secrets)?;
            Ok(vec![])
        });
        std::mem::take(&mut views[party])
    }

    /// Secrets in groups of one output.
    fn groups(&self, party: usize) -> impl Iterator<Item = Vec<[u8; 2]>> {
        let mut groups = vec![Vec::new(); 16];
        for x in [0, 1, 6, 8, 13, 15] {
            for y in [0, 3, 7, 8, 15] {
                groups[usize::from((self.output)(party, [x, y]))].push([x, y]);
            }
        }
        groups.into_iter().filter(|group| group.len() > 1)
    }

    /// Whether a party can tell secrets apart that have the same output.
    fn tells_apart(&self, party: usize, coins: u32, script: &Script) -> bool {
        self.groups(party).any(|group| {
            let first = self.view(party, coins, &script.afresh(), group[0]);
            group[1..].iter().any(|secrets| self.view(party, coins, &script.afresh(), *secrets) != first)
        })
    }
}
