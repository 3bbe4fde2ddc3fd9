//! Clauses that DataFusion's planner would pass over in silence: an answer
//! that ignores a part of its question is wrong, so they are refused by name.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Fetch, LimitClause, Query, Select, Statement, TableFactor, Value, Visit, VisitMut, Visitor,
    VisitorMut,
};

use crate::error::PlanError;
use crate::locate::Locator;

/// Refuses what would be ignored.
pub(crate) fn refuse_ignored(statement: &Statement, locator: &Locator) -> Result<(), PlanError> {
    match statement.visit(&mut Ignored) {
        ControlFlow::Break((construct, words)) => {
            Err(PlanError::unsupported(construct, "").placed(locator.phrase(words)))
        }
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Writes FETCH as the LIMIT that it is, where it is no more than that.
pub(crate) fn fetch_as_limit(statement: &mut Statement) {
    let _ = statement.visit(&mut FetchAsLimit);
}

struct FetchAsLimit;

impl VisitorMut for FetchAsLimit {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let Some(Fetch { with_ties: false, percent: false, quantity }) = &query.fetch else {
            return ControlFlow::Continue(());
        };
        let one = || Expr::Value(Value::Number("1".to_owned(), false).into());
        let most = Some(quantity.clone().unwrap_or_else(one));
        match &mut query.limit_clause {
            Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = most,
            Some(_) => return ControlFlow::Continue(()),
            clause => {
                *clause = Some(LimitClause::LimitOffset { limit: most, offset: None, limit_by: Vec::new() });
            }
        }
        query.fetch = None;
        ControlFlow::Continue(())
    }
}

struct Ignored;

/// What is refused, and the words to find it by.
type Refused = (&'static str, &'static str);

fn first(clauses: &[(bool, Refused)]) -> ControlFlow<Refused> {
    match clauses.iter().find(|(is_there, _)| *is_there) {
        Some((_, refused)) => ControlFlow::Break(*refused),
        None => ControlFlow::Continue(()),
    }
}

impl Visitor for Ignored {
    type Break = Refused;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refused> {
        first(&[
            (query.with.as_ref().is_some_and(|with| with.recursive), ("WITH RECURSIVE", "RECURSIVE")),
            (!query.locks.is_empty(), ("FOR UPDATE", "FOR")),
            (query.for_clause.is_some(), ("FOR XML, JSON or BROWSE", "FOR")),
            (query.settings.is_some(), ("SETTINGS", "SETTINGS")),
            (query.format_clause.is_some(), ("FORMAT", "FORMAT")),
            (query.fetch.is_some(), ("FETCH … WITH TIES, in PERCENT or beside LIMIT", "FETCH")),
            (!query.pipe_operators.is_empty(), ("the pipe operator |>", "|>")),
        ])
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Refused> {
        first(&[
            (select.into.is_some(), ("SELECT INTO", "INTO")),
            (select.top.is_some(), ("TOP (LIMIT is)", "TOP")),
            (select.prewhere.is_some(), ("PREWHERE", "PREWHERE")),
            (!select.connect_by.is_empty(), ("CONNECT BY", "CONNECT")),
            (!select.cluster_by.is_empty(), ("CLUSTER BY", "CLUSTER")),
            (!select.distribute_by.is_empty(), ("DISTRIBUTE BY", "DISTRIBUTE")),
            (!select.sort_by.is_empty(), ("SORT BY (ORDER BY is)", "SORT")),
            (!select.lateral_views.is_empty(), ("LATERAL VIEW", "LATERAL")),
            (select.value_table_mode.is_some(), ("SELECT AS STRUCT or VALUE", "AS")),
        ])
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Refused> {
        match table {
            TableFactor::Table {
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                sample,
                index_hints,
                ..
            } => first(&[
                (args.is_some(), ("a table function", "FROM")),
                (sample.is_some(), ("TABLESAMPLE", "TABLESAMPLE")),
                (!with_hints.is_empty(), ("WITH (hints)", "WITH")),
                (version.is_some(), ("a table as of a time", "FOR")),
                (*with_ordinality, ("WITH ORDINALITY", "WITH ORDINALITY")),
                (!partitions.is_empty(), ("PARTITION", "PARTITION")),
                (!index_hints.is_empty(), ("an index hint", "INDEX")),
            ]),
            TableFactor::Derived { sample, .. } => {
                first(&[(sample.is_some(), ("TABLESAMPLE", "TABLESAMPLE"))])
            }
            TableFactor::NestedJoin { .. } => ControlFlow::Continue(()),
            TableFactor::Pivot { .. } => ControlFlow::Break(("PIVOT", "PIVOT")),
            TableFactor::Unpivot { .. } => ControlFlow::Break(("UNPIVOT", "UNPIVOT")),
            TableFactor::MatchRecognize { .. } => ControlFlow::Break(("MATCH_RECOGNIZE", "MATCH_RECOGNIZE")),
            TableFactor::UNNEST { .. } => ControlFlow::Break(("UNNEST", "UNNEST")),
            _ => ControlFlow::Break(("a table function", "FROM")),
        }
    }
}
