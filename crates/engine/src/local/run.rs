//! A stage that touches one party's tables alone, run in clear by DataFusion.

use std::error::Error;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::collect;
use plan::secure::{LocalStage, Node};
use plan::types::Type;

use super::LocalData;
use super::column::first_not_finite;
use crate::LocalRows;

/// Why a stage failed. Names the kind of failure, never a value; it stays with the owner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// Arithmetic left its type.
    #[error("an arithmetic overflow in the part that {party} runs on its own rows")]
    Overflow {
        /// Whose stage.
        party: String,
    },

    /// A divisor was zero.
    #[error("a division by zero in the part that {party} runs on its own rows")]
    DivisionByZero {
        /// Whose stage.
        party: String,
    },

    /// A value had no counterpart in another type.
    #[error("a cast met a value that its type cannot hold, in the part that {party} runs on its own rows")]
    Cast {
        /// Whose stage.
        party: String,
    },

    /// A scalar subquery gave more than one row, or a function refused its arguments.
    #[error(
        "the part that {party} runs on its own rows failed while it ran: a function refused an argument, or a \
         subquery as a value gave several rows"
    )]
    Execution {
        /// Whose stage.
        party: String,
    },

    /// The stage names a table that this party does not hold.
    #[error("the plan reads `{table}`, which {party} does not hold; are its files the ones it described?")]
    NoSuchTable {
        /// Whose stage.
        party: String,
        /// The table.
        table: String,
    },

    /// A column that the stage reads has doubles that are no numbers.
    #[error("`{column}` has NaN or an infinity in row {row}, which shares do not take")]
    NotFinite {
        /// The column, behind its table and party.
        column: String,
        /// The first such row, counted from 1.
        row: usize,
    },

    /// DataFusion cannot run the stage.
    #[error("the part of {party} cannot run: {reason}")]
    Unrunnable {
        /// Whose stage.
        party: String,
        /// DataFusion's reason.
        reason: String,
    },
}

/// Runs `stage` over the owner's tables. Its arithmetic is checked already, by
/// the plan's own functions, so it is neither analysed nor rewritten again.
///
/// # Errors
/// `LocalError`, with the kind of failure.
pub fn run(stage: &LogicalPlan, data: &LocalData) -> Result<Vec<RecordBatch>, LocalError> {
    let party = &data.catalog.name;
    let unrunnable = |reason: String| LocalError::Unrunnable { party: party.clone(), reason };
    let stage = with_rows(stage, data)?;
    let state = plan::context::session_state();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("local stage")
        .build()
        .map_err(|error| unrunnable(error.to_string()))?;
    runtime.block_on(async {
        let physical = state.query_planner().create_physical_plan(&stage, &state).await;
        let physical = physical.map_err(|error| unrunnable(error.strip_backtrace()))?;
        collect(physical, state.task_ctx()).await.map_err(|error| kind(error, party))
    })
}

/// A party runs its own stages over its own tables.
impl LocalRows for &LocalData {
    fn rows(
        &mut self,
        _node: &Node,
        stage: &LocalStage,
    ) -> Result<Vec<RecordBatch>, Box<dyn Error + Send + Sync>> {
        Ok(run(&stage.logical, self)?)
    }
}

/// The stage with this party's rows in place of the bare schemas it was planned on.
fn with_rows(stage: &LogicalPlan, data: &LocalData) -> Result<LogicalPlan, LocalError> {
    let party = &data.catalog.name;
    let (mut missing, mut not_finite) = (None, None);
    let replaced = stage.clone().transform_up_with_subqueries(|node| {
        let LogicalPlan::TableScan(mut scan) = node else { return Ok(Transformed::no(node)) };
        let name = scan.table_name.table();
        let facts = data.catalog.tables.iter().find(|facts| facts.name == name);
        let (Some(table), Some(facts), true) =
            (data.table(name), facts, scan.table_name.schema() == Some(party.as_str()))
        else {
            missing = Some(scan.table_name.to_string());
            return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
        };
        for column in table.columns.iter().filter(|column| column.ty == Type::Float64) {
            if scan.projected_schema.has_column_with_unqualified_name(&column.name)
                && let Some(row) = first_not_finite(&column.values)
            {
                let column = format!("{}.{}", scan.table_name, column.name);
                not_finite = Some(LocalError::NotFinite { column, row: row + 1 });
            }
        }
        let batch = table.batch(facts);
        let rows = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        scan.source = provider_as_source(Arc::new(rows));
        Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
    });
    if let Some(error) = not_finite {
        return Err(error);
    }
    match (missing, replaced) {
        (Some(table), _) => Err(LocalError::NoSuchTable { party: party.clone(), table }),
        (None, Ok(replaced)) => Ok(replaced.data),
        (None, Err(error)) => {
            Err(LocalError::Unrunnable { party: party.clone(), reason: error.strip_backtrace() })
        }
    }
}

/// What failed, without the values that DataFusion quotes.
fn kind(error: DataFusionError, party: &str) -> LocalError {
    let party = party.to_owned();
    let arrow = match error.find_root() {
        DataFusionError::ArrowError(arrow, _) => arrow,
        // How `plan::checked` begins when a total leaves its type.
        DataFusionError::Execution(reason) if reason.starts_with("overflow") => {
            return LocalError::Overflow { party };
        }
        _ => return LocalError::Execution { party },
    };
    match arrow.as_ref() {
        ArrowError::DivideByZero => LocalError::DivisionByZero { party },
        ArrowError::ArithmeticOverflow(_) => LocalError::Overflow { party },
        // Decimals that outgrow their digits are reported as bad arguments.
        ArrowError::InvalidArgumentError(_) => LocalError::Overflow { party },
        ArrowError::CastError(_) | ArrowError::ParseError(_) => LocalError::Cast { party },
        _ => LocalError::Execution { party },
    }
}
