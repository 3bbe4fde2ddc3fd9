//! The time of a proof, in each of its roles, does not depend on the products.

use super::*;
use crate::check::ring::lanes::ProverLanes;
use crate::check::ring::operand::Kept;
use crate::check::ring::prover;
use crate::check::ring::shape::Shape;
use crate::check::ring::sides::{Side, Terms};
use crate::check::ring::transcript::{Challenge, Selections, Statement, Transcript};
use crate::check::ring::verifier::{Points, digests};
use crate::check::rounds;
use crate::lab::timing::{Secrets, assert_steady};
use crate::prss::Root;

/// Products of every form, whatever their factors are.
fn push<R: Ring>(batch: &mut RingBatch, secrets: &mut Secrets) {
    let matrix = [4, 8, 4];
    let mut pair = |n: usize, m: usize| (secrets.shared::<R>(n), secrets.shared::<R>(m));
    let (rows, (inner, other), (x, y)) = (vec![vec![pair(64, 64)]], pair(64, 64), pair(32, 32));
    let forms =
        [(Form::Rows(rows), 64), (Form::Inner(inner, other), 1), (Form::Matrix { x, y, shape: matrix }, 16)];
    for (at, (form, n)) in forms.into_iter().enumerate() {
        let step = Step::root(&[R::BITS as u8; 32]).child(("product", at).into());
        batch.push(ProductStep { step, form, z: secrets.shared::<R>(n) });
    }
}

fn secret_batch(secrets: &mut Secrets) -> RingBatch {
    let mut batch = RingBatch::default();
    push::<Z8>(&mut batch, secrets);
    push::<Z16>(&mut batch, secrets);
    push::<Z32>(&mut batch, secrets);
    push::<Z64>(&mut batch, secrets);
    push::<Z128>(&mut batch, secrets);
    batch
}

#[test]
fn no_role_shows_the_products() {
    let public = secret_batch(&mut Secrets::random(1));
    let (shape, step) = (Shape::of(&public), Step::root(&[1; 32]));
    let statement = Statement::of([2; 32], &step, &public, shape);
    let transcript = Transcript::new(&statement, 0, &[[1; 32], [2; 32]]);
    let challenge = Challenge::of(&transcript, shape);
    let prime = &challenge.prime;
    let [own, next] = [3, 4].map(|byte| Root::new(&[byte; 32]));
    let lanes = ProverLanes::of(&rounds::of_prover(&step, 0), [&own, &next], shape, prime);
    let selections = || Selections::of(&transcript, shape);

    assert_steady("quotients", secret_batch, |batch| {
        let side = Side { batch, shape, selections: selections() };
        side.quotients([&own, &next])
    });
    let prove = |batch: &RingBatch| {
        let side = Side { batch, shape, selections: selections() };
        let [mut u, mut v] = [(); 2].map(|()| Kept::new(shape));
        side.left(0, &challenge, None, &mut u);
        side.right(1, &challenge, None, &mut v);
        prover::prove(shape, transcript.clone(), prime, [u, v].map(Kept::ended), &lanes)
    };
    assert_steady("a proof", secret_batch, prove);
    // Both verifiers follow a proof of other products, as far as they do without accepting it.
    let proof = prove(&public);
    let salts = &lanes.salts;
    let points = Points::of(transcript.clone(), prime, &digests(shape, &proof.left, salts), &proof.last);
    let points = points.expect("the prover's own state");
    assert_steady("the left side", secret_batch, |batch| {
        let mut operand = points.folded(prime, shape);
        let side = Side { batch, shape, selections: selections() };
        let claim = side.left(1, &challenge, Some(Terms { part: 1, root: &next }), &mut operand);
        points.outcome(prime, claim, &proof.left, &operand, lanes.mask_left)
    });
    assert_steady("the right side", secret_batch, |batch| {
        let mut operand = points.folded(prime, shape);
        let side = Side { batch, shape, selections: selections() };
        let claim = side.right(0, &challenge, Some(&own), &mut operand);
        points.outcome(prime, claim, &lanes.right, &operand, lanes.mask_right)
    });
}
