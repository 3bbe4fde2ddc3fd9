//! `junto catalog infer` from the outside.

mod common;

use common::{Town, run};

#[test]
fn a_first_catalog_is_written_once() {
    let town = Town::small();
    let home = town.home("bank").display().to_string();
    let printed = run(&["catalog", "infer", "--print", &home]);
    assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
    let expected = "balance = { type = \"decimal(4,2)\", nullable = true, min = -5.00, max = 20.25 }\n";
    assert!(printed.stdout.contains(expected), "{}", printed.stdout);
    let written = run(&["catalog", "infer", &home]);
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(town.home("bank").join("catalog.toml")).unwrap(), printed.stdout);
    let again = run(&["catalog", "infer", &home]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("there is such a file already"), "{}", again.stderr);
    let missing = run(&["catalog", "infer", "/nowhere/at/all"]);
    assert_eq!(missing.stderr, "junto: /nowhere/at/all: there is no such directory\n");
}
