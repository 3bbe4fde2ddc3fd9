//! What a party receives could have been made up from what it knows: exactly, at four bits.

use math::{Column, Planes};
use mpc::lab::{self, Form, Simulated, Small};
use mpc::{Security, SharedRows};
use net::PartyId;

const NOTHING: fn(usize, [u8; 2]) -> u8 = |_, _| 0;
const EVERYBODY: [usize; 3] = [1; 3];

fn planes(_: &str) -> Form {
    Form::Planes
}

fn elements(_: &str) -> Form {
    Form::Elements
}

#[test]
fn ring_products_can_be_made_up() {
    let subject = |name, run, n_steps: usize| Simulated {
        name,
        form: elements,
        run,
        security: Security::SemiHonest,
        output: NOTHING,
        needed: [n_steps; 3],
    };
    subject("mul", |s, [x, y]| mpc::mul(s, "mul", &x.ring, &y.ring).map(drop), 1).check();
    subject("dot", |s, [x, y]| mpc::dot(s, "dot", &[(&x.ring, &y.ring), (&x.ring, &x.ring)]).map(drop), 1)
        .check();
    subject(
        "matmul",
        |s, [x, y]| {
            let n = x.ring.len();
            mpc::matmul(s, "matmul", &x.ring, &y.ring.rows(0..1), [n, 1, 1]).map(drop)
        },
        1,
    )
    .check();
    subject(
        "mul twice",
        |s, [x, y]| {
            let z = mpc::mul(s, "once", &x.ring, &y.ring)?;
            mpc::mul(s, "twice", &z, &y.ring).map(drop)
        },
        2,
    )
    .check();
}

#[test]
fn products_of_bits_can_be_made_up() {
    let subject = |name, run, n_steps: usize| Simulated {
        name,
        form: planes,
        run,
        security: Security::SemiHonest,
        output: NOTHING,
        needed: [n_steps; 3],
    };
    subject("and", |s, [x, y]| mpc::and(s, "and", &x.bits, &y.bits).map(drop), 1).check();
    subject("and_bit", |s, [x, y]| mpc::and_bit(s, "and", &x.bits.plane(2), &y.bits).map(drop), 1).check();
    subject(
        "and_onto",
        |s, [x, y]| mpc::and_onto(s, "and", &[(&x.bits, &y.bits, Some(&y.bits))]).map(drop),
        1,
    )
    .check();
    subject(
        "and_sums",
        |s, [x, y]| {
            let (x, y) = ((&x.bits, &y.bits), (&y.bits, &x.bits));
            mpc::and_sums(s, "sums", &[x], &[[x, y]]).map(drop)
        },
        1,
    )
    .check();
    subject(
        "compare_digits",
        |s, [x, y]| {
            let n = x.bits.n_rows() as u32;
            let rows = SharedRows::of(s, &[x.bits, y.bits]);
            let [left, right] = [0, n].map(|first| (first..first + n).collect::<Vec<_>>());
            mpc::compare_digits(s, "compare", &rows, &left, &right, 2).map(drop)
        },
        1,
    )
    .check();
    subject(
        "and twice",
        |s, [x, y]| {
            let z = mpc::and(s, "once", &x.bits, &y.bits)?;
            mpc::and(s, "twice", &z, &y.bits).map(drop)
        },
        2,
    )
    .check();
}

/// The message of an opening follows from the output and from what its receiver holds.
#[test]
fn openings_can_be_made_up_from_the_output() {
    Simulated {
        name: "mul, open",
        form: elements,
        run: |s, [x, y]| {
            let z = mpc::mul(s, "mul", &x.ring, &y.ring)?;
            let z = mpc::verify(s, z)?;
            mpc::open(s, "open", z).map(drop)
        },
        security: Security::SemiHonest,
        output: |_, [x, y]| x.wrapping_mul(y) & 15,
        needed: EVERYBODY,
    }
    .check();
    Simulated {
        name: "and, open_bits",
        form: planes,
        run: |s, [x, y]| {
            let z = mpc::and(s, "and", &x.bits, &y.bits)?;
            let z = mpc::verify(s, z)?;
            mpc::open_bits(s, "open", z).map(drop)
        },
        security: Security::SemiHonest,
        output: |_, [x, y]| x & y,
        needed: EVERYBODY,
    }
    .check();
    Simulated {
        name: "mul, open_to",
        form: elements,
        run: |s, [x, y]| {
            let z = mpc::mul(s, "mul", &x.ring, &y.ring)?;
            let z = mpc::verify(s, z)?;
            mpc::open_to(s, "open", PartyId::FIRST, z).map(drop)
        },
        security: Security::SemiHonest,
        output: |party, [x, y]| if party == 0 { x.wrapping_mul(y) & 15 } else { 0 },
        needed: EVERYBODY,
    }
    .check();
}

/// An input shows itself to nobody: the one party that is sent something lacks the mask.
#[test]
fn inputs_can_be_made_up() {
    let subject = |name, form, run| Simulated {
        name,
        security: Security::SemiHonest,
        form,
        run,
        output: NOTHING,
        needed: [0, 0, 1],
    };
    subject("input", elements as fn(&str) -> Form, |s, [x, _]| {
        let owner = PartyId::from_index(1);
        let n = x.ring.len();
        let mine = (s.me() == owner).then(|| Column::filled(n, Small::<4>(x.clear)));
        mpc::input(s, "input", owner, n, mine.as_ref()).map(drop)
    })
    .check();
    subject("input_bits", planes, |s, [x, _]| {
        let owner = PartyId::from_index(1);
        let n = x.bits.n_rows();
        let mine: Option<Planes> =
            (s.me() == owner).then(|| lab::number_planes(4, &vec![i128::from(x.clear); n]));
        mpc::input_bits(s, "input", owner, [n, 4], mine.as_ref()).map(drop)
    })
    .check();
}
