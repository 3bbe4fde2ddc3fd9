//! What `--help` says, word for word: a change here is a change for users.

mod common;

use common::run;

#[test]
fn help_is_as_written_down() {
    let mut told = String::new();
    for command in [
        &["--help"][..],
        &["demo", "--help"],
        &["sql", "--help"],
        &["explain", "--help"],
        &["catalog", "infer", "--help"],
        &["party", "--help"],
        &["party", "init", "--help"],
        &["party", "public", "--help"],
        &["bench", "--help"],
    ] {
        let ran = run(command);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command:?}");
        told += &format!("$ junto {}\n{}\n", command.join(" "), ran.stdout);
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt");
    if std::env::var_os("JUNTO_WRITE_TRANSCRIPTS").is_some() {
        std::fs::write(file, &told).unwrap();
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(told, written, "run this test with JUNTO_WRITE_TRANSCRIPTS=1 if the change is meant");
}
