//! What a party's directory may hold, and the message for each thing it may not.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use datafusion::parquet::arrow::ArrowWriter;
use engine::local::{LoadError, LocalData, run, template};
use plan::catalog::{Fact, PublicCatalog, Source};
use plan::secure::Security;
use plan::types::{Range, Type};

/// All tables of a directory, as the bank's.
fn load(dir: &Path) -> Result<LocalData, LoadError> {
    engine::local::load("bank", dir, |_| true)
}

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory for the test");
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("a file for the test");
    }
    dir
}

fn load_files(files: &[(&str, &str)]) -> Result<LocalData, LoadError> {
    load(directory(files).path())
}

fn write_parquet(file: &Path, columns: Vec<(&str, ArrayRef, bool)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let out = std::fs::File::create(file).expect("a file for the test");
    let mut writer = ArrowWriter::try_new(out, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("a batch");
    writer.close().expect("a footer");
}

#[test]
fn types_and_facts_are_inferred_and_marked() {
    let csv = "id,amount,day,ok,who\n1,1.50,2024-01-01,true,Ana\n2,,1999-12-31,false,\n3,-20.255,,true,Bo\n";
    let data = load_files(&[("accounts.csv", csv), ("notes.txt", "x"), (".hidden.csv", "x")]).unwrap();
    let [table] = data.catalog.tables.as_slice() else { panic!("one table") };
    assert_eq!((table.name.as_str(), table.row_bound.clone()), ("accounts", Fact::inferred(3)));
    let types: Vec<Type> = table.columns.iter().map(|column| column.ty.value).collect();
    let decimal = Type::Decimal { precision: 5, scale: 3 };
    assert_eq!(types, [Type::Int64, decimal, Type::Date, Type::Bool, Type::Utf8]);
    assert!(table.columns.iter().all(|column| column.ty.source == Source::Inferred));
    let nullable: Vec<bool> = table.columns.iter().map(|column| column.nullable.value).collect();
    assert_eq!(nullable, [false, true, true, false, true]);
    assert_eq!(table.columns[1].range, Some(Fact::inferred(Range::new(-20_255, 1500))));
    assert_eq!(table.columns[3].range, None);
    assert_eq!(table.columns[4].string_width, Some(Fact::inferred(3)));
    let keys: Vec<&str> = table.unique_keys.iter().map(|key| key.value[0].as_str()).collect();
    assert_eq!(keys, ["id", "day", "who"]);
}

#[test]
fn declarations_take_the_place_of_what_is_inferred() {
    let catalog = "[t]\nrows = 10\nunique = [[\"a\", \"b\"]]\nmatches_per_key = [{ key = \"a\", at_most = 2 }]\n\
                   [t.columns]\na = { type = \"int16\", nullable = true, min = 0 }\n\
                   b = { type = \"string\", width = 8 }\nc = { type = \"decimal(10,2)\", max = 99.5 }\n";
    let data = load_files(&[("t.csv", "a,b,c\n1,x,1\n1,y,2.5\n2,x,\n"), ("catalog.toml", catalog)]).unwrap();
    let table = &data.catalog.tables[0];
    assert_eq!(table.row_bound, Fact::declared(10));
    assert_eq!(table.unique_keys, [Fact::declared(vec!["a".to_owned(), "b".to_owned()])]);
    assert_eq!(table.matches_per_key[0].value.at_most, 2);
    assert_eq!(table.columns[0].ty, Fact::declared(Type::Int16));
    assert_eq!(table.columns[0].range, Some(Fact::declared(Range::new(0, i16::MAX.into()))));
    assert_eq!(table.columns[1].string_width, Some(Fact::declared(8)));
    assert_eq!(table.columns[2].range, Some(Fact::declared(Range::new(-9_999_999_999, 9950))));
    assert_eq!(table.columns[2].nullable, Fact::inferred(true));
}

#[test]
fn every_fault_has_its_own_message() {
    // The directory's path stands before every file's name; it is cut off here.
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("t.csv", "a,b\n1,2\n3\n")], "t.csv, line 3: 1 field instead of 2"),
        (&[("t.csv", "")], "t.csv: the file is empty; its first line has to name the columns"),
        (
            &[("a.b.csv", "x\n")],
            "a.b.csv: the name has a dot before its ending; rename the file, since its stem names the table",
        ),
        (
            &[("t.csv", "a\n"), ("t.CSV", "a\n")],
            "table `t` is there twice: t.CSV and t.csv; keep one of them",
        ),
        (
            &[("t.csv", "a\n"), ("t.parquet", "")],
            "table `t` is there twice: t.csv and t.parquet; keep one of them",
        ),
        (&[("t.parquet", "no")], "t.parquet: not a readable Parquet file: "),
        (&[("t.csv", "a,b\n1,x\u{0}y\n")], "t.csv, line 2, column 2 (`b`): the text holds a NUL character"),
        (
            &[
                ("t.csv", "a,b\n1,2\n\"x\ny\",2.5\n3,2.505\n"),
                ("catalog.toml", "[t.columns]\nb = { type = \"decimal(4,2)\" }"),
            ],
            "t.csv, line 5, column 2 (`b`): the value is no decimal(4,2)",
        ),
        (
            &[("t.csv", "a\n1\n\n2\n"), ("catalog.toml", "[t]\nrows = 1")],
            "t.csv: 2 rows, more than the 1 that catalog.toml, line 2 allows",
        ),
        (
            &[("t.csv", "a,b\n1,1\n2,1\n,1\n,1\n1,1\n"), ("catalog.toml", "[t]\nunique = [\"a\"]")],
            "t.csv, line 6: `a` has the same value as on line 2, and catalog.toml, line 2 says that it is unique",
        ),
        (
            &[("t.csv", "a,b\n1,1\n2,1\n1,2\n1,1\n"), ("catalog.toml", "[t]\nunique = [[\"a\", \"b\"]]")],
            "t.csv, line 5: `a, b` has the same value as on line 2, and catalog.toml, line 2 says that it is unique",
        ),
        (
            &[
                ("t.csv", "a\n1\n2\n1\n1\n"),
                ("catalog.toml", "[t]\nmatches_per_key = [{ key = \"a\", at_most = 2 }]"),
            ],
            "t.csv, line 5: `a` has the same value on 3 rows up to here, and catalog.toml, line 2 allows 2",
        ),
        (
            &[("t.csv", "a\n1\n\"\"\n"), ("catalog.toml", "[t.columns]\na = { nullable = false }")],
            "t.csv, line 3, column 1 (`a`): the value is NULL, and catalog.toml, line 2 says that there is none",
        ),
        (
            &[("t.csv", "a\n1\n7\n"), ("catalog.toml", "[t.columns]\na = { min = 0, max = 6 }")],
            "t.csv, line 3, column 1 (`a`): the value is outside the range that catalog.toml, line 2 gives",
        ),
        (
            &[("t.csv", "a\nabc\n"), ("catalog.toml", "[t.columns]\na = { width = 2 }")],
            "t.csv, line 2, column 1 (`a`): the text has 3 bytes, more than the 2 that catalog.toml, line 2 allows",
        ),
        (
            &[("t.csv", "a\nx\ny\n\"\"\ny\n"), ("catalog.toml", "[t.columns]\na = { distinct = 1 }")],
            "t.csv: 2 different values of `a`, more than the 1 that catalog.toml, line 2 allows",
        ),
        (
            &[("t.csv", "a\n1\n"), ("catalog.toml", "[t.columns]\n\na = { min = 1.5 }")],
            "catalog.toml, line 3: `a` is int64, and this bound is none",
        ),
        (
            &[("t.csv", "a\n1\n"), ("catalog.toml", "[t.columns]\na = { min = 2, max = 1 }")],
            "catalog.toml, line 2: the least value of `a` is above its greatest",
        ),
        (
            &[("t.csv", "a\n1\n"), ("catalog.toml", "[t.columns]\na = { width = 1 }")],
            "catalog.toml, line 2: `a` is int64, which has no width",
        ),
        (
            &[("accounts.csv", "a\n1\n"), ("catalog.toml", "\n[acounts]\nrows = 1")],
            "catalog.toml, line 2: there is no table `acounts`; did you mean `accounts`?",
        ),
        (
            &[("t.csv", "balance\n1\n"), ("catalog.toml", "[t.columns]\nbalanec = { min = 1 }")],
            "catalog.toml, line 2: table `t` has no column `balanec`; did you mean `balance`?",
        ),
        (
            &[("t.csv", "balance\n1\n"), ("catalog.toml", "[t]\nunique = [\"zzzzzzzz\"]")],
            "catalog.toml, line 2: table `t` has no column `zzzzzzzz`",
        ),
        (&[("catalog.toml", "[t]\nrows = = 1")], "catalog.toml, line 2: "),
        (&[("catalog.toml", "[t]\ncolour = 1")], "catalog.toml, line 2: `colour` is not known here; "),
    ];
    for (files, expected) in cases {
        let dir = directory(files);
        let error = load(dir.path()).map(|_| ()).unwrap_err().to_string();
        let error = error.replace(&format!("{}/", dir.path().display()), "");
        assert!(error.starts_with(expected), "\n  told:     {error}\n  expected: {expected}");
    }
}

