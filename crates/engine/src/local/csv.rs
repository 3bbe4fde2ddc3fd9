//! CSV as RFC 4180 has it, with the line of every record.
//!
//! Fields may be quoted, quotes inside are doubled, lines end in LF or CRLF and
//! a quoted field may hold line ends. Blank lines are skipped. An empty field,
//! quoted or not, is NULL.

use std::path::Path;

use super::error::LoadError;

/// The records of a file as text.
pub(crate) struct Text {
    /// The header.
    pub(crate) names: Vec<String>,
    /// All fields, one behind the other.
    arena: String,
    /// Where each field of each record ends in `arena`.
    ends: Vec<usize>,
    /// On which line each record begins, counted from 1.
    pub(crate) lines: Vec<u64>,
}

impl Text {
    /// How many records there are, without the header.
    pub(crate) fn n_rows(&self) -> usize {
        self.lines.len()
    }

    /// The field of a record; empty means NULL.
    pub(crate) fn field(&self, row: usize, column: usize) -> &str {
        let at = row * self.names.len() + column;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.arena[start..self.ends[at]]
    }

    /// Reads all records.
    pub(crate) fn parse(file: &Path, bytes: &[u8]) -> Result<Text, LoadError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| LoadError::NotUtf8 {
            file: file.to_owned(),
            line: 1 + bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() as u64,
        })?;
        let mut records = Records { file, rest: text, line: 1 };
        let mut arena = String::new();
        let mut ends = Vec::new();
        if records.next_record(&mut arena, &mut ends)?.is_none() {
            return Err(LoadError::NoHeader { file: file.to_owned() });
        }
        let names = header(file, &arena, &ends)?;
        arena.clear();
        ends.clear();
        arena.reserve(records.rest.len());
        let mut lines = Vec::new();
        while let Some(line) = records.next_record(&mut arena, &mut ends)? {
            lines.push(line);
            let found = ends.len() - (lines.len() - 1) * names.len();
            if found != names.len() {
                return Err(LoadError::Ragged { file: file.to_owned(), line, expected: names.len(), found });
            }
        }
        Ok(Text { names, arena, ends, lines })
    }
}

fn header(file: &Path, arena: &str, ends: &[usize]) -> Result<Vec<String>, LoadError> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let names: Vec<String> = starts.zip(ends).map(|(start, end)| arena[start..*end].to_owned()).collect();
    for (index, name) in names.iter().enumerate() {
        let bad = |reason| LoadError::BadColumnName { file: file.to_owned(), column: index + 1, reason };
        if name.is_empty() {
            return Err(bad("has no name"));
        }
        if name.trim() != name {
            return Err(bad("has a name that begins or ends with a space"));
        }
        if name.chars().any(char::is_control) {
            return Err(bad("has a control character in its name"));
        }
        if names[..index].contains(name) {
            return Err(LoadError::DuplicateColumn { file: file.to_owned(), name: name.clone() });
        }
    }
    Ok(names)
}

/// What is left of a file.
struct Records<'a> {
    file: &'a Path,
    rest: &'a str,
    /// The line on which `rest` begins.
    line: u64,
}

impl Records<'_> {
    /// Appends the fields of the next record; returns its line.
    fn next_record(&mut self, arena: &mut String, ends: &mut Vec<usize>) -> Result<Option<u64>, LoadError> {
        while let Some(rest) = self.rest.strip_prefix('\n').or_else(|| self.rest.strip_prefix("\r\n")) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        loop {
            self.next_field(arena)?;
            ends.push(arena.len());
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            let end = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n'));
            if let Some(rest) = end {
                self.rest = rest;
                self.line += 1;
            }
            return Ok(Some(line));
        }
    }

    /// Appends one field; `rest` then begins with a comma, a line end or nothing.
    fn next_field(&mut self, arena: &mut String) -> Result<(), LoadError> {
        let Some(mut quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            let field = &self.rest[..end];
            // A line end of two characters; a CR anywhere else is part of the field.
            let is_line_end = self.rest[end..].starts_with('\n');
            let field = if is_line_end { field.strip_suffix('\r').unwrap_or(field) } else { field };
            if field.contains('"') {
                return Err(LoadError::StrayQuote { file: self.file.to_owned(), line: self.line });
            }
            arena.push_str(field);
            self.rest = &self.rest[field.len()..];
            return Ok(());
        };
        let start_line = self.line;
        loop {
            let Some(end) = quoted.find('"') else {
                return Err(LoadError::OpenQuote { file: self.file.to_owned(), line: start_line });
            };
            arena.push_str(&quoted[..end]);
            self.line += quoted[..end].bytes().filter(|b| *b == b'\n').count() as u64;
            quoted = &quoted[end + 1..];
            match quoted.strip_prefix('"') {
                Some(rest) => {
                    arena.push('"');
                    quoted = rest;
                }
                None => break,
            }
        }
        self.rest = quoted;
        let is_end = ["", ",", "\n", "\r\n"].iter().any(|end| match *end {
            "" => quoted.is_empty(),
            end => quoted.starts_with(end),
        });
        match is_end {
            true => Ok(()),
            false => Err(LoadError::StrayQuote { file: self.file.to_owned(), line: self.line }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<(u64, Vec<String>)>, String> {
        let text = Text::parse(Path::new("t.csv"), text.as_bytes()).map_err(|error| error.to_string())?;
        let row = |row| (0..text.names.len()).map(|column| text.field(row, column).to_owned()).collect();
        Ok((0..text.n_rows()).map(|k| (text.lines[k], row(k))).collect())
    }

    #[test]
    fn quotes_line_ends_and_blank_lines() {
        let text = "a,b\r\n1,\"x,\"\"y\"\"\r\nz\"\r\n\r\n2,\n\"\",3";
        let expected = [(2, ["1", "x,\"y\"\r\nz"]), (5, ["2", ""]), (6, ["", "3"])];
        let expected: Vec<(u64, Vec<String>)> =
            expected.map(|(line, row)| (line, row.map(str::to_owned).to_vec())).into();
        assert_eq!(rows(text), Ok(expected));
        assert_eq!(rows("\u{feff}a\n").unwrap(), []);
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        for (text, expected) in [
            ("", "t.csv: the file is empty; its first line has to name the columns"),
            ("a,b\n1,2\n3\n", "t.csv, line 3: 1 field instead of 2"),
            ("a,b\n\"1\n\",2\n3,4,5", "t.csv, line 4: 3 fields instead of 2"),
            ("a\n\"1", "t.csv, line 2: a quote is opened and never closed"),
            (
                "a\n\"1\"2",
                "t.csv, line 2: a quote stands inside a field; quote the field and double the quote",
            ),
            ("a\n1\"2", "t.csv, line 2: a quote stands inside a field; quote the field and double the quote"),
            ("a,a\n", "t.csv: there are two columns `a`"),
            ("a,\n", "t.csv: column 2 has no name"),
            ("a, b\n", "t.csv: column 2 has a name that begins or ends with a space"),
        ] {
            assert_eq!(rows(text).unwrap_err(), expected, "{text:?}");
        }
        let error = Text::parse(Path::new("t.csv"), b"a\n1\n\xff\n").err().unwrap();
        assert_eq!(error.to_string(), "t.csv, line 3: the text is not UTF-8");
    }
}
