//! The sweep over the interactive steps: what becomes of every changed message.

use math::{Column, Planes, Z64};
use mpc::lab::{self, Ending, Lab, Message, Report, Sweep, Trace};
use mpc::{ProtocolError, Session, Shared, SharedBits};
use net::PartyId;

type Opened = Result<Option<Vec<u128>>, ProtocolError>;

fn numbers(s: &Session, seed: u64, n: usize) -> Shared<Z64> {
    lab::deal(s, seed, &Column::from_fn(n, |row| Z64((row as u64 + 3) * seed)))
}

fn bits(s: &Session, seed: u64, n: usize, width: usize) -> SharedBits {
    lab::deal_numbers(s, seed, width, &(0..n as i128).map(|row| (row + 3) * seed as i128).collect::<Vec<_>>())
}

fn shown(s: &mut Session, x: Shared<Z64>) -> Opened {
    let x = mpc::verify(s, x)?;
    let opened = mpc::open(s, "open", x)?;
    Ok(opened.map(|column| column.items().iter().map(|item| u128::from(item.0)).collect()))
}

fn shown_bits(s: &mut Session, x: SharedBits) -> Opened {
    let x = mpc::verify(s, x)?;
    let opened = mpc::open_bits(s, "open", x)?;
    Ok(opened.map(|planes: Planes| (0..planes.n_rows()).map(|row| planes.row(row)).collect()))
}

fn mul(s: &mut Session) -> Opened {
    let (x, y) = (numbers(s, 1, 2), numbers(s, 2, 2));
    let z = mpc::mul(s, "mul", &x, &y)?;
    shown(s, z)
}

fn and(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 2, 3), bits(s, 2, 2, 3));
    let z = mpc::and(s, "and", &x, &y)?;
    shown_bits(s, z)
}

fn lab() -> Lab {
    Lab::seeded(1)
}

fn sweep(f: impl Fn(&mut Session) -> Opened + Sync) -> Report {
    let report = Sweep::new(lab()).run(f);
    println!("{report}");
    report
}

/// Without checks a changed product is a wrong answer: the sweep sees it.
#[test]
fn semi_honest_products_are_spoiled_unseen() {
    for f in [mul, and] {
        let report = sweep(f);
        assert!(!report.ended(Ending::Wrong).is_empty(), "{report}");
        let others = report.failures().into_iter().filter(|(_, ending)| *ending != Ending::Wrong);
        assert_eq!(others.count(), 0, "{report}");
    }
}

#[test]
fn a_run_repeats_itself() {
    let trace = || Trace::of(&lab(), mul).expect("an honest run succeeds");
    assert_eq!(trace().by_key(), trace().by_key());
    let messages = trace().messages;
    assert_eq!(messages.len(), 6, "{messages:?}");
    assert_eq!(messages.iter().filter(|message| message.is_product).count(), 3);
    assert!(messages.iter().all(|message| ["mul.0", "open.0"].contains(&message.name.as_str())));
}

/// A semi-honest session asks nobody before it opens: the order rule sees each of its openings,
/// and is content once both others have said that all is well.
#[test]
fn the_order_rule_sees_what_opens_unverified() {
    let mut trace = Trace::of(&lab(), mul).expect("an honest run succeeds");
    let is_opening = |message: &Message| message.name.starts_with("open.");
    let early = |trace: &Trace| trace.early_openings(is_opening, |message| message.name == "ok").len();
    assert_eq!(early(&trace), 3);
    trace.messages.sort_by_key(is_opening);
    let verdicts = PartyId::all(3).flat_map(|from| {
        let to_others = PartyId::all(3).filter(move |to| *to != from);
        to_others.map(move |to| (from, to))
    });
    for (at, (from, to)) in verdicts.enumerate() {
        assert!(early(&trace) > 0, "one verdict is not both");
        let ok = Message { from, to, name: "ok".into(), is_product: false, ..trace.messages[0].clone() };
        trace.messages.insert(3 + at, ok);
    }
    assert_eq!(early(&trace), 0);
}
