//! The workloads by name.

use math::{Column, Format, X64, Z64};
use mpc::{Lane, ProtocolError, Session, Shared, SharedBits, Shuffler};
use oblivious::fixed::{self, Checked, Fixed, Rounding};
use oblivious::{Aggregate, Cells, JoinSide, Method, Rows, Table, convert};

/// The part inside the clock: repeated, each time in a scope of its own.
pub(crate) type Run = Box<dyn FnMut(&mut Session) -> Result<(), ProtocolError>>;

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
            Ok(Box::new(move |s| convert::less_than_ring(s, "less than", &x, &y).map(drop)))
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
    Workload {
        name: "sort",
        about: "64-bit keys, ascending",
        default_rows: 100_000,
        prepare: |s, rows| {
            let keys = mpc::random_bits(s, "keys", rows, 64)?;
            let nothing = Table::empty(rows);
            Ok(Box::new(move |s| oblivious::sort(s, "sort", &keys, &nothing, Method::Auto).map(drop)))
        },
    },
    Workload {
        name: "join",
        about: "each of as many rows looks up its 64-bit key among unique ones, with a 64-bit payload",
        default_rows: 100_000,
        prepare: |s, rows| {
            // The same keys on both sides, in different orders; which they are matters to no step.
            let key = |row: usize| X64((row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let unique = shared_keys(s, &Column::from_fn(rows, key));
            let other = shared_keys(s, &Column::from_fn(rows, |row| key((row * 7919 + 13) % rows)));
            let payload = Cells::from(mpc::random::<Z64>(s, "payload", rows)?);
            let payload = Table::try_new(s, rows, vec![payload])?;
            let valid = SharedBits::constant(s, rows, 1, 1);
            Ok(Box::new(move |s| {
                let unique = JoinSide { keys: &unique, valid: &valid, payload: &payload };
                oblivious::lookup(s, "join", unique, &other, &valid, Method::Auto).map(drop)
            }))
        },
    },
    Workload {
        name: "group-by",
        about: "SUM of a 64-bit column over at most 1,000 groups of 32-bit keys",
        default_rows: 100_000,
        prepare: |s, rows| {
            let key = |row: usize| X64((row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1000);
            let keys = shared_keys(s, &Column::from_fn(rows, key)).planes(0..32);
            let values = Cells::from(mpc::random::<Z64>(s, "values", rows)?);
            let valid = SharedBits::constant(s, rows, 1, 1);
            let along = Table::empty(rows);
            Ok(Box::new(move |s| {
                let grouped = Rows { keys: &keys, valid: &valid, along: &along };
                let sums = [Aggregate::Sum { values: values.clone(), present: None }];
                oblivious::group_by(s, "group", grouped, &sums, None, Method::Auto).map(drop)
            }))
        },
    },
    Workload {
        name: "matmul",
        about: "the product of two square matrices of 64-bit ring elements, of so many rows",
        default_rows: 256,
        prepare: |s, rows| {
            let x = mpc::random::<Z64>(s, "x", rows * rows)?;
            let y = mpc::random::<Z64>(s, "y", rows * rows)?;
            Ok(Box::new(move |s| mpc::matmul(s, "matmul", &x, &y, [rows; 3]).map(drop)))
        },
    },
    Workload {
        name: "fixed-multiply",
        about: "products of numbers with 24 bits after the point",
        default_rows: 1_000_000,
        prepare: |s, rows| {
            let format = Format { fraction: 24, width: 32 };
            let (x, y) = (numbers(s, rows, format, 1.37), numbers(s, rows, format, -3.1));
            Ok(Box::new(move |s| {
                let rounding = Rounding::of(s);
                fixed::multiply(s, "multiply", &x, &y, Format::DEFAULT, rounding).map(drop)
            }))
        },
    },
    Workload {
        name: "divide",
        about: "quotients of numbers with 24 bits after the point",
        default_rows: 1_000_000,
        prepare: |s, rows| {
            let (x, y) = (numbers(s, rows, Format::DEFAULT, 1.37), numbers(s, rows, Format::DEFAULT, -3.1));
            Ok(Box::new(move |s| {
                let rounding = Rounding::of(s);
                fixed::divide(s, "divide", &x, &y, Format::DEFAULT, rounding).map(drop)
            }))
        },
    },
    Workload {
        name: "sqrt",
        about: "square roots of numbers with 24 bits after the point",
        default_rows: 100_000,
        prepare: |s, rows| function(s, rows, fixed::sqrt),
    },
    Workload {
        name: "exp",
        about: "exponentials of numbers with 24 bits after the point",
        default_rows: 100_000,
        prepare: |s, rows| function(s, rows, fixed::exp),
    },
    Workload {
        name: "ln",
        about: "logarithms of numbers with 24 bits after the point",
        default_rows: 100_000,
        prepare: |s, rows| function(s, rows, fixed::ln),
    },
    Workload {
        name: "sigmoid",
        about: "the logistic function of numbers with 24 bits after the point",
        default_rows: 100_000,
        prepare: |s, rows| function(s, rows, fixed::sigmoid),
    },
];

/// A function of one argument.
type Function = fn(&mut Session, &'static str, &Fixed, Format, Rounding) -> Result<Checked, ProtocolError>;

fn function(s: &mut Session, rows: usize, f: Function) -> Result<Run, ProtocolError> {
    let x = numbers(s, rows, Format::DEFAULT, 2.7);
    Ok(Box::new(move |s| {
        let rounding = Rounding::of(s);
        f(s, "function", &x, Format::DEFAULT, rounding).map(drop)
    }))
}

/// Numbers around `near`. Steps cost the same whatever the numbers and a sharing's shares are.
fn numbers(s: &Session, rows: usize, format: Format, near: f64) -> Fixed {
    let number = |row: usize| near + (row % 1000) as f64 / 1024.0;
    let items = Column::from_fn(rows, |row| format.encode(number(row)).expect("small numbers fit"));
    Fixed::new(Shared::public(s, &items), format)
}

/// A sharing of 64-bit keys. Steps cost the same whatever a sharing's shares are.
fn shared_keys(s: &Session, keys: &Column<X64>) -> SharedBits {
    SharedBits::public(s, &math::pack::planes(keys, 64))
}

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