#[test]
fn directories_and_files_that_cannot_be_read() {
    let dir = directory(&[("t.csv", "a\n1\n")]);
    let missing = dir.path().join("nowhere");
    let error = load(&missing).unwrap_err().to_string();
    assert_eq!(error, format!("{}: there is no such directory", missing.display()));
    let file = dir.path().join("t.csv");
    let error = load(&file).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("{}: this is a file; give the directory that holds the tables", file.display())
    );
    for name in ["u.csv", "v.parquet"] {
        std::fs::create_dir(dir.path().join(name)).unwrap();
        let error = load(dir.path()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("directory"), "{error}");
        std::fs::remove_dir(dir.path().join(name)).unwrap();
    }
    std::os::unix::fs::symlink(dir.path().join("gone"), dir.path().join("w.csv")).unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("w.csv: cannot be read: No such file"), "{error}");
}

#[test]
fn tables_without_rows_and_directories_without_tables() {
    assert!(load_files(&[]).unwrap().catalog.tables.is_empty());
    let data = load_files(&[("t.csv", "a,b\n")]).unwrap();
    let table = &data.catalog.tables[0];
    assert_eq!(table.row_bound.value, 0);
    assert_eq!(table.columns[0].ty.value, Type::Utf8);
}

#[test]
fn parquet_keeps_its_types_and_what_its_schema_promises() {
    let dir = directory(&[("catalog.toml", "[t.columns]\nn = { type = \"decimal(9,1)\" }\n")]);
    let amounts = Decimal128Array::from(vec![Some(150), None]).with_precision_and_scale(6, 2).unwrap();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("n", Arc::new(Int32Array::from(vec![1, 2])), false),
        ("amount", Arc::new(amounts), true),
        ("who", Arc::new(StringArray::from(vec!["x", "yz"])), true),
    ];
    write_parquet(&dir.path().join("t.parquet"), columns);
    let data = load(dir.path()).unwrap();
    let table = &data.catalog.tables[0];
    assert_eq!(table.columns[0].ty, Fact::declared(Type::Decimal { precision: 9, scale: 1 }));
    assert_eq!(table.columns[0].range, Some(Fact::inferred(Range::new(10, 20))));
    assert_eq!(table.columns[0].nullable, Fact::declared(false));
    assert_eq!(table.columns[1].ty, Fact::declared(Type::Decimal { precision: 6, scale: 2 }));
    assert_eq!(table.columns[2].nullable, Fact::inferred(false));

    std::fs::write(dir.path().join("catalog.toml"), "[t.columns]\nwho = { max = 1 }\n").unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("catalog.toml, line 2: `who` is string, and this bound is none"), "{error}");
    std::fs::write(dir.path().join("catalog.toml"), "[t.columns]\namount = { type = \"int8\" }\n").unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("t.parquet, row 1, column 2 (`amount`): the value is no int8"), "{error}");
    std::fs::write(dir.path().join("catalog.toml"), "[t.columns]\nn = { type = \"date\" }\n").unwrap();
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("column `n` of table `t` is int32 in its file, which cannot be read as date"),
        "{error}"
    );
    std::fs::remove_file(dir.path().join("catalog.toml")).unwrap();

    let nul: ArrayRef = Arc::new(StringArray::from(vec!["a", "b\0"]));
    write_parquet(&dir.path().join("t.parquet"), vec![("who", nul, true)]);
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("t.parquet, row 2, column 1 (`who`): the text holds a NUL character"), "{error}");
    let bytes: ArrayRef = Arc::new(datafusion::arrow::array::BinaryArray::from(vec![&b"a"[..]]));
    write_parquet(&dir.path().join("t.parquet"), vec![("raw", bytes, true)]);
    let error = load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("column `raw` has the type Binary, which is not supported"), "{error}");
}

