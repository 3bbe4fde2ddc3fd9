//! Which crate may use which, and which may link what is heavy.

use std::collections::BTreeSet;

use crate::Findings;
use crate::metadata::{Kind, Metadata};

/// One crate of the house.
pub struct Room {
    pub name: &'static str,
    /// The crates that it may use.
    pub uses: &'static [&'static str],
    /// Further ones that its tests may use.
    pub tests_use: &'static [&'static str],
    /// Whether it may link DataFusion and tokio.
    pub is_heavy: bool,
}

const fn room(name: &'static str, uses: &'static [&'static str]) -> Room {
    Room { name, uses, tests_use: &[], is_heavy: false }
}

const fn heavy(
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
) -> Room {
    Room { name, uses, tests_use, is_heavy: true }
}

/// The house, bottom to top: a crate may use what stands above it in this list.
pub const HOUSE: &[Room] = &[
    room("buf", &[]),
    room("math", &["buf"]),
    room("net", &["buf"]),
    room("mpc", &["buf", "math", "net"]),
    room("oblivious", &["buf", "math", "net", "mpc"]),
    room("bench", &["buf", "math", "net", "mpc", "oblivious"]),
    heavy("plan", &[], &[]),
    heavy("engine", &["buf", "math", "net", "mpc", "oblivious", "plan"], &[]),
    heavy("testkit", &["buf", "math", "net", "mpc", "oblivious", "plan", "engine"], &[]),
    heavy("cli", &["buf", "math", "net", "mpc", "oblivious", "bench", "plan", "engine"], &["testkit"]),
    room("xtask", &[]),
];

/// What only heavy rooms may link: minutes of compiling.
const HEAVY: &[&str] = &["datafusion", "tokio", "arrow", "parquet"];

/// The feature of `mpc` that deals sharings and fixes keys, and the one crate beside `mpc`
/// that is nothing but tests.
const LAB: (&str, &str, &str) = ("mpc", "lab", "testkit");

pub fn check(metadata: &Metadata) -> Findings {
    let mut findings = Findings::new();
    let own = metadata.own();
    for name in own.keys() {
        if !HOUSE.iter().any(|room| room.name == *name) {
            findings.push(format!("crate {name} is missing in the table of crates/xtask/src/arrows.rs"));
        }
    }
    for room in HOUSE {
        let Some(package) = own.get(room.name) else {
            findings.push(format!("crate {} stands in the table but not in the workspace", room.name));
            continue;
        };
        for declared in package.declares.iter().filter(|declared| own.contains_key(declared.name.as_str())) {
            let name = declared.name.as_str();
            let is_test = declared.kind == Kind::Dev;
            let may =
                room.uses.contains(&name) || is_test && (room.tests_use.contains(&name) || name == room.name);
            if !may {
                let how = if is_test { " in its tests" } else { "" };
                findings.push(format!("{} must not use {name}{how}", room.name));
            }
            let (lab_crate, lab, lab_user) = LAB;
            if name == lab_crate && declared.features.iter().any(|feature| feature == lab) {
                let is_allowed = is_test || room.name == lab_user;
                if !is_allowed {
                    findings.push(format!("{} turns on {lab_crate}'s `{lab}` outside tests", room.name));
                }
            }
        }
        if !room.is_heavy {
            let links: BTreeSet<&str> = metadata.links(room.name);
            for heavy in HEAVY.iter().filter(|heavy| links.contains(**heavy)) {
                findings.push(format!("{} must not link {heavy}", room.name));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::graph;

    fn house() -> Vec<&'static str> {
        HOUSE.iter().map(|room| room.name).collect()
    }

    #[test]
    fn the_table_points_one_way() {
        let names = house();
        for (at, room) in HOUSE.iter().enumerate() {
            for used in room.uses.iter().chain(room.tests_use) {
                assert!(names[..at].contains(used), "{} uses {used}, which stands below it", room.name);
            }
        }
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let good = graph(&house(), &[], &[("math", "buf", None), ("mpc", "mpc", Some("dev"))]);
        assert!(check(&good).is_empty());
        let bad = graph(&house(), &[], &[("math", "net", None), ("plan", "mpc", Some("dev"))]);
        assert_eq!(check(&bad), ["math must not use net", "plan must not use mpc in its tests"]);
    }

    #[test]
    fn heavy_links_and_unknown_crates_are_found() {
        let foreign = [("between", "r", "MIT"), ("tokio", "r", "MIT")];
        let edges = [("net", "between", None), ("between", "tokio", None), ("plan", "tokio", None)];
        let mut names = house();
        names.push("attic");
        assert_eq!(
            check(&graph(&names, &foreign, &edges)),
            ["crate attic is missing in the table of crates/xtask/src/arrows.rs", "net must not link tokio"]
        );
    }

    #[test]
    fn the_lab_stays_in_tests() {
        let mut bad = graph(&house(), &[], &[("cli", "mpc", None)]);
        for package in bad.packages.values_mut() {
            package.declares.iter_mut().for_each(|declared| declared.features.push("lab".into()));
        }
        assert_eq!(check(&bad), ["cli turns on mpc's `lab` outside tests"]);
    }
}
