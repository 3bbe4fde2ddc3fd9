//! From text to DataFusion's optimised plan, and its errors to ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, SchemaError, TableReference};
use datafusion::datasource::{TableProvider, TableType, empty::EmptyTable, provider_as_source};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    AggregateUDF, BinaryExpr, Expr, ExprSchemable, Filter, HigherOrderUDF, LogicalPlan, Operator, ScalarUDF,
    TableSource, Volatility, WindowUDF,
};
use datafusion::sql::planner::{ParserOptions, SqlToRel};

use crate::catalog::{PublicCatalog, Table};
use crate::copies;
use crate::error::{At, Nearest, Place, PlanError};
use crate::inlined::{MAX_SIMPLIFIED, coalesced, n_simplified};
use crate::locate::{Locator, nearest};
use crate::order_columns;
use crate::question::parse_query;

/// Each operator of a chain is looked at once for every one before it.
const MAX_CHAIN: usize = 400;

/// The Arrow schema of a table, as local stages have to provide it.
pub fn table_schema(table: &Table) -> SchemaRef {
    let field = |column: &crate::catalog::Column| {
        Field::new(&column.name, column.ty.value.arrow(), column.nullable.value)
    };
    Arc::new(Schema::new(table.columns.iter().map(field).collect::<Vec<_>>()))
}

/// Plans and optimises `sql` over the catalog's tables.
pub(crate) fn logical_plan(
    sql: &str,
    catalog: &PublicCatalog,
    state: &SessionState,
    locator: &Locator,
) -> Result<LogicalPlan, PlanError> {
    let statement = parse_query(sql, locator)?;
    let names = Names::new(catalog, state);
    let options = ParserOptions::from(&state.config_options().sql_parser);
    let explain = |error| explain_error(error, catalog, &names, locator);
    let plan =
        SqlToRel::new_with_options(&names, options).sql_statement_to_plan(statement).map_err(explain)?;
    refuse_first(&plan, locator)?;
    let plan = order_columns::settle(plan).map_err(explain)?;
    let plan = copies::keep(plan).map_err(explain)?;
    copies::release(state.optimize(&plan).map_err(explain)?).map_err(explain)
}

/// The names that a question can use.
struct Names<'a> {
    state: &'a SessionState,
    tables: BTreeMap<(String, String), Arc<dyn TableSource>>,
    full_names: Vec<String>,
}

impl<'a> Names<'a> {
    fn new(catalog: &PublicCatalog, state: &'a SessionState) -> Names<'a> {
        let (mut tables, mut full_names) = (BTreeMap::new(), Vec::new());
        for party in &catalog.parties {
            for table in &party.tables {
                // An empty table pushes no filter down, so that all stay in the plan.
                let provider: Arc<dyn TableProvider> = Arc::new(EmptyTable::new(table_schema(table)));
                debug_assert_eq!(provider.table_type(), TableType::Base);
                tables.insert((party.name.clone(), table.name.clone()), provider_as_source(provider));
                full_names.push(format!("{}.{}", party.name, table.name));
            }
        }
        Names { state, tables, full_names }
    }
}

/// The one of `full_names` (`party.table`) that `written` most likely means.
pub fn nearest_table(written: &str, full_names: &[String]) -> Nearest {
    let bare = written.rsplit('.').next().unwrap_or(written);
    match full_names.iter().find(|full| full.ends_with(&format!(".{bare}"))) {
        Some(full) => Nearest(Some(full.clone())),
        None => nearest(written, full_names.iter().map(String::as_str)),
    }
}

impl ContextProvider for Names<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>, DataFusionError> {
        let found = match &name {
            TableReference::Partial { schema, table } => {
                self.tables.get(&(schema.to_string(), table.to_string()))
            }
            _ => None,
        };
        found.map(Arc::clone).ok_or_else(|| {
            let written = name.to_string();
            let nearest = nearest_table(&written, &self.full_names);
            let error = PlanError::UnknownTable { name: written, at: At(None), nearest };
            DataFusionError::External(Box::new(error))
        })
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    // Sorted, since a suggestion among them must not depend on hash order.
    fn udf_names(&self) -> Vec<String> {
        sorted(self.state.scalar_functions().keys())
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        sorted(self.state.higher_order_functions().keys())
    }

