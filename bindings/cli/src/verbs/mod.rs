//! The verbs, from arguments to answers.

mod change;
mod look;

use std::path::Path;
use std::time::SystemTime;

use clap::CommandFactory;
use knhk_engine::control::{Access, Failure};
use knhk_engine::{Options, Status};

use crate::arguments::{Arguments, Completion, Verb};
use crate::output::{Done, Palette};
use crate::render::Render;

/// Does what the arguments say.
pub fn run(arguments: Arguments) -> Result<Done, Failure> {
    let place = Place { folder: &arguments.dir };
    let render = Render { palette: Palette::stdout(), now: SystemTime::now() };
    match arguments.verb {
        Verb::Init(init) => change::init(&place, &render, init),
        Verb::Import(import) => change::import(&place, &render, import),
        Verb::Promote(promote) => change::promote(&place, &render, promote),
        Verb::Rollback(rollback) => change::rollback(&place, &render, rollback),
        Verb::Export(export) => look::export(&place, export),
        Verb::Validate(validate) => look::validate(&place, &render, validate),
        Verb::Get(get) => look::get(&place, &render, get),
        Verb::Show(show) => look::show(&place, &render, show),
        Verb::Diff(diff) => look::diff(&place, &render, diff),
        Verb::Completion(completion) => Ok(script(completion)),
    }
}

/// The folder that the command is about.
struct Place<'a> {
    folder: &'a Path,
}

impl Place<'_> {
    /// Looks beside whatever engine has the folder open, at the newest `depth` versions.
    fn read(&self, depth: usize) -> Result<Access, Failure> {
        self.existing()?;
        let mut options = Options::default();
        options.history = depth;
        Access::read(self.folder, options)
    }

    /// Goes through the live engine, or opens the folder, which has to be there.
    fn change(&self) -> Result<Access, Failure> {
        self.existing()?;
        self.open()
    }

    /// Whether it is an engine's.
    fn exists(&self) -> bool {
        self.folder.join("store.sqlite").is_file()
    }

    fn existing(&self) -> Result<(), Failure> {
        let folder = self.folder.display().to_string();
        let message = format!(
            "{folder} is not an engine's folder; name one with --dir or KNHK_DIR, or make one with `knhk init`"
        );
        if self.exists() { Ok(()) } else { Err(Failure::new(Status::NotFound, "open", folder, message)) }
    }

    /// As [`Place::change`]; makes the folder where there is none.
    fn open(&self) -> Result<Access, Failure> {
        Access::change(self.folder, Options::default())
    }
}

fn script(completion: Completion) -> Done {
    let mut text = Vec::new();
    clap_complete::generate(completion.shell, &mut Arguments::command(), "knhk", &mut text);
    let text = String::from_utf8(text).expect("completion scripts are made of the arguments' names, which are UTF-8");
    Done::new(text.clone(), &serde_json::json!({ "shell": completion.shell.to_string(), "script": text }))
}
