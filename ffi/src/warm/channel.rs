//! Channels: two ends, each of which sends what the other receives, with credit.
//!
//! A message is a pointer. It belongs to whoever holds it: the sender until a send succeeds, then the channel, then the receiver. What is
//! never received is discarded with the function that the channel was made with. At most `window` messages are under way each way: one
//! end grants the other so many, and one more for each that it is done with, so that a receiver that falls behind holds its senders back. An
//! end may be used by several threads at once, and closed by any of them; what waits at either end is woken then.

use std::ffi::{c_int, c_void};
use std::mem::{ManuallyDrop, forget};
use std::os::fd::AsRawFd;
use std::ptr;
use std::time::Duration;

use knhk_engine::{Error, Status};
use knhk_warm::channel::{Endpoint, Flow, LARGEST_WINDOW, ReceiveError, SendError, endpoints};

use crate::call::call;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, required};
use crate::options::out_of;
use crate::text::output;
use crate::versioned::{Output, Versioned};

/// What becomes of messages that nobody receives.
type Discard = Option<unsafe extern "C" fn(message: *mut c_void)>;

/// A message on its way.
struct Message {
    at: *mut c_void,
    discard: Discard,
}

// SAFETY: the program said, by sending it, that another thread may have it.
unsafe impl Send for Message {}

impl Drop for Message {
    fn drop(&mut self) {
        if let Some(discard) = self.discard {
            // SAFETY: registered for this, and called once.
            unsafe { discard(self.at) }
        }
    }
}

/// An end of a channel, as C holds it.
pub struct ChannelHandle {
    end: Endpoint<Message, Message>,
    discard: Discard,
}

impl Kind for ChannelHandle {
    const NAME: &'static str = "channel";
    const MAGIC: u64 = 0x6b6e_686b_6368_6e01;
}

/// Waits for ever.
pub const KNHK_FOREVER: u64 = u64::MAX;

fn patience(timeout_ns: u64) -> Option<Duration> {
    (timeout_ns != KNHK_FOREVER).then(|| Duration::from_nanos(timeout_ns))
}

/// Makes a channel.
///
/// `window`: messages that may be under way each way, 1 to 1,048,576; memory for them is taken here. `discard`: NULL, or called with each
/// message that was sent and is never received, on the thread that closes its receiver, or frees the sender. `left`, `right`: receive the ends; the program
/// frees each with knhk_channel_free.
/// Returns KNHK_OK; KNHK_INVALID_ARGUMENT for another window. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_pair(
    window: u32,
    discard: Option<unsafe extern "C" fn(message: *mut c_void)>,
    left: *mut *mut ChannelHandle,
    right: *mut *mut ChannelHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let (left, right) = (output(left, "left")?, output(right, "right")?);
        if window == 0 || window > LARGEST_WINDOW {
            return Err(out_of("window", window.into(), "1 to 1,048,576 messages"));
        }
        let (here, there) = endpoints(window);
        // SAFETY: as documented.
        unsafe {
            ptr::write(left, give(ChannelHandle { end: here, discard }));
            ptr::write(right, give(ChannelHandle { end: there, discard }));
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Sends a message to the other end.
///
/// `message`: the channel's once KNHK_OK is returned, and else still the caller's; NULL is one, too. `timeout_ns`: how long to wait for credit: 0 for
/// not at all, KNHK_FOREVER.
/// Returns KNHK_OK; KNHK_BUSY where no credit came in that time; KNHK_CLOSED where the other end is closed, or this one has finished. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_send(
    channel: *mut ChannelHandle,
    message: *mut c_void,
    timeout_ns: u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let handle = unsafe { required(channel)? };
        let sent = handle.end.send(Message { at: message, discard: handle.discard }, patience(timeout_ns));
        sent.map_err(|refused| {
            let (status, why) = match &refused {
                SendError::Full(_) => {
                    (Status::Busy, "the receiver has granted no more: send again when it is done with some")
                }
                SendError::Closed(_) => (Status::Closed, "the channel's other end is closed, or this one has finished"),
            };
            let (SendError::Full(message) | SendError::Closed(message)) = refused;
            // It is the caller's again.
            forget(message);
            Error::new(status, "channel", "message", why)
        })
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// # Safety
/// As documented for the calls.
unsafe fn received(
    channel: *mut ChannelHandle,
    timeout_ns: u64,
    message: *mut *mut c_void,
    receive: impl FnOnce(&Endpoint<Message, Message>, Option<Duration>) -> Result<Message, ReceiveError>,
) -> Result<(), Error> {
    let place = output(message, "message")?;
    // SAFETY: the caller's promise.
    let handle = unsafe { required(channel)? };
    let received = receive(&handle.end, patience(timeout_ns)).map_err(|error| {
        let status = if error == ReceiveError::Empty { Status::Timeout } else { Status::Closed };
        Error::new(status, "channel", "message", error.to_string())
    })?;
    // SAFETY: the caller's promise.
    unsafe { ptr::write(place, ManuallyDrop::new(received).at) };
    Ok(())
}

/// Receives the next message of the other end.
///
/// `timeout_ns`: how long to wait for one: 0 for not at all, KNHK_FOREVER. `message`: receives it; it is the caller's.
/// Returns KNHK_OK; KNHK_TIMEOUT where none came in that time; KNHK_CLOSED when nothing will come: the other end has finished and everything was
/// received, or this end was closed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_receive(
    channel: *mut ChannelHandle,
    timeout_ns: u64,
    message: *mut *mut c_void,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || received(channel, timeout_ns, message, Endpoint::receive)) }
}

