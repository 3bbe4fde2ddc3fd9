//! `junto demo` to its end: three answers, each equal to the plaintext's.

mod common;

use common::run;

#[test]
fn the_demo_answers_three_questions_as_plaintext_does() {
    let ran = run(&["demo"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for (part, times) in [
        ("Check: DataFusion on the joined plaintext gives the same ", 3),
        ("Who learns what:", 3),
        (" rounds · ", 3),
        (" saw of the rows, in a message from ", 3),
        ("What helper1 saw", 1),
        ("│ robot vacuum ", 1),
        ("│ 25052870.41 ┆   10000 │", 1),
    ] {
        assert_eq!(ran.stdout.matches(part).count(), times, "{part}: {}", ran.stdout);
    }
}
