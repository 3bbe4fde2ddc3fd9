//! More operators: choices, numbers, and joins of many with many.

use math::Format;
use oblivious::fixed::{self, Fixed, Rounding};
use oblivious::{any_row, expand, member, root, select};

use super::*;

fn chosen(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 3, &[1, 6]), bits(s, 2, 3, &[2, 5]));
    let bit = bits(s, 3, 1, &[1, 0]);
    let chosen = select::select(s, "select", &bit, &x, &y)?;
    let any = any_row(s, "any", &bit)?;
    let (size, sign) = adder::absolute(s, "absolute", &x)?;
    shown(s, vec![chosen.into(), any.into(), size.into(), sign.into()])
}

fn chosen_numbers(s: &mut Session) -> Opened {
    let (x, y) = (ring::<Z16>(s, 1, &[500, 7]), ring(s, 2, &[3, 40]));
    let bit = bits(s, 3, 1, &[1, 0]);
    let chosen = select::select_ring(s, "select", &bit, &x, &y)?;
    shown(s, vec![chosen.into()])
}

fn rooted(s: &mut Session) -> Opened {
    let x = bits(s, 1, 5, &[30, 9]);
    let root = root::square_root(s, "root", &x)?;
    shown(s, vec![root.into()])
}

fn compared_numbers(s: &mut Session) -> Opened {
    let (x, y) = (ring::<Z8>(s, 1, &[200, 3]), ring(s, 2, &[2, 4]));
    let less = convert::less_than_ring(s, "less", &x, &y)?;
    let wide: Shared<Z32> = convert::widen(s, "widen", &x, 8)?;
    shown(s, vec![less.into(), wide.into()])
}

fn in_set(s: &mut Session) -> Opened {
    let (set, keys) = (bits(s, 1, 2, &[3, 1]), bits(s, 2, 2, &[1, 2]));
    let (set_valid, valid) = (bits(s, 3, 1, &[1, 1]), bits(s, 4, 1, &[1, 1]));
    let found = member(s, "member", (&set, &set_valid), &keys, &valid, Method::Quick)?;
    shown(s, vec![found.into()])
}

fn many_with_many(s: &mut Session) -> Opened {
    let (keys, other) = (bits(s, 1, 2, &[3, 1]), bits(s, 2, 2, &[1, 1]));
    let (valid, other_valid) = (bits(s, 3, 1, &[1, 1]), bits(s, 4, 1, &[1, 1]));
    let payload = Table::try_new(s, 2, vec![bits(s, 5, 3, &[6, 5]).into()])?;
    let other_payload = Table::try_new(s, 2, vec![bits(s, 6, 3, &[1, 2]).into()])?;
    let left = JoinSide { keys: &keys, valid: &valid, payload: &payload };
    let right = JoinSide { keys: &other, valid: &other_valid, payload: &other_payload };
    let pairs = expand(s, "expand", left, right, 3, Method::Radix)?;
    let mut columns = vec![pairs.valid.clone().into(), pairs.overflow.into()];
    // What stands where there is no pair may be anything.
    for table in [pairs.left, pairs.right] {
        let payload = table.into_columns().remove(0);
        let payload = payload.bits().expect("planes");
        columns.push(mpc::and_bit(s, ("pair", columns.len()), &pairs.valid, payload)?.into());
    }
    shown(s, columns)
}

const NARROW: Format = Format { fraction: 10, width: 24 };

fn number(s: &Session, seed: u64, value: f64) -> Fixed {
    let raw = NARROW.encode(value).expect("it fits");
    Fixed::new(lab::deal(s, seed, &Column::from_fn(1, |_| raw)), NARROW)
}

fn multiplied(s: &mut Session) -> Opened {
    let (x, y) = (number(s, 1, 3.25), number(s, 2, -1.5));
    let out = Format { fraction: 10, width: 40 };
    let product = fixed::multiply(s, "multiply", &x, &y, out, Rounding::of(s))?;
    shown(s, vec![product.raw().clone().into()])
}

fn checked(s: &mut Session, result: fixed::Checked) -> Opened {
    shown(s, vec![result.valid.into(), result.value.raw().clone().into()])
}

fn quotient(s: &mut Session) -> Opened {
    let (x, y) = (number(s, 1, 3.25), number(s, 2, -1.5));
    let result = fixed::divide(s, "divide", &x, &y, Format::DEFAULT, Rounding::of(s))?;
    checked(s, result)
}

fn exponential(s: &mut Session) -> Opened {
    let x = number(s, 1, 1.5);
    let result = fixed::exp(s, "exp", &x, Format::DEFAULT, Rounding::of(s))?;
    checked(s, result)
}

fn logarithm(s: &mut Session) -> Opened {
    let x = number(s, 1, 1.5);
    let result = fixed::ln(s, "ln", &x, Format::DEFAULT, Rounding::of(s))?;
    checked(s, result)
}

fn logistic(s: &mut Session) -> Opened {
    let x = number(s, 1, 1.5);
    let result = fixed::sigmoid(s, "sigmoid", &x, Format::DEFAULT, Rounding::of(s))?;
    checked(s, result)
}

/// Small ones.
const CHOICES: &[Operator] = &[
    ("select, any, absolute", chosen),
    ("select_ring", chosen_numbers),
    ("square_root", rooted),
    ("less_than_ring, widen", compared_numbers),
    ("fixed product", multiplied),
];

/// Long ones, of which tests take samples.
const JOINS: &[Operator] = &[("member", in_set), ("expand", many_with_many)];

/// Longer ones yet.
const FUNCTIONS: &[Operator] =
    &[("fixed quotient", quotient), ("exp", exponential), ("ln", logarithm), ("sigmoid", logistic)];

#[test]
fn more_malicious_operators_are_right_or_stop() {
    CHOICES.iter().for_each(|operator| swept(operator, malicious()).assert_clean());
    sampled(JOINS, 150);
    sampled(FUNCTIONS, 150);
}

#[test]
fn more_malicious_operators_open_what_was_verified() {
    [CHOICES, JOINS, FUNCTIONS].into_iter().for_each(opens_what_was_verified);
}

/// Every case of the operators that take samples elsewhere.
fn every_case(operators: &[Operator]) {
    operators.iter().for_each(|operator| swept(operator, malicious()).assert_clean());
}

#[test]
#[ignore = "minutes: CI runs it"]
fn every_case_of_operators_on_tables_is_right_or_stops() {
    every_case(&[COUNTING, TABLES, JOINS].concat());
}

#[test]
#[ignore = "minutes: CI runs it"]
fn every_case_of_functions_of_numbers_is_right_or_stops() {
    every_case(FUNCTIONS);
}
