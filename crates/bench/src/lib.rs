//! Side-by-side measurement: workloads that everybody can name, run between real processes.
//!
//! Never knows SQL.
//!
//! A workload prepares its inputs outside the clock, runs several times, and
//! every party reports its own times, messages and memory; [`summary`] puts the
//! parties' reports together into the published figures.

mod measure;
mod predict;
mod summary;
mod usage;
mod workloads;

pub use measure::{PartyReport, RunReport, measure, rounds};
pub use predict::{Foretold, count};
pub use summary::{Figures, Setting, summary};
pub use workloads::{Workload, by_name, names};
