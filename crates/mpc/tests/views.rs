//! Exact views: over every coin, what a party sees is distributed alike whatever the others hold.
//!
//! A product that forgets its masks is still correct and costs the same; only its views tell.
//! Each test runs a protocol once with a row for every sequence of coins, counts each party's
//! view (its shares, its coins, the messages it received) over all rows, and compares the
//! counts for different secrets. Then a key is muted, and the counts must differ.

use std::sync::{Arc, Barrier};

use math::{Column, Group, Planes, X8};
use mpc::lab::{self, Form, Lab, Script, Small, View};
use mpc::{Halves, Lane, ProtocolError, Session, Shared, SharedBits, SharedRows, Shuffler};
use net::PartyId;

type Views = [View; 3];

/// Views of a lab with an owner who does not compute.
fn views<F>(script: &Arc<Script>, coins: u32, form: Form, f: F) -> Views
where
    F: Fn(&mut Session, usize) -> Result<Vec<Vec<u64>>, ProtocolError> + Sync,
{
    lab::views(&Lab::seeded(1).parties(4), script, coins, |_| form, f)
}

/// The views for each of `secrets` are the same; those of a mutant without one of `keys` are not.
fn check(
    secrets: &[Vec<u64>],
    element_bits: u32,
    keys: &[usize],
    run: impl Fn(&Arc<Script>, &[u64]) -> Views,
) {
    let honest: Vec<Views> = secrets.iter().map(|secret| run(&Script::new(element_bits), secret)).collect();
    for (views, secret) in honest.iter().zip(secrets) {
        for (party, (view, first)) in views.iter().zip(&honest[0]).enumerate() {
            assert!(view == first, "party {party} tells {secret:?} from {:?}", secrets[0]);
        }
    }
    for key in keys {
        let mutants: Vec<Views> =
            secrets.iter().map(|secret| run(&Script::new(element_bits).without_key(*key), secret)).collect();
        assert!(mutants.iter().any(|views| *views != mutants[0]), "nobody notices that key {key} is missing");
    }
}

fn bits(n: usize, bit: u64) -> Planes {
    Planes::from_bools(&vec![bit == 1; n])
}

fn pairs() -> Vec<Vec<u64>> {
    vec![vec![0, 0], vec![0, 1], vec![1, 0], vec![1, 1]]
}

/// This party's shares of one-bit columns, by row.
fn held_bits(list: &[&SharedBits]) -> Vec<Vec<u64>> {
    let parts = list.iter().flat_map(|bits| mpc::lab::parts_of_bits(bits));
    parts.map(|part| (0..part.n_rows()).map(|row| part.row(row) as u64).collect()).collect()
}

fn held<G: math::Group>(list: &[&Shared<G>]) -> Vec<Vec<u64>> {
    let parts = list.iter().flat_map(|column| mpc::lab::parts_of(column));
    parts.map(|part| part.items().iter().map(|item| item.word() as u64).collect()).collect()
}

#[test]
fn and_looks_the_same_whatever_the_inputs() {
    check(&pairs(), 1, &[0, 1, 2], |script, secret| {
        views(script, 7, Form::Planes, |s, n| {
            let x = script.deal_bits(s, 1, &bits(n, secret[0]));
            let y = script.deal_bits(s, 2, &bits(n, secret[1]));
            mpc::and(s, "and", &x, &y)?;
            Ok(held_bits(&[&x, &y]))
        })
    });
}

#[test]
fn compared_digits_look_the_same_whatever_they_are() {
    check(&pairs(), 1, &[0, 1, 2], |script, secret| {
        views(script, 10, Form::Planes, |s, n| {
            let x = script.deal_bits(s, 1, &bits(n, secret[0]));
            let y = script.deal_bits(s, 2, &bits(n, secret[1]));
            let rows = SharedRows::of(s, &[x.clone(), y.clone()]);
            let index: Vec<u32> = (0..2 * n as u32).collect();
            mpc::compare_digits(s, "compare", &rows, &index[..n], &index[n..], 1)?;
            Ok(held_bits(&[&x, &y]))
        })
    });
}

/// One digit of two bits below a top bit: `P_1` sees what `P_0` knows under a mask, and `P_0` sees
/// products under masks.
#[test]
fn halves_look_the_same_whatever_they_carry() {
    let secrets: Vec<Vec<u64>> = (0..8).map(|value| vec![value]).collect();
    check(&secrets, 3, &[0, 2], |script, secret| {
        views(script, 12, Form::Planes, |s, n| {
            let x = script.deal(s, 1, &Column::filled(n, Small::<3>(secret[0] as u8)));
            Halves::new(s, &x, None, Small::<3>(3), 3)?.carries(s, "carries")?;
            Ok(held(&[&x]))
        })
    });
}

/// `P_1` sees one half under a mask, whether the halves are shared apart or as one.
#[test]
fn shared_halves_look_the_same() {
    for apart in [false, true] {
        check(&[vec![0], vec![1], vec![2], vec![3]], 2, &[0], |script, secret| {
            views(script, 6, Form::Planes, |s, n| {
                let x = script.deal(s, 1, &Column::filled(n, Small::<2>(secret[0] as u8)));
                let halves = Halves::new(s, &x, None, Small::<2>(0), 2)?;
                match apart {
                    true => halves.share(s, "apart").map(drop)?,
                    false => halves.xor(s, "as one").map(drop)?,
                }
                Ok(held(&[&x]))
            })
        });
    }
}

