//! Tricks of a third reader, who ran each of them and compared the answer with the truth.

mod choices;
mod failures;
mod lookups;
mod values;
