//! What owners tell of how many rows their filters keep, before there is a session.

use std::collections::BTreeMap;

use net::{Mesh, Tag};
use plan::secure::SecurePlan;

use crate::event::{Failure, Nearness};

/// The most bytes of what one party tells.
const MAX_BYTES: usize = 1 << 16;
/// The one message in which it does.
const TAG: Tag = Tag { step: u128::from_be_bytes(*b"junto row counts"), chunk: 0 };

/// Tells everybody this party's numbers and makes the plan of all numbers. Whoever tells two parties
/// different ones makes two plans, which the session does not start with.
pub(super) fn exchange(
    mesh: &dyn Mesh,
    names: &[String],
    plan: &SecurePlan,
    mine: &BTreeMap<usize, u64>,
) -> Result<SecurePlan, Failure> {
    let bytes = serde_json::to_vec(mine).map_err(|error| Failure::own(error.to_string()))?;
    let all =
        net::exchange_documents(mesh, TAG, &bytes, MAX_BYTES).map_err(|error| Failure::net(&error, names))?;
    let all: Vec<_> = all.iter().map(|document| document.bytes()).collect();
    together(names, plan, &all)
}

/// The plan with the numbers that the parties told, each of its own stages.
fn together(names: &[String], plan: &SecurePlan, all: &[&[u8]]) -> Result<SecurePlan, Failure> {
    let disagrees = |message: String| Failure { message, nearness: Nearness::Peer };
    let owners: BTreeMap<usize, usize> =
        plan.telling_stages().into_iter().map(|(node, stage)| (node.id, stage.party)).collect();
    let mut told = BTreeMap::new();
    for (party, (name, bytes)) in names.iter().zip(all).enumerate() {
        let theirs: BTreeMap<usize, u64> = serde_json::from_slice(bytes)
            .map_err(|_| disagrees(format!("{name} sent numbers of rows that cannot be read")))?;
        if theirs.keys().any(|node| owners.get(node) != Some(&party)) {
            return Err(disagrees(format!("{name} told numbers of rows that are not its own")));
        }
        told.extend(theirs);
    }
    plan.with_told_rows(&told).map_err(|error| disagrees(error.to_string()))
}

#[cfg(test)]
mod tests {
    use plan::Request;
    use plan::catalog::{Column, Fact, PartyCatalog, PublicCatalog, Table};
    use plan::policy::{Policy, RowCount};
    use plan::secure::Security;
    use plan::types::Type;

    use super::*;

    fn plan(names: &[String]) -> SecurePlan {
        let column = Column {
            name: "k".to_owned(),
            ty: Fact::declared(Type::Int64),
            nullable: Fact::declared(false),
            range: None,
            string_width: None,
            distinct: None,
        };
        let table = Table {
            name: "t".to_owned(),
            row_bound: Fact::declared(50),
            columns: vec![column],
            unique_keys: vec![Fact::declared(vec!["k".to_owned()])],
            matches_per_key: Vec::new(),
            local_rows: RowCount::Multiple(10),
            policy: Policy::Open,
        };
        let party = |name: &String| PartyCatalog { name: name.clone(), tables: vec![table.clone()] };
        let catalog = PublicCatalog { parties: names.iter().map(party).collect() };
        let sql = "SELECT COUNT(*) FROM bank.t a JOIN shop.t b ON a.k = b.k WHERE a.k > 3 AND b.k > 3";
        let (asker, security) = (names[2].as_str(), Security::DEFAULT);
        plan::plan(Request { sql, catalog: &catalog, asker, compute: names, security }).expect("it plans")
    }

    #[test]
    fn each_owner_tells_its_own_numbers_and_nobody_elses() {
        let names = ["bank", "shop", "helper"].map(str::to_owned);
        let plan = plan(&names);
        let stages = plan.telling_stages();
        let of = |party: usize| stages.iter().find(|(_, stage)| stage.party == party).expect("a stage").0.id;
        let (bank, shop) = (of(0), of(1));
        let with = |told: [String; 3]| {
            together(&names, &plan, &told.each_ref().map(String::as_bytes)).map_err(|failure| failure.message)
        };
        let one = |node: usize, rows: u64| format!("{{\"{node}\":{rows}}}");
        let nothing = || "{}".to_owned();
        assert!(with([one(bank, 10), one(shop, 50), nothing()]).is_ok());
        for (told, words) in [
            ([one(bank, 10), nothing(), one(shop, 50)], "helper told numbers of rows that are not its own"),
            ([one(bank, 10), one(bank, 10), nothing()], "shop told numbers of rows that are not its own"),
            ([one(bank, 10), nothing(), nothing()], "shop does not tell the number of rows"),
            ([one(bank, 11), one(shop, 50), nothing()], "bank does not tell the number of rows"),
            ([nothing(), one(shop, 50), "[]".to_owned()], "helper sent numbers of rows that cannot be read"),
        ] {
            let error = with(told).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }
}