    fn udaf_names(&self) -> Vec<String> {
        sorted(self.state.aggregate_functions().keys())
    }

    fn udwf_names(&self) -> Vec<String> {
        sorted(self.state.window_functions().keys())
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort();
    names
}

/// Refuses what the optimiser would fold away or fail on: functions of the
/// clock or of chance have no place in a plan that every party makes alone.
fn refuse_first(plan: &LogicalPlan, locator: &Locator) -> Result<(), PlanError> {
    let mut refused = None;
    let result = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Filter(filter) = node {
            refused = refuse_window(&filter.predicate, locator).or_else(|| refuse_unknown(filter, locator));
            if refused.is_some() {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        node.apply_expressions(|expr| {
            if n_simplified(expr, &coalesced) > MAX_SIMPLIFIED {
                let reason = "compute the inner ones in a subquery";
                let place = locator.call("coalesce");
                refused = Some(PlanError::unsupported("COALESCE so deep in COALESCE", reason).placed(place));
                return Ok(TreeNodeRecursion::Stop);
            }
            expr.apply(|expr| {
                refused = refuse_expr(expr, locator);
                Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })
        })
    });
    result.map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })?;
    refused.map_or(Ok(()), Err)
}

/// Refuses a window in a condition, which only a plan that ran would say something about.
fn refuse_window(condition: &Expr, locator: &Locator) -> Option<PlanError> {
    let is_window = |expr: &Expr| Ok(matches!(expr, Expr::WindowFunction(_)));
    condition.exists(is_window).unwrap_or(false).then(|| {
        let reason = "compute it in a subquery, or write QUALIFY";
        PlanError::unsupported("a window function in WHERE", reason).placed(locator.word("OVER"))
    })
}

/// Refuses IN and NOT IN over a subquery inside of other conditions than AND and OR where a NULL may
/// make them unknown: DataFusion takes unknown for false there, and its negation for true.
fn refuse_unknown(filter: &Filter, locator: &Locator) -> Option<PlanError> {
    fn unknown(expr: &Expr, schema: &DFSchema, negated: bool) -> bool {
        match expr {
            Expr::InSubquery(inside) => {
                let nullable = inside.expr.nullable(schema).unwrap_or(true)
                    || inside.subquery.subquery.schema().fields().iter().any(|field| field.is_nullable());
                nullable && (negated || inside.negated)
            }
            Expr::BinaryExpr(both) if matches!(both.op, Operator::And | Operator::Or) => {
                unknown(&both.left, schema, negated) || unknown(&both.right, schema, negated)
            }
            other => {
                let mut inside = false;
                let _ = other.apply_children(|child| {
                    inside |= unknown(child, schema, true);
                    Ok(TreeNodeRecursion::Continue)
                });
                inside
            }
        }
    }
    let schema = filter.input.schema();
    let alone = |expr: &Expr| match expr {
        Expr::Not(inside) => matches!(inside.as_ref(), Expr::InSubquery(_)),
        other => matches!(other, Expr::InSubquery(_)),
    };
    let mut conditions = split_conjunction(&filter.predicate).into_iter().filter(|expr| !alone(expr));
    conditions.any(|expr| unknown(expr, schema, false)).then(|| {
        let reason = "say IS NOT NULL on both sides, or write NOT EXISTS";
        PlanError::unsupported("NOT IN (SELECT …) over values that can be NULL beside OR", reason)
            .placed(locator.phrase("IN ("))
    })
}

/// How many operators lean on one another without parentheses.
fn chain(expr: &Expr) -> usize {
    let (mut length, mut rest) = (0, expr);
    while let Expr::BinaryExpr(BinaryExpr { left, .. }) = rest {
        (length, rest) = (length + 1, left);
    }
    length
}

