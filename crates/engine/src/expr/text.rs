//! Text as unsigned numbers, its first byte highest.

use mpc::SharedBits;

use crate::context::{Context, Result};
use crate::relation::Text;
use crate::share::TextRule;

/// The planes of text of `from` bytes as those of text of `to` bytes: zeros
/// follow the text, so they come in lowest.
pub(crate) fn widen(cx: &Context, bytes: &SharedBits, from: usize, to: usize) -> SharedBits {
    if to <= from {
        return bytes.clone();
    }
    let zeros = SharedBits::constant(cx.session(), bytes.n_rows(), 8 * (to - from), 0);
    if from == 0 { zeros } else { SharedBits::stack(&[&zeros, bytes]) }
}

/// What two texts are compared by for equality, in one form.
pub(crate) fn equality_keys(
    cx: &Context,
    x: &Text,
    y: &Text,
    rule: TextRule,
) -> Result<(SharedBits, SharedBits)> {
    match (&x.key, &y.key) {
        (Some(x), Some(y)) => Ok((x.clone(), y.clone())),
        _ => {
            debug_assert!(rule.by_bytes || x.key.is_none());
            order_keys(cx, x, y)
        }
    }
}

/// What two texts are compared by for order: their bytes, in one width.
pub(crate) fn order_keys(cx: &Context, x: &Text, y: &Text) -> Result<(SharedBits, SharedBits)> {
    let width = x.width_bytes.max(y.width_bytes);
    match (&x.bytes, &y.bytes) {
        (Some(a), Some(b)) => Ok((widen(cx, a, x.width_bytes, width), widen(cx, b, y.width_bytes, width))),
        _ => Err(cx.wrong_plan("a text whose bytes are not there")),
    }
}
