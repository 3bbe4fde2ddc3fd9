//! Whether a part of a plan can fail for what single rows hold.
//!
//! A failure is told whatever the size of the group that the row is in, so nothing below a group of
//! a least size may fail.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Distinct, Expr as LogicalExpr, LogicalPlan, Operator};

use super::Lowering;
use super::facts::Facts;
use crate::checked;
use crate::secure::{ExprKind, Join, JoinKind, Matching, Node, Op, Side, Uniqueness};
use crate::types::Type;

impl Lowering<'_> {
    /// The first operator below a suppression that can fail for one row's values, and the party in
    /// whose stage it is if it runs in clear. Stages of others than `owners` fail for what is nobody's
    /// secret.
    pub(crate) fn fails_in_groups<'n>(
        &self,
        root: &'n Node,
        owners: &[usize],
    ) -> Option<(&'n Node, Option<usize>)> {
        let suppressed = root.nodes().into_iter().filter(|node| matches!(node.op, Op::Suppress { .. }));
        suppressed.flat_map(|node| node.inputs.iter().flat_map(Node::nodes)).find_map(|node| match &node.op {
            Op::LocalStage(stage) => {
                let fails = owners.contains(&stage.party) && self.stage_fails(&stage.logical);
                fails.then_some((node, Some(stage.party)))
            }
            Op::Join(join) => {
                let fails = join.condition.as_ref().is_some_and(|condition| condition.can_fail());
                (fails || is_unique_by_others(node, join, owners)).then_some((node, None))
            }
            _ => node.can_fail().then_some((node, None)),
        })
    }

    /// Whether an owner's stage can fail; where that is not known, it can.
    fn stage_fails(&self, stage: &LogicalPlan) -> bool {
        let mut fails = false;
        let seen = stage.apply_with_subqueries(|node| {
            fails |= self.node_fails(node);
            Ok(if fails { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        });
        fails || seen.is_err()
    }

    fn node_fails(&self, node: &LogicalPlan) -> bool {
        let any = |exprs: &mut dyn Iterator<Item = &LogicalExpr>, input: &LogicalPlan| {
            let Ok(facts) = self.local_facts(input) else { return true };
            let mut fails = false;
            for expr in exprs {
                fails |= self.expr_fails(expr, input.schema(), &facts);
            }
            fails
        };
        match node {
            LogicalPlan::Filter(filter) => any(&mut [&filter.predicate].into_iter(), &filter.input),
            LogicalPlan::Projection(projection) => any(&mut projection.expr.iter(), &projection.input),
            LogicalPlan::Sort(sort) => any(&mut sort.expr.iter().map(|key| &key.expr), &sort.input),
            LogicalPlan::Window(window) => any(&mut window.window_expr.iter(), &window.input),
            LogicalPlan::Aggregate(aggregate) => {
                any(&mut aggregate.group_expr.iter().chain(&aggregate.aggr_expr), &aggregate.input)
                    || self.may_overflow(node)
            }
            LogicalPlan::Join(join) => {
                join.filter.is_some()
                    || join.on.iter().any(|(left, right)| {
                        any(&mut [left].into_iter(), &join.left) || any(&mut [right].into_iter(), &join.right)
                    })
            }
            LogicalPlan::TableScan(scan) => !scan.filters.is_empty(),
            LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::EmptyRelation(_)
            | LogicalPlan::Values(_)
            | LogicalPlan::Distinct(Distinct::All(_))
            | LogicalPlan::Limit(_)
            | LogicalPlan::Union(_) => false,
            _ => true,
        }
    }

    /// Whether a value can fail, where it is computed or where it is shared.
    pub(super) fn expr_fails(&self, expr: &LogicalExpr, schema: &DFSchema, facts: &Facts) -> bool {
        let fails = |part: &LogicalExpr| self.expr_fails(part, schema, facts);
        match expr {
            LogicalExpr::Alias(alias) => return self.expr_fails(&alias.expr, schema, facts),
            LogicalExpr::AggregateFunction(function) => {
                let order = function.params.order_by.iter().map(|key| &key.expr);
                let mut parts =
                    function.params.args.iter().chain(function.params.filter.as_deref()).chain(order);
                return parts.any(fails);
            }
            LogicalExpr::WindowFunction(function) => {
                let is_number = matches!(function.fun.name(), "row_number" | "rank" | "dense_rank");
                let order = function.params.order_by.iter().map(|key| &key.expr);
                let mut parts = function.params.partition_by.iter().chain(order);
                return !is_number || !function.params.args.is_empty() || parts.any(fails);
            }
            _ => {}
        }
        // By its ranges, or as DataFusion computes it: shares fail on texts of which an owner's own
        // functions do not.
        !self.is_harmless(expr, schema, facts)
            && never_fails(expr, schema).is_none_or(|parts| parts.into_iter().any(fails))
    }

    /// Whether a value is one that shares hold, whatever the rows are, on shares and at its owner.
    pub(super) fn is_harmless(&self, expr: &LogicalExpr, schema: &DFSchema, facts: &Facts) -> bool {
        self.scalars(schema, facts).lower(expr).is_ok_and(|scalar| !scalar.can_fail())
            && self.runs_as_on_shares(expr, schema, facts)
    }
}

impl Lowering<'_> {
    /// Whether DataFusion, which an owner runs, computes all of it without failing where shares do: its
    /// times end sooner, its dates are those of a calendar library, its doubles round up past the end of
    /// a type, and long patterns are too large for it.
    fn runs_as_on_shares(&self, expr: &LogicalExpr, schema: &DFSchema, facts: &Facts) -> bool {
        let within = |part: &LogicalExpr, low: i128, high: i128| {
            let range = self.scalars(schema, facts).lower(part).ok().and_then(|scalar| scalar.range);
            range.is_some_and(|range| low <= range.low && range.high <= high)
        };
        let alike = |part: &LogicalExpr| {
            if matches!(part, LogicalExpr::Column(_) | LogicalExpr::Literal(..)) {
                return true;
            }
            let in_time = match checked::type_of(part, schema) {
                Ok(DataType::Timestamp(..)) => within(part, -LAST_MICROS, LAST_MICROS),
                Ok(DataType::Date32 | DataType::Date64) => within(part, FIRST_DAY, LAST_DAY),
                Ok(_) => true,
                Err(_) => false,
            };
            in_time
                && match part {
                    LogicalExpr::Cast(cast) => self.casts_as_on_shares(cast, schema, facts),
                    LogicalExpr::Like(like) => is_short_pattern(&like.pattern),
                    _ => true,
                }
        };
        let differs = expr.exists(|part| Ok(!alike(part)));
        differs.is_ok_and(|differs| !differs)
    }

    /// Whether a cast takes no double that may stand for another number.
    fn casts_as_on_shares(&self, cast: &Cast, schema: &DFSchema, facts: &Facts) -> bool {
        let to = cast.field.data_type();
        let from_double = checked::type_of(&cast.expr, schema).is_ok_and(|ty| ty.is_floating());
        if !from_double || to.is_floating() || to.is_string() || *to == DataType::Boolean {
            return true;
        }
        let known = self.scalars(schema, facts).lower(&cast.expr).ok();
        let (known, to) =
            (known.and_then(|known| Some((known.range?, known.ty.scale()))), Type::from_arrow(to));
        let (Some((range, scale)), Some(to)) = (known, to) else { return false };
        // In units of the finer of both.
        let up = 10_i128.checked_pow(u32::from(to.scale().saturating_sub(scale)));
        let end =
            |value: i128| up.and_then(|up| value.checked_mul(up)).is_some_and(|value| value.abs() <= EXACT);
        end(range.low) && end(range.high)
    }
}

