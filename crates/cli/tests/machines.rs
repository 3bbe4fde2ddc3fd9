//! `junto party` as on separate machines: configurations are made one by one,
//! public halves are exchanged, and nothing else connects the processes.

mod common;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::Duration;

use common::{Ran, Town, junto, ran, run};

/// Ports that were free a moment ago.
fn ports(n: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..n).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// Allows everything of a party's table, unless its catalog says something already.
fn open(home: &std::path::Path) {
    let file = home.join("catalog.toml");
    let mut tables = ["accounts", "subscribers"].into_iter();
    let table = tables.find(|table| home.join(format!("{table}.csv")).exists()).unwrap();
    if !file.exists() {
        std::fs::write(file, format!("[{table}]\npolicy = \"open\"\n")).unwrap();
    }
}

/// Three parties that know one another's public halves.
fn configured(town: &Town) -> Vec<String> {
    let names = ["bank", "helper", "telecom"];
    let mut configs = Vec::new();
    let mut halves = Vec::new();
    for (name, port) in names.iter().zip(ports(3)) {
        let config = town.path().join(format!("{name}.toml")).display().to_string();
        let (name, listen) = (format!("--name={name}"), format!("--listen=127.0.0.1:{port}"));
        let data = format!("--data={}", town.home(&name["--name=".len()..]).display());
        let file = format!("--config={config}");
        let mut arguments = vec!["party", "init", &name, &listen, &file];
        if name != "--name=helper" {
            arguments.push(&data);
            open(&town.home(&name["--name=".len()..]));
        }
        let made = run(&arguments);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        assert_eq!(run(&["party", "public", &file]).stdout, made.stdout);
        let again = run(&arguments);
        assert_eq!((again.code, again.stdout.as_str()), (Some(1), ""));
        assert!(again.stderr.contains("there is such a file already"), "{}", again.stderr);
        halves.push(made.stdout);
        configs.push(config);
    }
    for (index, config) in configs.iter().enumerate() {
        let mut text = std::fs::read_to_string(config).unwrap();
        halves.iter().enumerate().filter(|(other, _)| *other != index).for_each(|(_, half)| text += half);
        std::fs::write(config, text).unwrap();
    }
    configs
}

