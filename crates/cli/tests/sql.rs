//! `junto sql` from the outside: answers in their forms, and one message per fault.

mod common;

use common::{Town, run};

const JOIN: &str = "SELECT s.plan, COUNT(*) AS n, SUM(a.balance) AS total FROM bank.accounts a \
                    JOIN telecom.subscribers s ON a.id = s.id GROUP BY s.plan ORDER BY s.plan";

#[test]
fn answers_come_as_json_csv_and_tables() {
    let town = Town::small();
    let ran = town.ask(&["--format=json", JOIN]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let columns = serde_json::json!([
        { "name": "plan", "type": "string" },
        { "name": "n", "type": "int64" },
        { "name": "total", "type": answer["columns"][2]["type"] },
    ]);
    assert_eq!(answer["columns"], columns);
    assert_eq!(answer["rows"], serde_json::json!([["basic", 2, "5.50"], ["plus", 1, "20.25"]]));
    assert_eq!(answer["stats"]["protocol"], "rep3");
    assert_eq!(answer["stats"]["security"], "malicious");
    assert!(answer["stats"]["recorded_bytes_peak"].as_u64().is_some_and(|bytes| bytes > 0), "{answer}");
    let ran = town.ask(&["--format=json", "--security=semi-honest", JOIN]);
    let weaker: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(weaker["rows"], answer["rows"]);
    assert_eq!(weaker["stats"]["security"], "semi-honest");
    assert_eq!(weaker["stats"]["recorded_bytes_peak"], 0);
    for cost in ["rounds", "bytes_sent", "wall_ms"] {
        assert!(answer["stats"][cost].as_u64().is_some_and(|cost| cost > 0), "{answer}");
    }
    let ran = town.ask(&["--format=csv", "--as=telecom", JOIN]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "plan,n,total\nbasic,2,5.50\nplus,1,20.25\n"));
    let ran = town.ask(&[JOIN]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("│ basic ┆ 2 ┆  5.50 │"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 rows · "), "{}", ran.stdout);
}

#[test]
fn parameters_are_constants() {
    let town = Town::small();
    let sql = "SELECT COUNT(*) AS n FROM bank.accounts a JOIN telecom.subscribers s ON a.id = s.id WHERE s.plan = $1";
    let ran = town.ask(&["--format=csv", "--param='basic'", sql]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "n\n2\n"), "{}", ran.stderr);
    let ran = town.ask(&["--param=1 OR TRUE", sql]);
    assert!(ran.stderr.contains("the value of $1 is no constant"), "{}", ran.stderr);
}

#[test]
fn explain_shows_the_plan_and_runs_nothing() {
    let town = Town::small();
    let question = format!("EXPLAIN {JOIN}");
    let ran = town.ask(&[&question]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for part in ["InnerJoin", "shared", "rounds=", "Who learns what:", "bank.accounts", "In all about "] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let mut arguments = vec!["explain".to_owned()];
    arguments.extend(town.options());
    arguments.push(JOIN.to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(run(&arguments).stdout, ran.stdout);
    let ran = town.ask(&["--format=json", &question]);
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(plan["asker"], "bank");
    let ran = town.ask(&[&format!("EXPLAIN ANALYZE {JOIN}")]);
    for part in ["  measured: rounds=", "The answer to bank", "\nIn all measured ", "\nMeasured: "] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

/// What processes send and wait for is what the plan says that they will, node by node.
#[test]
fn explain_analyze_measures_what_explain_says() {
    let town = Town::small();
    let ran = town.ask(&["--format=json", "--security=semi-honest", &format!("EXPLAIN ANALYZE {JOIN}")]);
    let analyzed: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let plan = &analyzed["plan"];
    fn nodes<'a>(node: &'a serde_json::Value, all: &mut Vec<&'a serde_json::Value>) {
        all.push(node);
        node["inputs"].as_array().unwrap().iter().for_each(|input| nodes(input, all));
    }
    let mut priced = vec![&plan["answer"], &plan["total"]];
    nodes(&plan["plan"], &mut priced);
    assert!(priced.len() > 4, "{}", ran.stdout);
    for node in priced {
        for what in ["rounds", "bytes_per_party"] {
            assert!(!node["cost"][what].is_null(), "{node}");
            assert_eq!(node["cost"][what], node["measured"][what], "{what}: {node}");
        }
        assert!(node["measured"]["seconds"].as_f64().unwrap() >= 0.0);
    }
    assert!(plan["total"]["measured"]["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(plan["link"], "loopback");
}

/// The message is all that is printed, and comes once, though three processes met it.
#[test]
fn every_fault_has_one_message() {
    let town = Town::new(&[
        ("bank", &[("accounts.csv", "id,balance\n1,9223372036854775807\n2,1\n")]),
        ("ragged", &[("t.csv", "a,b\n1,2\n3\n")]),
        ("declared", &[("t.csv", "a\n5\nx\n"), ("catalog.toml", "[t.columns]\na = { type = \"int8\" }\n")]),
        ("twice", &[("t.csv", "a\n1\n"), ("t.parquet", "")]),
    ]);
    let home = |party: &str| format!("--party={party}={}", town.home(party).display());
    let bank = home("bank");
    let all = "SELECT * FROM bank.accounts";
    let cases: &[(&[&str], &str)] = &[
        (&["--party=bank=/nowhere/at/all", all], "/nowhere/at/all: there is no such directory"),
        (&[&home("ragged"), "SELECT * FROM ragged.t"], "ragged/t.csv, line 3: 1 field instead of 2"),
        (
            &[&home("declared"), "SELECT * FROM declared.t"],
            "declared/t.csv, line 3, column 1 (`a`): the value is no int8",
        ),
        (
            &[&bank, &home("twice"), all],
            "table `t` is there twice: twice/t.csv and twice/t.parquet; keep one of them",
        ),
        (
            &[&bank, "SELECT * FROM bank.acounts"],
            "unknown table `bank.acounts` at line 1, column 15; did you mean `bank.accounts`?",
        ),
        (
            &[&bank, "SELECT balanec FROM bank.accounts"],
            "unknown column `balanec` at line 1, column 8; did you mean `balance`?",
        ),
        (
            &[&bank, "SELECT id FROM bank.accounts a JOIN bank.accounts b ON a.id = b.id"],
            "column `id` is ambiguous at line 1, column 8; write it as one of ",
        ),
        (&[&bank, "SELECT"], "syntax error"),
        (&[&bank, "DELETE FROM bank.accounts"], "DELETE is not supported at line 1, column 1"),
        (&[&bank, &bank, all], "two parties are called bank; each needs a name of its own"),
        (&[&bank, "--as=telecom", all], "telecom asks, but takes no part; there are bank"),
        (&[&bank, "--compute=bank,x,y", all], "x computes, but takes no part; there are bank"),
        (
            &[&bank, "SELECT balance * 2 FROM bank.accounts"],
            "an arithmetic overflow in the part that bank runs on its own rows",
        ),
        (&[all], "who takes part? give --party NAME=DIR once for each party"),
    ];
    for (arguments, expected) in cases {
        let ran = run(&[&["sql"], *arguments].concat());
        let told = ran.stderr.replace(&format!("{}/", town.path().display()), "");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{told}");
        assert!(
            told.starts_with(&format!("junto: {expected}")),
            "\n  told:     {told}  expected: {expected}"
        );
        assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    }
}

#[test]
fn what_fails_on_shares_fails_without_a_value() {
    let town = Town::new(&[
        ("bank", &[("accounts.csv", "id,balance\n1,9223372036854775807\n2,1\n3,0\n")]),
        ("telecom", &[("subscribers.csv", "id,calls\n1,9\n2,0\n3,7\n")]),
    ]);
    let from = "FROM bank.accounts a JOIN telecom.subscribers s ON a.id = s.id";
    for (select, kind) in [
        ("SUM(a.balance + s.calls)", "a number overflows its type"),
        ("SUM(a.balance / s.calls)", "division by zero"),
    ] {
        for explain in ["", "EXPLAIN ANALYZE "] {
            let ran = town.ask(&[&format!("{explain}SELECT {select} {from}")]);
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
            assert!(ran.stderr.contains(kind), "{}", ran.stderr);
            assert!(!ran.stderr.contains("9223372036854775807"), "{}", ran.stderr);
        }
    }
}

/// A table that the question does not name is nobody's business, and may even be broken.
#[test]
fn other_tables_are_not_read() {
    let town = Town::new(&[
        ("bank", &[("accounts.csv", "id\n1\n"), ("drafts.csv", "a,b\n1\n")]),
        ("telecom", &[("subscribers.csv", "id\n1\n"), ("secret.csv", "id\n9\n")]),
    ]);
    let from = "FROM bank.accounts a JOIN telecom.subscribers s ON a.id = s.id";
    let ran = town.ask(&["--format=csv", &format!("SELECT COUNT(*) AS n {from}")]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("n\n1\n", ""));
    let ran = town.ask(&["SELECT * FROM telecom.secrets"]);
    assert!(ran.stderr.ends_with("unknown table `telecom.secrets` at line 1, column 15\n"), "{}", ran.stderr);
    let ran = town.ask(&["--as=telecom", "SELECT * FROM telecom.secrets"]);
    assert!(ran.stderr.ends_with("; did you mean `telecom.secret`?\n"), "{}", ran.stderr);
}
