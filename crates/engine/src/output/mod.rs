//! An answer as text: a table for people, JSON or CSV for programs.

mod value;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use datafusion::arrow::array::RecordBatch;
use plan::types::{Type, Value, show_unscaled};
use serde_json::{Map, Number, Value as Json, json};

use crate::answer::Suppressed;
use value::{Column, columns};

/// What a run cost, for all parties together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The longest chain of messages that waited for one another.
    pub rounds: u64,
    /// Payload bytes that all parties sent.
    pub bytes_sent: u64,
    /// From the start of the session to the answer.
    pub wall_ms: u64,
    /// The protocol's name.
    pub protocol: String,
    /// The security level's name.
    pub security: String,
    /// The most bytes that a party kept of products before it had proved them.
    pub recorded_bytes_peak: u64,
    /// Groups that an owner's policy kept back, where one does.
    pub suppressed_groups: Option<Suppressed>,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// CSV with a header, NULL as an empty field.
    Csv,
}

impl Format {
    /// All forms, by their names.
    pub const NAMES: [(&'static str, Format); 3] =
        [("table", Format::Table), ("json", Format::Json), ("csv", Format::Csv)];
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        let found = Format::NAMES.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, format)| *format)
            .ok_or_else(|| format!("`{text}` is no format; there are table, json and csv"))
    }
}

/// The answer in one of its forms, ending in a line end.
pub fn render(answer: &RecordBatch, stats: &Stats, format: Format) -> String {
    match format {
        Format::Table => table(answer, stats),
        Format::Json => format!("{}\n", json(answer, stats)),
        Format::Csv => csv(answer),
    }
}

/// The answer as the JSON document of `--format json`.
pub fn json(answer: &RecordBatch, stats: &Stats) -> Json {
    let columns = columns(answer);
    let row = |row: usize| -> Json {
        columns.iter().map(|column| json_value(&column.values[row], column.ty)).collect()
    };
    let names = columns.iter().map(|column| json!({ "name": column.name, "type": column.ty }));
    json!({
        "columns": names.collect::<Vec<_>>(),
        "rows": (0..answer.num_rows()).map(row).collect::<Vec<_>>(),
        "stats": stats_json(stats),
    })
}

/// What a run cost, as it stands in the JSON document.
pub fn stats_json(stats: &Stats) -> Json {
    let mut map = Map::new();
    map.insert("rounds".to_owned(), stats.rounds.into());
    map.insert("bytes_sent".to_owned(), stats.bytes_sent.into());
    map.insert("wall_ms".to_owned(), stats.wall_ms.into());
    map.insert("protocol".to_owned(), stats.protocol.clone().into());
    map.insert("security".to_owned(), stats.security.clone().into());
    map.insert("recorded_bytes_peak".to_owned(), stats.recorded_bytes_peak.into());
    if let Some(groups) = stats.suppressed_groups {
        let groups = match groups {
            Suppressed::Groups(groups) => groups.into(),
            Suppressed::Untold => "not told".into(),
        };
        map.insert("suppressed_groups".to_owned(), groups);
    }
    map.into()
}

fn json_value(value: &Value, ty: Type) -> Json {
    match (value, ty) {
        (Value::Null, _) => Json::Null,
        (Value::Bool(flag), _) => Json::Bool(*flag),
        (Value::Int(flag), Type::Bool) => Json::Bool(*flag != 0),
        // Integers of 64 bits are JSON numbers; all else that is exact is text.
        (Value::Int(int), _) if ty.is_integer() => match (i64::try_from(*int), u64::try_from(*int)) {
            (Ok(int), _) => int.into(),
            (_, Ok(int)) => int.into(),
            _ => int.to_string().into(),
        },
        (Value::Int(int), _) => show_unscaled(*int, ty).into(),
        // NULL is what `null` is for.
        (Value::Float(float), _) => match Number::from_f64(*float) {
            Some(number) => Json::Number(number),
            None if float.is_nan() => "NaN".into(),
            None if *float > 0.0 => "Infinity".into(),
            None => "-Infinity".into(),
        },
        (Value::Utf8(text), _) => text.clone().into(),
    }
}

/// A value as text; `None` for NULL.
fn text(value: &Value, ty: Type) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Int(int) => show_unscaled(*int, ty),
        Value::Float(float) => float.to_string(),
        Value::Utf8(text) => text.clone(),
    })
}

fn table(answer: &RecordBatch, stats: &Stats) -> String {
    let columns = columns(answer);
    let n_rows = answer.num_rows();
    let head = |column: &Column| {
        let is_number = column.ty.is_exact_number() || column.ty == Type::Float64;
        (column.name.clone(), is_number)
    };
    let heads: Vec<(String, bool)> = columns.iter().map(head).collect();
    let row = |row: usize| columns.iter().map(|column| text(&column.values[row], column.ty)).collect();
    let table = text_table(&heads, (0..n_rows).map(row));
    let rows = if n_rows == 1 { "row" } else { "rows" };
    format!("{table}\n{n_rows} {rows} · {}\n", stats_line(stats))
}