fn start(config: &str, arguments: &[&str]) -> Child {
    let mut command = junto(&["party", "--config", config]);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn finish(parties: Vec<Child>) -> Vec<Ran> {
    parties.into_iter().map(|party| ran(party.wait_with_output().unwrap())).collect()
}

const QUESTION: &str = "SELECT s.plan, COUNT(*) AS n FROM bank.accounts a JOIN telecom.subscribers s ON a.id = s.id \
                        GROUP BY s.plan ORDER BY s.plan";

#[test]
fn three_machines_answer_one_of_them() {
    let town = Town::small();
    let configs = configured(&town);
    let arguments = ["--as=telecom", "--format=csv", "--question", QUESTION];
    let parties = finish(configs.iter().map(|config| start(config, &arguments)).collect());
    let answers: Vec<&str> = parties.iter().map(|party| party.stdout.as_str()).collect();
    assert_eq!(answers, ["", "", "plan,n\nbasic,2\nplus,1\n"], "{parties:?}");
    assert!(parties.iter().all(|party| party.code == Some(0)));
}

#[test]
fn different_questions_are_noticed_before_anything_is_shared() {
    let town = Town::small();
    let configs = configured(&town);
    let question = |index: usize| if index == 2 { "SELECT 1" } else { QUESTION };
    let party =
        |(index, config): (usize, &String)| start(config, &["--as=bank", "--question", question(index)]);
    let parties = finish(configs.iter().enumerate().map(party).collect());
    assert!(parties.iter().all(|party| party.code == Some(1) && party.stdout.is_empty()), "{parties:?}");
    let told = parties[0].stderr.lines().last().unwrap();
    assert_eq!(told, "junto: telecom was given another question; give all parties the same");
}

/// Who asks says against whom the run holds; nobody takes part in less than it was told.
#[test]
fn no_party_takes_part_in_less_than_its_owner_chose() {
    let town = Town::small();
    let configs = configured(&town);
    let run = |kinds: [&str; 3]| {
        let party = |(config, kind): (&String, &str)| {
            let security = format!("--security={kind}");
            start(
                config,
                &[
                    "--as=bank",
                    "--format=json",
                    &security,
                    "--question",
                    "EXPLAIN SELECT id FROM bank.accounts",
                ],
            )
        };
        finish(configs.iter().zip(kinds).map(party).collect())
    };
    let parties = run(["semi-honest", "semi-honest", "malicious"]);
    assert!(parties.iter().all(|party| party.code == Some(1) && party.stdout.is_empty()), "{parties:?}");
    for party in &parties {
        let told = party.stderr.lines().last().unwrap();
        let expected = "junto: bank asks with semi-honest security, and telecom takes part in malicious alone: \
                        ask with --security malicious, or let telecom choose --security semi-honest";
        assert_eq!(told, expected);
    }
    // The other way round, all get more than they asked for.
    let parties = run(["malicious", "semi-honest", "semi-honest"]);
    assert!(parties.iter().all(|party| party.code == Some(0)), "{parties:?}");
    assert!(parties[0].stdout.contains("\"security\":\"malicious\""), "{parties:?}");
}

#[test]
fn a_party_with_bad_tables_tells_its_owner_where_and_the_others_that() {
    let town = Town::small();
    std::fs::write(town.home("bank").join("accounts.csv"), "id,balance\n1\n").unwrap();
    let configs = configured(&town);
    let arguments = ["--as=telecom", "--question", QUESTION];
    let parties = finish(configs.iter().map(|config| start(config, &arguments)).collect());
    let last = |party: &Ran| party.stderr.lines().last().unwrap_or_default().to_owned();
    assert!(last(&parties[0]).ends_with("accounts.csv, line 2: 1 field instead of 2"), "{parties:?}");
    for other in [1, 2] {
        let expected = "junto: bank aborted the session: its tables cannot be used; bank itself was told why";
        assert_eq!(last(&parties[other]), expected);
    }
    assert!(parties.iter().all(|party| party.code == Some(1) && party.stdout.is_empty()));
}

#[test]
fn configurations_that_cannot_work() {
    let town = Town::small();
    let file = town.path().join("party.toml");
    let config = format!("--config={}", file.display());
    let case = |text: &str, expected: &str| {
        std::fs::write(&file, text).unwrap();
        let ran = run(&["party", &config]);
        let told = ran.stderr.replace(&format!("{}/", town.path().display()), "");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
        let told = told.lines().last().unwrap_or_default().to_owned();
        assert!(told.starts_with(&format!("junto: {expected}")), "{told}");
    };
    case("name = \"a\"\nlisten = 1\n", "party.toml, line 2: invalid type");
    case(
        "name = \"a\"\nlisten = \"x\"\nkey = \"k\"\ncolour = 1\n",
        "party.toml, line 4: unknown field `colour`",
    );
    case("name = \"a.b\"\nlisten = \"x\"\nkey = \"k\"\n", "party.toml: a party's name holds no dot");
    case("name = \"a\"\nlisten = \"x\"\nkey = \"k\"\nformat = \"xml\"\n", "party.toml: `xml` is no format");
    case(
        "name = \"a\"\nlisten = \"x\"\nkey = \"k\"\nsecurity = \"none\"\n",
        "party.toml, line 4: unknown variant `none`",
    );
    case("name = \"a\"\nlisten = \"x\"\nkey = \"k\"\n", "k: No such file or directory");
    case("name = \"a\"\nlisten = \"x\"\nkey = \"generate\"\n", "`key` has to name a file");
    std::fs::remove_file(&file).unwrap();
    assert!(run(&["party", &config]).stderr.contains("party.toml: cannot be read"));
    assert!(run(&["party"]).stderr.contains("which party? give --config FILE"));
}

/// A run that stops after shares have left is counted, and the next one waits for it.
#[test]
fn an_abort_is_counted_and_slows_the_next_run_down() {
    let town = Town::small();
    let configs = configured(&town);
    let question = ["--as=bank", "--format=csv", "--question", QUESTION];
    let texts: Vec<String> = configs.iter().map(|config| std::fs::read_to_string(config).unwrap()).collect();
    for (config, text) in configs.iter().zip(&texts) {
        std::fs::write(config, format!("link = \"wan:500,1\"\n{text}")).unwrap();
    }
    let mut parties: Vec<Child> = configs.iter().map(|config| start(config, &question)).collect();
    // The one that goes has come as far as the others.
    let mut lines = BufReader::new(parties[1].stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("computing on shares")));
    // Agreeing on keys takes a round trip or two, the rest a hundred of them.
    std::thread::sleep(Duration::from_secs(3));
    parties.remove(1).kill().unwrap();
    for party in finish(parties) {
        assert_eq!((party.code, party.stdout.as_str()), (Some(1), ""), "{party:?}");
        assert!(party.stderr.contains("1 run aborted lately: the next one waits 2 s"), "{party:?}");
    }
    for (config, text) in configs.iter().zip(&texts) {
        std::fs::write(config, text).unwrap();
    }
    let parties = finish(configs.iter().map(|config| start(config, &question)).collect());
    assert!(parties.iter().all(|party| party.code == Some(0)), "{parties:?}");
    let waited = |party: &Ran| party.stderr.contains("1 run aborted lately: waiting ");
    assert_eq!(parties.iter().map(waited).collect::<Vec<_>>(), [true, false, true], "{parties:?}");
}

