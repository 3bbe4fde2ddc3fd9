//! Subtrees that touch one party's data only: they run at their owner, and
//! what is known of their output follows from the catalog.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, DFSchema, JoinType, NullEquality, ScalarValue};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr as LogicalExpr, ExprSchemable, FetchType, Join as LogicalJoin, LogicalPlan,
    Projection, SkipType, TableScan, cast,
};

use super::facts::{Derived, Facts, aggregated, bounded, field, field_of};
use super::float::LIMIT;
use super::{Home, Lowering, Relation};
use crate::catalog::Source;
use crate::checked;
use crate::error::PlanError;
use crate::secure::{
    AggFunc, ExprKind, Field, JoinKind, LocalStage, NullKeys, Op, Place, UniqueKey, Uniqueness,
};
use crate::types::{Range, Type};

/// The plan whose columns that are nothing but NULL are truths, as they are on shares.
fn with_typed_nulls(plan: &LogicalPlan) -> Result<Cow<'_, LogicalPlan>, PlanError> {
    if plan.schema().fields().iter().all(|field| *field.data_type() != DataType::Null) {
        return Ok(Cow::Borrowed(plan));
    }
    let exprs = plan.schema().iter().map(|(relation, field)| {
        let column = LogicalExpr::Column(Column::from((relation, field)));
        match field.data_type() {
            DataType::Null => {
                cast(column, DataType::Boolean).alias_qualified(relation.cloned(), field.name())
            }
            _ => column,
        }
    });
    let typed = Projection::try_new(exprs.collect(), Arc::new(plan.clone()));
    let typed = typed.map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })?;
    Ok(Cow::Owned(LogicalPlan::Projection(typed)))
}

/// The width of a text whose width nothing is known about; a longer one is an
/// error at its owner.
const UNKNOWN_WIDTH_BYTES: u32 = 64;

/// Up to so many bytes a text made of all rows of a table has room for each of them.
const MOST_JOINED_BYTES: u64 = 1024;