#[test]
fn columns_without_a_value_have_the_least_range() {
    let dir = directory(&[("u.csv", "a,b\n1,\n2,\n")]);
    let amounts = |values: Vec<Option<i128>>| -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(10, 2).unwrap())
    };
    let none: Vec<(&str, ArrayRef, bool)> = vec![
        ("n", Arc::new(Int64Array::from(Vec::<i64>::new())), true),
        ("amount", amounts(Vec::new()), true),
    ];
    write_parquet(&dir.path().join("empty.parquet"), none);
    let nulls: Vec<(&str, ArrayRef, bool)> = vec![
        ("day", Arc::new(Date32Array::from(vec![None, None])), true),
        ("amount", amounts(vec![None, None]), true),
        ("n", Arc::new(Int64Array::from(vec![None, Some(-7)])), true),
    ];
    write_parquet(&dir.path().join("nulls.parquet"), nulls);
    let tables = load(dir.path()).unwrap().catalog.tables;
    let ranges = |table: usize| {
        let columns = tables[table].columns.iter();
        columns.map(|column| column.range.as_ref().map(|range| range.value)).collect::<Vec<_>>()
    };
    let (nothing, seven) = (Some(Range::point(0)), Some(Range::point(-7)));
    assert_eq!(ranges(0), [nothing, nothing]);
    assert_eq!(ranges(1), [nothing, nothing, seven]);
    assert_eq!(tables[2].columns[1].string_width, Some(Fact::inferred(0)));
}