/// A party that answers others allows what it has written, and nothing where it has written nothing.
#[test]
fn a_party_without_a_policy_refuses_and_says_what_to_write() {
    let town = Town::small();
    std::fs::write(town.home("bank").join("catalog.toml"), "").unwrap();
    let configs = configured(&town);
    let arguments = ["--as=telecom", "--format=csv", "--question", QUESTION];
    let ask = || finish(configs.iter().map(|config| start(config, &arguments)).collect());
    let parties = ask();
    for party in &parties {
        let told = party.stderr.lines().last().unwrap_or_default();
        let expected = "bank forbids this question";
        assert!(
            party.code == Some(1) && told.contains(expected) && told.contains("takes `join`"),
            "{parties:?}"
        );
        assert!(told.ends_with("[accounts.columns] id = { allow = [\"join\"] }"), "{told}");
    }
    // What the owner itself asks is no matter of its policy.
    let own = ["--as=bank", "--format=csv", "--question", "SELECT SUM(id) AS s FROM bank.accounts"];
    let parties = finish(configs.iter().map(|config| start(config, &own)).collect());
    assert_eq!(parties[0].stdout, "s\n10\n", "{parties:?}");
}

/// An owner that tells the padded number of rows after its filter tells no more, and is told of.
#[test]
fn rows_after_a_filter_are_told_as_padded() {
    let town = Town::small();
    let rules = "[accounts]\nrows = 1000\nlocal_rows = { pad = 10 }\nmin_group = 1\nanswers = 2\nresult_rows = \"tell\"\n\n\
                 [accounts.columns]\nid = { allow = [\"join\"] }\nbalance = { allow = [\"filter\"] }\n";
    std::fs::write(town.home("bank").join("catalog.toml"), rules).unwrap();
    let configs = configured(&town);
    let filtered = QUESTION.replace("GROUP BY", "WHERE a.balance > 15 GROUP BY");
    let ask = |prefix: &str| {
        let question = format!("{prefix}{filtered}");
        let arguments = ["--as=telecom", "--format=csv", "--question", &question];
        finish(configs.iter().map(|config| start(config, &arguments)).collect::<Vec<_>>())
    };
    let plan = ask("EXPLAIN ");
    let told = "bank.accounts: the number of rows after its filter, rounded up to a multiple of 10";
    let scan = |parties: &[Ran]| {
        let line = parties[2].stdout.lines().find(|line| line.contains("LocalStage bank.accounts"));
        line.unwrap_or_else(|| panic!("{parties:?}")).to_owned()
    };
    assert!(plan[2].stdout.contains(told), "{plan:?}");
    assert!(scan(&plan).contains("rows≤1000 "), "{plan:?}");
    assert!(scan(&ask("EXPLAIN ANALYZE ")).contains("rows≤10 "));
    assert_eq!(ask("")[2].stdout, "plan,n\nplus,1\n");
    // What is told counts as an answer does, once.
    let spent = ask("");
    assert!(spent[2].stderr.contains("bank has given all 2 answers"), "{spent:?}");
}