/// The last microsecond that is a number of nanoseconds of 64 bits, in the year 2262.
const LAST_MICROS: i128 = i64::MAX as i128 / 1000;
/// The days of the years 1 to 9999.
const FIRST_DAY: i128 = -719_162;
const LAST_DAY: i128 = 2_932_896;
/// Up to here all whole numbers are doubles.
const EXACT: i128 = 1 << 53;
/// Longer patterns can be too large for DataFusion, and take long before.
const MAX_PATTERN: usize = 256;

fn is_short_pattern(pattern: &LogicalExpr) -> bool {
    let LogicalExpr::Literal(value, _) = pattern else { return false };
    value.try_as_str().flatten().is_none_or(|text| text.len() <= MAX_PATTERN)
}

/// The parts of an expression that cannot fail by itself, whatever its parts are, and whose texts are
/// as long as is known; everything that is not named here can.
fn never_fails<'e>(expr: &'e LogicalExpr, schema: &DFSchema) -> Option<Vec<&'e LogicalExpr>> {
    use Operator::{
        And, Divide, Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, Minus, Modulo, Multiply,
        NotEq, Or, Plus, StringConcat,
    };
    let ty = |expr: &LogicalExpr| checked::type_of(expr, schema).unwrap_or(DataType::Null);
    let is_double = |expr: &LogicalExpr| ty(expr) == DataType::Float64;
    match expr {
        LogicalExpr::Column(_) => Some(Vec::new()),
        // Shares do not take a NUL.
        LogicalExpr::Literal(value, _) => {
            let nul = value.try_as_str().flatten().is_some_and(|text| text.contains('\0'));
            (!nul).then(Vec::new)
        }
        LogicalExpr::BinaryExpr(binary) => {
            let never = match binary.op {
                Eq | NotEq | Lt | LtEq | Gt | GtEq | And | Or | IsDistinctFrom | IsNotDistinctFrom => true,
                StringConcat => true,
                // Doubles become infinite instead.
                Plus | Minus | Multiply | Divide | Modulo => {
                    is_double(&binary.left) && is_double(&binary.right)
                }
                _ => false,
            };
            never.then(|| vec![binary.left.as_ref(), binary.right.as_ref()])
        }
        LogicalExpr::Not(of)
        | LogicalExpr::IsNull(of)
        | LogicalExpr::IsNotNull(of)
        | LogicalExpr::IsTrue(of)
        | LogicalExpr::IsFalse(of)
        | LogicalExpr::IsUnknown(of)
        | LogicalExpr::IsNotTrue(of)
        | LogicalExpr::IsNotFalse(of)
        | LogicalExpr::IsNotUnknown(of) => Some(vec![of.as_ref()]),
        LogicalExpr::Negative(of) => is_double(of).then(|| vec![of.as_ref()]),
        LogicalExpr::Between(between) => Some(vec![&between.expr, &between.low, &between.high]),
        LogicalExpr::InList(list) => Some(std::iter::once(list.expr.as_ref()).chain(&list.list).collect()),
        LogicalExpr::Case(case) => {
            let whens = case.when_then_expr.iter().flat_map(|(when, then)| [when.as_ref(), then.as_ref()]);
            Some(case.expr.as_deref().into_iter().chain(whens).chain(case.else_expr.as_deref()).collect())
        }
        LogicalExpr::Like(like) => {
            (is_short_pattern(&like.pattern) && like.escape_char.is_none()).then(|| vec![like.expr.as_ref()])
        }
        LogicalExpr::Cast(cast) => {
            let (from, to) = (ty(&cast.expr), cast.field.data_type());
            let number = from.is_numeric() || from == DataType::Boolean;
            let wider = from == *to || number && matches!(to, DataType::Float64 | DataType::Utf8);
            wider.then(|| vec![cast.expr.as_ref()])
        }
        LogicalExpr::TryCast(cast) => {
            let (from, to) = (ty(&cast.expr), cast.field.data_type());
            let number = |ty: &DataType| ty.is_numeric() || *ty == DataType::Boolean;
            ((number(&from) || from.is_string()) && number(to)).then(|| vec![cast.expr.as_ref()])
        }
        LogicalExpr::ScalarFunction(function) => {
            let args = &function.args;
            let whole = |at: usize, least: i64| match args.get(at) {
                Some(LogicalExpr::Literal(value, _)) => match value.cast_to(&DataType::Int64) {
                    Ok(ScalarValue::Int64(Some(number))) => (least..=MAX_CHARACTERS).contains(&number),
                    _ => false,
                },
                _ => false,
            };
            let never = match (function.name(), args.len()) {
                ("upper" | "lower" | "initcap" | "reverse" | "character_length" | "octet_length", 1) => true,
                ("btrim" | "ltrim" | "rtrim" | "strpos" | "starts_with" | "ends_with" | "contains", _) => {
                    true
                }
                ("concat" | "coalesce" | "nullif", _) => true,
                ("left" | "right", 2) => whole(1, 0),
                ("substr", 2) => whole(1, 1),
                ("substr", 3) => whole(1, 1) && whole(2, 0),
                ("split_part", 3) => matches!(args[1], LogicalExpr::Literal(..)) && whole(2, 1),
                ("abs" | "floor" | "ceil", 1) => is_double(&args[0]),
                ("round", 1) => is_double(&args[0]),
                ("round", 2) => is_double(&args[0]) && whole(1, 0),
                ("date_part", 2) => {
                    matches!(ty(&args[1]), DataType::Date32 | DataType::Timestamp(..))
                        && is_day_part(&args[0])
                }
                _ => false,
            };
            never.then(|| args.iter().collect())
        }
        _ => None,
    }
}