/// What a question does not read is no reason to stop.
#[test]
fn doubles_that_are_no_numbers_stop_what_reads_them() {
    let dir = directory(&[]);
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("k", Arc::new(Int64Array::from(vec![1, 2, 3])), false),
        ("x", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(f64::NAN)])), true),
        ("y", Arc::new(Float64Array::from(vec![f64::NEG_INFINITY, 0.0, 1.0])), true),
        ("z", Arc::new(Float64Array::from(vec![0.5, 0.25, 1.0])), true),
    ];
    write_parquet(&dir.path().join("t.parquet"), columns);
    let data = load(dir.path()).unwrap();
    assert_eq!(stage_rows(&data, "SELECT k, z FROM bank.t WHERE z < 1"), Ok(2));
    assert_eq!(stage_rows(&data, "SELECT COUNT(*) FROM bank.t"), Ok(1));
    let stops = |column: &str, row| {
        Err(format!("`bank.t.{column}` has NaN or an infinity in row {row}, which shares do not take"))
    };
    assert_eq!(stage_rows(&data, "SELECT k, x FROM bank.t"), stops("x", 3));
    assert_eq!(stage_rows(&data, "SELECT k FROM bank.t WHERE y > 0"), stops("y", 1));
}

#[test]
fn a_written_catalog_loads_and_leaves_nothing_inferred() {
    let csv = "id,amount,day,ok,who\n1,1.50,2024-01-01,true,\"A \"\"x\"\"\"\n2,,1999-12-31,false,\n";
    let dir = directory(&[("my table.csv", csv), ("empty.csv", "a\n")]);
    let inferred = load(dir.path()).unwrap();
    std::fs::write(dir.path().join("catalog.toml"), template(&inferred)).unwrap();
    let declared = load(dir.path()).unwrap();
    let text = serde_json::to_string(&declared.catalog).unwrap();
    assert!(!text.contains("inferred"), "{text}");
    let same = serde_json::to_string(&inferred.catalog).unwrap().replace("inferred", "declared");
    assert_eq!(same, text);
}

