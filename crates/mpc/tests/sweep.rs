//! The sweep over the interactive steps: what becomes of every changed message.

use math::{Column, Group, Planes, Ring, X64, Z8, Z16, Z32, Z64, Z128};
use mpc::lab::{self, Case, Change, Ending, Heard, Lab, Message, Mutant, Mutation, Report, Sweep, Trace};
use mpc::{Deviation, Lane, Params, ProtocolError, Security, Session, Shared, SharedBits, Shuffler};
use net::PartyId;

type Opened = Result<Option<Vec<u128>>, ProtocolError>;

/// A step on its smallest inputs, and how it is swept.
type Step = (&'static str, fn(&mut Session) -> Opened, fn(Sweep) -> Sweep);

/// Party 3 owns data and does not compute.
const OUTSIDE: PartyId = PartyId::from_index(3);

fn ring<R: Group>(s: &Session, seed: u64, n: usize) -> Shared<R> {
    lab::deal(s, seed, &Column::from_fn(n, |row| R::from_word((row as u128 + 3) * u128::from(seed) * 0x51)))
}

fn bits(s: &Session, seed: u64, n: usize, width: usize) -> SharedBits {
    lab::deal_numbers(s, seed, width, &(0..n as i128).map(|row| (row + 3) * seed as i128).collect::<Vec<_>>())
}

fn words<G: Group>(column: &Column<G>) -> Vec<u128> {
    column.items().iter().map(|item| item.word()).collect()
}

fn rows(planes: &Planes) -> Vec<u128> {
    (0..planes.n_rows()).map(|row| planes.row(row)).collect()
}

fn shown<G: Group>(s: &mut Session, x: Shared<G>) -> Opened {
    let x = mpc::verify(s, x)?;
    Ok(mpc::open(s, "open", x)?.map(|x| words(&x)))
}

fn shown_bits(s: &mut Session, x: SharedBits) -> Opened {
    let x = mpc::verify(s, x)?;
    Ok(mpc::open_bits(s, "open", x)?.map(|x| rows(&x)))
}

fn mul<R: Ring>(s: &mut Session) -> Opened {
    let (x, y) = (ring::<R>(s, 1, 2), ring(s, 2, 2));
    let z = mpc::mul(s, "mul", &x, &y)?;
    shown(s, z)
}

/// A wrong product that is multiplied again, so that the error depends on data.
fn mul_twice(s: &mut Session) -> Opened {
    let (x, y) = (ring::<Z64>(s, 1, 1), ring(s, 2, 1));
    let z = mpc::mul(s, "once", &x, &y)?;
    let z = mpc::mul(s, "twice", &z, &y)?;
    shown(s, z)
}

fn mul_many(s: &mut Session) -> Opened {
    let (x, y, z) = (ring::<Z16>(s, 1, 2), ring(s, 2, 2), ring(s, 3, 1));
    let products = mpc::mul_many(s, "mul", &[(&x, &y), (&z, &z)])?;
    let sum = products[0].rows(0..1).add(&products[1]);
    shown(s, sum)
}

fn dot(s: &mut Session) -> Opened {
    let [a, b, c, d] = [1, 2, 3, 4].map(|seed| ring::<Z64>(s, seed, 2));
    let z = mpc::dot(s, "dot", &[(&a, &b), (&c, &d)])?;
    shown(s, z)
}

fn inner_product(s: &mut Session) -> Opened {
    let (x, y) = (ring::<Z64>(s, 1, 3), ring(s, 2, 3));
    let z = mpc::inner_product(s, "inner", &x, &y)?;
    shown(s, z)
}

fn matmul(s: &mut Session) -> Opened {
    let (x, y) = (ring::<Z64>(s, 1, 6), ring(s, 2, 3));
    let z = mpc::matmul(s, "matmul", &x, &y, [2, 3, 1])?;
    shown(s, z)
}

fn and(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 2, 3), bits(s, 2, 2, 3));
    let z = mpc::and(s, "and", &x, &y)?;
    shown_bits(s, z)
}

fn and_twice(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 5, 1), bits(s, 3, 5, 1));
    let z = mpc::and(s, "once", &x, &y)?;
    let z = mpc::and(s, "twice", &z, &y)?;
    shown_bits(s, z)
}

