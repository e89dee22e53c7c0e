//! Who signs receipts: a key held here, or a JavaScript function that asks where it is held.
//!
//! Such a function runs on its environment's thread, asked by letter from whichever thread records something, which waits for the answer. The
//! environment's thread must therefore not wait for that one: changes that would are refused ([`crate::shared::Shared::check_change`]), and
//! what still does gives up after [`PATIENCE`].

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::ThreadId;
use std::time::Duration;

use knhk_engine::{Error, PublicKey, Signer, Status};
use napi::bindgen_prelude::Function;
use napi::{Env, JsValue};
use napi_derive::napi;

use crate::calls::Raw;
use crate::environment::Environment;
use crate::error::throw;
use crate::mailbox::{Mailbox, Signed, ToSign};
use crate::reference::Reference;
use crate::value;

/// How long a function may take to sign.
const PATIENCE: Duration = Duration::from_secs(15);

/// A function of JavaScript that signs.
struct Elsewhere {
    mailbox: Arc<Mailbox>,
    function: u32,
    thread: ThreadId,
}

impl Elsewhere {
    fn sign(&self, message: &[u8]) -> Signed {
        if std::thread::current().id() == self.thread {
            return Err(
                "a JavaScript function of this thread signs, which waits for it: use the form that returns a promise"
                    .into(),
            );
        }
        let (reply, answer) = sync_channel(1);
        self.mailbox.sign(ToSign { function: self.function, message: message.to_vec(), reply });
        answer.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            Err(match error {
                RecvTimeoutError::Timeout => format!(
                    "the JavaScript function gave no signature within {} s; its thread must not wait for the engine meanwhile",
                    PATIENCE.as_secs()
                ),
                RecvTimeoutError::Disconnected => "the thread of the JavaScript function that signs has ended".into(),
            })
        })
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.mailbox.unneeded(self.function);
    }
}

/// The signer of a number, and whether a function of JavaScript is behind it.
pub(crate) fn given(env: Env, environment: &Environment, number: u32) -> napi::Result<(Signer, bool)> {
    environment.signer(number).ok_or_else(|| {
        let message = "the signer is of another thread: make it on the thread that uses it";
        throw(env.raw(), &Error::new(Status::InvalidArgument, "call", "signer", message))
    })
}

fn kept(env: Env, made: Result<Signer, knhk_engine::Error>) -> napi::Result<u32> {
    let environment = Environment::required(env.raw())?;
    made.map(|signer| environment.keep_signer(signer, false)).map_err(|error| throw(env.raw(), &error))
}

/// A new key.
#[napi(catch_unwind)]
pub fn signer_generate(env: Env) -> napi::Result<u32> {
    kept(env, Signer::generate().map_err(Error::from))
}

/// A key from a file.
#[napi(catch_unwind)]
pub fn signer_load(env: Env, path: String) -> napi::Result<u32> {
    kept(env, Signer::load(Path::new(&path)).map_err(Error::from))
}

/// The key of a seed.
#[napi(catch_unwind)]
pub fn signer_from_seed(env: Env, seed: &[u8]) -> napi::Result<u32> {
    // The error says nothing of what is in it.
    let wrong = || Error::new(Status::InvalidArgument, "call", "seed", "a seed has 32 bytes");
    kept(env, seed.try_into().map(Signer::from_seed).map_err(|_| wrong()))
}

/// A key that a function signs with: it gets a request's number and a message, and answers with [`signed`].
#[napi(catch_unwind)]
pub fn signer_delegated(env: Env, public_key: &[u8], function: Function<'_>) -> napi::Result<u32> {
    let environment = Environment::required(env.raw())?;
    let wrong = || Error::new(Status::InvalidArgument, "call", "publicKey", "a public key has 32 bytes");
    let public = public_key.try_into().map_err(|_| wrong()).and_then(|key| Ok(PublicKey::from_bytes(key)?));
    let public = public.map_err(|error| throw(env.raw(), &error))?;
    // SAFETY: napi-rs checked that it is a function; this is its environment's thread.
    let function = environment.keep_function(unsafe { Reference::new(env.raw(), function.raw())? });
    let elsewhere = Elsewhere { mailbox: environment.mailbox.clone(), function, thread: std::thread::current().id() };
    let signer = Signer::delegated(public, move |message| elsewhere.sign(message));
    Ok(environment.keep_signer(signer, true))
}

/// Answers a request: with a signature, or with why there is none.
#[napi(catch_unwind)]
pub fn signed(request: u32, signature: Option<&[u8]>, why: Option<String>) {
    let Some(environment) = Environment::current() else { return };
    let signed = match (signature, why) {
        (_, Some(why)) => Err(why),
        (Some(signature), None) => signature
            .try_into()
            .map_err(|_| format!("the function gave {} bytes, and a signature has 64", signature.len())),
        (None, None) => Err("the function gave nothing where the 64 bytes of a signature were wanted".into()),
    };
    environment.signed(request, signed);
}

/// Writes a key to a new file.
#[napi(catch_unwind)]
pub fn signer_save(env: Env, signer: u32, path: String) -> napi::Result<()> {
    let environment = Environment::required(env.raw())?;
    let (signer, _) = given(env, &environment, signer)?;
    signer.save(Path::new(&path)).map_err(|error| throw(env.raw(), &error.into()))
}

/// Signs a message with a key that is held here.
#[napi(catch_unwind)]
pub fn signer_sign(env: Env, signer: u32, message: &[u8]) -> napi::Result<Raw> {
    let environment = Environment::required(env.raw())?;
    let (signer, _) = given(env, &environment, signer)?;
    let signature = signer.sign(message).map_err(|error| throw(env.raw(), &error.into()))?;
    Ok(Raw(value::bytes(env.raw(), &signature)))
}

/// A key's public part.
#[napi(catch_unwind)]
pub fn signer_public_key(env: Env, signer: u32) -> napi::Result<Raw> {
    let environment = Environment::required(env.raw())?;
    let (signer, _) = given(env, &environment, signer)?;
    Ok(Raw(value::bytes(env.raw(), &signer.public().to_bytes())))
}

/// Lets a signer go; engines that were opened with it keep it.
#[napi(catch_unwind)]
pub fn signer_forget(signer: u32) {
    if let Some(environment) = Environment::current() {
        environment.forget_signer(signer);
    }
}
