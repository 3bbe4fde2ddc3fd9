//! Operators that take shares: all but joins.

use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::Sort as SortExpr;
use datafusion::logical_expr::{
    Distinct, EmptyRelation, FetchType, Filter, Limit, Projection, SkipType, Sort, Union, Values,
};

use super::facts::{Derived, Facts, bounded, field, field_of};
use super::inexact::refuse_inexact;
use super::scalar::Scalars;
use super::{Lowering, Relation, typed};
use crate::error::PlanError;
use crate::secure::{Expr, ExprKind, Field, Op, Place, SortKey, UniqueKey, Uniqueness};
use crate::types::{Type, Value};

impl Lowering<'_> {
    pub(super) fn scalars<'b>(&'b self, schema: &'b DFSchema, facts: &'b Facts) -> Scalars<'b> {
        Scalars { schema, fields: &facts.fields, locator: self.locator, character_bytes: 1 }
    }

    /// The same for expressions that their owner computes, on text of all letters.
    pub(super) fn owners<'b>(&'b self, schema: &'b DFSchema, facts: &'b Facts) -> Scalars<'b> {
        Scalars { character_bytes: 4, ..self.scalars(schema, facts) }
    }

    pub(super) fn projection(&self, projection: &Projection) -> Result<Relation, PlanError> {
        let input = self.relation(&projection.input)?;
        let scalars = self.scalars(projection.input.schema(), &input.facts);
        let exprs = projection.expr.iter().map(|expr| scalars.lower(expr)).collect::<Result<Vec<_>, _>>()?;
        let names = projection.schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(project(input, exprs, names))
    }

    pub(super) fn filter(&self, filter: &Filter) -> Result<Relation, PlanError> {
        let input = self.relation(&filter.input)?;
        let predicate = self.scalars(filter.input.schema(), &input.facts).lower(&filter.predicate)?;
        Ok(keep(input, predicate))
    }

    pub(super) fn sort(&self, sort: &Sort) -> Result<Relation, PlanError> {
        let input = self.relation(&sort.input)?;
        let scalars = self.scalars(sort.input.schema(), &input.facts);
        let n_columns = input.facts.fields.len();
        let mut exprs: Vec<Expr> =
            (0..n_columns).map(|index| typed::column(index, &input.facts.fields[index])).collect();
        let mut names: Vec<String> = input.facts.fields.iter().map(|field| field.name.clone()).collect();
        let mut keys: Vec<SortKey> = Vec::new();
        for (at, SortExpr { expr, asc, nulls_first }) in sort.expr.iter().enumerate() {
            let expr = scalars.lower(expr)?;
            // No key behind it would be looked at.
            if at + 1 < sort.expr.len() {
                refuse_inexact(&expr, &input, "ORDER BY several keys, not the last of them,")?;
            }
            let column = match exprs.iter().position(|known| *known == expr) {
                Some(column) => column,
                None => {
                    names.push(format!("order_{}", keys.len() + 1));
                    exprs.push(expr);
                    exprs.len() - 1
                }
            };
            if keys.iter().all(|key| key.column != column) {
                keys.push(SortKey { column, descending: !asc, nulls_first: *nulls_first });
            }
        }
        let computed = exprs.len() > n_columns;
        let input = if computed { project(input, exprs, names) } else { input };
        let fetch = sort.fetch.map(|fetch| fetch as u64);
        let facts = input.facts.limit(0, fetch);
        let sorted =
            Relation { op: Op::Sort { keys, fetch }, place: Place::Shared, facts, inputs: vec![input] };
        if !computed {
            return Ok(sorted);
        }
        let fields = &sorted.facts.fields[..n_columns];
        let exprs = fields.iter().enumerate().map(|(index, field)| typed::column(index, field)).collect();
        let names = fields.iter().map(|field| field.name.clone()).collect();
        Ok(project(sorted, exprs, names))
    }

    pub(super) fn limit(&self, limit: &Limit) -> Result<Relation, PlanError> {
        let input = self.relation(&limit.input)?;
        let planner = |error: datafusion::common::DataFusionError| PlanError::Planner {
            reason: error.strip_backtrace(),
        };
        let skip = match limit.get_skip_type().map_err(planner)? {
            SkipType::Literal(skip) => skip as u64,
            SkipType::UnsupportedExpr => return Err(self.refuse("OFFSET by an expression", "OFFSET")),
        };
        let fetch = match limit.get_fetch_type().map_err(planner)? {
            FetchType::Literal(fetch) => fetch.map(|fetch| fetch as u64),
            FetchType::UnsupportedExpr => return Err(self.refuse("LIMIT by an expression", "LIMIT")),
        };
        // A sort that stops early has done it.
        if let (0, Op::Sort { fetch: Some(most), .. }) = (skip, &input.op)
            && fetch.is_none_or(|fetch| *most <= fetch)
        {
            return Ok(input);
        }
        let facts = input.facts.limit(skip, fetch);
        Ok(Relation { op: Op::Limit { skip, fetch }, place: Place::Shared, facts, inputs: vec![input] })
    }

    pub(super) fn distinct(&self, distinct: &Distinct) -> Result<Relation, PlanError> {
        match distinct {
            Distinct::All(input) => Ok(deduplicate(self.relation(input)?)),
            Distinct::On(_) => Err(self.refuse("DISTINCT ON", "DISTINCT ON")),
        }
    }

    pub(super) fn union(&self, union: &Union) -> Result<Relation, PlanError> {
        let mut inputs = Vec::new();
        for input in &union.inputs {
            let relation = self.relation(input)?;
            // Unions of unions are one union.
            match relation.op {
                Op::UnionAll => inputs.extend(relation.inputs),
                _ => inputs.push(relation),
            }
        }
        let facts: Vec<&Facts> = inputs.iter().map(|input| &input.facts).collect();
        let is_stored = |facts: &&Facts, index: usize| facts.fields[index].range.is_none();
        for (index, field) in
            facts[0].fields.iter().enumerate().filter(|(_, field)| field.ty == Type::Float64)
        {
            if facts.iter().any(|facts| is_stored(facts, index) != field.range.is_none()) {
                let construct = "UNION ALL of float64 values of different origin";
                return Err(PlanError::unsupported(construct, "").placed(self.locator.word("UNION")));
            }
        }
        let mut facts = Facts::union(&facts).map_err(|error| error.placed(self.locator.word("UNION")))?;
        for (field, name) in facts.fields.iter_mut().zip(union.schema.fields()) {
            field.name = name.name().clone();
        }
        Ok(Relation { op: Op::UnionAll, place: Place::Shared, facts, inputs })
    }

    pub(super) fn empty(&self, empty: &EmptyRelation) -> Result<Relation, PlanError> {
        let mut fields = Vec::new();
        for column in empty.schema.fields() {
            // A column that is always NULL may have any type.
            let ty = Type::from_arrow(column.data_type()).unwrap_or(Type::Bool);
            let range = ty.range().map(|_| crate::types::Range::point(0));
            fields.push(field(column.name(), ty, true, range, 0));
        }
        let rows: Vec<Vec<Value>> =
            if empty.produce_one_row { vec![vec![Value::Null; fields.len()]] } else { Vec::new() };
        constant(fields, rows)
    }

    pub(super) fn values(&self, values: &Values) -> Result<Relation, PlanError> {
        let nothing = Facts { fields: Vec::new(), bound: 0, unique: vec![], matches: vec![] };
        let schema = DFSchema::empty();
        let scalars = self.scalars(&schema, &nothing);
        let mut rows = Vec::new();
        let mut columns: Vec<Option<Field>> = vec![None; values.schema.fields().len()];
        for row in &values.values {
            let mut out = Vec::new();
            for (index, expr) in row.iter().enumerate() {
                let expr = scalars.lower(expr)?;
                let ExprKind::Literal(value) = &expr.kind else {
                    return Err(self.refuse("VALUES with an expression that is no constant", "VALUES"));
                };
                let name = values.schema.field(index).name();
                let next = field_of(name, &expr, &[]);
                let column = &mut columns[index];
                *column = Some(match column.take() {
                    None => next,
                    Some(so_far) => merge_constant(so_far, next, &out, value)?,
                });
                out.push(value.clone());
            }
            rows.push(out);
        }
        let fields = columns.into_iter().enumerate().map(|(index, column)| {
            column.unwrap_or_else(|| field(values.schema.field(index).name(), Type::Bool, true, None, 0))
        });
        constant(fields.collect(), rows)
    }
}

