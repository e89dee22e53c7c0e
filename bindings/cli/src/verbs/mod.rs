//! The verbs, from arguments to answers.

mod autonomic;
mod change;
mod govern;
mod history;
mod ledger;
mod lineage;
mod look;
mod observe;
mod operate;
mod proof;
mod rollout;
mod watch;

use std::path::Path;
use std::time::SystemTime;

use clap::CommandFactory;
use knhk_engine::control::{Access, Failure, Live};
use knhk_engine::{Engine, Options, Status};

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
        Verb::Log(log) => history::log(&place, &render, log),
        Verb::Tag(tag) => history::tag(&place, &render, tag),
        Verb::AsOf(as_of) => history::as_of(&place, &render, as_of),
        Verb::Prune(prune) => history::prune(&place, prune),
        Verb::Receipts(receipts) => ledger::receipts(&place, &render, receipts),
        Verb::Verify(verify) => ledger::verify(&place, verify),
        Verb::Checkpoint(checkpoint) => ledger::checkpoint(&place, &render, checkpoint),
        Verb::Keys(keys) => ledger::keys(&place, &render, keys),
        Verb::Backup(backup) => ledger::backup(&place, backup),
        Verb::Restore(restore) => ledger::restore(&place, &render, restore),
        Verb::Proof(proof) => proof::proof(&place, proof.of),
        Verb::Observe(observe) => observe::observe(&place, &render, observe),
        Verb::Patterns(patterns) => autonomic::patterns(&place, &render, patterns),
        Verb::Cycle(cycle) => autonomic::cycle(&place, &render, cycle),
        Verb::Proposals(proposals) => autonomic::proposals(&place, &render, proposals),
        Verb::Replay(replay) => autonomic::replay(&place, &render, replay),
        Verb::Learn(learn) => autonomic::learn(&place, &render, learn),
        Verb::Propose(propose) => govern::propose(&place, &render, propose),
        Verb::Check(check) => govern::check(&place, &render, check),
        Verb::Approve(approve) => govern::approve(&place, &render, approve),
        Verb::Relax(relax) => govern::relax(&place, &render, relax),
        Verb::Revoke(revoke) => govern::revoke(&place, &render, revoke),
        Verb::Doctrine(doctrine) => govern::doctrine(&place, &render, doctrine),
        Verb::Guard(guard) => govern::guard(&place, &render, guard),
        Verb::Shadow(shadow) => rollout::shadow(&place, &render, shadow),
        Verb::Canary(canary) => rollout::canary(&place, &render, canary),
        Verb::Schedule(schedule) => rollout::schedule(&place, &render, schedule),
        Verb::Merge(merge) => lineage::merge(&place, &render, merge),
        Verb::Bisect(bisect) => lineage::bisect(&place, bisect),
        Verb::Blame(blame) => lineage::blame(&place, &render, blame),
        Verb::Codegen(codegen) => lineage::codegen(&place, codegen),
        Verb::Health(health) => operate::health(&place, &render, health),
        Verb::Breakers(breakers) => operate::breakers(&place, &render, breakers),
        Verb::Limits(limits) => operate::limits(&place, &render, limits),
        Verb::Degrade(degrade) => operate::degrade(&place, &render, degrade),
        Verb::Tasks(tasks) => operate::tasks(&place, &render, tasks),
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
        let mut options = Options::default();
        options.history = depth;
        self.read_with(options)
    }

    /// As [`Place::read`], with options of one's own.
    fn read_with(&self, options: Options) -> Result<Access, Failure> {
        self.existing()?;
        Access::read(self.folder, options)
    }

    /// The engine itself, beside whatever other one has the folder open.
    fn engine(&self, options: Options) -> Result<Engine, Failure> {
        match self.read_with(options)? {
            Access::Here(engine, _) => Ok(engine),
            Access::Live(_) => unreachable!("a folder is read here"),
        }
    }

    /// The live engine that takes commands.
    fn live(&self) -> Result<Live, Failure> {
        self.existing()?;
        Live::connect(self.folder)?.ok_or_else(|| {
            let folder = self.folder.display().to_string();
            let message = format!(
                "no live engine takes commands on {folder}: this is in the memory of the program that has it open; open it there with the option control on"
            );
            Failure::new(Status::NotFound, "control", folder, message)
        })
    }

    /// Goes through the live engine, or opens the folder, which has to be there.
    fn change(&self) -> Result<Access, Failure> {
        self.change_with(Options::default())
    }

    /// As [`Place::change`]; the options are for where no live engine has the folder open.
    fn change_with(&self, options: Options) -> Result<Access, Failure> {
        self.existing()?;
        Access::change(self.folder, options)
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
