//! The second half of the check: entities are counted beside a group's aggregates, and groups of too
//! few are suppressed.
//!
//! Each owner numbers the entities of its table in clear, before it shares the rows: a small whole
//! number stands for whom a row is about, whatever the type of the columns that say so. A group then
//! counts the different numbers in it, as COUNT(DISTINCT …) does, so that rows which a join repeats
//! count once, and rows of other tables not at all.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::functions_aggregate::count::{count, count_distinct};
use datafusion::functions_window::expr_fn::{dense_rank, row_number};
use datafusion::logical_expr::{
    Aggregate, Expr, ExprFunctionExt, Join, JoinType, LogicalPlan, Projection, TableScan, TableScanBuilder,
    Union, Window, when,
};

use super::check::{Check, planner};
use super::flow::{Flow, Origin, TableId};
use crate::around::{Around, Kind};
use crate::error::PlanError;

/// How many entities of a table a group has to have.
pub(super) struct Least {
    pub(super) table: TableId,
    pub(super) at_least: u64,
    /// Whether rows of one entity may repeat for a join.
    pub(super) repeated: bool,
    /// Whether the groups are those of the whole table, by columns as they are: of chosen rows, that none
    /// is left out would be an answer.
    pub(super) whole: bool,
}

/// The groups that may come out: large enough, also among the rows where an argument is not NULL.
pub(super) struct Group {
    pub(super) least: Vec<Least>,
    /// Arguments that leave rows out, and the tables without an entity there.
    pub(super) nullable: Vec<(Expr, BTreeSet<TableId>)>,
    /// Whether the rows that are left out count as well, since another aggregate is over them.
    pub(super) rests: bool,
    /// Whether the number of suppressed groups is told.
    pub(super) told: bool,
}

/// A column that counts entities.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub(crate) struct AtLeast {
    pub(crate) column: usize,
    /// How many there have to be.
    pub(crate) entities: u64,
    /// Whether none at all is enough too.
    pub(crate) or_none: bool,
}

/// Clears rows in which one of some counts is too small.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub(crate) struct Suppress {
    pub(crate) least: Vec<AtLeast>,
    /// Whether the number of such rows is told.
    pub(crate) told: bool,
}

impl Kind for Suppress {
    const NAME: &'static str = "Suppress";
}

/// The scan with the number of each row's entity as a last column.
pub(super) fn number_entities(
    check: &Check<'_>,
    scan: &TableScan,
    id: TableId,
    columns: &[usize],
    flow: Flow,
) -> Result<Flow, PlanError> {
    let table = check.table(id);
    let position = |name: &String| {
        let reason = || format!("{}: the entity names `{name}`, which is no column", table.name);
        table.column_index(name).ok_or_else(|| PlanError::Planner { reason: reason() })
    };
    let entity = check.rules(id).entity.iter().map(position).collect::<Result<Vec<_>, _>>()?;
    let mut read = columns.to_vec();
    read.extend(entity.iter().filter(|column| !columns.contains(column)));
    let (name, source) = (scan.table_name.clone(), Arc::clone(&scan.source));
    let wider = TableScanBuilder::new(name, source).with_projection(Some(read.clone()));
    let wider = wider.with_filters(scan.filters.clone()).with_fetch(scan.fetch).build();
    let wider = LogicalPlan::TableScan(wider.map_err(planner)?);
    let all = wider.schema().columns();
    let number = match entity.is_empty() {
        true => row_number(),
        false => {
            let at = |column: &usize| read.iter().position(|read| read == column).expect("it is read");
            let keys = entity.iter().map(|column| Expr::Column(all[at(column)].clone()).sort(true, true));
            dense_rank().order_by(keys.collect()).build().map_err(planner)?
        }
    };
    let ranked = Window::try_new(vec![number], Arc::new(wider)).map_err(planner)?;
    let number = Expr::Column(ranked.schema.columns().pop().expect("the window function's column"));
    // A row that does not say whom it is about counts for nobody.
    let known = entity.iter().filter(|column| table.columns[**column].nullable.value).map(|column| {
        let at = read.iter().position(|read| read == column).expect("it is read");
        Expr::Column(all[at].clone()).is_not_null()
    });
    let number = match known.reduce(Expr::and) {
        None => number,
        Some(known) => when(known, number).end().map_err(planner)?,
    };
    let kept = all[..columns.len()].iter().cloned().map(Expr::Column);
    let exprs = kept.chain([number.alias(format!("__entity_{}_{}", id.0, id.1))]);
    let plan =
        Projection::try_new(exprs.collect(), Arc::new(LogicalPlan::Window(ranked))).map_err(planner)?;
    let mut origins = flow.origins;
    origins.push(Origin { entity: Some(id), ..Origin::constant() });
    Ok(Flow { plan: LogicalPlan::Projection(plan), origins, ..flow })
}