fn merge_constant(a: Field, b: Field, _row: &[Value], value: &Value) -> Result<Field, PlanError> {
    if *value == Value::Null {
        return Ok(Field { nullable: true, ..a });
    }
    if a.ty != b.ty && !a.nullable {
        return Err(PlanError::unsupported(format!("VALUES of {} and {} in one column", a.ty, b.ty), ""));
    }
    Ok(Field {
        nullable: a.nullable || b.nullable,
        range: b
            .range
            .map(|range| a.range.filter(|_| a.ty == b.ty).map_or(range, |other| range.union(other))),
        width_bytes: a.width_bytes.max(b.width_bytes),
        digits: a.digits.zip(b.digits).map(|(a, b)| a.max(b)),
        ..b
    })
}

fn constant(fields: Vec<Field>, rows: Vec<Vec<Value>>) -> Result<Relation, PlanError> {
    let bound = bounded(rows.len() as u128, "VALUES")?;
    let mut facts = Facts { fields, bound, unique: vec![], matches: vec![] };
    facts = facts.limit(0, None);
    for column in 0..facts.fields.len() {
        let value = |row: usize| &rows[row][column];
        let once =
            |row: usize| *value(row) != Value::Null && (0..row).all(|other| value(other) != value(row));
        // Comparing all with all is for lists that people write.
        if rows.len() <= 1000 && (0..rows.len()).all(once) {
            facts.unique.push(UniqueKey { columns: vec![column], basis: Uniqueness::Construction });
        }
    }
    Ok(Relation { op: Op::Values { rows }, place: Place::Public, facts, inputs: Vec::new() })
}

