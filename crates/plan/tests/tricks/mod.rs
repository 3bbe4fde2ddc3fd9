//! Tricks of a third and a fourth reader, who ran each of them and compared the answer with the truth.

mod choices;
mod failures;
mod harmless;
mod lists;
mod lookups;
mod values;