impl Lowering<'_> {
    /// Whose data `plan` reads, subqueries in expressions included.
    pub(super) fn home(&self, plan: &LogicalPlan) -> Result<Home, PlanError> {
        let mut home = Home::Nobody;
        let seen = plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let party = scan.table_name.schema().and_then(|party| self.catalog.party_index(party));
                home = match (home, party) {
                    (Home::Nobody, Some(party)) => Home::Party(party),
                    (Home::Party(known), Some(party)) if known == party => home,
                    _ => Home::Several,
                };
            }
            if matches!(node, LogicalPlan::Extension(_)) {
                // What is suppressed is counted on shares.
                home = Home::Several;
            }
            Ok(TreeNodeRecursion::Continue)
        });
        seen.map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })?;
        Ok(home)
    }

    pub(super) fn local_stage(&self, plan: &LogicalPlan, party: usize) -> Result<Relation, PlanError> {
        let typed = with_typed_nulls(plan)?;
        let plan = typed.as_ref();
        let mut facts = self.local_facts(plan)?;
        for (index, column) in plan.schema().fields().iter().enumerate() {
            if Type::from_arrow(column.data_type()).is_none() {
                let construct = format!("a column of type {} (`{}`)", column.data_type(), column.name());
                return Err(PlanError::unsupported(construct, "cast it to a type that travels")
                    .placed(self.locator.name(column.name())));
            }
            facts.fields[index].name = column.name().clone();
            if facts.fields[index].ty == Type::Float64 && !self.cut_doubles {
                facts.fields[index].range = None;
            }
        }
        let (tables, name) = describe(plan);
        let stage = LocalStage {
            party,
            logical: plan.clone(),
            tables,
            name,
            told: self.told_rows(plan),
            unique_keys: facts.unique.clone(),
        };
        let op = Op::LocalStage(Box::new(stage));
        Ok(Relation { op, place: Place::Local(party), facts, inputs: Vec::new() })
    }

    pub(super) fn local_facts(&self, plan: &LogicalPlan) -> Result<Facts, PlanError> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan_facts(scan),
            LogicalPlan::SubqueryAlias(alias) => self.local_facts(&alias.input),
            LogicalPlan::Filter(filter) => self.local_facts(&filter.input),
            LogicalPlan::Projection(projection) => {
                let input = self.local_facts(&projection.input)?;
                let schema = projection.input.schema();
                let derive = |expr| self.derived(expr, schema, &input);
                let columns = projection.expr.iter().map(derive).collect::<Result<_, _>>()?;
                Ok(input.project(columns))
            }
            LogicalPlan::Sort(sort) => {
                let input = self.local_facts(&sort.input)?;
                Ok(input.limit(0, sort.fetch.map(|fetch| fetch as u64)))
            }
            LogicalPlan::Limit(limit) => {
                let input = self.local_facts(&limit.input)?;
                let skip = match limit.get_skip_type() {
                    Ok(SkipType::Literal(skip)) => skip as u64,
                    _ => 0,
                };
                let fetch = match limit.get_fetch_type() {
                    Ok(FetchType::Literal(fetch)) => fetch.map(|fetch| fetch as u64),
                    _ => None,
                };
                Ok(input.limit(skip, fetch))
            }
            LogicalPlan::Distinct(Distinct::All(input)) => Ok(self.local_facts(input)?.distinct()),
            LogicalPlan::Aggregate(aggregate) => self.aggregate_facts(aggregate),
            LogicalPlan::Join(join) => self.join_facts(join),
            LogicalPlan::Union(union) => {
                let inputs = union.inputs.iter().map(|input| self.local_facts(input));
                let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
                Facts::union(&inputs.iter().collect::<Vec<_>>())
            }
            LogicalPlan::EmptyRelation(empty) => Ok(self.empty(empty)?.facts),
            LogicalPlan::Values(values) => Ok(self.values(values)?.facts),
            LogicalPlan::Window(window) => {
                let input = self.local_facts(&window.input)?;
                let mut facts = input.clone();
                for expr in &window.window_expr {
                    let mut field = self.derived(expr, window.input.schema(), &input)?.field;
                    field.range = numbers_rows(expr, input.bound).or(field.range);
                    facts.fields.push(field);
                }
                Ok(facts)
            }
            other => {
                let line = other.display().to_string();
                let name = line.split(':').next().unwrap_or("this operator").to_owned();
                Err(PlanError::unsupported(name, "its row bound is not known"))
            }
        }
    }

    pub(super) fn scan_facts(&self, scan: &TableScan) -> Result<Facts, PlanError> {
        let party = scan.table_name.schema().unwrap_or_default();
        let Some(table) = self.catalog.table(party, scan.table_name.table()) else {
            return Err(PlanError::Planner {
                reason: format!("the plan reads {}, which is no table", scan.table_name),
            });
        };
        let columns: Vec<usize> =
            scan.projection.clone().unwrap_or_else(|| (0..table.columns.len()).collect());
        let mut fields = Vec::new();
        for column in columns.iter().map(|column| &table.columns[*column]) {
            let ty = column.ty.value;
            let range = column.range.as_ref().map(|range| range.value).or(ty.range());
            let width = match ty {
                Type::Utf8 => column.string_width.as_ref().map_or(UNKNOWN_WIDTH_BYTES, |width| width.value),
                _ => 0,
            };
            let distinct = column.distinct.as_ref().map(|most| most.value);
            let field = field(&column.name, ty, column.nullable.value, range, width);
            fields.push(Field { distinct, ..field });
        }
        let position = |name: &String| {
            let index = table.column_index(name)?;
            columns.iter().position(|column| *column == index)
        };
        let positions = |key: &Vec<String>| {
            let mut key = key.iter().map(position).collect::<Option<Vec<usize>>>()?;
            key.sort_unstable();
            Some(key)
        };
        let unique = table.unique_keys.iter().filter_map(|key| {
            let basis = match key.source {
                Source::Declared => Uniqueness::Declared,
                Source::Inferred => Uniqueness::Inferred,
            };
            Some(UniqueKey { columns: positions(&key.value)?, basis })
        });
        let matches = table.matches_per_key.iter();
        let matches =
            matches.filter_map(|fact| Some((positions(&fact.value.key)?, fact.value.at_most))).collect();
        let bound = bounded(table.row_bound.value.into(), &scan.table_name.to_string())?;
        Ok(Facts { fields, bound, unique: unique.collect(), matches })
    }

    /// What is known about an expression that its owner computes in clear.
    fn derived(&self, expr: &LogicalExpr, schema: &DFSchema, input: &Facts) -> Result<Derived, PlanError> {
        let name = expr.schema_name().to_string();
        if let Ok(scalar) = self.owners(schema, input).lower(expr) {
            let from = if let ExprKind::Column(index) = scalar.kind { Some(index) } else { None };
            let mut field = field_of(&name, &scalar, &input.fields);
            // Others than whole ones their owner rounds elsewhere than shares do.
            field.digits = field.digits.filter(|digits| *digits == 0);
            return Ok(Derived { field, from });
        }
        let planner = |error: datafusion::common::DataFusionError| PlanError::Planner {
            reason: error.strip_backtrace(),
        };
        let ty = Type::from_arrow(&checked::type_of(expr, schema).map_err(planner)?);
        let nullable = expr.nullable(schema).map_err(planner)?;
        let ty = ty.unwrap_or(Type::Bool);
        let range = calendar_range(expr, schema).or(ty.range());
        let width = if ty == Type::Utf8 { self.text_width(expr, schema, input) } else { 0 };
        Ok(Derived { field: field(&name, ty, nullable, range, width), from: None })
    }

    /// The most bytes of a text that only its owner can compute.
    fn text_width(&self, expr: &LogicalExpr, schema: &DFSchema, input: &Facts) -> u32 {
        let width = |expr: &LogicalExpr| match self.owners(schema, input).lower(expr) {
            Ok(scalar) if scalar.ty == Type::Utf8 => scalar.width_bytes,
            Ok(_) => 0,
            Err(_) => self.text_width(expr, schema, input),
        };
        match expr {
            LogicalExpr::Alias(alias) => self.text_width(&alias.expr, schema, input),
            LogicalExpr::ScalarFunction(function) => {
                let args = function.args.iter().map(width);
                let widest = args.clone().max().unwrap_or(0);
                let whole = |at: usize| match function.args.get(at) {
                    Some(LogicalExpr::Literal(value, _)) => match value.cast_to(&Type::Int64.arrow()) {
                        Ok(ScalarValue::Int64(Some(many))) => u32::try_from(many.max(0)).ok(),
                        _ => None,
                    },
                    _ => None,
                };
                match (function.name(), whole(1)) {
                    (
                        "substr" | "substring" | "left" | "right" | "btrim" | "trim" | "ltrim" | "rtrim"
                        | "reverse" | "split_part",
                        _,
                    ) => widest,
                    // Case mapping can make a character longer, at most threefold.
                    ("upper" | "lower" | "initcap", _) => widest.saturating_mul(3),
                    ("concat" | "concat_ws", _) => {
                        let between = 4 * function.args.len() as u32;
                        args.fold(between, u32::saturating_add)
                    }
                    ("rpad" | "lpad", Some(many)) => many.saturating_mul(4),
                    ("repeat", Some(many)) => widest.saturating_mul(many),
                    _ => widest.max(UNKNOWN_WIDTH_BYTES),
                }
            }
            LogicalExpr::WindowFunction(call)
                if matches!(call.fun.name(), "lag" | "lead" | "first_value" | "last_value" | "nth_value") =>
            {
                call.params.args.iter().map(width).max().unwrap_or(0)
            }
            LogicalExpr::BinaryExpr(binary) => width(&binary.left).saturating_add(width(&binary.right)),
            LogicalExpr::Case(case) => {
                let thens = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
                thens.chain(case.else_expr.as_deref()).map(width).max().unwrap_or(0)
            }
            _ => UNKNOWN_WIDTH_BYTES,
        }
    }

    fn aggregate_facts(&self, aggregate: &Aggregate) -> Result<Facts, PlanError> {
        let input = self.local_facts(&aggregate.input)?;
        let schema = aggregate.input.schema();
        let (exprs, sets) = super::grouping::grouping(&aggregate.group_expr)?;
        let mut group = Vec::new();
        for (at, expr) in exprs.into_iter().enumerate() {
            let mut derived = self.derived(expr, schema, &input)?;
            // Left out of a set, it is NULL.
            derived.field.nullable |= sets.iter().flatten().any(|(keep, _)| !keep[at]);
            group.push(derived);
        }
        let mut facts = input.clone();
        if let Some(sets) = &sets {
            let mark = aggregate.schema.field(group.len());
            let ty = Type::from_arrow(mark.data_type()).unwrap_or(Type::UInt64);
            group.push(Derived { field: field(mark.name(), ty, false, ty.range(), 0), from: None });
            let rows = u128::from(input.bound) * sets.len() as u128;
            facts.bound = bounded(rows, "an aggregate over grouping sets")?;
            // The set of no columns has a group even of nothing.
            facts.bound = facts.bound.max(sets.len() as u64);
            (facts.unique, facts.matches) = (Vec::new(), Vec::new());
        }
        let names = aggregate.schema.fields().iter().skip(group.len());
        let mut fields = Vec::new();
        for (expr, name) in aggregate.aggr_expr.iter().zip(names) {
            let ty = Type::from_arrow(name.data_type()).unwrap_or(Type::Bool);
            let whole = sets.iter().flatten().any(|(keep, _)| !keep.contains(&true));
            let grouped = !group.is_empty() && !whole;
            fields.push(self.aggregate_field(expr, name.name(), ty, schema, &input, grouped)?);
        }
        Ok(facts.aggregate(group, fields))
    }

    fn aggregate_field(
        &self,
        expr: &LogicalExpr,
        name: &str,
        ty: Type,
        schema: &DFSchema,
        input: &Facts,
        grouped: bool,
    ) -> Result<Field, PlanError> {
        let AggregateFunction { func, params } = match expr {
            LogicalExpr::Alias(alias) => {
                return self.aggregate_field(&alias.expr, name, ty, schema, input, grouped);
            }
            LogicalExpr::AggregateFunction(function) => function,
            _ => return Ok(field(name, ty, true, ty.range(), UNKNOWN_WIDTH_BYTES)),
        };
        let mut arguments = Vec::new();
        for argument in &params.args {
            let mut argument = self.derived(argument, schema, input)?.field;
            argument.nullable |= params.filter.is_some();
            arguments.push(argument);
        }
        let which = match func.name() {
            "count" => AggFunc::Count,
            "sum" => AggFunc::Sum,
            "avg" => AggFunc::Avg,
            "min" => AggFunc::Min,
            "max" => AggFunc::Max,
            _ => {
                let width = match (ty, func.name(), arguments.first()) {
                    (Type::Utf8, "first_value" | "last_value" | "nth_value", Some(of)) => of.width_bytes,
                    (Type::Utf8, "string_agg", Some(of)) => {
                        let between = arguments.get(1).map_or(0, |between| between.width_bytes);
                        let all =
                            input.bound.saturating_mul(u64::from(of.width_bytes.saturating_add(between)));
                        if all <= MOST_JOINED_BYTES { all as u32 } else { UNKNOWN_WIDTH_BYTES }
                    }
                    (Type::Utf8, ..) => UNKNOWN_WIDTH_BYTES,
                    _ => 0,
                };
                return Ok(field(name, ty, true, ty.range(), width));
            }
        };
        let (mut known, _) = aggregated(name, which, ty, arguments.first(), input.bound, grouped);
        if ty == Type::Float64 {
            known.range = arguments.first().and_then(|of| double_range(which, of, input.bound));
        }
        Ok(known)
    }

    fn join_facts(&self, join: &LogicalJoin) -> Result<Facts, PlanError> {
        let (left, right) = (self.local_facts(&join.left)?, self.local_facts(&join.right)?);
        let (mut left_keys, mut right_keys) = (Vec::new(), Vec::new());
        for (left_key, right_key) in &join.on {
            let left_key = self.derived(left_key, join.left.schema(), &left)?.from;
            let right_key = self.derived(right_key, join.right.schema(), &right)?.from;
            if let Some((left_key, right_key)) = left_key.zip(right_key) {
                left_keys.push(left_key);
                right_keys.push(right_key);
            }
        }
        let nulls = match join.null_equality {
            NullEquality::NullEqualsNull => NullKeys::Equal,
            NullEquality::NullEqualsNothing => NullKeys::Never,
        };
        let n_right = right.fields.len();
        let sides = ((&left, left_keys.as_slice()), (&right, right_keys.as_slice()));
        Ok(match join.join_type {
            JoinType::Inner => Facts::join(sides.0, sides.1, JoinKind::Inner, nulls)?,
            JoinType::Left => Facts::join(sides.0, sides.1, JoinKind::Left, nulls)?,
            JoinType::Right => Facts::join(sides.1, sides.0, JoinKind::Left, nulls)?.rotated(n_right),
            JoinType::Full => Facts::join(sides.0, sides.1, JoinKind::Full, nulls)?,
            JoinType::LeftSemi | JoinType::LeftAnti => left,
            JoinType::RightSemi | JoinType::RightAnti => right,
            JoinType::LeftMark | JoinType::RightMark => {
                let mut facts = if join.join_type == JoinType::LeftMark { left } else { right };
                facts.fields.push(field("mark", Type::Bool, false, Type::Bool.range(), 0));
                facts
            }
        })
    }
}

