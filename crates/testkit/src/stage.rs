//! Local stages over tables in memory.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::collect;
use engine::LocalRows;
use plan::secure::{LocalStage, Node};

/// The tables that a party, or the oracle, runs its stages on; by `party.table`.
pub struct StageRows {
    tables: BTreeMap<String, RecordBatch>,
}

impl StageRows {
    /// Over these tables.
    pub fn new(tables: BTreeMap<String, RecordBatch>) -> StageRows {
        StageRows { tables }
    }
}

impl LocalRows for StageRows {
    fn rows(
        &mut self,
        _node: &Node,
        stage: &LocalStage,
    ) -> Result<Vec<RecordBatch>, Box<dyn Error + Send + Sync>> {
        let with_rows = stage.logical.clone().transform_up_with_subqueries(|node| {
            let LogicalPlan::TableScan(mut scan) = node else { return Ok(Transformed::no(node)) };
            if let Some(batch) = self.tables.get(&scan.table_name.to_string()) {
                // The facts may know better than the table's own schema where NULL can be.
                let batch = RecordBatch::try_new(scan.source.schema(), batch.columns().to_vec())?;
                let rows = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
                scan.source = provider_as_source(Arc::new(rows));
            }
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        })?;
        let state = plan::context::session_state();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            let physical = state.query_planner().create_physical_plan(&with_rows.data, &state).await?;
            Ok(collect(physical, state.task_ctx()).await?)
        })
    }
}
