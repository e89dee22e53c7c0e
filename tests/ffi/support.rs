//! Compiles C against the library under test, and runs what comes out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with `libknhk.so.1`, `libknhk.so` and `libknhk.a` of this build.
pub fn libraries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let built = std::env::current_exe().unwrap();
        let built = built.parent().expect("a test lies in a folder, with the libraries that it was built with");
        // One a test program: several run at once.
        let folder = scratch("lib");
        for (from, to) in [("libknhk.so", "libknhk.so.1"), ("libknhk.a", "libknhk.a")] {
            let _ = fs::remove_file(folder.join(to));
            std::os::unix::fs::symlink(built.join(from), folder.join(to)).unwrap();
        }
        let _ = fs::remove_file(folder.join("libknhk.so"));
        std::os::unix::fs::symlink("libknhk.so.1", folder.join("libknhk.so")).unwrap();
        folder
    })
}

/// A folder of this process's own; those of processes that are gone are removed on the way.
pub fn scratch(name: &str) -> PathBuf {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    let own = OWN.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ffi");
        for past in fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(past.file_name()).exists() {
                // Another process may be at it, too.
                _ = fs::remove_dir_all(past.path());
            }
        }
        all.join(std::process::id().to_string())
    });
    let folder = own.join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// How a program is linked with the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The shared library, reads inline.
    Inline,
    /// The shared library, reads through its symbols.
    Symbols,
    /// The archive, reads inline.
    Static,
    /// Not at all: the program loads the library by itself.
    Loaded,
}

/// The languages that every program is compiled as.
pub const LANGUAGES: [&str; 2] = ["c11", "c++17"];

const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wredundant-decls", "-Werror"];

/// Compiles sources below `tests/c`, with `more` flags.
pub fn compile(sources: &[&str], language: &str, link: Link, more: &[&str]) -> PathBuf {
    let name = format!("{}-{language}-{link:?}-{}", sources[0].replace('/', "-"), more.concat().replace('/', "-"));
    let mut cc = compiler(sources, language, more);
    match link {
        Link::Inline | Link::Symbols => {
            if link == Link::Symbols {
                cc.arg("-DKNHK_NO_INLINE");
            }
            cc.arg("-L").arg(libraries()).arg("-lknhk").arg(format!("-Wl,-rpath,{}", libraries().display()));
        }
        Link::Loaded => _ = cc.arg("-ldl"),
        Link::Static => _ = cc.arg("-Wl,--strip-debug").arg(libraries().join("libknhk.a")).args(["-lm", "-ldl"]),
    }
    linked(cc, &name)
}

/// Compiles against another archive than this build's.
pub fn compile_with(sources: &[&str], language: &str, more: &[&str], archive: &Path) -> PathBuf {
    let mut cc = compiler(sources, language, more);
    cc.arg(archive).args(["-lm", "-ldl"]);
    linked(cc, &format!("{}-{language}-archive", sources[0]))
}

fn compiler(sources: &[&str], language: &str, more: &[&str]) -> Command {
    let cpp = language.starts_with("c++");
    let mut cc = Command::new(if cpp { "g++" } else { "gcc" });
    cc.args(["-x", if cpp { "c++" } else { "c" }, &format!("-std={language}"), "-D_GNU_SOURCE"]);
    cc.args(["-g", "-O2", "-pthread"]).args(WARNINGS).arg("-I").arg(root().join("include"));
    cc.args(more).args(sources.iter().map(|source| root().join("tests/c").join(source))).args(["-x", "none"]);
    cc
}

fn linked(mut cc: Command, name: &str) -> PathBuf {
    let program = scratch("bin").join(name);
    succeeded(cc.arg("-o").arg(&program));
    program
}

/// Checks that a header needs no other, and draws no warning.
pub fn compiles_alone(header: &str, language: &str, more: &[&str]) {
    let cpp = language.starts_with("c++");
    let mut cc = Command::new(if cpp { "g++" } else { "gcc" });
    cc.args(["-fsyntax-only", &format!("-std={language}")]).args(WARNINGS).args(["-Wshadow", "-Wundef"]).args(more);
    cc.args(["-x", if cpp { "c++" } else { "c" }]).arg(root().join("include").join(header));
    succeeded(&mut cc);
}

/// Runs a command that must succeed.
pub fn succeeded(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    output
}