/// The expressions over `input`, or `input` itself under other names.
pub(super) fn project(input: Relation, exprs: Vec<Expr>, names: Vec<String>) -> Relation {
    let derive = |(expr, name): (&Expr, String)| Derived {
        field: field_of(&name, expr, &input.facts.fields),
        from: as_column(expr),
    };
    let facts = input.facts.project(exprs.iter().zip(names).map(derive).collect());
    let in_place = |(index, expr): (usize, &Expr)| expr.kind == ExprKind::Column(index);
    if exprs.len() == input.facts.fields.len() && exprs.iter().enumerate().all(in_place) {
        return Relation { facts, ..input };
    }
    // Constants over one constant row are a constant row.
    if let Op::Values { rows } = &input.op {
        let value = |row: &[Value], expr: &Expr| match &expr.kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Column(index) => Some(row[*index].clone()),
            _ => None,
        };
        let rows: Option<Vec<Vec<Value>>> =
            rows.iter().map(|row| exprs.iter().map(|expr| value(row, expr)).collect()).collect();
        if let Some(rows) = rows {
            return Relation { op: Op::Values { rows }, facts, ..input };
        }
    }
    // Picking columns twice is picking them once, and so is computing from picked ones.
    if let Relation { op: Op::Project { exprs: picked }, .. } = &input
        && let Some(columns) = picked.iter().map(as_column).collect::<Option<Vec<usize>>>()
    {
        let exprs = exprs.into_iter().map(|expr| expr.with_columns(&columns)).collect();
        return Relation { op: Op::Project { exprs }, place: Place::Shared, facts, inputs: input.inputs };
    }
    Relation { op: Op::Project { exprs }, place: Place::Shared, facts, inputs: vec![input] }
}

fn as_column(expr: &Expr) -> Option<usize> {
    if let ExprKind::Column(index) = expr.kind { Some(index) } else { None }
}

/// The rows of `input` where `predicate` is true.
pub(super) fn keep(input: Relation, predicate: Expr) -> Relation {
    let facts = input.facts.clone();
    Relation { op: Op::Filter { predicate }, place: Place::Shared, facts, inputs: vec![input] }
}

/// One of several equal rows of `input`.
pub(super) fn deduplicate(input: Relation) -> Relation {
    let facts = input.facts.distinct();
    Relation { op: Op::Distinct, place: Place::Shared, facts, inputs: vec![input] }
}

/// A relation's columns, and expressions that an operator needs as further ones.
pub(super) struct Extended {
    exprs: Vec<Expr>,
    names: Vec<String>,
}

impl Extended {
    pub(super) fn new(input: &Relation) -> Extended {
        let fields = &input.facts.fields;
        let exprs = fields.iter().enumerate().map(|(index, field)| typed::column(index, field)).collect();
        Extended { exprs, names: fields.iter().map(|field| field.name.clone()).collect() }
    }

    /// The position of the expression, added if it is new.
    pub(super) fn index(&mut self, expr: Expr) -> usize {
        match self.exprs.iter().position(|known| *known == expr) {
            Some(index) => index,
            None => {
                let name = expr.display(&self.names).to_string();
                self.names.push(name);
                self.exprs.push(expr);
                self.exprs.len() - 1
            }
        }
    }

    /// The expression at a position.
    pub(super) fn expr(&self, index: usize) -> &Expr {
        &self.exprs[index]
    }

    /// The relation with all of them.
    pub(super) fn over(self, input: Relation) -> Relation {
        project(input, self.exprs, self.names)
    }
}

/// Expressions that an operator needs as columns.
#[derive(Default)]
pub(super) struct Columns {
    exprs: Vec<Expr>,
}

impl Columns {
    /// The position of the expression, added if it is new.
    pub(super) fn index(&mut self, expr: Expr) -> usize {
        match self.exprs.iter().position(|known| *known == expr) {
            Some(index) => index,
            None => {
                self.exprs.push(expr);
                self.exprs.len() - 1
            }
        }
    }

    /// The input with every expression as a column, and where each is: the
    /// input itself if all of them are its columns already.
    pub(super) fn over(self, input: Relation) -> (Relation, Vec<usize>) {
        let as_column =
            |expr: &Expr| if let ExprKind::Column(index) = expr.kind { Some(index) } else { None };
        if let Some(columns) = self.exprs.iter().map(as_column).collect::<Option<Vec<usize>>>() {
            return (input, columns);
        }
        let known = input.facts.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
        let names = self.exprs.iter().map(|expr| expr.display(&known).to_string()).collect();
        let columns = (0..self.exprs.len()).collect();
        (project(input, self.exprs, names), columns)
    }
}