/// Units of time that other systems have and DataFusion does not.
const NO_PARTS: [&str; 8] = [
    "decade",
    "century",
    "centuries",
    "millennium",
    "timezone",
    "timezone_hour",
    "timezone_minute",
    "julian",
];
/// What DATE_TRUNC cuts to.
const UNITS: [&str; 9] =
    ["microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter"];

/// Refuses parts of a date that would only fail once a stage runs.
fn refuse_unit(name: &str, args: &[Expr], locator: &Locator) -> Option<PlanError> {
    let Some(Expr::Literal(value, _)) = args.first() else { return None };
    let unit = value.try_as_str().flatten()?.to_ascii_lowercase();
    let known = match name {
        "date_part" => !NO_PARTS.contains(&unit.as_str()),
        "date_trunc" => unit == "year" || UNITS.contains(&unit.as_str()),
        _ => true,
    };
    let place = || locator.call(name).or_else(|| locator.call("extract"));
    (!known).then(|| PlanError::unsupported(format!("{name}() of {unit}"), "").placed(place()))
}

fn refuse_expr(expr: &Expr, locator: &Locator) -> Option<PlanError> {
    if chain(expr) > MAX_CHAIN {
        let construct = format!("a chain of more than {MAX_CHAIN} operators");
        return Some(PlanError::unsupported(construct, "write a list with IN, or fewer of them"));
    }
    if let Expr::ScalarFunction(function) = expr
        && let Some(refused) = refuse_unit(function.name(), &function.args, locator)
    {
        return Some(refused);
    }
    let (name, volatility) = match expr {
        Expr::ScalarFunction(f) => (f.func.name(), f.func.signature().volatility),
        Expr::AggregateFunction(f) => (f.func.name(), f.func.signature().volatility),
        Expr::Placeholder(placeholder) => {
            let construct = format!("the parameter {}", placeholder.id);
            return Some(
                PlanError::unsupported(construct, "write its value, or give it with --param")
                    .placed(locator.word(&placeholder.id)),
            );
        }
        // DataFusion would put one copy of a row beside each of them.
        Expr::ScalarSubquery(inside)
            if inside.outer_ref_columns.is_empty()
                && inside.subquery.max_rows().is_none_or(|most| most > 1) =>
        {
            let reason = "take one with MIN, MAX or LIMIT 1";
            return Some(
                PlanError::unsupported("a subquery as a value that may have several rows", reason)
                    .placed(locator.phrase("( SELECT")),
            );
        }
        _ => return None,
    };
    let reason = match volatility {
        Volatility::Immutable => return None,
        Volatility::Stable => {
            "it depends on the clock or on settings, and every party plans alone; write a constant"
        }
        Volatility::Volatile => "it depends on chance, and every party computes alone; write a constant",
    };
    Some(PlanError::unsupported(format!("{name}()"), reason).placed(locator.call(name)))
}

fn explain_error(
    error: DataFusionError,
    catalog: &PublicCatalog,
    names: &Names<'_>,
    locator: &Locator,
) -> PlanError {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let place = span.map(|span| Place { line: span.start.line, column: span.start.column });
    match innermost(&error) {
        DataFusionError::External(inner) => match inner.downcast_ref::<PlanError>() {
            Some(PlanError::UnknownTable { name, nearest, .. }) => {
                let at = At(place.or_else(|| locator.name(name)));
                PlanError::UnknownTable { name: name.clone(), at, nearest: nearest.clone() }
            }
            _ => PlanError::Planner { reason: inner.to_string() },
        },
        DataFusionError::SchemaError(schema, _) => {
            let notes = error.diagnostic().map_or(&[][..], |diagnostic| &diagnostic.notes);
            let possible = notes.iter().filter_map(|note| note.message.strip_prefix("possible column "));
            let possible = possible.map(|name| name.replace('"', "")).collect();
            explain_schema_error(schema, place, possible, catalog, locator)
        }
        DataFusionError::NotImplemented(message) => {
            let construct = first_line(message);
            let endings = [" yet", " supported", " not", " is", " are"];
            let construct = endings.iter().fold(construct.as_str(), |text, ending| {
                text.trim_end().strip_suffix(ending).unwrap_or(text)
            });
            PlanError::unsupported(construct, "").placed(place)
        }
        DataFusionError::Plan(message) => explain_plan_error(&first_line(message), place, names, locator),
        DataFusionError::ArrowError(error, _) => PlanError::Constant { reason: error.to_string() },
        DataFusionError::Execution(message) => PlanError::Constant { reason: first_line(message) },
        _ => PlanError::Planner { reason: first_line(&error.strip_backtrace()) },
    }
}

