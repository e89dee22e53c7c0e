//! Channels of Python's objects.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use knhk_engine::{Error, Status};
use knhk_warm::channel::{Endpoint, Flow, LARGEST_WINDOW, ReceiveError, Registration, SendError, endpoints};
use pyo3::prelude::*;

use super::seconds;
use crate::callbacks;
use crate::error::{Raised, invalid};

/// How long a wait lasts before the interpreter is asked for signals, Ctrl-C above all.
const MOMENT: Duration = Duration::from_millis(100);

/// An end of a channel: what `knhk.warm.Channel` stands on.
#[pyclass(frozen, module = "knhk._knhk")]
pub struct ChannelBase {
    end: Endpoint<Py<PyAny>, Py<PyAny>>,
}

type FlowRow = (u64, u64, u64, u64, bool);

fn row(flow: Flow) -> FlowRow {
    (flow.window, flow.sent, flow.done, flow.refused, flow.held)
}

fn closed(message: &str) -> PyErr {
    Raised::from(Error::new(Status::Closed, "channel", "message", message)).into()
}

const GONE: &str = "the channel's other end is closed, or this one has finished";

/// Does what can be done at once, else detached and a moment at a time, until it is done or the time is over.
fn patiently<T>(
    py: Python<'_>,
    timeout: Option<f64>,
    mut attempt: impl FnMut(Python<'_>, Duration) -> PyResult<Option<T>>,
) -> PyResult<Option<T>> {
    if let Some(done) = attempt(py, Duration::ZERO)? {
        return Ok(Some(done));
    }
    let timeout = timeout.map(|timeout| seconds("channel", "timeout", timeout)).transpose()?;
    // A moment that cannot be named is one that never comes.
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = until.map_or(MOMENT, |until| until.saturating_duration_since(Instant::now()).min(MOMENT));
        if left.is_zero() {
            return Ok(None);
        }
        if let Some(done) = attempt(py, left)? {
            return Ok(Some(done));
        }
        py.check_signals()?;
    }
}

/// One of the ways to take a message from an end.
type Next = fn(&Endpoint<Py<PyAny>, Py<PyAny>>, Option<Duration>) -> Result<Py<PyAny>, ReceiveError>;

impl ChannelBase {
    fn next(&self, py: Python<'_>, timeout: Option<f64>, next: Next) -> PyResult<Option<Py<PyAny>>> {
        patiently(py, timeout, |py, moment| match py.detach(|| next(&self.end, Some(moment))) {
            Ok(message) => Ok(Some(message)),
            Err(ReceiveError::Empty) => Ok(None),
            Err(ended @ ReceiveError::Ended) => Err(closed(&ended.to_string())),
        })
    }
}

#[pymethods]
impl ChannelBase {
    #[staticmethod]
    fn pair(window: u32) -> PyResult<(ChannelBase, ChannelBase)> {
        if window == 0 || window > LARGEST_WINDOW {
            let message = format!("a window is 1 to {LARGEST_WINDOW} messages, not {window}");
            return Err(invalid("channel", "window", message));
        }
        let (left, right) = endpoints(window);
        Ok((ChannelBase { end: left }, ChannelBase { end: right }))
    }

    /// Whether it was sent in time.
    fn send(&self, py: Python<'_>, message: Py<PyAny>, timeout: Option<f64>) -> PyResult<bool> {
        let mut held = Some(message);
        let sent = patiently(py, timeout, |py, moment| {
            let message = held.take().expect("what was not sent is given back");
            match py.detach(|| self.end.send(message, Some(moment))) {
                Ok(()) => Ok(Some(())),
                Err(SendError::Full(back)) => {
                    held = Some(back);
                    Ok(None)
                }
                Err(SendError::Closed(_)) => Err(closed(GONE)),
            }
        });
        Ok(sent?.is_some())
    }

    /// The next message, or none in time. It is not `None` that says so, which may be a message.
    fn receive(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<(Py<PyAny>,)>> {
        Ok(self.next(py, timeout, Endpoint::receive)?.map(|message| (message,)))
    }

    fn take(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<(Py<PyAny>,)>> {
        Ok(self.next(py, timeout, Endpoint::take)?.map(|message| (message,)))
    }

    fn done(&self, py: Python<'_>) {
        py.detach(|| self.end.done());
    }

    fn hold(&self) {
        self.end.hold();
    }

    fn release(&self, py: Python<'_>) {
        py.detach(|| self.end.release());
    }

    fn finish(&self, py: Python<'_>) {
        py.detach(|| self.end.finish());
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.end.close());
    }

    fn is_closed(&self) -> bool {
        self.end.is_closed()
    }

    fn credit(&self) -> u64 {
        self.end.credit()
    }

    fn outgoing(&self) -> FlowRow {
        row(self.end.outgoing())
    }

    fn incoming(&self) -> FlowRow {
        row(self.end.incoming())
    }

    fn fileno(&self) -> PyResult<RawFd> {
        let made = self.end.descriptor().map_err(|error| {
            let message = format!("no descriptor for a channel: {error}");
            Raised::from(Error::new(Status::System, "channel", "eventfd", message))
        })?;
        Ok(made.as_raw_fd())
    }

    /// Calls once when there may be something to receive, or, for a writer, credit.
    fn when(&self, writable: bool, callback: Py<PyAny>) -> ChannelWaker {
        let waker = Waker::from(Arc::new(Callback(callback)));
        let noted = if writable { self.end.when_writable(waker) } else { self.end.when_readable(waker) };
        ChannelWaker(Mutex::new(Some(noted)))
    }
}

struct Callback(Py<PyAny>);

impl Wake for Callback {
    fn wake(self: Arc<Callback>) {
        callbacks::call(|py| self.0.call0(py).map(drop));
    }
}

/// Who waits at a channel.
#[pyclass(frozen, module = "knhk._knhk")]
pub struct ChannelWaker(Mutex<Option<Registration>>);

#[pymethods]
impl ChannelWaker {
    fn close(&self) {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(noted);
    }
}
