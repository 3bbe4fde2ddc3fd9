//! Shuffles: a permutation, the same for all lanes, uniform, and undone exactly.

use std::sync::Arc;

use math::{Column, X8, X64, Z32, Z128};
use mpc::lab::{self, Lab, Script};
use mpc::{Lane, ProtocolError, Security, Session, Shared, Shuffler};

fn open<G: math::Group>(
    s: &mut Session,
    label: &'static str,
    lane: Lane,
) -> Result<Option<Vec<u128>>, ProtocolError>
where
    Shared<G>: TryFrom<Lane, Error = Lane>,
{
    let column = Shared::<G>::try_from(lane).expect("the lane's group");
    let column = mpc::verify(s, column)?;
    Ok(mpc::open(s, label, column)?.map(|column| column.items().iter().map(|item| item.word()).collect()))
}

const SECURITIES: [Security; 2] = [Security::SemiHonest, Security::Malicious];

#[test]
fn lanes_move_together_and_come_back() {
    for (n, security) in
        [0, 1, 2, 37, 1000].into_iter().flat_map(|n| SECURITIES.map(|security| (n, security)))
    {
        let lab = Lab::seeded(n as u64).security(security);
        let f = |s: &mut Session| {
            let lanes: Vec<Lane> = vec![
                lab::deal(s, 1, &Column::from_fn(n, |row| Z32(row as u32))).into(),
                lab::deal(s, 2, &Column::from_fn(n, |row| X64(row as u64 * 3))).into(),
                lab::deal(s, 3, &Column::from_fn(n, |row| X8(row as u8))).into(),
                lab::deal(s, 4, &Column::from_fn(n, |row| Z128(row as u128 * 7))).into(),
            ];
            let shuffler = Shuffler::new(s, "draw", n)?;
            let moved = shuffler.shuffle(s, "there", &lanes)?;
            let back = shuffler.unshuffle(s, "back", &moved)?;
            let a = open::<Z32>(s, "a", moved[0].clone())?;
            let b = open::<X64>(s, "b", moved[1].clone())?;
            let c = open::<X8>(s, "c", moved[2].clone())?;
            let d = open::<Z128>(s, "d", moved[3].clone())?;
            let e = open::<Z32>(s, "e", back[0].clone())?;
            let f = open::<Z128>(s, "f", back[3].clone())?;
            Ok((a, b, c, d, e, f))
        };
        let run = lab.run(f);
        assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
        for (a, b, c, d, e, f) in [run.agreed(), lab.plain(f).expect("the oracle succeeds")] {
            let (a, b, c, d) =
                (a.expect("opened"), b.expect("opened"), c.expect("opened"), d.expect("opened"));
            let mut sorted = a.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..n as u128).collect::<Vec<_>>());
            assert_eq!(b, a.iter().map(|row| row * 3).collect::<Vec<_>>());
            assert_eq!(c, a.iter().map(|row| row % 256).collect::<Vec<_>>());
            assert_eq!(d, a.iter().map(|row| row * 7).collect::<Vec<_>>());
            assert_eq!(e.expect("opened"), (0..n as u128).collect::<Vec<_>>());
            assert_eq!(f.expect("opened"), (0..n as u128).map(|row| row * 7).collect::<Vec<_>>());
        }
    }
}

/// Over many seeds each of the 24 orders of four rows comes equally often: χ² with 23 degrees
/// of freedom stays under 60 (p ≈ 4·10^-5), and the seeds are fixed.
#[test]
fn orders_are_uniform() {
    let mut counts = std::collections::BTreeMap::new();
    let n_runs = 2400;
    for seed in 0..n_runs {
        let order = Lab::seeded(seed)
            .run(|s| {
                let lane = lab::deal(s, 1, &Column::from_fn(4, |row| X8(row as u8))).into();
                let shuffler = Shuffler::new(s, "draw", 4)?;
                let moved = shuffler.shuffle(s, "move", &[lane])?;
                open::<X8>(s, "open", moved[0].clone())
            })
            .agreed();
        *counts.entry(order).or_insert(0u32) += 1;
    }
    let expected = f64::from(n_runs as u32) / 24.0;
    let chi: f64 = counts.values().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    assert_eq!(counts.len(), 24);
    assert!(chi < 60.0, "χ² = {chi}");
}

/// A shuffle of one lane draws two masks and two shares, a product three masks: none in common,
/// even if the product's path is the one that the lane would have as a step.
#[test]
fn no_other_step_meets_the_masks_of_a_lane() {
    let script = Script::new(1);
    let run = Lab::seeded(1).scripted(Arc::clone(&script)).run(|s| {
        let x = Shared::constant(s, 2, Z32(0));
        let shuffler = Shuffler::new(s, "draw", 2)?;
        shuffler.shuffle(s, "move", &[x.clone().into()])?;
        s.scope("move", |s| mpc::mul(s, ("lane", 0), &x, &x))
    });
    run.all();
    assert_eq!(script.coins(), 4 + 3);
}