/// How many rows the only stage of a question gives.
fn stage_rows(data: &LocalData, sql: &str) -> Result<usize, String> {
    let catalog = PublicCatalog { parties: vec![data.catalog.clone()] };
    let compute = ["bank".to_owned()];
    let request = plan::Request {
        sql,
        catalog: &catalog,
        asker: "bank",
        compute: &compute,
        security: Security::DEFAULT,
    };
    let plan = plan::plan(request).expect("a plan");
    let (_, stage) = plan.local_stages()[0];
    let batches = run(&stage.logical, data).map_err(|error| error.to_string())?;
    Ok(batches.iter().map(RecordBatch::num_rows).sum())
}

#[test]
fn a_local_stage_runs_over_the_owners_rows_with_checked_arithmetic() {
    let data = load_files(&[("t.csv", "k,v\n1,9223372036854775807\n1,1\n2,5\n")]).unwrap();
    assert_eq!(stage_rows(&data, "SELECT k, v FROM bank.t WHERE v < 100"), Ok(2));
    let overflow = "an arithmetic overflow in the part that bank runs on its own rows";
    assert_eq!(stage_rows(&data, "SELECT k, v + 1 FROM bank.t"), Err(overflow.to_owned()));
    assert_eq!(stage_rows(&data, "SELECT k, sum(v) FROM bank.t GROUP BY k"), Err(overflow.to_owned()));
    let by_zero = "a division by zero in the part that bank runs on its own rows";
    assert_eq!(stage_rows(&data, "SELECT v / (k - 1) FROM bank.t"), Err(by_zero.to_owned()));
}

/// Files with a few bytes changed, cut or doubled load or are refused; nothing else happens.
#[test]
fn broken_files_are_refused_without_a_panic() {
    let csv = "id,amount,day,who\n1,1.50,2024-01-01,\"A, \"\"x\"\"\"\n2,,1999-12-31,\u{e9}\r\n-3,99.25,,b\n";
    let catalog = "[t]\nrows = 10\nunique = [\"id\", [\"id\", \"day\"]]\n\
                   matches_per_key = [{ key = \"who\", at_most = 2 }]\n[t.columns]\n\
                   id = { type = \"int16\", min = -5, max = 1_000 }\nday = { type = \"date\", min = 1990-01-01 }\n\
                   who = { type = \"string\", width = 9, nullable = true }\namount = { type = \"decimal(9,3)\" }\n";
    let mut state = 1u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let dir = directory(&[]);
    let (mut loaded, mut refused) = (0, 0);
    for _ in 0..600 {
        let mut files = [csv.as_bytes().to_vec(), catalog.as_bytes().to_vec()];
        let file = &mut files[random(2)];
        for _ in 0..=random(3) {
            if file.is_empty() {
                break;
            }
            let at = random(file.len());
            match random(4) {
                0 => file[at] = b"\",\n\r\0-.0[]={}\xff"[random(14)],
                1 => drop(file.remove(at)),
                2 => file.insert(at, file[at]),
                _ => file.truncate(at.max(1)),
            }
        }
        std::fs::write(dir.path().join("t.csv"), &files[0]).unwrap();
        std::fs::write(dir.path().join("catalog.toml"), &files[1]).unwrap();
        match load(dir.path()) {
            Ok(data) => loaded += usize::from(PublicCatalog { parties: vec![data.catalog] }.check().is_ok()),
            Err(_) => refused += 1,
        }
    }
    assert_eq!(loaded + refused, 600);
    assert!(loaded > 30 && refused > 30, "{loaded} loaded, {refused} refused");
}

