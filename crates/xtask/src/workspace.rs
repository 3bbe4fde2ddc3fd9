//! What the checks look at: the text of the tracked files and cargo's view of the crates.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::metadata::Metadata;

/// A text file of the project.
pub struct TextFile {
    /// Its path from the root, with `/`.
    pub path: String,
    pub text: String,
}

/// The project as it lies on disk.
pub struct Workspace {
    pub root: PathBuf,
    pub files: Vec<TextFile>,
    pub metadata: Metadata,
}

impl Workspace {
    /// Reads the project that this tool was built in.
    pub fn read() -> Result<Self, String> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().nth(2).ok_or("this crate has left crates/")?.to_path_buf();
        Ok(Workspace { files: read_files(&root)?, metadata: Metadata::read(&root)?, root })
    }
}

/// The text of all files that git tracks, or would track if they were added.
fn read_files(root: &Path) -> Result<Vec<TextFile>, String> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listing = output(Command::new("git").args(arguments).current_dir(root))?;
    let mut paths: Vec<&str> = listing.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        // Deleted but still tracked, or a link to elsewhere.
        let Ok(bytes) = std::fs::read(root.join(path)) else { continue };
        if let Ok(text) = String::from_utf8(bytes)
            && !text.contains('\0')
        {
            files.push(TextFile { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

/// What a command prints, or what it complained about.
pub fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command.output().map_err(|error| format!("{name} does not start: {error}"))?;
    if !out.status.success() {
        return Err(format!("{name} failed:\n{}", String::from_utf8_lossy(&out.stderr)));
    }
    String::from_utf8(out.stdout).map_err(|_| format!("{name} printed no text"))
}
