//! Attacks on ring products. Party 0 cheats.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use buf::Buf;
use math::{Column, Z64};
use mpc::lab::{self, Cheat, Lab, Names, Slips};
use mpc::{ProtocolError, Session, Shared};
use net::{Interceptor, PartyId, Tag, Verdict};

/// One more than there are subsets, so that some products are in each an even number of times.
const N: usize = 65;

fn factors(s: &Session) -> [Shared<Z64>; 2] {
    [1, 2].map(|seed| lab::deal(s, seed, &Column::from_fn(N, |row| Z64(seed << 62 | row as u64))))
}

fn product(s: &mut Session) -> Result<Option<Column<Z64>>, ProtocolError> {
    let [x, y] = factors(s);
    let z = mpc::mul(s, "mul", &x, &y)?;
    let z = mpc::verify(s, z)?;
    mpc::open(s, "open", z)
}

type Repair = Box<dyn Fn(&[[u8; 32]; 3]) -> Vec<i128> + Send>;

/// The cheater, what it has heard, and what it makes of it.
#[derive(Default)]
struct Cheater {
    names: Arc<Names>,
    /// Coins by the message's name and the sender.
    coins: Mutex<BTreeMap<(String, usize), [u8; 32]>>,
    slips: Mutex<Option<Slips>>,
    /// What to add to the quotients, from the coins known by then.
    repair: Mutex<Option<Repair>>,
    /// Whether to change products by what it knows, instead of the first one by one.
    is_patient: bool,
    is_opened: AtomicBool,
}

impl Cheater {
    fn run<T: Send>(
        self: &Arc<Self>,
        lab: &Lab,
        f: impl Fn(&mut Session) -> Result<T, ProtocolError> + Sync,
    ) -> bool {
        let lab = lab.clone().named(Arc::clone(&self.names)).cheating(Arc::clone(self) as Arc<dyn Cheat>);
        let run = lab.intercepted(Arc::clone(self) as Arc<dyn Interceptor>).run(f);
        run.outcomes[1..3].iter().all(Result::is_ok)
    }

    fn coin(&self, name: &str, from: usize) -> [u8; 32] {
        self.coins.lock().expect("no party panics").get(&(name.to_owned(), from)).copied().unwrap_or_default()
    }

    fn add_to_quotients(&self, shares: &mut [u8]) {
        let slips = self.slips.lock().expect("no party panics");
        let Some(slips) = &*slips else { return };
        let repaired = self.repair.lock().expect("no party panics").as_ref().map(|repair| {
            // The left verifier comes first: party 2.
            repair(
                &[(0, 2), (0, 1), (2, 2)]
                    .map(|(part, from)| self.coin(&format!("mul/check ring.{part}"), from)),
            )
        });
        let additions = repaired.as_ref().unwrap_or(&slips.additions);
        for (share, add) in shares.chunks_mut(32).zip(additions) {
            let mut carry = *add;
            for word in share.as_chunks_mut::<8>().0 {
                carry += i128::from(u64::from_le_bytes(*word));
                *word = (carry as u64).to_le_bytes();
                carry >>= 64;
            }
        }
    }

    fn plan(&self, slips: Slips) {
        *self.slips.lock().expect("no party panics") = Some(slips);
    }
}

impl Cheat for Cheater {
    fn product(&self, party: PartyId, _: Tag, z: &mut [u8]) {
        if party != PartyId::FIRST {
            return;
        }
        match &*self.slips.lock().expect("no party panics") {
            Some(slips) => {
                for (z, _) in z.chunks_mut(8).zip(&slips.wrong).filter(|(_, wrong)| **wrong) {
                    z[7] ^= 0x80;
                }
            }
            None if self.is_patient => {}
            None => z[0] ^= 1,
        }
    }

    fn factor(&self, _: PartyId, _: Tag, _: usize, _: &mut [u32]) {}
}

impl Interceptor for Cheater {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        let name = self.names.of(tag);
        if to == PartyId::FIRST && payload.len() == 32 {
            let coin = payload.bytes().try_into().expect("a coin");
            self.coins.lock().expect("no party panics").insert((name.clone(), from.index()), coin);
        }
        if from == PartyId::FIRST && name.ends_with("check ring.1") {
            self.add_to_quotients(payload.bytes_mut());
        }
        if from != PartyId::FIRST && self.names.opens(tag) {
            self.is_opened.store(true, Ordering::Relaxed);
        }
        Verdict::Deliver
    }
}

/// An honest party opens something that hangs on a wrong product.
pub fn a_wrong_product_is_opened(lab: &Lab) -> bool {
    let cheater = Arc::new(Cheater::default());
    cheater.run(lab, product);
    cheater.is_opened.load(Ordering::Relaxed)
}

/// Wrong products pass, chosen so that each subset has an even number of them.
pub fn wrong_products_hide_in_known_subsets(lab: &Lab) -> bool {
    let cheater = Arc::new(Cheater { is_patient: true, ..Cheater::default() });
    cheater.run(lab, |s| {
        s.scope("first", product)?;
        s.scope("second", |s| {
            if s.me() == PartyId::FIRST {
                // The left verifier comes first: party 2.
                let coins = [2, 1].map(|from| cheater.coin("first/mul/check ring.0", from));
                let [x, y] = factors(s);
                let slips = lab::hidden_products(s, "mul", [&x, &y], &coins);
                assert!(slips.wrong.contains(&true));
                cheater.plan(slips);
            }
            product(s)
        })
    })
}

/// A wrong product passes, by quotients that make the claim true modulo the prime.
pub fn quotients_fit_a_known_prime(lab: &Lab) -> bool {
    let cheater = Arc::new(Cheater::default());
    cheater.plan(Slips { wrong: vec![true], additions: vec![] });
    cheater.run(lab, |s| {
        if s.me() == PartyId::FIRST {
            let [x, y] = factors(s);
            let repair = Box::new(lab::repaired_quotients(s, "mul".into(), [&x, &y]));
            *cheater.repair.lock().expect("no party panics") = Some(repair);
        }
        product(s)
    })
}
