//! The plaintext oracle: DataFusion over the tables of all parties at once. For
//! demonstrations and tests, where one process may see everything.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider};
use datafusion::common::DataFusionError;
use datafusion::datasource::MemTable;

use super::LocalData;

/// Answers `sql` in clear, with the arithmetic of a shared computation.
///
/// # Errors
/// What DataFusion says, also where a shared computation would fail.
pub fn plaintext(sql: &str, parties: &[LocalData]) -> Result<RecordBatch, DataFusionError> {
    let context = plan::context::oracle_context();
    let names = context.catalog_names();
    let catalog = names.iter().find_map(|name| context.catalog(name));
    let catalog =
        catalog.ok_or_else(|| DataFusionError::Internal("a context without a catalog".to_owned()))?;
    for party in parties {
        let schema = MemorySchemaProvider::new();
        for (table, facts) in party.tables.iter().zip(&party.catalog.tables) {
            let batch = table.batch(facts);
            let rows = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
            schema.register_table(table.name().to_owned(), Arc::new(rows))?;
        }
        catalog.register_schema(&party.catalog.name, Arc::new(schema))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(async {
        let frame = context.sql(sql).await?;
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await?;
        let schema = batches.first().map_or(schema, |batch| batch.schema());
        Ok(concat_batches(&schema, &batches)?)
    })
}