/// The error that explains: of several the first, without context.
fn innermost(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => innermost(inner),
        DataFusionError::Collection(all) => all.first().map_or(error, innermost),
        DataFusionError::Shared(inner) => innermost(inner),
        other => other,
    }
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or(message).to_owned()
}

/// DataFusion's sentence without its prefixes and afterthoughts.
fn explain_plan_error(
    message: &str,
    place: Option<Place>,
    names: &Names<'_>,
    locator: &Locator,
) -> PlanError {
    if let Some(name) = message.strip_prefix("Invalid function '").and_then(|rest| rest.split('\'').next()) {
        let known = [names.udf_names(), names.udaf_names(), names.udwf_names()].concat();
        let near = nearest(name, known.iter().map(String::as_str));
        return PlanError::Types { reason: format!("unknown function `{name}`{near}"), at: At(place) };
    }
    let message = message.rsplit("Error during planning: ").next().unwrap_or(message);
    let message = message.split(" No function matches").next().unwrap_or(message);
    let reason = message.replace("While expanding wildcard, ", "");
    let place = place.or_else(|| locator.call(reason.split(' ').next()?));
    PlanError::Types { reason: reason.trim_end_matches('.').to_owned(), at: At(place) }
}

fn explain_schema_error(
    error: &SchemaError,
    place: Option<Place>,
    possible: Vec<String>,
    catalog: &PublicCatalog,
    locator: &Locator,
) -> PlanError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let name = written(field);
            let in_scope: Vec<String> = valid_fields.iter().map(written).collect();
            let mut near = nearest(&name, in_scope.iter().map(String::as_str));
            if near.0.is_none() {
                let everywhere = catalog.parties.iter().flat_map(|party| &party.tables);
                let everywhere =
                    everywhere.flat_map(|table| &table.columns).map(|column| column.name.as_str());
                let bare = valid_fields.iter().map(|field| field.name.as_str());
                let bare: Vec<&str> = if in_scope.is_empty() { everywhere.collect() } else { bare.collect() };
                near = nearest(&field.name, bare);
            }
            let at = At(place.or_else(|| locator.name(&name)).or_else(|| locator.name(&field.name)));
            PlanError::UnknownColumn { name, at, nearest: Nearest(near.0.map(quoted)) }
        }
        SchemaError::AmbiguousReference { field } => {
            let at = At(place.or_else(|| locator.name(&field.name)));
            PlanError::AmbiguousColumn { name: written(field), at, candidates: possible }
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            let reason = format!("two columns are called `{name}`; give one of them another name with AS");
            PlanError::Types { reason, at: At(place.or_else(|| locator.name(name))) }
        }
    }
}

/// A column as people write it, without quotes.
fn written(column: &Column) -> String {
    match &column.relation {
        Some(relation) => format!("{relation}.{}", column.name),
        None => column.name.clone(),
    }
}

/// Names with capitals or other signs need quotes to be found.
fn quoted(name: String) -> String {
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let parts = name.split('.').map(|part| if plain(part) { part.to_owned() } else { format!("\"{part}\"") });
    parts.collect::<Vec<_>>().join(".")
}