/// A part of a date that every date has.
fn is_day_part(part: &LogicalExpr) -> bool {
    let LogicalExpr::Literal(value, _) = part else { return false };
    let parts = ["year", "quarter", "month", "week", "day", "doy", "dow", "isodow"];
    parts.contains(&value.to_string().to_ascii_lowercase().as_str())
}

/// No text is longer than that, and no number has as many digits.
const MAX_CHARACTERS: i64 = 300;

/// Whether rows that an owner's table chose are looked up by a key that is unique if others do not lie.
/// Keys that repeat in one party's rows are that party's lie, and tell nobody's value; so is a key of
/// an owner's own rows after they looked up others, of which each finds one at most.
fn is_unique_by_others(node: &Node, join: &Join, owners: &[usize]) -> bool {
    let Matching::Lookup { unique_side, uniqueness } = join.matching else { return false };
    let side = &node.inputs[usize::from(unique_side == Side::Right)];
    let party = |node: &Node| match &node.op {
        Op::LocalStage(stage) => Some(stage.party),
        _ => None,
    };
    let keys = if unique_side == Side::Left { &join.left_keys } else { &join.right_keys };
    if owner_of_rows(side, keys).is_some_and(|party| owners.contains(&party)) {
        return false;
    }
    let parties: BTreeSet<usize> = side.nodes().into_iter().filter_map(party).collect();
    uniqueness != Uniqueness::Construction
        && parties.len() > 1
        && owners.iter().any(|owner| parties.contains(owner))
}

