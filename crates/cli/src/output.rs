//! Standard output, which may be closed before the end.

use std::io::{ErrorKind, Write};

/// Prints `text`. Whoever closes the other end has read enough.
///
/// # Errors
/// If it cannot be written for another reason.
pub fn say(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}
