//! Times the 22 questions of TPC-H as people ask them: `junto sql`, three processes, TLS.
//!
//! `tpch prepare DIR SCALE` writes each party's tables and catalog, the questions, and what
//! DataFusion answers on the plaintext; `tpch run DIR SECURITY [QUESTION…]` asks, compares, and
//! prints a line for each question. The program is the `junto` that was built beside this one.

#[path = "../tests/tpch/tables.rs"]
mod tables;

use std::error::Error;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use datafusion::parquet::arrow::ArrowWriter;
use engine::output::{Stats, json};
use serde_json::Value as Json;
use tables::{QUESTIONS, world};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["prepare", dir, scale] => prepare(Path::new(dir), scale.parse()?),
        ["run", dir, security, ref questions @ ..] => run(Path::new(dir), security, questions),
        _ => Err("tpch prepare DIR SCALE, or tpch run DIR SECURITY [QUESTION…]".into()),
    }
}

fn prepare(dir: &Path, scale: f64) -> Outcome {
    let world = world(scale);
    for party in &world.catalog().parties {
        let home = dir.join(&party.name);
        fs::create_dir_all(&home)?;
        let mut catalog = String::new();
        for table in &party.tables {
            let rows = world.rows(&party.name, &table.name).ok_or("a table without rows")?;
            let file = File::create(home.join(format!("{}.parquet", table.name)))?;
            let mut writer = ArrowWriter::try_new(file, rows.schema(), None)?;
            writer.write(rows)?;
            writer.close()?;
            writeln!(catalog, "[{}]", table.name)?;
            let unique: Vec<_> = table.unique_keys.iter().map(|key| &key.value).collect();
            writeln!(catalog, "unique = {}", serde_json::to_string(&unique)?)?;
            for matches in &table.matches_per_key {
                let key = serde_json::to_string(&matches.value.key)?;
                let most = matches.value.at_most;
                writeln!(catalog, "matches_per_key = [{{ key = {key}, at_most = {most} }}]")?;
            }
            writeln!(catalog, "[{}.columns]", table.name)?;
            for column in &table.columns {
                if let Some(distinct) = &column.distinct {
                    writeln!(catalog, "{} = {{ distinct = {} }}", column.name, distinct.value)?;
                }
            }
        }
        fs::write(home.join("catalog.toml"), catalog)?;
    }
    for (number, sql) in (1..).zip(QUESTIONS) {
        let answer = json(&world.oracle_answer(sql)?, &Stats::default());
        fs::write(expected(dir, number), answer["rows"].to_string())?;
    }
    Ok(())
}

fn run(dir: &Path, security: &str, questions: &[&str]) -> Outcome {
    let chosen = questions.iter().map(|number| number.parse::<usize>()).collect::<Result<Vec<_>, _>>()?;
    let junto = std::env::current_exe()?;
    let junto = junto.ancestors().nth(2).ok_or("no place for programs")?.join("junto");
    let mut all = 0.0;
    for (number, sql) in
        (1..).zip(QUESTIONS).filter(|(number, _)| chosen.is_empty() || chosen.contains(number))
    {
        let mut command = Command::new(&junto);
        command.args(["sql", "--format", "json", "--security", security]);
        command.args(["a", "b", "c"].map(|party| format!("--party={party}={}", dir.join(party).display())));
        let start = Instant::now();
        let output = command.arg(sql).output()?;
        let seconds = start.elapsed().as_secs_f64();
        if !output.status.success() {
            return Err(format!("Q{number}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        all += seconds;
        let answer: Json = serde_json::from_slice(&output.stdout)?;
        let expected: Json = serde_json::from_slice(&fs::read(expected(dir, number))?)?;
        let n_rows = answer["rows"].as_array().map_or(0, Vec::len);
        if !same(&sorted(&answer["rows"]), &sorted(&expected)) {
            return Err(format!("Q{number}: {} instead of {expected}", answer["rows"]).into());
        }
        let (rounds, sent) = (&answer["stats"]["rounds"], &answer["stats"]["bytes_sent"]);
        let megabytes = sent.as_f64().unwrap_or(0.0) / 1e6;
        println!("| Q{number} | {n_rows} | {seconds:.2} | {rounds} | {megabytes:.1} |");
    }
    println!("| all | | {all:.1} | | |");
    Ok(())
}

fn expected(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("q{number}.json"))
}

/// The rows in an order of their own.
fn sorted(rows: &Json) -> Vec<Json> {
    let mut rows = rows.as_array().cloned().unwrap_or_default();
    rows.sort_by_cached_key(Json::to_string);
    rows
}

/// Doubles may differ by a part in 10^12.
fn same(a: &[Json], b: &[Json]) -> bool {
    let cell = |(a, b): (&Json, &Json)| match (a, b) {
        (Json::Number(x), Json::Number(y)) if x.is_f64() || y.is_f64() => {
            let (x, y) = (x.as_f64().unwrap_or(f64::NAN), y.as_f64().unwrap_or(f64::NAN));
            (x - y).abs() <= 1e-12 * (1.0 + x.abs().max(y.abs()))
        }
        (Json::Array(a), Json::Array(b)) => same(a, b),
        _ => a == b,
    };
    a.len() == b.len() && a.iter().zip(b).all(cell)
}