/// A semijoin whose other side is unique, as an inner join that keeps that side's entities.
pub(super) fn as_inner(
    join: &Join,
    keeps_left: bool,
    kept: &Flow,
    other: &Flow,
) -> Result<LogicalPlan, PlanError> {
    let (left, right) = if keeps_left { (kept, other) } else { (other, kept) };
    let inner = Join::try_new(
        Arc::new(left.plan.clone()),
        Arc::new(right.plan.clone()),
        join.on.clone(),
        join.filter.clone(),
        JoinType::Inner,
        join.join_constraint,
        join.null_equality,
        false,
    );
    let inner = inner.map_err(planner)?;
    let entities = other.plan.schema().columns();
    let entities = other.entities().map(|(_, index)| entities[index].clone());
    let columns = kept.plan.schema().columns().into_iter().chain(entities).map(Expr::Column);
    let plan = Projection::try_new(columns.collect(), Arc::new(LogicalPlan::Join(inner)));
    Ok(LogicalPlan::Projection(plan.map_err(planner)?))
}

/// The union, with each table's entities in a column of their own, NULL in the rows of others.
pub(super) fn union(
    union: &Union,
    flows: &[Flow],
    origins: &mut Vec<Origin>,
) -> Result<LogicalPlan, PlanError> {
    let tables: BTreeSet<TableId> =
        flows.iter().flat_map(|flow| flow.entities().map(|(table, _)| table)).collect();
    let width = union.schema.fields().len();
    let name = |at: usize| format!("__union_{at}");
    let mut inputs = Vec::with_capacity(flows.len());
    for flow in flows {
        let columns = flow.plan.schema().columns();
        let plain = (0..columns.len()).filter(|index| flow.origins[*index].entity.is_none());
        let mut exprs: Vec<Expr> = plain.map(|index| Expr::Column(columns[index].clone())).collect();
        for table in &tables {
            exprs.push(match flow.entities().find(|(of, _)| of == table) {
                Some((_, index)) => Expr::Column(columns[index].clone()),
                None => Expr::Literal(ScalarValue::UInt64(None), None),
            });
        }
        let exprs = exprs.into_iter().enumerate().map(|(at, expr)| expr.alias(name(at))).collect();
        let branch = Projection::try_new(exprs, Arc::new(flow.plan.clone())).map_err(planner)?;
        inputs.push(Arc::new(LogicalPlan::Projection(branch)));
    }
    let all = LogicalPlan::Union(Union::try_new_with_loose_types(inputs).map_err(planner)?);
    let columns = all.schema().columns();
    let named = union.schema.iter().zip(&columns).map(|((qualifier, field), column)| {
        let typed = match all.schema().field_with_name(None, column.name()).map(|field| field.data_type()) {
            Ok(ty) if ty == field.data_type() => Expr::Column(column.clone()),
            _ => cast(column, field.data_type()),
        };
        typed.alias_qualified(qualifier.cloned(), field.name())
    });
    let mut exprs: Vec<Expr> = named.collect();
    for (table, column) in tables.iter().zip(&columns[width..]) {
        exprs.push(Expr::Column(column.clone()).alias(format!("__entity_{}_{}", table.0, table.1)));
        origins.push(Origin { entity: Some(*table), ..Origin::constant() });
    }
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(all)).map_err(planner)?))
}

fn cast(column: &Column, ty: &DataType) -> Expr {
    Expr::Cast(datafusion::logical_expr::Cast::new(Box::new(Expr::Column(column.clone())), ty.clone()))
}

/// The groups with their entities counted, and those of too few suppressed.
pub(super) fn grouped(aggregate: &Aggregate, input: &Flow, group: &Group) -> Result<LogicalPlan, PlanError> {
    let columns = input.plan.schema().columns();
    let mut calls = aggregate.aggr_expr.clone();
    let first = aggregate.schema.fields().len();
    let mut least = Vec::new();
    for Least { table, at_least, repeated, whole } in &group.least {
        let Some((_, index)) = input.entities().find(|(of, _)| of == table) else {
            let reason = "the entities of a table are lost on their way to a group; this is a bug";
            return Err(PlanError::Planner { reason: reason.to_owned() });
        };
        let entity = || Expr::Column(columns[index].clone());
        let mut counted = vec![(entity(), false)];
        for (argument, absent) in &group.nullable {
            let there = when(argument.clone().is_not_null(), entity()).end().map_err(planner)?;
            counted.push((there, false));
            if group.rests {
                let or_none = *whole || absent.contains(table);
                counted.push((when(argument.clone().is_null(), entity()).end().map_err(planner)?, or_none));
            }
        }
        for (entity, or_none) in counted {
            // Rows that are entities of their own, and that nothing repeats, need no comparing.
            let of = if *repeated { count_distinct(entity) } else { count(entity) };
            least.push(AtLeast { column: first + least.len(), entities: *at_least, or_none });
            calls.push(of.alias(format!("__entities_{}", least.len())));
        }
    }
    let plan = Aggregate::try_new(Arc::new(input.plan.clone()), aggregate.group_expr.clone(), calls);
    let plan = LogicalPlan::Aggregate(plan.map_err(planner)?);
    if least.is_empty() {
        return Ok(plan);
    }
    let columns = plan.schema().columns();
    let suppressed = Around::node(Suppress { least, told: group.told }, plan);
    let kept = columns[..first].iter().cloned().map(Expr::Column).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(kept, Arc::new(suppressed)).map_err(planner)?))
}
