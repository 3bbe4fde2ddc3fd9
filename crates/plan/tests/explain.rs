//! Plans as text: `tests/explain/NAME.txt` holds the question, a line of
//! dashes and the plan. `UPDATE_PLANS=1 cargo test -p plan` writes them anew.

mod common;

use std::fs;
use std::path::Path;

use plan::explain::Prices;
use plan::secure::Security;

#[test]
fn plans_are_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain");
    let update = std::env::var_os("UPDATE_PLANS").is_some();
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let (sql, expected) = text.split_once("\n----\n").unwrap_or((text.trim_end(), ""));
        let name = path.file_stem().unwrap().to_str().unwrap();
        let catalog = if name.starts_with("tpch_") { common::tpch() } else { common::shops() };
        let plan = match common::ask(&catalog, sql) {
            Ok(plan) => plan,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        // Security is the same sentence everywhere, and the digest depends on the planner's version.
        let explained = plan.explain(&Prices::default());
        let explained = explained.split("\nSecurity ").next().unwrap();
        if update {
            fs::write(&path, format!("{sql}\n----\n{explained}")).unwrap();
        } else if explained != expected {
            wrong.push(format!("{name}:\n{explained}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_plan_says_against_whom_it_holds_and_its_digest_stands_for_it() {
    let sql = "SELECT sum(cents) AS total FROM bank.payments";
    let plans = Security::ALL.map(|security| common::ask_with(&common::shops(), sql, security).unwrap());
    assert_ne!(plans[0].digest(), plans[1].digest());
    for (plan, security) in plans.iter().zip(Security::ALL) {
        let (text, json) = (plan.explain(&Prices::default()), plan.explain_json(&Prices::default()));
        assert!(text.contains(&format!("\nSecurity {security}: {}\n", security.meaning())), "{text}");
        assert_eq!(json["security"], security.name());
        assert_eq!(security.name().parse(), Ok(security));
    }
    assert!(Security::Malicious > Security::SemiHonest);
    assert!("honest".parse::<Security>().is_err());
}