fn and_many(s: &mut Session) -> Opened {
    let (bit, x, y) = (bits(s, 3, 65, 1), bits(s, 1, 65, 2), bits(s, 2, 65, 2));
    let all = mpc::and_onto(s, "and", &[(&bit, &x, None), (&x, &y, Some(&y))])?;
    shown_bits(s, all[0].xor(&all[1]))
}

/// Sums of two products beside a single one.
fn and_sums(s: &mut Session) -> Opened {
    let [a, b, c] = [1, 3, 5].map(|seed| (bits(s, seed, 65, 2), bits(s, seed + 1, 65, 2)));
    let [a, b, c] = [&a, &b, &c].map(|(x, y)| (x, y));
    let z = mpc::and_sums(s, "sums", &[a], &[[b, c]])?;
    shown_bits(s, z[0].xor(&z[1]))
}

/// A block of several lines, whose proof skips rounds.
fn and_block(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 700, 3), bits(s, 3, 700, 3));
    let z = mpc::and(s, "and", &x, &y)?;
    shown_bits(s, z)
}

/// Products in two chunks, and after them in two branches.
fn forks(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 520, 1), bits(s, 3, 520, 1));
    let parts = s.chunks("chunks", 520, |s, range| {
        let (x, y) = (x.rows(range.clone()), y.rows(range));
        mpc::and(s, "and", &x, &y)
    })?;
    let (head, tail) = (parts[0].rows(0..8), parts[1].rows(0..8));
    let (a, b) = s.join(
        |s| mpc::and(s, "and", &head, &tail),
        |s| {
            let either = head.xor(&tail);
            let z = mpc::and(s, "and", &either, &tail)?;
            shown_bits(s, z)
        },
    )?;
    let a = shown_bits(s, a)?;
    Ok(a.zip(b).map(|(a, b)| [a, b].concat()))
}

fn open(s: &mut Session) -> Opened {
    let x = ring::<Z8>(s, 1, 1);
    shown(s, x)
}

fn open_bits(s: &mut Session) -> Opened {
    let x = bits(s, 1, 3, 2);
    shown_bits(s, x)
}

/// To a party that computes and to one that does not, ring elements and bits.
fn open_to(s: &mut Session) -> Opened {
    let x = ring::<Z32>(s, 1, 1);
    let (a, b) = (bits(s, 1, 2, 1), bits(s, 3, 2, 1));
    let b = mpc::and(s, "and", &a, &b)?;
    let mut seen = Vec::new();
    for to in [PartyId::FIRST, OUTSIDE] {
        let (x, b) = (mpc::verify(s, x.clone())?, mpc::verify(s, b.clone())?);
        let label = ("to", to.index());
        seen.extend(s.scope(label, |s| mpc::open_to(s, "ring", to, x))?.map(|x| words(&x)));
        seen.extend(s.scope(label, |s| mpc::open_bits_to(s, "bits", to, b))?.map(|b| rows(&b)));
    }
    Ok(Some(seen.concat()))
}

/// From a party that computes and from one that does not.
fn input(s: &mut Session) -> Opened {
    let mut sum = Shared::constant(s, 2, Z64(0));
    for owner in [PartyId::from_index(1), OUTSIDE] {
        let mine = (s.me() == owner).then(|| Column::new(&[Z64(5), Z64(9)]));
        let x = mpc::input(s, ("input", owner.index()), owner, 2, mine.as_ref())?;
        sum = sum.add(&x);
    }
    shown(s, sum)
}

fn input_bits(s: &mut Session) -> Opened {
    let mut sum = SharedBits::constant(s, 2, 3, 0);
    for owner in [PartyId::from_index(1), OUTSIDE] {
        let mine = (s.me() == owner).then(|| lab::number_planes(3, &[5, 2]));
        let x = mpc::input_bits(s, ("input", owner.index()), owner, [2, 3], mine.as_ref())?;
        sum = sum.xor(&x);
    }
    shown_bits(s, sum)
}

/// Of two sharings of the same numbers.
fn check_zero(s: &mut Session) -> Opened {
    let x = Column::new(&[Z64(7), Z64(9)]);
    let difference = lab::deal(s, 1, &x).sub(&lab::deal(s, 2, &x));
    let difference = mpc::verify(s, difference)?;
    mpc::check_zero(s, "zero", difference)?;
    Ok(None)
}

