//! Channels of bytes between JavaScript's threads. Whoever changes something at one end wakes those who wait at the other, on their thread.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Wake, Waker};

use knhk_engine::{Error, Status};
use knhk_warm::channel::{
    Endpoint, Flow as NativeFlow, LARGEST_WINDOW, ReceiveError, Registration, SendError, endpoints,
};
use napi::bindgen_prelude::{External, Function, Uint8Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status as NapiStatus};
use napi_derive::napi;

use super::{bad, lock};
use crate::error::throw;

type End = Endpoint<Vec<u8>, Vec<u8>>;
/// Tells JavaScript that it may go on: that it may write, or else that it may read.
type Tell = ThreadsafeFunction<bool, (), bool, NapiStatus, false, true>;

/// Ends that were handed over, until another thread takes them up.
static SHARED: LazyLock<Mutex<HashMap<String, End>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(1);

/// An end of a channel.
pub struct Channel {
    /// None once it was handed over.
    end: Option<End>,
    tell: Option<Arc<Tell>>,
    /// Those who wait: to read, to write.
    noted: [Option<Registration>; 2],
}

impl Channel {
    fn new(end: End) -> External<Channel> {
        External::new(Channel { end: Some(end), tell: None, noted: [None, None] })
    }
}

fn handed_over(env: Env) -> napi::Error {
    let message = "this end was handed over by share(): whoever attached it has it now";
    throw(env.raw(), &Error::new(Status::Closed, "channel", "channel", message))
}

struct Bell {
    tell: Arc<Tell>,
    writable: bool,
}

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        // An environment that has ended waits no more.
        self.tell.call(self.writable, ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// Makes a channel: its two ends.
#[napi(catch_unwind)]
pub fn channel_pair(env: Env, window: u32) -> napi::Result<Vec<External<Channel>>> {
    if window == 0 || window > LARGEST_WINDOW {
        let message = format!("a window is 1 to {LARGEST_WINDOW} messages, not {window}");
        return Err(bad(env, "channel", "window", message));
    }
    let (left, right) = endpoints(window);
    Ok(vec![Channel::new(left), Channel::new(right)])
}

/// Says who is told when there may be something to do: `wake(writable)`. It keeps no process alive.
#[napi(catch_unwind)]
pub fn channel_listen(channel: &mut External<Channel>, wake: Function<'_, bool, ()>) -> napi::Result<()> {
    channel.tell = Some(Arc::new(wake.build_threadsafe_function::<bool>().weak::<true>().build()?));
    Ok(())
}

/// Has `wake` called once when there may be something to read, or to write; the caller tries again before it waits.
#[napi(catch_unwind)]
pub fn channel_when(env: Env, channel: &mut External<Channel>, writable: bool) -> napi::Result<()> {
    let channel = &mut **channel;
    let (Some(end), Some(tell)) = (&channel.end, &channel.tell) else { return Err(handed_over(env)) };
    let waker = Waker::from(Arc::new(Bell { tell: tell.clone(), writable }));
    let noted = if writable { end.when_writable(waker) } else { end.when_readable(waker) };
    channel.noted[usize::from(writable)] = Some(noted);
    Ok(())
}

/// Sends without waiting: "sent", "full" or "closed".
#[napi(catch_unwind)]
pub fn channel_send(env: Env, channel: &External<Channel>, message: Uint8Array) -> napi::Result<&'static str> {
    let end = channel.end.as_ref().ok_or_else(|| handed_over(env))?;
    Ok(match end.try_send(message.to_vec()) {
        Ok(()) => "sent",
        Err(SendError::Full(_)) => "full",
        Err(SendError::Closed(_)) => "closed",
    })
}

/// What there is.
#[napi(object)]
pub struct Received {
    /// A message, where one is there.
    pub message: Option<Uint8Array>,
    /// Whether nothing will come any more.
    pub ended: bool,
}

/// The next message where one is there; with `take` it fills its place until [`channel_done`].
#[napi(catch_unwind)]
pub fn channel_receive(env: Env, channel: &External<Channel>, take: bool) -> napi::Result<Received> {
    let end = channel.end.as_ref().ok_or_else(|| handed_over(env))?;
    let received = if take { end.try_take() } else { end.try_receive() };
    let ended = received.as_ref().is_err_and(|error| *error == ReceiveError::Ended);
    Ok(Received { message: received.ok().map(Uint8Array::from), ended })
}

/// A message that was taken is done with.
#[napi(catch_unwind)]
pub fn channel_done(channel: &External<Channel>) {
    if let Some(end) = &channel.end {
        end.done();
    }
}

/// "hold", "release", "finish" or "close".
#[napi(catch_unwind)]
pub fn channel_switch(channel: &External<Channel>, to: String) {
    let Some(end) = &channel.end else { return };
    match to.as_str() {
        "hold" => end.hold(),
        "release" => end.release(),
        "finish" => end.finish(),
        _ => end.close(),
    }
}

/// How one way has fared.
#[napi(object)]
pub struct FlowFigures {
    /// The most messages under way.
    pub window: f64,
    /// Messages that were sent.
    pub sent: f64,
    /// Messages that the receiver is done with.
    pub done: f64,
    /// Attempts that found no credit.
    pub refused: f64,
    /// Whether the receiver holds its senders back.
    pub held: bool,
}

/// How what an end sends, or else receives, has fared.
#[napi(catch_unwind)]
pub fn channel_flow(env: Env, channel: &External<Channel>, outgoing: bool) -> napi::Result<FlowFigures> {
    let end = channel.end.as_ref().ok_or_else(|| handed_over(env))?;
    let NativeFlow { window, sent, done, refused, held } = if outgoing { end.outgoing() } else { end.incoming() };
    let [window, sent, done, refused] = [window, sent, done, refused].map(|figure| figure as f64);
    Ok(FlowFigures { window, sent, done, refused, held })
}

/// Hands an end over: what this gives names it in this process, once.
#[napi(catch_unwind)]
pub fn channel_share(env: Env, channel: &mut External<Channel>) -> napi::Result<String> {
    channel.noted = [None, None];
    let end = channel.end.take().ok_or_else(|| handed_over(env))?;
    let token = format!("knhk-channel:{}:{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    lock(&SHARED).insert(token.clone(), end);
    Ok(token)
}

/// Takes up an end that was handed over.
#[napi(catch_unwind)]
pub fn channel_attach(env: Env, token: String) -> napi::Result<External<Channel>> {
    let end = lock(&SHARED).remove(&token).ok_or_else(|| {
        let message = "this names no end of a channel that waits to be attached: pass what share() returned, once, in the same process";
        throw(env.raw(), &Error::new(Status::NotFound, "channel", &token, message))
    })?;
    Ok(Channel::new(end))
}