/// Between which numbers a double lies that its owner makes of numbers in many rows, with room for
/// what is lost on the way.
fn double_range(func: AggFunc, of: &Field, n_rows: u64) -> Option<Range> {
    let unit = 10i128.pow(of.ty.scale().into());
    let Range { low, high } = of.range.filter(|_| of.ty.is_exact_number() || of.ty == Type::Float64)?;
    let (low, high) = (low.div_euclid(unit), high.div_euclid(unit).checked_add(1)?);
    let times = match func {
        AggFunc::Sum => i128::from(n_rows) + 1,
        _ => 1,
    };
    let (low, high) = (low.min(0).checked_mul(times)?, high.max(0).checked_mul(times)?);
    let more = |edge: i128| (edge >> 20) + 1;
    Some(Range::new(low - more(-low), high + more(high))).filter(|range| LIMIT.contains(*range))
}

/// The parts of a date that have a calendar's bounds.
fn calendar_range(expr: &LogicalExpr, schema: &DFSchema) -> Option<Range> {
    let function = match expr {
        LogicalExpr::Alias(alias) => return calendar_range(&alias.expr, schema),
        LogicalExpr::ScalarFunction(function) if function.name() == "date_part" => function,
        _ => return None,
    };
    let [LogicalExpr::Literal(part, _), of] = function.args.as_slice() else { return None };
    // Those of a span of time have none.
    if !matches!(of.get_type(schema), Ok(DataType::Date32 | DataType::Timestamp(..))) {
        return None;
    }
    Some(match part.to_string().to_ascii_lowercase().as_str() {
        "month" => Range::new(1, 12),
        "day" => Range::new(1, 31),
        "quarter" => Range::new(1, 4),
        "week" => Range::new(1, 53),
        "dow" | "isodow" => Range::new(0, 7),
        "doy" => Range::new(1, 366),
        "hour" => Range::new(0, 23),
        "minute" => Range::new(0, 59),
        _ => return None,
    })
}

