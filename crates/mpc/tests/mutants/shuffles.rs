//! Attacks on shuffles. The move goes forward: parties 0, 1, 2 are `u`, `v`, `w`.

use std::sync::{Arc, Mutex};

use buf::Buf;
use math::{Column, Group, X8, X128, Z8};
use mpc::lab::{self, Cheat, Lab, Names};
use mpc::{Lane, ProtocolError, Session, Shared, Shuffler};
use net::{Interceptor, PartyId, Tag, Verdict};

const N_ROWS: usize = 3;

/// The parts of a pass that are sent, by whom.
const MESSAGES: [(usize, u128); 6] = [(0, 0), (1, 0), (0, 1), (2, 1), (1, 2), (2, 2)];

/// Three rows of one byte, shuffled and opened.
fn moved<G: Group>(s: &mut Session) -> Result<Option<Vec<u128>>, ProtocolError>
where
    Lane: From<Shared<G>>,
    Shared<G>: TryFrom<Lane, Error = Lane>,
{
    let lane = lab::deal(s, 1, &Column::from_fn(N_ROWS, |row| G::from_word(row as u128 + 3))).into();
    let shuffler = Shuffler::new(s, "draw", N_ROWS)?;
    let moved: Lane = shuffler.shuffle(s, "move", &[lane])?.remove(0);
    let moved = mpc::verify(s, Shared::<G>::try_from(moved).expect("the lane's group"))?;
    Ok(mpc::open(s, "open", moved)?.map(|rows| rows.items().iter().map(|row| row.word()).collect()))
}

/// What the honest parties make of it: nothing, the right rows, or wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Stopped,
    Right,
    Wrong,
}

/// Of words, and of numbers.
fn ends(lab: &Lab, cheater: PartyId) -> [End; 2] {
    [end(lab, cheater, moved::<X8>), end(lab, cheater, moved::<Z8>)]
}

type Opened = Result<Option<Vec<u128>>, ProtocolError>;

fn end(lab: &Lab, cheater: PartyId, f: fn(&mut Session) -> Opened) -> End {
    let outcomes = lab.run(f).outcomes;
    let ends =
        outcomes[..3].iter().enumerate().filter(|(at, _)| *at != cheater.index()).map(|(_, outcome)| {
            let Ok(rows) = outcome else { return End::Stopped };
            let mut rows = rows.clone().expect("opened");
            rows.sort_unstable();
            if rows == [3, 4, 5] { End::Right } else { End::Wrong }
        });
    let ends: Vec<End> = ends.collect();
    if ends.contains(&End::Wrong) { End::Wrong } else { ends[0].max_of(ends[1]) }
}

impl End {
    fn max_of(self, other: End) -> End {
        if self == End::Right { self } else { other }
    }
}

/// Changes made inside one party, which it goes on with.
struct Inside {
    cheater: PartyId,
    message: Option<u128>,
    factor: Option<usize>,
}

impl Inside {
    fn on(self, lab: &Lab) -> Lab {
        lab.clone().cheating(Arc::new(self))
    }
}

impl Cheat for Inside {
    fn product(&self, party: PartyId, tag: Tag, z: &mut [u8]) {
        if party == self.cheater && Some(tag.step & 0xff) == self.message {
            z[1] ^= 0x80;
        }
    }

    fn factor(&self, party: PartyId, _: Tag, number: usize, from: &mut [u32]) {
        if party == self.cheater && Some(number) == self.factor {
            from.swap(0, 1);
        }
    }
}

/// Each party, in either of its factors, swaps two rows. What it sends is wrong then, and what it
/// keeps too, which its peer's copy may show.
pub fn rows_go_elsewhere(lab: &Lab) -> bool {
    let n_wrong = [0, 1, 2].map(|party| {
        let cheater = PartyId::from_index(party);
        let ends = [0, 1]
            .map(|number| ends(&Inside { cheater, message: None, factor: Some(number) }.on(lab), cheater));
        ends.as_flattened().iter().filter(|end| **end == End::Wrong).count()
    });
    assert!(n_wrong == [0; 3] || n_wrong.iter().all(|n| *n > 0), "{n_wrong:?}");
    n_wrong[0] > 0
}

/// Somebody changes the highest bit of a word in one of the six messages.
pub fn rows_change(lab: &Lab) -> bool {
    let ends: Vec<End> = MESSAGES
        .iter()
        .map(|(sender, part)| {
            let cheater = PartyId::from_index(*sender);
            end(&Inside { cheater, message: Some(*part), factor: None }.on(lab), cheater, moved::<X8>)
        })
        .collect();
    let n_wrong = ends.iter().filter(|end| **end == End::Wrong).count();
    assert!(n_wrong == 0 || n_wrong == ends.len(), "{ends:?}");
    n_wrong > 0
}

/// Party 0 keeps the coins of its first proof, and changes a row of its second shuffle so that it
/// hashes to what it was.
#[derive(Default)]
struct CoinCollector {
    names: Arc<Names>,
    coins: Mutex<[[u8; 32]; 2]>,
    error: Mutex<Option<[u64; 2]>>,
}

impl Interceptor for CoinCollector {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        if to == PartyId::FIRST && self.names.of(tag) == "first/move/check rows.0" {
            // The left verifier comes first: party 2.
            self.coins.lock().expect("no party panics")[usize::from(from.index() == 1)] =
                payload.bytes().try_into().expect("a coin");
        }
        Verdict::Deliver
    }
}

impl Cheat for CoinCollector {
    fn product(&self, party: PartyId, _: Tag, z: &mut [u8]) {
        let error = self.error.lock().expect("no party panics");
        if let (Some(error), PartyId::FIRST) = (*error, party) {
            let bytes = error.iter().flat_map(|error| error.to_le_bytes());
            z.iter_mut().zip(bytes).for_each(|(z, error)| *z ^= error);
        }
    }

    fn factor(&self, _: PartyId, _: Tag, _: usize, _: &mut [u32]) {}
}

/// A wrong row passes its proof.
pub fn errors_hide_under_known_coins(lab: &Lab) -> bool {
    let cheat = Arc::new(CoinCollector::default());
    let lab = lab.clone().named(Arc::clone(&cheat.names)).cheating(Arc::clone(&cheat) as Arc<dyn Cheat>);
    let shuffled = |s: &mut Session| {
        let lane: Shared<X128> = lab::deal(s, 1, &Column::from_fn(N_ROWS, |row| X128(row as u128)));
        if let (true, "second") = (s.me() == PartyId::FIRST, s.step().to_string().as_str()) {
            let coins = *cheat.coins.lock().expect("no party panics");
            *cheat.error.lock().expect("no party panics") = Some(lab::hidden_words(s, "move", &lane, &coins));
        }
        let shuffler = Shuffler::new(s, "draw", N_ROWS)?;
        let moved = shuffler.shuffle(s, "move", &[lane.into()])?.remove(0);
        mpc::verify(s, Shared::<X128>::try_from(moved).expect("the lane's group")).map(drop)
    };
    let run = lab.intercepted(Arc::clone(&cheat) as Arc<dyn Interceptor>).run(|s| {
        s.scope("first", shuffled)?;
        s.scope("second", shuffled)
    });
    assert!(cheat.error.lock().expect("no party panics").is_some(), "a row of the second shuffle is wrong");
    run.outcomes[1..3].iter().all(Result::is_ok)
}
