//! From text to DataFusion's optimised plan, and its errors to ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError, SchemaError, TableReference};
use datafusion::datasource::{TableProvider, TableType, empty::EmptyTable, provider_as_source};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, Volatility, WindowUDF,
};
use datafusion::sql::planner::{ParserOptions, SqlToRel};

use crate::catalog::{PublicCatalog, Table};
use crate::error::{At, Nearest, Place, PlanError};
use crate::locate::{Locator, nearest};
use crate::question::parse_query;

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
    refuse_volatile(&plan, locator)?;
    state.optimize(&plan).map_err(explain)
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
            let bare = written.rsplit('.').next().unwrap_or(&written);
            let same_table = self.full_names.iter().find(|full| full.ends_with(&format!(".{bare}")));
            let nearest = match same_table {
                Some(full) => Nearest(Some(full.clone())),
                None => nearest(&written, self.full_names.iter().map(String::as_str)),
            };
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

/// Functions that depend on the clock or on chance have no place in a plan
/// that every party makes for itself.
fn refuse_volatile(plan: &LogicalPlan, locator: &Locator) -> Result<(), PlanError> {
    let mut refused = None;
    let result = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                let (name, volatility) = match expr {
                    Expr::ScalarFunction(f) => (f.func.name().to_owned(), f.func.signature().volatility),
                    Expr::AggregateFunction(f) => (f.func.name().to_owned(), f.func.signature().volatility),
                    Expr::Placeholder(placeholder) => (placeholder.id.clone(), Volatility::Volatile),
                    _ => return Ok(TreeNodeRecursion::Continue),
                };
                if volatility != Volatility::Immutable {
                    refused = Some((name, volatility, matches!(expr, Expr::Placeholder(_))));
                    return Ok(TreeNodeRecursion::Stop);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    result.map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })?;
    let Some((name, volatility, parameter)) = refused else { return Ok(()) };
    let (construct, reason) = match (parameter, volatility) {
        (true, _) => (format!("the parameter {name}"), "write its value"),
        (_, Volatility::Stable) => (
            format!("{name}()"),
            "it depends on the clock or on settings, and every party plans alone; write a constant",
        ),
        _ => (format!("{name}()"), "it depends on chance, and every party computes alone; write a constant"),
    };
    Err(PlanError::unsupported(construct, reason).placed(locator.call(&name)))
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
            explain_schema_error(schema, place, catalog, names, locator)
        }
        DataFusionError::NotImplemented(message) => {
            PlanError::unsupported(first_line(message), "").placed(place)
        }
        DataFusionError::Plan(message) => PlanError::Types { reason: first_line(message), at: At(place) },
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

fn explain_schema_error(
    error: &SchemaError,
    place: Option<Place>,
    catalog: &PublicCatalog,
    names: &Names<'_>,
    locator: &Locator,
) -> PlanError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let name = written(field);
            let in_scope: Vec<String> = valid_fields.iter().map(written).collect();
            let everywhere = catalog
                .parties
                .iter()
                .flat_map(|p| &p.tables)
                .flat_map(|t| &t.columns)
                .map(|c| c.name.as_str());
            let mut near = nearest(&name, in_scope.iter().map(String::as_str));
            if near.0.is_none() {
                let bare = valid_fields.iter().map(|field| field.name.as_str());
                near = nearest(
                    &field.name,
                    bare.chain(
                        if in_scope.is_empty() { Some(everywhere) } else { None }.into_iter().flatten(),
                    ),
                );
            }
            let at = At(place.or_else(|| locator.name(&name)).or_else(|| locator.name(&field.name)));
            PlanError::UnknownColumn { name, at, nearest: Nearest(near.0.map(quoted)) }
        }
        SchemaError::AmbiguousReference { field } => {
            let mut candidates = Vec::new();
            for (party, table) in names.tables.keys() {
                let table_facts = catalog.table(party, table);
                if table_facts.is_some_and(|table| table.column_index(&field.name).is_some()) {
                    candidates.push(format!("{party}.{table}.{}", field.name));
                }
            }
            let at = At(place.or_else(|| locator.name(&field.name)));
            PlanError::AmbiguousColumn { name: written(field), at, candidates }
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
