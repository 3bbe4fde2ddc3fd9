//! Three firms with customers in common, and ten offices with figures of their
//! own. All of it is made up, from a seed.

use std::fmt::Write;
use std::path::Path;

use super::random::Random;

/// People in the town; each firm knows some of them.
const N_PEOPLE: u64 = 40_000;
const N_CUSTOMERS: usize = 20_000;
const N_HOLDINGS: usize = 50_000;
const N_SUBSCRIBERS: usize = 25_000;
const N_PURCHASES: usize = 60_000;
const N_FIGURES: usize = 1_000;
/// Offices that add up their figures.
pub(super) const N_OFFICES: usize = 10;

const PRODUCTS: [&str; 12] = [
    "espresso machine",
    "e-bike",
    "noise-cancelling headphones",
    "robot vacuum",
    "smart watch",
    "tablet",
    "camera",
    "stroller",
    "garden grill",
    "standing desk",
    "heat pump dryer",
    "home projector",
];

/// One file of a party.
pub(super) struct File {
    pub(super) name: &'static str,
    pub(super) text: String,
}

/// The name of an office, from 0.
pub(super) fn office(number: usize) -> String {
    format!("office{:02}", number + 1)
}

/// Writes each party's files into a directory of its own below `dir`.
pub(super) fn write(dir: &Path, seed: u64) -> Result<(), String> {
    let mut parties = vec![
        ("bank".to_owned(), bank(seed)),
        ("telecom".to_owned(), telecom(seed)),
        ("retailer".to_owned(), retailer(seed)),
    ];
    parties.extend((0..N_OFFICES).map(|number| (office(number), figures(seed, number))));
    for (party, files) in parties {
        let home = dir.join(party);
        std::fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
        for File { name, text } in files {
            let file = home.join(name);
            std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    Ok(())
}

/// The ids of `n` different people, in no order.
fn people(random: &mut Random, n: usize) -> Vec<u64> {
    let mut ids: Vec<u64> = (100_000..100_000 + N_PEOPLE).collect();
    random.shuffle(&mut ids);
    ids.truncate(n);
    ids
}

/// An amount in cents as text.
fn cents(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", amount.abs() / 100, amount.abs() % 100)
}

/// A person is the same at every firm: what it earns and likes follows from its id.
fn wealth(person: u64) -> i64 {
    let mut random = Random::seeded(person, "wealth");
    random.around(50, 30).clamp(0, 100)
}

fn bank(seed: u64) -> Vec<File> {
    let mut random = Random::seeded(seed, "bank");
    let ids = people(&mut random, N_CUSTOMERS);
    let mut customers = String::from("customer_id,income,since\n");
    for id in &ids {
        let income = (random.around(22_000 + 900 * wealth(*id), 6_000)).max(0);
        let (year, month, day) = (1990 + random.below(35), 1 + random.below(12), 1 + random.below(28));
        // Some never told.
        let income = if random.chance(3) { String::new() } else { cents(income * 100) };
        let _ = writeln!(customers, "{id},{income},{year}-{month:02}-{day:02}");
    }
    let mut holdings = String::from("customer_id,market_value,yearly_return\n");
    for _ in 0..N_HOLDINGS {
        let id = ids[random.below(ids.len() as u64) as usize];
        let value = random.around(8_000 + 600 * wealth(id), 5_000).max(100) * 100 + random.below(100) as i64;
        let basis_points = random.around(250 + 4 * wealth(id), 700);
        let sign = if basis_points < 0 { "-" } else { "" };
        let part = basis_points.abs();
        let _ = writeln!(holdings, "{id},{},{sign}{}.{:04}", cents(value), part / 10_000, part % 10_000);
    }
    let catalog = "\
# What the bank lets the others know of its tables.
[customers]
rows = 20000
unique = [\"customer_id\"]

[customers.columns]
customer_id = { type = \"int64\", nullable = false, min = 0, max = 999999 }
income = { type = \"decimal(10,2)\", nullable = true, min = 0, max = 9999999 }
since = { type = \"date\", nullable = false, min = 1900-01-01, max = 2099-12-31 }

[holdings]
rows = 50000
unique = []
matches_per_key = [{ key = \"customer_id\", at_most = 30 }]

[holdings.columns]
customer_id = { type = \"int64\", nullable = false, min = 0, max = 999999 }
market_value = { type = \"decimal(10,2)\", nullable = false, min = 0, max = 9999999 }
yearly_return = { type = \"decimal(6,4)\", nullable = false, min = -1, max = 1 }
";
    vec![
        File { name: "customers.csv", text: customers },
        File { name: "holdings.csv", text: holdings },
        File { name: "catalog.toml", text: catalog.to_owned() },
    ]
}

fn telecom(seed: u64) -> Vec<File> {
    let mut random = Random::seeded(seed, "telecom");
    let ids = people(&mut random, N_SUBSCRIBERS);
    let mut subscribers = String::from("customer_id,segment,monthly_gb\n");
    for id in &ids {
        let segment = match random.around(wealth(*id), 15) {
            ..35 => "basic",
            35..55 => "plus",
            55..70 => "premium",
            _ => "business",
        };
        let gigabytes = random.around(10 + wealth(*id) / 2, 20).max(0);
        let _ = writeln!(subscribers, "{id},{segment},{gigabytes}");
    }
    let catalog = "\
# What the telecom lets the others know of its table.
[subscribers]
rows = 25000
unique = [\"customer_id\"]

[subscribers.columns]
customer_id = { type = \"int64\", nullable = false, min = 0, max = 999999 }
segment = { type = \"string\", nullable = false, width = 8, distinct = 8 }
monthly_gb = { type = \"int32\", nullable = false, min = 0, max = 1000 }
";
    vec![
        File { name: "subscribers.csv", text: subscribers },
        File { name: "catalog.toml", text: catalog.to_owned() },
    ]
}

fn retailer(seed: u64) -> Vec<File> {
    let mut random = Random::seeded(seed, "retailer");
    let ids = people(&mut random, N_SUBSCRIBERS);
    let mut purchases = String::from("customer_id,product,amount,day\n");
    for _ in 0..N_PURCHASES {
        let id = ids[random.below(ids.len() as u64) as usize];
        let half = PRODUCTS.len() as i64 / 2;
        let taste = (random.around(wealth(id) * half / 100, 3)).clamp(0, half - 1) as usize;
        // Half of what people buy follows their means, the other half is anything.
        let product = if random.chance(50) { PRODUCTS[taste] } else { random.one_of(&PRODUCTS) };
        let amount = random.around(30_000, 18_000).max(500);
        let (month, day) = (1 + random.below(12), 1 + random.below(28));
        let _ = writeln!(purchases, "{id},{product},{},2025-{month:02}-{day:02}", cents(amount));
    }
    let catalog = "\
# What the retailer lets the others know of its table.
[purchases]
rows = 60000
unique = []
matches_per_key = [{ key = \"customer_id\", at_most = 30 }]

[purchases.columns]
customer_id = { type = \"int64\", nullable = false, min = 0, max = 999999 }
product = { type = \"string\", nullable = false, width = 32, distinct = 64 }
amount = { type = \"decimal(8,2)\", nullable = false, min = 0, max = 99999 }
day = { type = \"date\", nullable = false, min = 2020-01-01, max = 2029-12-31 }
";
    vec![
        File { name: "purchases.csv", text: purchases },
        File { name: "catalog.toml", text: catalog.to_owned() },
    ]
}

fn figures(seed: u64, number: usize) -> Vec<File> {
    let mut random = Random::seeded(seed, &office(number));
    let mut figures = String::from("amount\n");
    for _ in 0..N_FIGURES {
        let _ = writeln!(figures, "{}", cents(random.around(250_000, 400_000)));
    }
    let catalog = "\
# What this office lets the others know of its table.
[figures]
rows = 1000
unique = []

[figures.columns]
amount = { type = \"decimal(12,2)\", nullable = false, min = -1000000, max = 1000000 }
";
    vec![File { name: "figures.csv", text: figures }, File { name: "catalog.toml", text: catalog.to_owned() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same seed gives the same bytes, and what the catalogs declare is true.
    #[test]
    fn the_data_is_the_same_everywhere_and_fits_its_catalogs() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 1).unwrap();
        let (mut n_tables, mut n_rows) = (0, 0);
        for party in std::fs::read_dir(dir.path()).unwrap() {
            let party = party.unwrap();
            let name = party.file_name().into_string().unwrap();
            let data = engine::local::load(&name, &party.path(), |_| true).unwrap();
            assert!(!serde_json::to_string(&data.catalog).unwrap().contains("inferred"), "{name}");
            n_tables += data.tables.len();
            n_rows += data.tables.iter().map(engine::local::LocalTable::n_rows).sum::<usize>();
        }
        assert_eq!((n_tables, n_rows), (14, 165_000));
        let again = tempfile::tempdir().unwrap();
        write(again.path(), 1).unwrap();
        let read = |dir: &Path| std::fs::read(dir.join("bank/holdings.csv")).unwrap();
        assert_eq!(read(dir.path()), read(again.path()));
        write(again.path(), 2).unwrap();
        assert_ne!(read(dir.path()), read(again.path()));
    }
}
