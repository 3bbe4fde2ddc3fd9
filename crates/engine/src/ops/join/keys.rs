//! Both sides' keys in one form.

use mpc::SharedBits;
use plan::secure::NullKeys;
use plan::types::Type;

use super::Sides;
use crate::context::{Context, Result};
use crate::expr::text;
use crate::kernel;
use crate::relation::Data;

/// A side's keys as planes, and which of its rows can match at all.
pub(super) struct Keys {
    pub(super) planes: SharedBits,
    pub(super) valid: SharedBits,
}

/// The keys of the left side and of the right one: equal planes where they are equal.
pub(super) fn keys(cx: &mut Context, on: &Sides<'_>) -> Result<(Keys, Keys)> {
    let (left, right, join) = (&on.left, &on.right, on.join);
    let (mut left_planes, mut right_planes) = (Vec::new(), Vec::new());
    let (mut left_valid, mut right_valid) = (vec![left.valid.clone()], vec![right.valid.clone()]);
    for (left_key, right_key) in join.left_keys.iter().zip(&join.right_keys) {
        let (mut x, mut y) = (left.column(cx, *left_key)?.clone(), right.column(cx, *right_key)?.clone());
        if join.nulls == NullKeys::Equal {
            // NULL is a value of its own: zero, with a plane that tells it from zero.
            (x, y) = (x.zeroed(cx)?, y.zeroed(cx)?);
            if x.present.is_some() || y.present.is_some() {
                left_planes.push(x.present(cx, left.n_rows()));
                right_planes.push(y.present(cx, right.n_rows()));
            }
        } else {
            left_valid.extend(x.present.clone());
            right_valid.extend(y.present.clone());
        }
        let (x, y) = match (&x.data, &y.data) {
            (Data::Opaque(x), Data::Opaque(y)) => (x.clone(), y.clone()),
            _ if x.ty == Type::Utf8 => text::equality_keys(cx, x.as_text(cx)?, y.as_text(cx)?, on.rule)?,
            _ => {
                let (x, y) = (x.as_number(cx)?, y.as_number(cx)?);
                let range = x.range().union(y.range());
                (x.bits_as(cx, range)?, y.bits_as(cx, range)?)
            }
        };
        left_planes.push(x);
        right_planes.push(y);
    }
    if left_planes.is_empty() {
        return Err(cx.wrong_plan("a join without keys"));
    }
    let stack = |planes: &[SharedBits]| SharedBits::stack(&planes.iter().collect::<Vec<_>>());
    Ok((
        Keys { planes: stack(&left_planes), valid: kernel::and_all(cx, left_valid)? },
        Keys { planes: stack(&right_planes), valid: kernel::and_all(cx, right_valid)? },
    ))
}
