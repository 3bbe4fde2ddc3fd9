//! DataFusion as Junto uses it: the same settings, rules and functions for
//! planning, for local stages and for the plaintext oracle.

use std::sync::Arc;

use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::AggregateUDF;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::checked::{CheckArithmetic, CheckedTotal, PercentileDisc, TotalKind};
use crate::inlined;
use crate::unordered::ForgetSetOrder;

/// The catalog that holds one schema per party.
pub(crate) const CATALOG: &str = "junto";
/// A schema that no party has, so that a bare table name finds nothing.
pub(crate) const NO_PARTY: &str = "public";

/// The state with which questions are planned and local stages are run.
pub fn session_state() -> SessionState {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, NO_PARTY)
        .with_target_partitions(1)
        .with_information_schema(false);
    let options = config.options_mut();
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.collect_spans = true;
    options.optimizer.enable_physical_uncorrelated_scalar_subquery = false;
    // Filters that move below a join of a physical plan find columns by name, and may find the other
    // table's; the logical plan has moved them already.
    let mut rules = PhysicalOptimizer::new().rules;
    rules.retain(|rule| !rule.name().starts_with("FilterPushdown"));
    rules.insert(0, Arc::new(ForgetSetOrder));
    with_checked_totals(
        SessionStateBuilder::new_with_default_features()
            .with_config(config)
            .with_optimizer_rules(inlined::rules())
            .with_physical_optimizer_rules(rules)
            .with_analyzer_rule(Arc::new(CheckArithmetic)),
    )
}

/// The state, with Junto's aggregates in the place of DataFusion's. A builder registers the functions
/// of the state that it is made of in any order, and an alias of DataFusion's mean would take the name
/// of ours: whoever builds a state from another does it by this.
pub(crate) fn with_checked_totals(builder: SessionStateBuilder) -> SessionState {
    let mut state = builder.build();
    let totals = [TotalKind::Sum, TotalKind::Avg].map(|kind| AggregateUDF::from(CheckedTotal::new(kind)));
    for function in totals.into_iter().chain([AggregateUDF::from(PercentileDisc::new())]) {
        state
            .register_udaf(Arc::new(function))
            .expect("a session without a function factory takes every function");
    }
    state
}

/// A context for the plaintext oracle: the joined data of all parties, with
/// tables registered as `party.table`, and arithmetic that fails where a
/// shared computation fails.
pub fn oracle_context() -> SessionContext {
    SessionContext::new_with_state(session_state())
}