fn words_to_ring(s: &mut Session) -> Opened {
    let x = bits(s, 1, 2, 8);
    let masks = mpc::word_masks::<Z8>(s, "masks", 2)?;
    let difference = x.xor(&masks.bits[0]).xor(&masks.bits[1]);
    let difference = mpc::verify(s, difference)?;
    let z = mpc::word_finish(s, masks, difference)?;
    shown(s, z)
}

fn shuffle(s: &mut Session) -> Opened {
    moved(s, |shuffler, s, lanes| shuffler.shuffle(s, "there", lanes))
}

fn unshuffle(s: &mut Session) -> Opened {
    moved(s, |shuffler, s, lanes| shuffler.unshuffle(s, "back", lanes))
}

/// What a shuffler makes of three rows of two lanes.
fn moved(
    s: &mut Session,
    f: impl Fn(&Shuffler, &mut Session, &[Lane]) -> Result<Vec<Lane>, ProtocolError>,
) -> Opened {
    let lanes = [ring::<Z32>(s, 1, 3).into(), ring::<X64>(s, 2, 3).into()];
    let shuffler = Shuffler::new(s, "draw", 3)?;
    let mut seen = Vec::new();
    for (at, lane) in f(&shuffler, s, &lanes)?.into_iter().enumerate() {
        let opened = s.scope(("lane", at), |s| match lane {
            Lane::Z32(x) => shown(s, x),
            Lane::X64(x) => shown(s, x),
            _ => unreachable!("no such lane went in"),
        })?;
        seen.push(opened);
    }
    let seen: Option<Vec<_>> = seen.into_iter().collect();
    Ok(seen.map(|seen| seen.concat()))
}

const PLAIN: fn(Sweep) -> Sweep = |sweep| sweep;
const EVERY_BIT: fn(Sweep) -> Sweep = |sweep| sweep.every_bit_up_to(8);

const INPUTS: fn(Sweep) -> Sweep = |sweep| sweep.inputs(|message| message.name.starts_with("input"));

const BOOLEAN: &[Step] = &[
    ("and", and, EVERY_BIT),
    ("and twice", and_twice, EVERY_BIT),
    ("and_many", and_many, PLAIN),
    ("sums of ands", and_sums, |sweep| sweep.flips(40).elements(16)),
    ("and of a block", and_block, |sweep| sweep.flips(40).elements(16)),
    ("forks", forks, PLAIN),
];

const OPENING: &[Step] = &[
    ("open", open, EVERY_BIT),
    ("open_bits", open_bits, PLAIN),
    ("open_to", open_to, |sweep| sweep.elements(4)),
    ("input", input, INPUTS),
    ("input_bits", input_bits, INPUTS),
    ("check_zero", check_zero, PLAIN),
    ("words to ring", words_to_ring, PLAIN),
];

const RING: &[Step] = &[
    ("mul in Z8", mul::<Z8>, |sweep| sweep.every_bit_up_to(2).elements(1)),
    ("mul in Z64", mul::<Z64>, PLAIN),
    ("mul in Z128", mul::<Z128>, |sweep| sweep.elements(16)),
    ("mul twice", mul_twice, EVERY_BIT),
    ("mul_many", mul_many, |sweep| sweep.elements(2)),
    ("dot", dot, PLAIN),
    ("inner_product", inner_product, EVERY_BIT),
    ("matmul", matmul, PLAIN),
];

const MOVING: &[Step] =
    &[("shuffle", shuffle, |sweep| sweep.elements(4)), ("unshuffle", unshuffle, |sweep| sweep.elements(4))];

fn lab() -> Lab {
    Lab::seeded(1).parties(4)
}

fn swept((name, f, _): &Step, sweep: Sweep) -> Report {
    let report = sweep.run(f);
    println!("{name}: {report}");
    report
}

/// Without checks a changed product is a wrong answer, which the sweep sees; and nothing worse:
/// no party waits for ever, panics or accuses another one.
#[test]
fn semi_honest_steps_are_spoiled_but_end() {
    for step in [BOOLEAN, OPENING, RING, MOVING].concat() {
        let report = swept(&step, step.2(Sweep::new(lab())).every_bit_up_to(0).flips(2));
        let worse = report.failures().into_iter().find(|(_, ending)| *ending != Ending::Wrong);
        assert!(worse.is_none(), "{}: {report}: {worse:?}", step.0);
        let is_wrong = !report.ended(Ending::Wrong).is_empty();
        assert_eq!(is_wrong, step.0 != "check_zero", "{}: {report}", step.0);
    }
}