/// Whose rows these are, each once at most and with columns of its own, if that is seen.
fn owner_of_rows(node: &Node, columns: &[usize]) -> Option<usize> {
    match &node.op {
        Op::LocalStage(stage) => Some(stage.party),
        Op::Filter { .. } => owner_of_rows(&node.inputs[0], columns),
        Op::Project { exprs } => {
            let column = |column: &usize| match exprs.get(*column)?.kind {
                ExprKind::Column(column) => Some(column),
                _ => None,
            };
            owner_of_rows(&node.inputs[0], &columns.iter().map(column).collect::<Option<Vec<_>>>()?)
        }
        Op::Join(join) if join.kind == JoinKind::Inner => {
            let Matching::Lookup { unique_side, .. } = join.matching else { return None };
            let n_left = node.inputs[0].schema.len();
            // An equal key of the other side is the same value.
            let equal = |column: &usize| match (unique_side, column.checked_sub(n_left)) {
                (Side::Right, None) => Some(*column),
                (Side::Left, Some(column)) => Some(column),
                (Side::Right, Some(column)) => {
                    join.right_keys.iter().position(|key| *key == column).map(|at| join.left_keys[at])
                }
                (Side::Left, None) => {
                    join.left_keys.iter().position(|key| key == column).map(|at| join.right_keys[at])
                }
            };
            let rows = &node.inputs[usize::from(unique_side == Side::Left)];
            owner_of_rows(rows, &columns.iter().map(equal).collect::<Option<Vec<_>>>()?)
        }
        _ => None,
    }
}
