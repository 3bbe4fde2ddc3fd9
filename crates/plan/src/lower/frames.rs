//! Frames of windows in our terms.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};

use super::calendar;
use super::scalar::lower_literal;
use crate::calendar::DAY_MICROS;
use crate::secure::{BitFunc, Expr, ExprKind, Frame, FrameEdge};
use crate::types::{Type, Value};

/// The type of a sum.
pub(super) fn sum_type(ty: Type) -> Type {
    match ty {
        Type::Decimal { precision, scale } => Type::Decimal { precision: (precision + 10).min(38), scale },
        Type::UInt8 | Type::UInt16 | Type::UInt32 | Type::UInt64 => Type::UInt64,
        _ => Type::Int64,
    }
}

/// The type of a mean.
pub(super) fn mean_type(ty: Type) -> Type {
    match ty {
        Type::Decimal { precision, scale } => {
            Type::Decimal { precision: (precision + 4).min(38), scale: (scale + 4).min(38) }
        }
        _ => Type::Float64,
    }
}

fn is_unbounded(bound: &WindowFrameBound) -> bool {
    match bound {
        WindowFrameBound::Preceding(value) | WindowFrameBound::Following(value) => value.is_null(),
        WindowFrameBound::CurrentRow => false,
    }
}

/// Whether rows belong to the frame by what their keys are.
pub(super) fn by_keys(frame: &WindowFrame) -> bool {
    let offset = |bound: &WindowFrameBound| *bound != WindowFrameBound::CurrentRow && !is_unbounded(bound);
    match frame.units {
        WindowFrameUnits::Rows => false,
        WindowFrameUnits::Groups => true,
        WindowFrameUnits::Range => offset(&frame.start_bound) || offset(&frame.end_bound),
    }
}

/// How far on in the order a frame by keys begins or ends, in unscaled units of the key's type; no
/// number for the partition's end.
pub(super) fn edge(bound: &WindowFrameBound, ty: Type) -> Option<Option<i128>> {
    let (sign, value) = match bound {
        WindowFrameBound::CurrentRow => return Some(Some(0)),
        bound if is_unbounded(bound) => return Some(None),
        WindowFrameBound::Preceding(value) => (-1, value),
        WindowFrameBound::Following(value) => (1, value),
    };
    let many = match (ty, calendar::interval(value)) {
        (Type::Date, Some((0, days, 0))) => i128::from(days),
        (Type::Timestamp, Some((0, days, micros))) => i128::from(days) * DAY_MICROS + i128::from(micros),
        (ty, None) if ty.is_exact_number() => {
            let number = lower_literal(value).ok()?;
            let Expr { kind: ExprKind::Literal(Value::Int(unscaled)), .. } = number else { return None };
            let digits = u32::from(ty.scale().checked_sub(number.ty.scale())?);
            unscaled.checked_mul(10i128.checked_pow(digits)?)?
        }
        _ => return None,
    };
    Some(Some(sign * many))
}

/// How an aggregate of this name combines bits.
pub(super) fn bit_func(name: &str) -> BitFunc {
    match name {
        "bit_and" => BitFunc::And,
        "bit_or" => BitFunc::Or,
        _ => BitFunc::Xor,
    }
}

/// Whether the frame ends with the partition and begins elsewhere: in the order turned round it
/// begins with it.
pub(super) fn from_the_end(frame: &WindowFrame) -> bool {
    is_unbounded(&frame.end_bound) && !is_unbounded(&frame.start_bound)
}

/// The frame as SQL writes it, days as days.
pub(super) fn shown(frame: &WindowFrame) -> String {
    let bound = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::CurrentRow => "CURRENT ROW".to_owned(),
        WindowFrameBound::Preceding(value) if value.is_null() => "UNBOUNDED PRECEDING".to_owned(),
        WindowFrameBound::Following(value) if value.is_null() => "UNBOUNDED FOLLOWING".to_owned(),
        WindowFrameBound::Preceding(value) => format!("{} PRECEDING", offset(value)),
        WindowFrameBound::Following(value) => format!("{} FOLLOWING", offset(value)),
    };
    format!("{} BETWEEN {} AND {}", frame.units, bound(&frame.start_bound), bound(&frame.end_bound))
}

fn offset(value: &ScalarValue) -> String {
    match calendar::interval(value) {
        Some((0, days, 0)) => format!("INTERVAL '{days}' DAY"),
        Some((months, 0, 0)) => format!("INTERVAL '{months}' MONTH"),
        Some(_) => "INTERVAL".to_owned(),
        None => value.to_string(),
    }
}

/// The frame in our terms, if it is one that the engine has.
pub(super) fn frame(frame: &WindowFrame, ordered: bool) -> Option<Frame> {
    let by_rows = frame.units == WindowFrameUnits::Rows;
    let number = |value: &ScalarValue| match value.cast_to(&Type::Int64.arrow()) {
        Ok(ScalarValue::Int64(Some(number))) if by_rows => Some(FrameEdge::Rows(number)),
        _ => None,
    };
    let edge = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::CurrentRow if by_rows => Some(FrameEdge::Rows(0)),
        WindowFrameBound::CurrentRow if ordered => Some(FrameEdge::Peers),
        WindowFrameBound::CurrentRow => Some(FrameEdge::Partition),
        WindowFrameBound::Preceding(value) | WindowFrameBound::Following(value) if value.is_null() => {
            Some(FrameEdge::Partition)
        }
        WindowFrameBound::Following(value) => number(value),
        WindowFrameBound::Preceding(value) => match number(value)? {
            FrameEdge::Rows(number) => Some(FrameEdge::Rows(-number)),
            other => Some(other),
        },
    };
    let (start, end) = (edge(&frame.start_bound)?, edge(&frame.end_bound)?);
    // What begins with its end, or ends with its beginning, or with the first of its peers.
    let begins_late = matches!(&frame.start_bound, WindowFrameBound::Following(value) if value.is_null());
    let ends_early = matches!(&frame.end_bound, WindowFrameBound::Preceding(value) if value.is_null());
    let backwards = matches!((start, end), (FrameEdge::Rows(start), FrameEdge::Rows(end)) if start > end);
    (!begins_late && !ends_early && !backwards && start != FrameEdge::Peers).then_some(Frame { start, end })
}
