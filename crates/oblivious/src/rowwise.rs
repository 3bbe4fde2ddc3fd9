//! Circuits that treat every row alike, run on all cores.
//!
//! The circuits of this crate ([`crate::compare`], [`crate::adder`], …) run in
//! the session they are given. [`rowwise`] cuts long columns into chunks and
//! runs a chain of circuits on each, so that intermediate planes stay in cache
//! and one chunk's waiting is filled with another's work.

use mpc::{Label, ProtocolError, Session, SharedBits};

/// Runs `circuit` on chunks of the rows of `inputs` and puts the results together.
///
/// `circuit` gets the chunk's rows of each input, and returns columns of as many rows, the same
/// number of columns of the same widths for every chunk. It must not open values.
///
/// # Errors
/// The circuit's.
///
/// # Panics
/// If there is no input or their numbers of rows differ.
pub fn rowwise(
    s: &mut Session,
    label: impl Into<Label>,
    inputs: &[&SharedBits],
    circuit: impl Fn(&mut Session, &[SharedBits]) -> Result<Vec<SharedBits>, ProtocolError> + Sync,
) -> Result<Vec<SharedBits>, ProtocolError> {
    let n_rows = inputs[0].n_rows();
    assert!(inputs.iter().all(|input| input.n_rows() == n_rows), "columns of one length");
    let chunks = s.chunks(label, n_rows, |s, rows| {
        let inputs: Vec<SharedBits> = inputs.iter().map(|input| input.rows(rows.clone())).collect();
        circuit(s, &inputs)
    })?;
    let width = chunks.first().map_or(0, Vec::len);
    Ok((0..width)
        .map(|at| SharedBits::concat(&chunks.iter().map(|columns| &columns[at]).collect::<Vec<_>>()))
        .collect())
}

/// [`rowwise`] for circuits with one result.
///
/// # Errors
/// The circuit's.
///
/// # Panics
/// As [`rowwise`].
pub fn rowwise_one(
    s: &mut Session,
    label: impl Into<Label>,
    inputs: &[&SharedBits],
    circuit: impl Fn(&mut Session, &[SharedBits]) -> Result<SharedBits, ProtocolError> + Sync,
) -> Result<SharedBits, ProtocolError> {
    let mut out = rowwise(s, label, inputs, |s, inputs| Ok(vec![circuit(s, inputs)?]))?;
    Ok(out.pop().expect("one result"))
}