/// A table for people. Columns have a name, and are numbers or not; `None` is NULL.
pub fn text_table(columns: &[(String, bool)], rows: impl IntoIterator<Item = Vec<Option<String>>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(name, _)| visible(name)));
    for row in rows {
        table.add_row(row.iter().map(|cell| cell.as_deref().map_or_else(|| "NULL".to_owned(), visible)));
    }
    for (index, (_, is_number)) in columns.iter().enumerate() {
        if let (true, Some(column)) = (*is_number, table.column_mut(index)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// What a run cost, in one line for people.
pub fn stats_line(stats: &Stats) -> String {
    let Stats { rounds, bytes_sent, wall_ms, protocol, security, recorded_bytes_peak, suppressed_groups } =
        stats;
    let (sent, seconds) = (human_bytes(*bytes_sent), *wall_ms as f64 / 1000.0);
    let recorded = match recorded_bytes_peak {
        0 => String::new(),
        bytes => format!(", {} recorded", human_bytes(*bytes)),
    };
    let suppressed = match suppressed_groups {
        None => String::new(),
        Some(Suppressed::Groups(1)) => " · 1 group suppressed".to_owned(),
        Some(Suppressed::Groups(groups)) => format!(" · {groups} groups suppressed"),
        Some(Suppressed::Untold) => {
            " · groups under the least size are left out; how many is not told".to_owned()
        }
    };
    format!("{rounds} rounds · {sent} sent · {seconds:.2} s · {protocol}, {security}{recorded}{suppressed}")
}

/// A number of bytes for people.
pub fn human_bytes(n: u64) -> String {
    match n {
        0..10_000 => format!("{n} B"),
        10_000..10_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", n as f64 / 1e6),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}

/// Control characters would move the cursor of whoever looks.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

fn csv(answer: &RecordBatch) -> String {
    let columns = columns(answer);
    let line = |fields: Vec<String>| format!("{}\n", fields.join(","));
    let mut out = line(columns.iter().map(|column| csv_field(&column.name)).collect());
    for row in 0..answer.num_rows() {
        let cell = |column: &Column| text(&column.values[row], column.ty);
        let field = |column| cell(column).map_or_else(String::new, |text| csv_field(&text));
        out.push_str(&line(columns.iter().map(field).collect()));
    }
    out
}

/// A field, quoted where it has to be; an empty text differs from NULL.
fn csv_field(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use datafusion::arrow::array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    };

    fn answer() -> (RecordBatch, Stats) {
        let amounts = Decimal128Array::from(vec![Some(-5), None]).with_precision_and_scale(10, 2).unwrap();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("n", Arc::new(Int64Array::from(vec![Some(-3), None]))),
            ("amount", Arc::new(amounts)),
            ("day", Arc::new(Date32Array::from(vec![Some(0), None]))),
            ("who, what", Arc::new(StringArray::from(vec!["a\"b\n\u{1b}", ""]))),
            ("ok", Arc::new(BooleanArray::from(vec![true, false]))),
            ("mean", Arc::new(Float64Array::from(vec![Some(0.5), None]))),
        ];
        let stats = Stats {
            rounds: 41,
            bytes_sent: 12_345,
            wall_ms: 1250,
            protocol: "rep3".to_owned(),
            security: "malicious".to_owned(),
            recorded_bytes_peak: 67_890,
            suppressed_groups: None,
        };
        (RecordBatch::try_from_iter(columns).unwrap(), stats)
    }

    #[test]
    fn json_keeps_every_digit_and_every_null() {
        let (answer, stats) = answer();
        let expected = "{\"columns\":[{\"name\":\"n\",\"type\":\"int64\"},{\"name\":\"amount\",\"type\":\"decimal(10,2)\"},\
            {\"name\":\"day\",\"type\":\"date\"},{\"name\":\"who, what\",\"type\":\"string\"},{\"name\":\"ok\",\"type\":\"bool\"},\
            {\"name\":\"mean\",\"type\":\"float64\"}],\"rows\":[[-3,\"-0.05\",\"1970-01-01\",\"a\\\"b\\n\\u001b\",true,0.5],\
            [null,null,null,\"\",false,null]],\"stats\":{\"rounds\":41,\"bytes_sent\":12345,\"wall_ms\":1250,\
            \"protocol\":\"rep3\",\"security\":\"malicious\",\"recorded_bytes_peak\":67890}}\n";
        assert_eq!(render(&answer, &stats, Format::Json), expected);
    }

    #[test]
    fn json_tells_what_is_no_number_from_null() {
        let doubles = [Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY), None, Some(-0.5)];
        let column: ArrayRef = Arc::new(Float64Array::from_iter(doubles));
        let answer = RecordBatch::try_from_iter([("x", column)]).unwrap();
        let expected = json!([["NaN"], ["Infinity"], ["-Infinity"], [null], [-0.5]]);
        assert_eq!(super::json(&answer, &Stats::default())["rows"], expected);
    }

    #[test]
    fn csv_quotes_what_it_must_and_tells_null_from_empty() {
        let (answer, stats) = answer();
        let expected = "n,amount,day,\"who, what\",ok,mean\n-3,-0.05,1970-01-01,\"a\"\"b\n\u{1b}\",true,0.5\n,,,\"\",false,\n";
        assert_eq!(render(&answer, &stats, Format::Csv), expected);
    }

    #[test]
    fn tables_show_no_control_characters() {
        let (answer, stats) = answer();
        let table = render(&answer, &stats, Format::Table);
        assert!(table.contains("a\"b\\n\\u{1b}"), "{table}");
        assert!(table.contains("NULL"), "{table}");
        assert!(
            table.ends_with(
                "2 rows · 41 rounds · 12.3 kB sent · 1.25 s · rep3, malicious, 67.9 kB recorded\n"
            ),
            "{table}"
        );
    }
}
