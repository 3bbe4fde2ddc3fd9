//! The time of a proof, in each of its roles, does not depend on the gates.

use super::alone::Alone;
use crate::lab::timing::{Secrets, assert_steady};

#[test]
fn no_role_shows_the_gates() {
    let gates = |secrets: &mut Secrets| {
        let mut alone = Alone::new(1, 2000);
        alone.gates = [0; 6].map(|_| secrets.planes(2000, 1));
        alone
    };
    assert_steady("a proof", gates, Alone::prove);
    // Both verifiers follow a proof of other gates, as far as they do without accepting it.
    let honest = Alone::new(1, 2000);
    let proof = honest.prove();
    assert_steady("the left side", gates, |alone| alone.left(alone.left_claim(), &proof).is_some());
    let digests = honest.left_claim().digests(proof.left(), &honest.lanes.salts);
    assert_steady("the right side", gates, |alone| {
        alone.right(alone.right_claim(), &digests, &proof.last).is_some()
    });
}
