//! What a party receives in a conversion or comparison could have been made up from what it
//! knows: exactly, at four bits, in both kinds of session.

use mpc::lab::{Dealt, Form, Simulated, Small};
use mpc::{ProtocolError, Security, Session};
use oblivious::adder::Carry;
use oblivious::{adder, compare, convert, select};

type Protocol = fn(&mut Session, [Dealt; 2]) -> Result<(), ProtocolError>;

fn subject(name: &'static str, security: Security, needed: [usize; 3], run: Protocol) -> Simulated {
    let form: fn(&str) -> Form = |step| if step.starts_with("ring") { Form::Elements } else { Form::Planes };
    Simulated { name, security, form, run, output: |_, _| 0, needed }
}

fn on_bits(name: &'static str, needed: [usize; 3], run: Protocol) -> Simulated {
    subject(name, Security::Malicious, needed, run)
}

#[test]
fn comparisons_can_be_made_up() {
    on_bits("less_than", [3; 3], |s, [x, y]| compare::less_than(s, "less", &x.bits, &y.bits, true).map(drop))
        .check();
    on_bits("equal", [2; 3], |s, [x, y]| compare::equal(s, "equal", &x.bits, &y.bits).map(drop)).check();
    on_bits("add", [3; 3], |s, [x, y]| adder::add(s, "add", &x.bits, &y.bits, Carry::None).map(drop)).check();
    on_bits("select", [1; 3], |s, [x, y]| {
        select::select(s, "select", &x.bits.plane(0), &x.bits, &y.bits).map(drop)
    })
    .check();
}

#[test]
fn conversions_can_be_made_up() {
    // P_2 alone hears of the first two summands' sum, and nothing in its product with the third.
    on_bits("ring_to_bits", [3; 3], |s, [x, _]| convert::ring_to_bits(s, "bits", &x.ring, 4).map(drop))
        .check();
    on_bits("is_negative", [3; 3], |s, [x, _]| convert::is_negative(s, "negative", &x.ring).map(drop))
        .check();
    on_bits("equal_ring", [2, 2, 3], |s, [x, y]| convert::equal_ring(s, "equal", &x.ring, &y.ring).map(drop))
        .check();
    // Factors are single summands, so that each party knows one of the two products itself.
    let lifted = |name, needed, run| subject(name, Security::SemiHonest, needed, run);
    lifted("bit_to_ring", [1; 3], |s, [x, _]| {
        convert::bit_to_ring::<Small<4>>(s, "ring", &x.bits.plane(0)).map(drop)
    })
    .check();
    lifted("keep_if", [2; 3], |s, [x, y]| {
        select::keep_if::<Small<4>>(s, "ring", &x.bits.plane(0), &y.ring).map(drop)
    })
    .check();
}
