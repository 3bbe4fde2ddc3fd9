//! A first `catalog.toml`, written from what the data shows.

use std::fmt::Write;

use plan::catalog::{Column, Table};
use plan::types::{Type, show_unscaled};

use super::LocalData;

/// The text of a `catalog.toml` that declares what was found, with comments
/// that tell the owner what each line tells everybody.
pub fn template(data: &LocalData) -> String {
    let mut text = String::from(
        "# What this party says about its tables. Every party of a question reads it.\n\
         #\n\
         # What stands here is checked against the rows before anything is shared.\n\
         # What does not stand here is inferred from the rows at each question, and the\n\
         # plan lists it as disclosed. The values below were inferred once: widen them to\n\
         # what you want to be known, for example `rows` to the next round number.\n",
    );
    for table in &data.catalog.tables {
        describe(&mut text, table).expect("a String takes everything");
    }
    text
}

fn describe(text: &mut String, table: &Table) -> std::fmt::Result {
    let name = key(&table.name);
    writeln!(text, "\n[{name}]")?;
    writeln!(text, "rows = {}    # the most rows; what is shared is padded to it", table.row_bound.value)?;
    let columns = |columns: &[String]| columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let unique = table.unique_keys.iter().map(|key| match key.value.as_slice() {
        [one] => quoted(one),
        several => format!("[{}]", columns(several)),
    });
    let unique = unique.collect::<Vec<_>>().join(", ");
    writeln!(text, "unique = [{unique}]    # keys; `[\"a\", \"b\"]` inside is one key of two columns")?;
    match table.matches_per_key.as_slice() {
        [] => writeln!(
            text,
            "# matches_per_key = [{{ key = \"column\", at_most = 10 }}]    # for keys that occur more than once"
        )?,
        all => {
            let matches = all.iter().map(|fact| {
                format!("{{ key = [{}], at_most = {} }}", columns(&fact.value.key), fact.value.at_most)
            });
            writeln!(text, "matches_per_key = [{}]", matches.collect::<Vec<_>>().join(", "))?;
        }
    }
    text.push_str(
        "# Who asks learns of this table what its policy allows, and nothing else. Take the marks away from:\n\
         # policy = \"open\"          # everything; or write rules instead:\n\
         # entity = \"column\"        # whom a row is about; without it, each row is about somebody else\n\
         # min_group = 10           # the fewest of them in a group that comes out\n\
         # local_rows = { noise = 0.5 }  # of the rows that a filter here keeps, everybody learns a noisy number\n\
         # result_rows = \"tell\"     # an answer's number of rows may depend on this table\n\
         # askers_values = \"allow\"  # the asker may sum values of its own over rows that match here\n\
         # answers = 100            # how many answers may depend on this table, ever\n",
    );
    writeln!(text, "\n[{name}.columns]")?;
    text.push_str(
        "# A column's grants go among its braces: allow = [\"join\", \"filter\", \"group\", \"aggregate\", \"reveal\"],\n\
         # or some of them, and perhaps min_group = 25.\n",
    );
    table.columns.iter().try_for_each(|column| describe_column(text, column))
}

fn describe_column(text: &mut String, column: &Column) -> std::fmt::Result {
    let ty = column.ty.value;
    write!(text, "{} = {{ type = \"{ty}\", nullable = {}", key(&column.name), column.nullable.value)?;
    if let Some(range) = &column.range {
        let bound = |value: i128| match show_unscaled(value, ty) {
            number if ty.is_exact_number() => number,
            moment => quoted(&moment),
        };
        write!(text, ", min = {}, max = {}", bound(range.value.low), bound(range.value.high))?;
    }
    if let (Type::Utf8, Some(width)) = (ty, &column.string_width) {
        write!(text, ", width = {}", width.value)?;
    }
    if let Some(most) = &column.distinct {
        write!(text, ", distinct = {}", most.value)?;
    }
    writeln!(text, " }}")
}

/// A name as TOML has it before `=` or in brackets.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