/// What is told of rows after a filter is no rule of a policy: it may stand beside any, and alone.
#[test]
fn numbers_of_rows_are_told_as_declared() {
    use plan::policy::{Policy, RowCount};
    for (line, expected) in [
        ("", RowCount::Hidden),
        ("local_rows = \"hide\"", RowCount::Hidden),
        ("local_rows = \"tell\"", RowCount::Exact),
        ("local_rows = { pad = 1000 }", RowCount::Multiple(1000)),
        ("local_rows = { pad = \"power-of-two\" }", RowCount::PowerOfTwo),
    ] {
        for (policy, is_open) in [("", false), ("policy = \"open\"", true)] {
            let catalog = format!("[t]\n{line}\n{policy}\n");
            let dir = directory(&[("t.csv", "a,b\n1,2\n"), ("catalog.toml", &catalog)]);
            let data = load(dir.path()).unwrap_or_else(|error| panic!("{catalog}: {error}"));
            let table = &data.catalog.tables[0];
            assert_eq!(table.local_rows, expected, "{catalog}");
            assert_eq!(table.policy, if is_open { Policy::Open } else { Policy::Unstated }, "{catalog}");
        }
    }
}

/// Noise is for whom a row is about, and takes a limit of answers.
#[test]
fn noise_is_declared_with_what_it_takes() {
    use plan::policy::{Noise, RowCount};
    let loaded = |catalog: &str| {
        let dir = directory(&[("t.csv", "a,b\n1,2\n1,3\n2,2\n"), ("catalog.toml", catalog)]);
        load(dir.path()).map(|data| data.catalog.tables[0].local_rows)
    };
    for (lines, epsilon, rows) in [
        ("local_rows = { noise = 0.5 }", 500, 1),
        ("local_rows = { noise = 0.001 }", 1, 1),
        ("local_rows = { noise = 10 }", 10_000, 1),
        ("min_group = 5\nlocal_rows = { noise = 1.25 }", 1250, 1),
        (
            "entity = \"a\"\nmatches_per_key = [{ key = \"a\", at_most = 3 }]\nlocal_rows = { noise = 1.0 }",
            1000,
            3,
        ),
        ("entity = [\"a\", \"b\"]\nunique = [[\"a\", \"b\"]]\nlocal_rows = { noise = 1.0 }", 1000, 1),
    ] {
        let catalog = format!("[t]\nanswers = 9\n{lines}\n");
        let expected = RowCount::Noise(Noise::try_new(epsilon, rows).unwrap());
        assert_eq!(
            loaded(&catalog).unwrap_or_else(|error| panic!("{catalog}: {error}")),
            expected,
            "{catalog}"
        );
    }
    let takes = "the noise's epsilon, from 0.001 to 10";
    for (lines, expected) in [
        ("local_rows = { noise = 0 }", "epsilon from 0.001 to 10"),
        ("local_rows = { noise = 10.001 }", "epsilon from 0.001 to 10"),
        ("local_rows = { noise = 0.0005 }", takes),
        ("local_rows = { noise = -1.0 }", takes),
        ("local_rows = { noise = 1e0 }", takes),
        ("local_rows = { noise = inf }", takes),
        ("local_rows = { noise = nan }", takes),
        ("local_rows = { noise = \"1\" }", takes),
        ("local_rows = { noise = 0x1 }", takes),
        ("local_rows = { noise = 99999999999.0 }", takes),
        // No two rows of `a` and `b` are alike, and nobody has said that it stays so.
        (
            "entity = [\"a\", \"b\"]\nlocal_rows = { noise = 1.0 }",
            "`unique = [[\"a\", \"b\"]]` that it is one",
        ),
        (
            "entity = \"a\"\nlocal_rows = { noise = 1.0 }",
            "`matches_per_key = [{ key = \"a\", at_most = … }]` how many",
        ),
        (
            "entity = \"a\"\nmatches_per_key = [{ key = \"a\", at_most = 9000000 }]\nlocal_rows = { noise = 1.0 }",
            "larger epsilon, or fewer rows",
        ),
    ] {
        let error = loaded(&format!("[t]\nanswers = 9\n{lines}\n")).expect_err(lines).to_string();
        assert!(error.contains(expected), "{lines}: {error}");
    }
}

