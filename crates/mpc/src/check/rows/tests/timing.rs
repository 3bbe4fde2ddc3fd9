//! The time of a proof, in each of its roles, does not depend on the rows.

use buf::Buf;
use math::gf::Gf128;

use super::*;
use crate::check::rounds::{ProverLanes, Rounds};
use crate::check::rows::proof::{self, Shape as Size};
use crate::check::rows::sides::Side;
use crate::check::rows::transcript::Statement;
use crate::lab::Lab;
use crate::lab::timing::{Secrets, assert_steady};

const ROWS: usize = 300;

#[test]
fn no_role_shows_the_rows() {
    Lab::seeded(1).alone(|s| {
        let mut n_passes = 0;
        let mut passes = |secrets: &mut Secrets| {
            n_passes += 1;
            let lanes = [
                Lane::from(secrets.shared::<X8>(ROWS)),
                secrets.shared::<X64>(ROWS).into(),
                secrets.shared::<X128>(ROWS).into(),
            ];
            let moved = Shuffler::new(s, ("draw", n_passes), ROWS)
                .and_then(|shuffler| shuffler.staged(s, ("move", n_passes), &lanes, false));
            vec![Arc::new(moved.expect("a pass alone succeeds").1)]
        };
        let public = passes(&mut Secrets::random(1));
        let (shape, step) = (Size::of(&public), Step::root(&[1; 32]));
        let transcript = Statement::of([2; 32], &step, &public, shape).transcript(0, &[[3; 32], [4; 32]]);
        let shares = vec![Gf128(5); 2 * shape.rounds()];
        let lanes = ProverLanes {
            right: Buf::copy_of(&shares),
            salts: vec![[6; 32]; shape.rounds()],
            masks_left: [Gf128(7), Gf128(8)],
            masks_right: [Gf128(9), Gf128(10)],
        };
        assert_steady("a proof", &mut passes, |passes| {
            let mut u = Side::left(passes, shape, &transcript, 0);
            let mut v = Side::right(passes, shape, &transcript, 1);
            Rounds::new(transcript.clone(), &lanes).finish(u.elements(), v.elements())
        });
        // Both verifiers follow a proof of other rows, as far as they do without accepting it.
        let points: Vec<Gf128> = (0..shape.rounds()).map(|at| Gf128(3 << (9 * at))).collect();
        assert_steady("the left side", &mut passes, |passes| {
            let side = Side::left(passes, shape, &transcript, 1);
            proof::outcome(side, &shares, &points, lanes.masks_left)
        });
        assert_steady("the right side", &mut passes, |passes| {
            let side = Side::right(passes, shape, &transcript, 0);
            proof::outcome(side, &shares, &points, lanes.masks_right)
        });
    });
}