fn malicious() -> Lab {
    lab().security(Security::Malicious)
}

fn right_or_stop(steps: &[Step]) {
    for step in steps {
        let report = swept(step, step.2(Sweep::new(malicious())));
        report.assert_clean();
        // A wrong product is caught whether or not the result hangs on it.
        let is_live = |case: &Case| matches!(case.mutation, Mutation::Compute(Change::Flip(0)));
        let harmless = report.ended(Ending::Unchanged).into_iter().find(|case| is_live(case));
        assert!(harmless.is_none(), "{}: {harmless:?}", step.0);
    }
}

#[test]
fn malicious_ands_are_right_or_stop() {
    right_or_stop(BOOLEAN);
}

#[test]
fn malicious_openings_and_inputs_are_right_or_stop() {
    right_or_stop(OPENING);
}

#[test]
fn malicious_products_are_right_or_stop() {
    right_or_stop(RING);
}

#[test]
fn malicious_shuffles_are_right_or_stop() {
    right_or_stop(MOVING);
}

/// Nothing is opened before both others have said that the products are right that it can depend
/// on; and the same of sessions that prove late is seen.
fn open_what_was_verified(steps: &[Step]) {
    for (name, f, _) in steps {
        let early = |lab: &Lab| {
            let trace = Trace::of(lab, f).expect("an honest run succeeds");
            let n_openings = trace.messages.iter().filter(|message| message.is_opening).count();
            assert!(n_openings > 0, "{name} opens something");
            (trace.early_openings(), trace.messages.iter().any(|message| message.is_product))
        };
        let (honest, _) = early(&malicious());
        assert!(honest.is_empty(), "{name}: {honest:?}");
        let (late, has_products) = early(&malicious().mutant(Mutant::VerifiesLate));
        assert_eq!(late.is_empty(), !has_products, "{name}");
    }
}

#[test]
fn malicious_sessions_open_what_was_verified() {
    open_what_was_verified(BOOLEAN);
    open_what_was_verified(OPENING);
}

#[test]
fn malicious_sessions_open_what_was_verified_in_rings() {
    open_what_was_verified(RING);
}

#[test]
fn malicious_sessions_open_what_was_moved_by_checked_shuffles() {
    open_what_was_verified(MOVING);
}

/// The judge itself: a wrong answer, a false accusation and a panic are told from a caught change.
#[test]
fn the_sweep_tells_how_a_run_ended() {
    /// What is made of a value that was opened wrongly.
    type Reaction = fn(&Session) -> Result<u8, ProtocolError>;
    let stop: Reaction = |s| Err(ProtocolError::Unsupported { step: s.step().clone(), reason: "wrong" });
    let accuse: Reaction = |s| {
        let (step, culprit) = (s.step().clone(), Some(s.me()));
        Err(ProtocolError::PeerDeviated { step, deviation: Deviation::CopiesDiffer, culprit })
    };
    let worst = |react: Reaction| {
        let report = Sweep::new(lab()).flips(2).run(|s| {
            let x = ring::<Z64>(s, 1, 1);
            let opened = shown(s, x)?;
            if opened.is_none_or(|x| x == [3 * 0x51]) { Ok(0) } else { react(s) }
        });
        report.cases.iter().map(|(_, ending)| *ending).max().expect("some cases")
    };
    assert_eq!(worst(stop), Ending::Caught);
    assert_eq!(worst(accuse), Ending::Framed);
    assert_eq!(worst(|_| panic!("as the test wants")), Ending::Panicked);
    assert_eq!(worst(|_| Ok(1)), Ending::Wrong);
}

#[test]
fn a_run_repeats_itself() {
    let trace = || Trace::of(&lab(), mul::<Z64>).expect("an honest run succeeds");
    assert_eq!(trace().by_key(), trace().by_key());
    let messages = trace().messages;
    assert_eq!(messages.len(), 6, "{messages:?}");
    assert_eq!(messages.iter().filter(|message| message.is_product).count(), 3);
    assert!(messages.iter().all(|message| ["mul.0", "open.0"].contains(&message.name.as_str())));
}

