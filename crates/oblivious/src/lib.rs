//! oblivious
