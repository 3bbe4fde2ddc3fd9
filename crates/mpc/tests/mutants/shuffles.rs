//! Attacks on shuffles. The move goes forward: parties 0, 1, 2 are `u`, `v`, `w`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use buf::Buf;
use math::{Column, Group, X8};
use mpc::lab::{self, Cheat, Lab, Names};
use mpc::{Lane, ProtocolError, Session, Shared, Shuffler};
use net::{Interceptor, PartyId, Tag, Verdict};

const N_ROWS: usize = 3;

const V: PartyId = PartyId::from_index(1);
const W: PartyId = PartyId::from_index(2);

/// The messages of a pass that carry rows.
const FIRST: u128 = 0;
const SECOND: u128 = 1;
/// Those that carry tags.
const TAG_PRODUCT: u128 = 2;
const SECOND_TAGS: u128 = 4;

/// Three rows of one byte, shuffled and opened.
fn moved(s: &mut Session) -> Result<Option<Vec<u128>>, ProtocolError> {
    let lane = lab::deal(s, 1, &Column::from_fn(N_ROWS, |row| X8(row as u8 + 3))).into();
    let shuffler = Shuffler::new(s, "draw", N_ROWS)?;
    let moved: Lane = shuffler.shuffle(s, "move", &[lane])?.remove(0);
    let moved = mpc::verify(s, Shared::<X8>::try_from(moved).expect("the lane's group"))?;
    Ok(mpc::open(s, "open", moved)?.map(|rows| rows.items().iter().map(|row| row.word()).collect()))
}

/// What the honest parties make of it: nothing, the right rows, or wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Stopped,
    Right,
    Wrong,
}

fn end(lab: &Lab, cheater: PartyId) -> End {
    let outcomes = lab.run(moved).outcomes;
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

/// Changes made inside one party: bytes of messages that it goes on with, and of what it compares.
struct Inside {
    cheater: PartyId,
    products: Vec<(u128, usize)>,
    deltas: Vec<(usize, usize)>,
    factor: Option<usize>,
}

impl Inside {
    fn new(cheater: PartyId) -> Self {
        Inside { cheater, products: Vec::new(), deltas: Vec::new(), factor: None }
    }

    fn on(self, lab: &Lab) -> Lab {
        lab.clone().cheating(Arc::new(self))
    }
}

impl Cheat for Inside {
    fn product(&self, party: PartyId, tag: Tag, z: &mut [u8]) {
        for (_, at) in
            self.products.iter().filter(|(part, _)| party == self.cheater && tag.step & 0xff == *part)
        {
            z[*at] ^= 1;
        }
    }

    fn factor(&self, party: PartyId, _: Tag, number: usize, from: &mut [u32]) {
        if party == self.cheater && Some(number) == self.factor {
            from.swap(0, 1);
        }
    }

    fn deltas(&self, party: PartyId, _: Tag, number: usize, column: &mut [u8]) {
        for (_, at) in self.deltas.iter().filter(|(other, _)| party == self.cheater && number == *other) {
            column[*at] ^= 1;
        }
    }
}

/// Each party, in either of its factors, swaps two rows.
pub fn rows_go_elsewhere(lab: &Lab) -> bool {
    let ends: Vec<End> = (0..6)
        .map(|at| {
            let cheater = PartyId::from_index(at / 2);
            end(&Inside { factor: Some(at % 2), ..Inside::new(cheater) }.on(lab), cheater)
        })
        .collect();
    let n_wrong = ends.iter().filter(|end| **end == End::Wrong).count();
    assert!(n_wrong == 0 || n_wrong == 6, "{ends:?}");
    n_wrong > 0
}

/// Party 2 spoils the tag of the first row, guesses where the first factor brings it, and repairs it
/// in all that it says afterwards. Success tells it that the guess was right.
pub fn a_spoiled_tag_is_repaired(lab: &Lab) -> bool {
    let guesses = (0..N_ROWS.pow(3)).map(|at| [at % N_ROWS, at / N_ROWS % N_ROWS, at / N_ROWS.pow(2)]);
    let ends = guesses.map(|[first, middle, last]| {
        // Where the row is after the middle factor follows for party 2; here it guesses that too.
        let products = vec![(TAG_PRODUCT, 0), (SECOND_TAGS, 8 * last)];
        let deltas = vec![(2, 8 * first), (3, 8 * middle)];
        end(&Inside { products, deltas, ..Inside::new(W) }.on(lab), W)
    });
    let n_passed = ends.filter(|end| *end != End::Stopped).count();
    assert!(n_passed <= 1, "one guess is right");
    n_passed == 1
}

/// Party 1 spoils the first row of `Y1` on its way to party 2, and undoes that in `C1` where it guesses that
/// the row has gone.
pub fn a_spoiled_row_is_restored(lab: &Lab) -> bool {
    struct Spoiler(Arc<Names>);
    impl Interceptor for Spoiler {
        fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
            if (from, to, tag.step & 0xff) == (V, W, FIRST) && self.0.of(tag).starts_with("move.") {
                payload.bytes_mut()[0] ^= 1;
            }
            Verdict::Deliver
        }
    }
    let ends = (0..N_ROWS).map(|guess| {
        let names = Arc::new(Names::default());
        let lab = Inside { products: vec![(SECOND, guess)], ..Inside::new(V) }.on(lab);
        end(&lab.named(Arc::clone(&names)).intercepted(Arc::new(Spoiler(names))), V)
    });
    let n_passed = ends.filter(|end| *end == End::Right).count();
    assert!(n_passed <= 1, "one guess is right");
    n_passed == 1
}