/// The order rule itself: a semi-honest session asks nobody before it opens, and a malicious one
/// has asked both others about every product, for every opening.
#[test]
fn the_order_rule_sees_what_opens_unverified() {
    let trace = Trace::of(&lab(), mul::<Z64>).expect("an honest run succeeds");
    assert_eq!(trace.early_openings().len(), 3);

    let trace = Trace::of(&malicious(), and_twice).expect("an honest run succeeds");
    assert_eq!(trace.early_openings().len(), 0);
    // Each party opens by a share to one neighbour and a digest to the other.
    let without = |change: &dyn Fn(&mut Trace)| {
        let mut trace = trace.clone();
        change(&mut trace);
        trace.early_openings().len()
    };
    let verdicts: Vec<&Message> = trace.messages.iter().filter(|message| message.is_verdict()).collect();
    assert_eq!(verdicts.len(), 6);
    for verdict in verdicts {
        let is_it =
            |heard: &Heard| (heard.by, heard.from, heard.tag) == (verdict.to, verdict.from, verdict.tag);
        assert_eq!(
            without(&|trace| trace.heard.retain(|heard| !is_it(heard))),
            2,
            "{verdict:?} is not heard"
        );
        let late = |heard: &mut Heard| heard.after += if is_it(heard) { trace.messages.len() } else { 0 };
        assert_eq!(without(&|trace| trace.heard.iter_mut().for_each(late)), 2, "{verdict:?} comes late");
    }
    for step in trace.proofs.keys() {
        assert_eq!(without(&|trace| trace.proofs.retain(|other, _| other != step)), 6, "no proof covers it");
    }
}

/// What one branch of a fork computes is no business of what the other one opens.
#[test]
fn the_order_rule_tells_branches_apart() {
    let in_branches = |opens_own: bool| {
        let trace = Trace::of(&malicious().mutant(Mutant::OpensUnverified), |s| {
            let (x, y) = (bits(s, 1, 2, 3), bits(s, 2, 2, 3));
            let out = s.join(
                |s| mpc::and(s, "and", &x, &y),
                |s| {
                    let z = if opens_own { mpc::and(s, "and", &x, &y)? } else { x.clone() };
                    shown_bits(s, z)
                },
            );
            let (z, _) = out?;
            shown_bits(s, z)
        });
        trace.expect("an honest run succeeds").early_openings().len()
    };
    assert_eq!(in_branches(false), 6, "what is opened after the fork");
    assert_eq!(in_branches(true), 12, "and in it");
}

/// A branch that accepts its own proof says nothing of the other branch's, which may still be looked
/// at; forks of one session follow each other, whatever their branches are called.
#[test]
fn the_order_rule_knows_which_branches_a_verdict_is_about() {
    let one_by_one = Params { threads: 1, in_flight: 1, security: Security::Malicious, ..Params::default() };
    let early = |mutant: Option<Mutant>, f: fn(&mut Session) -> Opened| {
        let lab = Lab::seeded(1).params(&[one_by_one; 3]).batches(1);
        let lab = mutant.into_iter().fold(lab, |lab, mutant| lab.mutant(mutant));
        Trace::of(&lab, f).expect("an honest run succeeds").early_openings().len()
    };
    // On one thread the left branch's proof is there before the right branch's verdict.
    let beside = |s: &mut Session| {
        let (x, y) = (bits(s, 1, 2, 3), bits(s, 2, 2, 3));
        let (z, _) = s.join(
            |s| mpc::and(s, "and", &x, &y),
            |s| {
                let z = mpc::and(s, "and", &x, &y)?;
                shown_bits(s, z)
            },
        )?;
        shown_bits(s, z)
    };
    assert_eq!(early(None, beside), 0);
    assert_eq!(early(Some(Mutant::ForksAcceptNothing), beside), 6, "what the left branch computed");
    // The second fork's left branch opens what the first one's right branch computed.
    let after = |s: &mut Session| {
        let (x, y) = (bits(s, 1, 2, 3), bits(s, 2, 2, 3));
        let (_, z) = s.join(|_| Ok(()), |s| mpc::and(s, "and", &x, &y))?;
        s.join(|s| shown_bits(s, z), |_| Ok(()))?;
        shown_bits(s, x)
    };
    assert_eq!(early(None, after), 0);
    assert_eq!(early(Some(Mutant::ForksOpenUnaccepted), after), 6, "what the fork before computed");
}
