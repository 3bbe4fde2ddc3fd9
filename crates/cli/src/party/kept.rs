//! Small files beside a party's key, which say what it must not forget.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// What the file holds; nothing if it was never written.
///
/// # Errors
/// As reading files.
pub(super) fn read(file: &Path) -> std::io::Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts `bytes` in the file's place, whole or not at all, and on the disk before it returns.
///
/// # Errors
/// As writing files.
pub(super) fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    let mut written = File::create(&new)?;
    written.write_all(bytes)?;
    written.sync_all()?;
    std::fs::rename(&new, file)?;
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}