/// A policy is read with its lines, and what Junto does not do is refused in a sentence.
#[test]
fn policies_are_read_or_refused() {
    use plan::policy::{Grant, Policy};
    let loaded = |catalog: &str| {
        let dir = directory(&[("t.csv", "a,b\n1,2\n"), ("catalog.toml", catalog)]);
        load(dir.path()).map(|data| data.catalog.tables[0].policy.clone())
    };
    assert_eq!(loaded("[t]\nrows = 5\n").unwrap(), Policy::Unstated);
    assert_eq!(loaded("[t]\npolicy = \"open\"\n").unwrap(), Policy::Open);
    assert_eq!(loaded("[t]\npolicy = \"closed\"\n").unwrap(), Policy::Rules(Default::default()));
    let text = "[t]\nentity = \"a\"\nmin_group = 5\nanswers = 9\nresult_rows = \"tell\"\nlocal_rows = \"hide\"\n\
                askers_values = \"allow\"\n[t.columns]\nb = { allow = [\"filter\", \"aggregate\"], min_group = 7 }\n";
    let policy = loaded(text).unwrap();
    let rules = policy.rules().unwrap();
    assert_eq!(
        (rules.entity.as_slice(), rules.min_group, rules.answers),
        (&["a".to_owned()][..], Some(5), Some(9))
    );
    assert!(rules.result_rows && rules.askers_values);
    assert!(
        rules.allows("b", Grant::Filter)
            && !rules.allows("b", Grant::Reveal)
            && !rules.allows("a", Grant::Join)
    );
    assert_eq!((rules.min_group(&["b"]), rules.min_group(&[])), (Some(7), Some(5)));
    for (catalog, expected) in [
        ("[t]\npolicy = \"none\"\n", "line 2: expected \"open\" or \"closed\""),
        ("[t]\npolicy = \"open\"\nmin_group = 3\n", "line 2: beside `policy`"),
        ("[t]\nmin_group = 0\n", "line 2: expected the fewest entities of a group, a whole number from 1"),
        ("[t]\nanswers = -1\n", "line 2: expected how many answers"),
        ("[t]\nentity = \"c\"\n", "line 2: `t` has no column `c`"),
        ("[t]\nresult_rows = { noise = 3 }\n", "who asks sees which rows of an answer are real"),
        ("[t]\nresult_rows = { pad = 3 }\n", "padding would hide nothing from it"),
        ("[t]\nlocal_rows = \"round\"\n", "line 2: expected \"hide\", \"tell\", { pad = 1000 }"),
        ("[t]\nlocal_rows = { pad = 0 }\n", "line 2: expected \"hide\", \"tell\", { pad = 1000 }"),
        ("[t]\nlocal_rows = { pad = 5, noise = 1 }\n", "line 2: expected \"hide\""),
        ("[t]\nlocal_rows = { noise = 1.0 }\n", "line 2: noise takes a limit of answers"),
        ("[t]\npolicy = \"open\"\nlocal_rows = { noise = 1.0 }\n", "line 3: noise takes a limit of answers"),
        (
            "[t]\nmin_group = 2\nlocal_rows = { pad = 1000 }\n",
            "line 3: beside a `min_group` of more than 1, the number of rows that a filter keeps is hidden",
        ),
        (
            "[t]\nlocal_rows = \"tell\"\n[t.columns]\na = { allow = [\"aggregate\"], min_group = 2 }\n",
            "line 2: beside a `min_group` of more than 1",
        ),
        ("[t]\naskers_values = true\n", "line 2: expected \"allow\" or \"refuse\""),
        ("[t.columns]\na = { allow = [\"read\"] }\n", "line 2: expected \"join\" or \"filter\""),
        ("[t.columns]\na = { allow = \"join\" }\n", "line 2: expected a list of grants"),
        (
            "[t.columns]\na = { allow = [\"aggregate\"] }\n",
            "line 2: `a` may be aggregated; say with `min_group`",
        ),
        ("[t.columns]\na = { deny = [] }\n", "line 2: `deny` is not known here"),
        ("[t]\nnoise = 1\n", "line 2: `noise` is not known here"),
    ] {
        let error = loaded(catalog).unwrap_err().to_string();
        assert!(error.contains(expected), "{catalog:?}: {error}");
    }
}
