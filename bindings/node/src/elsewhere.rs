//! Functions of JavaScript that other threads ask.
//!
//! Such a function runs on its environment's thread, asked by letter from another thread, which waits for the answer. What it is asked and
//! answers is JSON, and beside it there may be a view. Before the environment's thread waits for those threads in turn, the function is hushed,
//! so that whoever waits for its answer goes on without.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::ThreadId;
use std::time::Duration;

use knhk_hot::Hold;
use napi::bindgen_prelude::Function;
use napi::{Env, JsValue};
use serde::de::DeserializeOwned;

use crate::environment::Environment;
use crate::mailbox::{Answered, Mailbox, ToAnswer};
use crate::reference::Reference;

/// How long a function may take. The loop's own deadline is shorter, unless it was set to more.
const PATIENCE: Duration = Duration::from_secs(60);

/// A function of JavaScript that answers.
pub(crate) struct Elsewhere {
    mailbox: Arc<Mailbox>,
    pub function: u32,
    thread: ThreadId,
    pub hushed: Arc<AtomicBool>,
}

impl Elsewhere {
    pub(crate) fn new(env: Env, environment: &Environment, function: Function<'_>) -> napi::Result<Elsewhere> {
        // SAFETY: napi-rs checked that it is a function; this is its environment's thread.
        let function = environment.keep_function(unsafe { Reference::new(env.raw(), function.raw())? });
        let (mailbox, thread) = (environment.mailbox.clone(), std::thread::current().id());
        Ok(Elsewhere { mailbox, function, thread, hushed: Arc::new(AtomicBool::new(false)) })
    }

    pub(crate) fn ask(&self, text: String) -> Answered {
        self.ask_with(text, None)
    }

    /// Asks with a view, of the engine at a place.
    pub(crate) fn ask_with(&self, text: String, view: Option<(u32, Hold)>) -> Answered {
        if std::thread::current().id() == self.thread {
            return Err("the JavaScript function cannot run: its thread waits for this call".into());
        }
        let (reply, answer) = sync_channel(1);
        let to_answer = ToAnswer { function: self.function, text, view, reply: Some(reply) };
        self.mailbox.ask(&self.hushed, to_answer);
        answer.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            Err(match error {
                RecvTimeoutError::Timeout => {
                    format!("the JavaScript function gave no answer within {} s", PATIENCE.as_secs())
                }
                RecvTimeoutError::Disconnected => "the JavaScript function was removed, or its thread has ended".into(),
            })
        })
    }

    pub(crate) fn tell(&self, text: String) {
        self.mailbox.ask(&self.hushed, ToAnswer { function: self.function, text, view: None, reply: None });
    }

    /// What it answers, as its type.
    pub(crate) fn answer<T: DeserializeOwned>(&self, text: String) -> Result<Option<T>, String> {
        self.answer_with(text, None)
    }

    pub(crate) fn answer_with<T: DeserializeOwned>(
        &self,
        text: String,
        view: Option<(u32, Hold)>,
    ) -> Result<Option<T>, String> {
        let Some(answer) = self.ask_with(text, view)? else { return Ok(None) };
        let read = serde_json::from_str(&answer);
        read.map(Some).map_err(|error| format!("what it answered is not what it has to be: {error}"))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.mailbox.unneeded(self.function);
    }
}
