//! Files and standard input, read within the limit on documents.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use knhk_engine::control::Failure;
use knhk_engine::{Format, Options, Status};

use crate::progress::Progress;

/// A text, its format, and what to call it in messages.
pub struct Input {
    pub name: String,
    pub text: String,
    pub format: Format,
}

/// Reads a file, or standard input for `-`, in the format that is said or that its name tells.
pub fn read(path: &Path, said: Option<Format>) -> Result<Input, Failure> {
    let format = match said.or_else(|| told(path)) {
        Some(format) => format,
        None => {
            let message = format!("{} does not tell its format by its name; say it with --format", path.display());
            return Err(Failure::new(Status::InvalidArgument, "format", path.display().to_string(), message));
        }
    };
    let limit = Options::default().limits.bytes;
    let from_stdin = path == Path::new("-");
    let name = if from_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let failed = |error: io::Error| {
        let (status, advice) = match error.kind() {
            io::ErrorKind::NotFound => (Status::NotFound, "; name a file that there is, or - for standard input"),
            _ => (Status::Io, ""),
        };
        Failure::new(status, "read", &name, format!("{name} cannot be read: {error}{advice}"))
    };
    let _progress = Progress::begin(format!("reading {name}"));
    let mut bytes = Vec::new();
    let mut source: Box<dyn Read> =
        if from_stdin { Box::new(io::stdin().lock()) } else { Box::new(File::open(path).map_err(failed)?) };
    // One byte more than is allowed tells what is too long, whatever the file's length is said to be.
    source.by_ref().take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        let message =
            format!("{name} is too large; a document has at most {limit} bytes; split it into several sectors");
        return Err(Failure::new(Status::Limit, "read", &name, message));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("{name} is not UTF-8 from byte {at} on; save it as UTF-8 text");
        Failure::new(Status::BadUtf8, "read", &name, message)
    })?;
    Ok(Input { name, text, format })
}

/// The format that a file's name tells; standard input is JSON.
pub fn told(path: &Path) -> Option<Format> {
    if path == Path::new("-") { Some(Format::Json) } else { Format::from_extension(path.extension()?.to_str()?) }
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        _ = std::fs::remove_file(&beside);
        let path = path.display().to_string();
        Failure::new(Status::Io, "write", &path, format!("{path} cannot be written: {error}"))
    })
}

/// Names the file that a refusal is about.
pub fn about(mut failure: Failure, name: &str) -> Failure {
    if failure.data.stage == "parse" && !name.is_empty() {
        failure.message = format!("{name}: {}", failure.message);
    }
    failure
}
