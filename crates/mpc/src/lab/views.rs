//! What parties see, exactly: over every sequence of coins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use buf::Buf;
use net::{Interceptor, PartyId, Tag, Verdict};

use super::{Lab, Names, Script};
use crate::error::ProtocolError;
use crate::session::{Params, Session};

/// How the rows of a message are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Packed bits, plane after plane.
    Planes,
    /// Elements of one byte.
    Elements,
    /// Not by rows: it says the same whatever the coins are, or is a hash.
    Skip,
}

/// How often a party sees what: its coins, the shares it holds, the messages it received.
pub type View = BTreeMap<Vec<u64>, u32>;

/// The views of the three compute parties of a run with a row for each of the `coins` that the
/// script tries. `form` tells from a message's step how to read it; `f` returns what a party holds
/// besides, by row.
///
/// # Panics
/// If a party fails, or draws another number of coins.
pub fn views<F>(lab: &Lab, script: &Arc<Script>, coins: u32, form: impl Fn(&str) -> Form, f: F) -> [View; 3]
where
    F: Fn(&mut Session, usize) -> Result<Vec<Vec<u64>>, ProtocolError> + Sync,
{
    let n = 1 << coins;
    let tap = Arc::new(Wiretap::default());
    let names = Arc::new(Names::default());
    // One chunk: its rows are the script's.
    let whole = |params: Params| Params { chunk_rows: 1 << 20, ..params };
    let params: Vec<Params> = lab.params.iter().copied().map(whole).collect();
    let run = lab
        .clone()
        .params(&params)
        .named(Arc::clone(&names))
        .scripted(Arc::clone(script))
        .intercepted(Arc::clone(&tap) as Arc<dyn Interceptor>)
        .run(|s| f(s, n));
    let held = run.all();
    assert_eq!(script.coins(), coins, "a row for every sequence of coins");
    [0, 1, 2].map(|party| {
        let heard = tap.heard(party, n, &names, &form);
        let mut counts = View::new();
        for row in 0..n {
            let mut view = script.coins_of(party, row);
            view.extend(held[party].iter().map(|column| column[row]));
            view.extend(heard.iter().map(|message| message[row]));
            *counts.entry(view).or_insert(0) += 1;
        }
        counts
    })
}

/// Everything each party received, in step order.
#[derive(Default)]
struct Wiretap(Mutex<BTreeMap<(usize, Tag, usize), Vec<u8>>>);

impl Interceptor for Wiretap {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        let mut heard = self.0.lock().expect("no test panics while it listens");
        heard.insert((to.index(), tag, from.index()), payload.bytes().to_vec());
        Verdict::Deliver
    }
}

impl Wiretap {
    /// What `party` received, by row of `n`.
    fn heard(&self, party: usize, n: usize, names: &Names, form: impl Fn(&str) -> Form) -> Vec<Vec<u64>> {
        let heard = self.0.lock().expect("no test panics while it listens");
        let rows = |(&(_, tag, _), bytes): (&(usize, Tag, usize), &Vec<u8>)| {
            let plane_bytes = math::planes::words_per_plane(n) * 8;
            let row_of = |bytes: &[u8], row: usize| u64::from(bytes[row / 8] >> (row % 8) & 1);
            let by_row = |parts: Vec<&[u8]>, of: &dyn Fn(&[u8], usize) -> u64, bits: u32| {
                let word = |row| parts.iter().fold(0, |all, part| all << bits | of(part, row));
                (0..n).map(word).collect::<Vec<u64>>()
            };
            match form(&names.of(tag)) {
                Form::Skip => None,
                Form::Planes => Some(by_row(bytes.chunks(plane_bytes).collect(), &row_of, 1)),
                Form::Elements => {
                    Some(by_row(bytes.chunks(n).collect(), &|part, row| u64::from(part[row]), 8))
                }
            }
        };
        heard.iter().filter(|((to, ..), _)| *to == party).filter_map(rows).collect()
    }
}
