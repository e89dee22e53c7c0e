//! The `knhk` command: what an engine's folder holds, and changes of it, from a terminal or a script.
#![forbid(unsafe_code)]

mod ago;
mod arguments;
mod input;
mod moment;
mod output;
mod progress;
mod render;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return output::misused(&error),
    };
    let json = arguments.json;
    match verbs::run(arguments) {
        Ok(done) => output::print(&done, json),
        Err(failure) => output::refuse(&failure, json),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
