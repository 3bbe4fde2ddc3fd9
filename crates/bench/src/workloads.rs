//! The workloads by name.

use math::{X64, Z64};
use mpc::{Lane, ProtocolError, Session, Shuffler};
use oblivious::convert;

/// The part inside the clock: repeated, each time in a scope of its own.
type Run = Box<dyn FnMut(&mut Session) -> Result<(), ProtocolError>>;

/// One thing to measure.
pub struct Workload {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Rows unless the caller says otherwise.
    pub default_rows: usize,
    /// Makes inputs of some rows, outside the clock.
    pub prepare: fn(&mut Session, usize) -> Result<Run, ProtocolError>,
}

const ALL: &[Workload] = &[
    Workload {
        name: "multiply",
        about: "products of 64-bit ring elements",
        default_rows: 10_000_000,
        prepare: |s, rows| {
            let x = mpc::random::<Z64>(s, "x", rows)?;
            let y = mpc::random::<Z64>(s, "y", rows)?;
            Ok(Box::new(move |s| {
                s.chunks("multiply", rows, |s, rows| {
                    mpc::mul(s, "mul", &x.rows(rows.clone()), &y.rows(rows))
                })?;
                Ok(())
            }))
        },
    },
    Workload {
        name: "dot",
        about: "one inner product of two 64-bit columns",
        default_rows: 10_000_000,
        prepare: |s, rows| {
            let x = mpc::random::<Z64>(s, "x", rows)?;
            let y = mpc::random::<Z64>(s, "y", rows)?;
            Ok(Box::new(move |s| mpc::inner_product(s, "dot", &x, &y).map(drop)))
        },
    },
    Workload {
        name: "less-than",
        about: "the sign of the difference of 64-bit ring elements",
        default_rows: 1_000_000,
        prepare: |s, rows| {
            let x = mpc::random::<Z64>(s, "x", rows)?;
            let y = mpc::random::<Z64>(s, "y", rows)?;
            Ok(Box::new(move |s| convert::is_negative(s, "less than", &x.sub(&y)).map(drop)))
        },
    },
    Workload {
        name: "equality",
        about: "equality of 64-bit ring elements",
        default_rows: 1_000_000,
        prepare: |s, rows| {
            let x = mpc::random::<Z64>(s, "x", rows)?;
            let y = mpc::random::<Z64>(s, "y", rows)?;
            Ok(Box::new(move |s| convert::equal_ring(s, "equal", &x, &y).map(drop)))
        },
    },
    Workload {
        name: "shuffle",
        about: "one column of 64-bit words in a fresh secret order",
        default_rows: 1_000_000,
        prepare: |s, rows| {
            let lanes: Vec<Lane> = vec![mpc::random::<X64>(s, "x", rows)?.into()];
            Ok(Box::new(move |s| {
                let shuffler = Shuffler::new(s, "draw", lanes[0].len())?;
                shuffler.shuffle(s, "move", &lanes).map(drop)
            }))
        },
    },
];

/// The names of all workloads, in the order in which they are run.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|workload| workload.name)
}

/// A workload by its name.
pub fn by_name(name: &str) -> Option<&'static Workload> {
    ALL.iter().find(|workload| workload.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure;
    use mpc::lab::Lab;

    /// Each workload runs at a tiny size, and costs every run alike.
    #[test]
    fn every_workload_runs() {
        for name in names() {
            let workload = by_name(name).expect("a listed name");
            for rows in [1, 37] {
                let reports = Lab::seeded(1).run(|s| measure(s, workload, rows, 2)).all();
                for report in reports {
                    assert_eq!(report.runs.len(), 2, "{name}");
                }
            }
        }
        assert!(by_name("nothing").is_none());
    }
}