/// Between which numbers a window function counts rows.
fn numbers_rows(expr: &LogicalExpr, bound: u64) -> Option<Range> {
    match expr {
        LogicalExpr::Alias(alias) => numbers_rows(&alias.expr, bound),
        LogicalExpr::WindowFunction(call)
            if matches!(call.fun.name(), "row_number" | "rank" | "dense_rank") =>
        {
            Some(Range::new(1, i128::from(bound).max(1)))
        }
        _ => None,
    }
}

/// The tables that a stage reads, and what it does with them.
fn describe(plan: &LogicalPlan) -> (Vec<String>, String) {
    let (mut tables, mut full_names, mut verbs) = (Vec::new(), Vec::new(), Vec::new());
    let seen = plan.apply_with_subqueries(|node| {
        let verb = match node {
            LogicalPlan::TableScan(scan) => {
                let name = scan.table_name.to_string();
                if !full_names.contains(&name) {
                    full_names.push(name);
                    tables.push(scan.table_name.table().to_owned());
                }
                None
            }
            LogicalPlan::Filter(_) => Some("filter"),
            LogicalPlan::Aggregate(_) => Some("group"),
            LogicalPlan::Distinct(_) => Some("distinct"),
            LogicalPlan::Join(_) => Some("join"),
            LogicalPlan::Sort(_) => Some("sort"),
            LogicalPlan::Limit(_) => Some("limit"),
            LogicalPlan::Union(_) => Some("union"),
            LogicalPlan::Window(_) => Some("window"),
            LogicalPlan::Projection(projection) => {
                let computes = |expr: &LogicalExpr| !matches!(expr.clone().unalias(), LogicalExpr::Column(_));
                projection.expr.iter().any(computes).then_some("compute")
            }
            _ => None,
        };
        verbs.extend(verb.filter(|verb| !verbs.contains(verb)));
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(seen.is_ok());
    // The plan is read from its last step down.
    verbs.reverse();
    let tables_read = full_names.join(", ");
    let name = if verbs.is_empty() { tables_read } else { format!("{tables_read}: {}", verbs.join(", ")) };
    (tables, name)
}