#[test]
fn two_ands_side_by_side_and_in_sequence_look_the_same_too() {
    check(&pairs(), 1, &[0, 1, 2], |script, secret| {
        views(script, 13, Form::Planes, |s, n| {
            let x = script.deal_bits(s, 1, &bits(n, secret[0]));
            let y = script.deal_bits(s, 2, &bits(n, secret[1]));
            let first = mpc::and_many(s, "first", &[(&x, &y), (&x, &x)])?;
            mpc::and(s, "second", &first[0], &first[1])?;
            Ok(held_bits(&[&x, &y]))
        })
    });
}

#[test]
fn mul_looks_the_same_whatever_the_inputs() {
    let secrets = vec![vec![0, 0], vec![1, 3], vec![2, 2], vec![3, 1]];
    check(&secrets, 2, &[0, 1, 2], |script, secret| {
        views(script, 14, Form::Elements, |s, n| {
            let x = script.deal(s, 1, &Column::filled(n, Small::<2>(secret[0] as u8)));
            let y = script.deal(s, 2, &Column::filled(n, Small::<2>(secret[1] as u8)));
            mpc::mul(s, "mul", &x, &y)?;
            Ok(held(&[&x, &y]))
        })
    });
}

#[test]
fn inputs_and_outputs_show_themselves_to_nobody_else() {
    // P_0's input x, learnt by P_0 alone: the views of P_1 and P_2 do not depend on it.
    let run = |script: &Arc<Script>, secret: &[u64]| {
        let mut views = views(script, 1, Form::Planes, |s, n| {
            let mine = (s.me().index() == 0).then(|| bits(n, secret[0]));
            let x = mpc::input_bits(s, "x", PartyId::from_index(0), [n, 1], mine.as_ref())?;
            let x = mpc::verify(s, x)?;
            mpc::open_bits_to(s, "open", PartyId::from_index(0), x)?;
            Ok(vec![])
        });
        views[0] = View::new();
        views
    };
    let views: Vec<Views> = [0, 1].map(|bit| run(&Script::new(1), &[bit])).to_vec();
    assert_eq!(views[0], views[1]);
    let mutants: Vec<Views> = [0, 1].map(|bit| run(&Script::new(1).without_key(0), &[bit])).to_vec();
    assert_ne!(mutants[0], mutants[1]);
}

/// One-bit rows; the orders are fixed, so that only masks hide. The orders have their own test.
#[test]
fn shuffle_shows_masked_rows_only() {
    for backward in [false, true] {
        check(&[vec![0], vec![1]], 1, &[if backward { 2 } else { 1 }, 0], |script, secret| {
            views(script, 6, Form::Elements, |s, n| {
                let x = script.deal(s, 1, &Column::filled(n, X8(secret[0] as u8)));
                let shuffler = Shuffler::new(s, "draw", n)?;
                let lanes: [Lane; 1] = [x.clone().into()];
                if backward {
                    shuffler.unshuffle(s, "back", &lanes)?
                } else {
                    shuffler.shuffle(s, "move", &lanes)?
                };
                Ok(held(&[&x]))
            })
        });
    }
}

/// What the holders of slot 0 are shown, the difference `x − z_1 − z_2`, is uniform beside the
/// one mask that each of them knows; the third party is shown nothing.
#[test]
fn a_word_is_shown_under_a_mask_that_its_viewer_lacks() {
    check(&[vec![0], vec![1], vec![2], vec![3]], 2, &[1, 2], |script, secret| {
        let drawn = Barrier::new(4);
        views(script, 8, Form::Planes, |s, n| {
            let masks = mpc::word_masks::<Small<2>>(s, "masks", n)?;
            drawn.wait();
            let difference = Column::from_fn(n, |row| {
                let z = [1, 2].map(|key| Small::<2>(script.drawn(key, row) as u8));
                Small::<2>(secret[0] as u8).minus(z[0]).minus(z[1])
            });
            let difference = script.deal_bits(s, 1, &math::pack::planes(&difference, 2));
            let held = held_bits(&[&difference]);
            let difference = mpc::verify(s, difference)?;
            mpc::word_finish(s, masks, difference)?;
            Ok(held)
        })
    });
}

/// Halving in a ring of eight elements: every value in range, every sharing, every mask.
#[test]
fn truncation_looks_the_same_whatever_the_value() {
    let in_range: Vec<Vec<u64>> = [0, 1, 6, 7].map(|x| vec![x]).to_vec();
    check(&in_range, 3, &[0, 2], |script, secret| {
        views(script, 18, Form::Elements, |s, n| {
            let x = script.deal(s, 1, &Column::filled(n, Small::<3>(secret[0] as u8)));
            mpc::trunc_1ulp(s, "trunc", &x, 1)?;
            Ok(held(&[&x]))
        })
    });
}