/// Party 2 changes a row of `C2`.
pub fn rows_change_on_their_way_out(lab: &Lab) -> bool {
    end(&Inside { products: vec![(SECOND, 0)], ..Inside::new(W) }.on(lab), W) == End::Wrong
}

/// Party 2 knows the keys before it moves rows, and changes a row and its tag so that they fit.
pub fn a_change_fits_known_keys(lab: &Lab) -> bool {
    #[derive(Default)]
    struct Fitter(Mutex<[u8; 8]>);
    impl Cheat for Fitter {
        fn product(&self, party: PartyId, tag: Tag, z: &mut [u8]) {
            match tag.step & 0xff {
                SECOND if party == W => z[0] ^= 1,
                SECOND_TAGS if party == W => {
                    let key = self.0.lock().expect("no party panics");
                    z.iter_mut().zip(*key).for_each(|(z, key)| *z ^= key);
                }
                _ => {}
            }
        }

        fn factor(&self, _: PartyId, _: Tag, _: usize, _: &mut [u32]) {}

        fn keys(&self, party: PartyId, _: Tag, keys: &[u8]) {
            if party == W {
                *self.0.lock().expect("no party panics") = keys[..8].try_into().expect("a key");
            }
        }
    }
    end(&lab.clone().cheating(Arc::new(Fitter::default())), W) == End::Wrong
}

/// Party 2 opens a false share of the keys: what party 1 says then hangs on party 2's choice and
/// on the rows, and answers guesses of them.
pub fn a_false_key_tests_guesses(lab: &Lab) -> bool {
    #[derive(Default)]
    struct Forger {
        names: Arc<Names>,
        has_answer: AtomicBool,
    }
    impl Interceptor for Forger {
        fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
            match self.names.of(tag).as_str() {
                "move/check rows.0" if (from, to) == (W, V) => payload.bytes_mut()[0] ^= 1,
                "move/check rows.1" if (from, to) == (V, W) => self.has_answer.store(true, Ordering::Relaxed),
                _ => {}
            }
            Verdict::Deliver
        }
    }
    let forger = Arc::new(Forger::default());
    let lab = lab.clone().named(Arc::clone(&forger.names)).intercepted(Arc::clone(&forger) as _);
    end(&lab, W);
    forger.has_answer.load(Ordering::Relaxed)
}

/// Party 0 refuses, and the others go on.
pub fn a_refusal_is_ignored(lab: &Lab) -> bool {
    struct Refuser(Arc<Names>);
    impl Interceptor for Refuser {
        fn message(&self, from: PartyId, _: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
            if from == PartyId::FIRST && self.0.of(tag) == "move/check rows.3" {
                payload.bytes_mut()[0] = 0;
            }
            Verdict::Deliver
        }
    }
    let names = Arc::new(Names::default());
    let lab = lab.clone().named(Arc::clone(&names)).intercepted(Arc::new(Refuser(names)));
    end(&lab, PartyId::FIRST) != End::Stopped
}
