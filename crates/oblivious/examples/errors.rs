//! The largest errors of the numeric functions over their domains, as `docs/numbers.md` lists them.
//!
//! ```sh
//! cargo run --release -p oblivious --example errors > docs/numbers.md
//! ```

#[path = "../tests/survey/mod.rs"]
mod survey;

use oblivious::fixed::Rounding;

/// Arguments of each function, beside the edges.
const ARGUMENTS: usize = 1_000_000;

fn main() {
    println!("# Numbers\n");
    println!("Written by `cargo run --release -p oblivious --example errors`; edit that.\n");
    println!(
        "A format `f/w` has `f` bits after the point and `w` in all. For each function: about {ARGUMENTS} arguments \
         over the whole range of the first format (half evenly over it, half evenly over sizes, and all edges: zero, \
         ±1, the least and the greatest, both sides of every power of two and of the pieces' ends), the largest \
         error found, in units of the result's last place and as a part of the error that the function states, and \
         the argument where. Where a result is not valid it has no error: a bit beside it says so.\n"
    );
    println!("| function | from | to | rounding | states | largest, ulp | part of stated | at |");
    println!("|---|---|---|---|---|---|---|---|");
    for subject in survey::subjects() {
        for rounding in [Rounding::OneUlp, Rounding::Floor] {
            // The oracle has the exact rounding's results; a random rounding needs the parties.
            let n = if rounding == Rounding::OneUlp { ARGUMENTS } else { ARGUMENTS / 4 };
            let raw = survey::arguments(&subject, n);
            let results = match rounding {
                Rounding::OneUlp => survey::lab().run(|s| survey::run(s, &subject, &raw, rounding)).agreed(),
                Rounding::Floor => survey::lab()
                    .plain(|s| survey::run(s, &subject, &raw, rounding))
                    .expect("a plain run succeeds"),
            };
            let worst = survey::check(&subject, &raw, &results);
            let [ulps, absolute, relative] = subject.bound;
            let mut states = format!("{ulps} ulp");
            if absolute > 0.0 {
                states += &format!(" + 2^{}", absolute.log2());
            }
            if relative > 0.0 {
                states += &format!(" + 2^{:.1}·result", relative.log2());
            }
            let at: Vec<String> = worst.at.iter().map(|x| format!("{x:.9}")).collect();
            println!(
                "| {} | {}/{} | {}/{} | {rounding:?} | {states} | {:.3} | {:.2} | {} |",
                subject.name,
                subject.from.fraction,
                subject.from.width,
                subject.out.fraction,
                subject.out.width,
                worst.ulps,
                worst.part,
                at.join(", "),
            );
        }
    }
}
