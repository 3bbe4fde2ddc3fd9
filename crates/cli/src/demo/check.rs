//! The answer beside the one of a plaintext engine that sees everything.

use std::path::Path;

use engine::Suppressed;
use engine::local::{LocalData, load, plaintext as over};
use engine::output::{Stats, json, stats_line, text_table};
use serde_json::Value as Json;

/// An answer as `--format json` gives it.
pub(super) struct Answer {
    document: Json,
}

impl Answer {
    pub(super) fn read(text: &str) -> Result<Answer, String> {
        let document = serde_json::from_str(text).map_err(|error| format!("no answer in JSON: {error}"))?;
        Ok(Answer { document })
    }

    fn list(&self, key: &str) -> &[Json] {
        self.document[key].as_array().map_or(&[], Vec::as_slice)
    }

    pub(super) fn n_rows(&self) -> usize {
        self.list("rows").len()
    }

    /// The answer for people, with what it cost.
    pub(super) fn table(&self) -> String {
        let column = |column: &Json| {
            let ty = column["type"].as_str().unwrap_or_default();
            let is_number = ["int", "uint", "decimal", "float"].iter().any(|kind| ty.starts_with(kind));
            (column["name"].as_str().unwrap_or_default().to_owned(), is_number)
        };
        let cell = |cell: &Json| match cell {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let row = |row: &Json| row.as_array().map_or(&[][..], Vec::as_slice).iter().map(cell).collect();
        let columns: Vec<(String, bool)> = self.list("columns").iter().map(column).collect();
        let table = text_table(&columns, self.list("rows").iter().map(row));
        let number = |key: &str| self.document["stats"][key].as_u64().unwrap_or_default();
        let text = |key: &str| self.document["stats"][key].as_str().unwrap_or_default().to_owned();
        let stats = Stats {
            rounds: number("rounds"),
            bytes_sent: number("bytes_sent"),
            wall_ms: number("wall_ms"),
            protocol: text("protocol"),
            security: text("security"),
            recorded_bytes_peak: number("recorded_bytes_peak"),
            suppressed_groups: self.document["stats"]["suppressed_groups"].as_u64().map(Suppressed::Groups),
        };
        format!("{table}\n{}\n", stats_line(&stats))
    }

    /// # Errors
    /// If the rows are not `expected`.
    pub(super) fn compare(&self, expected: &[Json]) -> Result<(), String> {
        if self.list("rows") == expected {
            return Ok(());
        }
        Err(format!(
            "the answer is not the plaintext's: {} rows against {} in plaintext; this is a bug",
            self.n_rows(),
            expected.len()
        ))
    }
}

/// The rows that DataFusion gives over all parties' tables at once.
pub(super) fn plaintext(sql: &str, parties: &[String], dir: &Path) -> Result<Vec<Json>, String> {
    let load = |party: &String| load(party, &dir.join(party), |_| true).map_err(|error| error.to_string());
    let parties = parties.iter().map(load).collect::<Result<Vec<LocalData>, String>>()?;
    let batch = over(sql, &parties).map_err(|error| error.to_string())?;
    let document = json(&batch, &Stats::default());
    Ok(document["rows"].as_array().cloned().unwrap_or_default())
}
