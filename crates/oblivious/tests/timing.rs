//! The time that a party's side of an operator takes does not depend on its shares.

use math::Z64;
use mpc::lab::timing::{Secrets, assert_steady_step};
use oblivious::adder::Carry;
use oblivious::{adder, compare, convert, select};

const ROWS: usize = 512;

#[test]
fn operators_do_not_show_their_shares() {
    let bits = |secrets: &mut Secrets| [0; 2].map(|_| secrets.shared_bits(ROWS, 16));
    assert_steady_step("less_than", bits, |s, [x, y]| compare::less_than(s, "less", x, y, true));
    assert_steady_step("equal", bits, |s, [x, y]| compare::equal(s, "equal", x, y));
    assert_steady_step("add", bits, |s, [x, y]| adder::add(s, "add", x, y, Carry::None));
    assert_steady_step("select", bits, |s, [x, y]| select::select(s, "select", &x.plane(0), x, y));
    let ring = |secrets: &mut Secrets| [0; 2].map(|_| secrets.shared::<Z64>(ROWS));
    assert_steady_step("is_negative", ring, |s, [x, _]| convert::is_negative(s, "sign", x));
    assert_steady_step("ring_to_bits", ring, |s, [x, _]| convert::ring_to_bits(s, "bits", x, 64));
    assert_steady_step("bit_to_ring", bits, |s, [x, _]| convert::bit_to_ring::<Z64>(s, "ring", &x.plane(0)));
    assert_steady_step(
        "segmented_sum",
        |secrets| (secrets.shared_bits(64, 1), secrets.shared::<Z64>(64)),
        |s, (starts, x)| oblivious::segmented_sum(s, "sum", starts, x),
    );
}