/// As knhk_channel_receive, for work that takes time: the message fills its place in the window until knhk_channel_done is called, once for
/// each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_take(
    channel: *mut ChannelHandle,
    timeout_ns: u64,
    message: *mut *mut c_void,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || received(channel, timeout_ns, message, Endpoint::take)) }
}

/// Says that a message which knhk_channel_take gave is done with; without one it does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_done(channel: *mut ChannelHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || required(channel).map(|handle| handle.end.done())) }
}

/// A descriptor to poll: it is readable while there may be a message to receive, and for good when nothing will come any more.
///
/// `fd`: receives an eventfd that belongs to the end: neither close nor read it. Receive with a timeout of 0 until KNHK_TIMEOUT, which has it wait
/// for the next message. Valid until the end is freed.
/// Returns KNHK_OK, or KNHK_SYSTEM when the process has no descriptors left. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_fd(
    channel: *mut ChannelHandle,
    fd: *mut c_int,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let place = output(fd, "fd")?;
        // SAFETY: as documented.
        let made = unsafe { required(channel)? }.end.descriptor().map_err(|error| {
            Error::new(Status::System, "channel", "eventfd", format!("no descriptor for a channel: {error}"))
        })?;
        // SAFETY: as documented.
        unsafe { ptr::write(place, made.as_raw_fd()) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Withdraws the other end's credit until knhk_channel_release, for a receiver in trouble; what was sent can still be received. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_hold(channel: *mut ChannelHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || required(channel).map(|handle| handle.end.hold())) }
}

/// Gives back the credit that knhk_channel_hold withdrew. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_release(channel: *mut ChannelHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || required(channel).map(|handle| handle.end.release())) }
}

/// Sends nothing more: the other end receives what was sent, and then KNHK_CLOSED. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_finish(channel: *mut ChannelHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || required(channel).map(|handle| handle.end.finish())) }
}

/// Finishes, and receives nothing more: what was not received is discarded, the other end cannot send, and every thread that waits at this end
/// returns with KNHK_CLOSED. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_close(channel: *mut ChannelHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || required(channel).map(|handle| handle.end.close())) }
}

/// How one way of a channel has fared. Set `struct_size` to sizeof(knhk_flow_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FlowC {
    /// sizeof(knhk_flow_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 1 where the receiver holds its senders back.
    pub held: u32,
    /// The most messages that may be under way.
    pub window: u64,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that the receiver is done with.
    pub done: u64,
    /// Attempts that found no credit.
    pub refused: u64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for FlowC {
    const NAME: &'static str = "knhk_flow_t";
}

/// # Safety
/// As documented for the calls.
unsafe fn told(
    channel: *const ChannelHandle,
    flow: *mut FlowC,
    of: impl FnOnce(&Endpoint<Message, Message>) -> Flow,
) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    let (handle, place) = unsafe { (required(channel)?, Output::new(flow)?) };
    let Flow { window, sent, done, refused, held } = of(&handle.end);
    place.write(FlowC { struct_size: 0, held: held.into(), window, sent, done, refused });
    Ok(())
}

/// How what this end sends has fared. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_outgoing(
    channel: *const ChannelHandle,
    flow: *mut FlowC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || told(channel, flow, Endpoint::outgoing)) }
}

/// How what this end receives has fared. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_incoming(
    channel: *const ChannelHandle,
    flow: *mut FlowC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || told(channel, flow, Endpoint::incoming)) }
}

/// Frees an end, which closes it. NULL does nothing. Any thread, once no other uses it: to end threads that wait at it, close it first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_channel_free(channel: *mut ChannelHandle) {
    // SAFETY: NULL or a live end, as documented.
    unsafe { free(channel) }
}