/// Every noisy number spends an answer, whoever asks: the mean of many comes near the number itself.
#[test]
fn noisy_numbers_spend_answers() {
    let town = Town::small();
    let rules = "[accounts]\nrows = 1000\nlocal_rows = { noise = 1.5 }\nmin_group = 2\nanswers = 5\n\
                 result_rows = \"tell\"\n\n[accounts.columns]\nid = { allow = [\"join\"] }\n\
                 balance = { allow = [\"filter\"] }\n";
    std::fs::write(town.home("bank").join("catalog.toml"), rules).unwrap();
    let configs = configured(&town);
    let ask = |asker: &str, question: &str| {
        let asker = format!("--as={asker}");
        let arguments = [asker.as_str(), "--format=csv", "--question", question];
        finish(configs.iter().map(|config| start(config, &arguments)).collect::<Vec<_>>())
    };
    let filtered = "SELECT COUNT(*) AS n FROM bank.accounts a JOIN telecom.subscribers s ON a.id = s.id \
                    WHERE a.balance > 5";
    let plan = ask("telecom", &format!("EXPLAIN {filtered}"));
    for words in ["with noise: 0 to 38 rows that do not count", "0 of 5 given, 5 left; a run takes one"] {
        assert!(plan[2].stdout.contains(words), "{plan:?}");
    }
    assert_eq!(ask("telecom", filtered)[2].stdout, "n\n2\n");
    // The bank itself asks twice at once, and everybody learns both numbers.
    let twice = "SELECT COUNT(*) AS n FROM (SELECT s.id FROM bank.accounts a JOIN telecom.subscribers s ON a.id = s.id \
                 WHERE a.balance > 5 UNION ALL SELECT s.id FROM bank.accounts a JOIN telecom.subscribers s ON a.id = s.id \
                 WHERE a.balance > 15) x";
    std::fs::write(town.home("telecom").join("catalog.toml"), "[subscribers]\npolicy = \"open\"\n").unwrap();
    for _ in 0..2 {
        assert_eq!(ask("bank", twice)[0].stdout, "n\n3\n");
    }
    let spent = ask("bank", twice);
    assert!(spent[0].stderr.contains("bank has given all 5 answers"), "{spent:?}");
    assert!(spent[0].stderr.contains("tells 2 noisy numbers of its rows and so takes 2"), "{spent:?}");
}

/// Each party plans a mean on its own, and all plan the same.
#[test]
fn means_under_a_policy_are_planned_alike() {
    let town = Town::small();
    let rules = "[accounts]\nmin_group = 2\nresult_rows = \"tell\"\n\n\
                 [accounts.columns]\nid = { allow = [\"aggregate\"] }\n";
    std::fs::write(town.home("bank").join("catalog.toml"), rules).unwrap();
    let configs = configured(&town);
    let mean = "SELECT AVG(id) AS mean, COUNT(*) AS n FROM bank.accounts";
    let arguments = ["--as=telecom", "--format=csv", "--question", mean];
    for _ in 0..3 {
        let parties = finish(configs.iter().map(|config| start(config, &arguments)).collect());
        assert_eq!(parties[2].stdout, "mean,n\n2.5,4\n", "{parties:?}");
    }
}

#[test]
fn small_groups_are_suppressed_and_answers_counted_until_they_are_spent() {
    let town = Town::small();
    let rules = "[accounts]\nmin_group = 2\nanswers = 2\nresult_rows = \"tell\"\n\n\
                 [accounts.columns]\nid = { allow = [\"join\"] }\n";
    std::fs::write(town.home("bank").join("catalog.toml"), rules).unwrap();
    let configs = configured(&town);
    let ask = |question: &str, format: &str| {
        let arguments = ["--as=telecom", format, "--question", question];
        finish(configs.iter().map(|config| start(config, &arguments)).collect::<Vec<_>>())
    };
    let plan = ask(&format!("EXPLAIN {QUESTION}"), "--format=table");
    for line in ["bank.accounts.id in JOIN: join", "bank.accounts: 0 of 2 given, 2 left", "min_group = 2"] {
        assert!(plan[2].stdout.contains(line), "{plan:?}");
    }
    for given in 1..=2 {
        let parties = ask(QUESTION, "--format=json");
        let answer: serde_json::Value = serde_json::from_str(&parties[2].stdout).expect("an answer");
        assert_eq!(answer["rows"], serde_json::json!([["basic", 2]]), "{parties:?}");
        assert_eq!(answer["stats"]["suppressed_groups"], "not told");
        let plan = ask(&format!("EXPLAIN {QUESTION}"), "--format=json");
        let plan: serde_json::Value = serde_json::from_str(&plan[2].stdout).expect("a plan");
        assert_eq!(plan["answers"][0]["given"], given);
    }
    let parties = ask(QUESTION, "--format=json");
    for party in &parties {
        assert!(party.code == Some(1) && party.stdout.is_empty(), "{parties:?}");
        assert!(
            party.stderr.contains("bank has given all 2 answers that may depend on bank.accounts"),
            "{parties:?}"
        );
    }
    // A record that cannot be read is no clean one.
    let record = std::fs::read_dir(town.path()).unwrap().map(|entry| entry.unwrap().path());
    let record =
        record.into_iter().find(|path| path.extension().is_some_and(|end| end == "answers")).unwrap();
    std::fs::write(record, "nothing").unwrap();
    let parties = ask(QUESTION, "--format=json");
    assert!(parties[0].stderr.contains("does not say how many answers were given"), "{parties:?}");
    assert!(parties[2].stderr.contains("bank cannot count its answers; it was told why"), "{parties:?}");
}
