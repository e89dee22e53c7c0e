//! Reads, guards, class questions, lookups and observations: functions without napi-rs's conversions, because they are hot.
//!
//! A *source* is an engine's place (0 and up: its current generation, pinned for the call) or a held generation's handle (below 0). How a
//! read ended, and which generation it saw, is left in the scratch words.

use std::ptr::null_mut;
use std::rc::Rc;

use knhk_engine::{Reader, ValueType};
use knhk_hot::layout::{Outcome as Seen, Tag};
use knhk_hot::{Observed, Snapshot};
use napi::sys;

use crate::environment::Environment;
use crate::local::{Interned, Local};
use crate::scratch::Outcome;
use crate::value::{self, boolean, undefined};

type Js = sys::napi_value;

const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// A call's arguments.
struct Call<const N: usize> {
    env: sys::napi_env,
    arguments: [Js; N],
}

impl<const N: usize> Call<N> {
    /// # Safety
    /// `env` and `info` are what Node-API handed to a callback that is still running.
    unsafe fn new(env: sys::napi_env, info: sys::napi_callback_info) -> Call<N> {
        let (mut arguments, mut count) = ([null_mut(); N], N);
        // SAFETY: the caller's promise. Missing arguments become undefined.
        unsafe {
            sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), null_mut(), null_mut());
        }
        Call { env, arguments }
    }

    // SAFETY, of all below: the arguments are values of the running call. One of another type leaves the default.

    fn integer(&self, at: usize) -> i64 {
        let mut value = 0;
        unsafe { sys::napi_get_value_int64(self.env, self.arguments[at], &mut value) };
        value
    }

    fn number(&self, at: usize) -> Option<f64> {
        let mut value = 0.0;
        let status = unsafe { sys::napi_get_value_double(self.env, self.arguments[at], &mut value) };
        (status == sys::Status::napi_ok).then_some(value)
    }

    fn boolean(&self, at: usize) -> Option<bool> {
        let mut value = false;
        let status = unsafe { sys::napi_get_value_bool(self.env, self.arguments[at], &mut value) };
        (status == sys::Status::napi_ok).then_some(value)
    }

    /// A BigInt that fits into 64 bits.
    fn signed(&self, at: usize) -> Option<i64> {
        let (mut value, mut lossless) = (0, false);
        let status =
            unsafe { sys::napi_get_value_bigint_int64(self.env, self.arguments[at], &mut value, &mut lossless) };
        (status == sys::Status::napi_ok && lossless).then_some(value)
    }

    /// An unsigned word: a BigInt, or a number.
    fn word(&self, at: usize) -> Option<u64> {
        let (mut value, mut lossless) = (0, false);
        let status =
            unsafe { sys::napi_get_value_bigint_uint64(self.env, self.arguments[at], &mut value, &mut lossless) };
        if status == sys::Status::napi_ok {
            return lossless.then_some(value);
        }
        self.number(at).map(|number| number as u64)
    }

    /// An integer: a BigInt, or a number that is one.
    fn i64(&self, at: usize) -> Option<i64> {
        match self.number(at) {
            // What a cast would saturate is no integer of 64 bits.
            Some(number) if number.fract() == 0.0 && (-TWO_63..TWO_63).contains(&number) => Some(number as i64),
            Some(_) => None,
            None => self.signed(at),
        }
    }

    fn text(&self, at: usize) -> Option<String> {
        let (env, value) = (self.env, self.arguments[at]);
        let mut length = 0;
        unsafe {
            if sys::napi_get_value_string_utf8(env, value, null_mut(), 0, &mut length) != sys::Status::napi_ok {
                return None;
            }
            // One more for the NUL that Node-API writes.
            let mut text = vec![0u8; length + 1];
            sys::napi_get_value_string_utf8(env, value, text.as_mut_ptr().cast(), text.len(), &mut length);
            text.truncate(length);
            String::from_utf8(text).ok()
        }
    }

    /// Runs `read` on the generation that the first argument names.
    fn read(&self, read: impl FnOnce(&Local, &Snapshot) -> (Js, Outcome)) -> Js {
        let Some(environment) = Environment::current() else { return undefined(self.env) };
        let source = self.integer(0);
        let scratch = &environment.scratch;
        let on = |local: &Local, snapshot: &Snapshot| {
            scratch.generation(snapshot.raw());
            read(local, snapshot)
        };
        let result = match u32::try_from(source) {
            Ok(place) => environment.local(place).and_then(|local| {
                let (value, outcome) = local.read(|_, snapshot| on(&local, snapshot))?;
                // A closed engine's values are absent.
                let gone = outcome != Outcome::Present && local.shared.is_closed();
                Some(if gone { (undefined(self.env), Outcome::Closed) } else { (value, outcome) })
            }),
            Err(_) => environment.held(source).map(|held| on(&held.local, &held.hold)),
        };
        let (value, outcome) = result.unwrap_or_else(|| (undefined(self.env), Outcome::Closed));
        scratch.outcome(outcome);
        value
    }

    fn key(&self, local: &Local, at: usize) -> Option<Interned> {
        local.key(u32::try_from(self.integer(at)).ok()?)
    }
}

type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> Js;

/// Adds the functions to the module.
pub(crate) fn register(env: sys::napi_env, exports: Js) -> napi::Result<()> {
    let functions: [(&std::ffi::CStr, Callback); 10] = [
        (c"read", read),
        (c"allows", allows),
        (c"range", range),
        (c"isA", is_a),
        (c"lookup", lookup),
        (c"find", find),
        (c"openView", open_view),
        (c"endView", end_view),
        (c"observe", observe),
        (c"empty", empty),
    ];
    for (name, callback) in functions {
        let mut function = null_mut();
        // SAFETY: the environment's thread, while the module is loaded; names end in NUL.
        unsafe {
            napi::check_status!(sys::napi_create_function(
                env,
                name.as_ptr(),
                -1,
                Some(callback),
                null_mut(),
                &mut function
            ))?;
            napi::check_status!(sys::napi_set_named_property(env, exports, name.as_ptr(), function))?;
        }
    }
    Ok(())
}

/// `read(source, key, big)`: the value, or undefined.
unsafe extern "C" fn read(env: sys::napi_env, info: sys::napi_callback_info) -> Js {
    // SAFETY: Node-API's own arguments.
    let call = unsafe { Call::<3>::new(env, info) };
    call.read(|local, snapshot| match call.key(local, 1) {
        Some(Interned { key, value_type }) => {
            let (value, outcome) = value::read(env, snapshot, key, value_type, call.boolean(2) == Some(true));
            (value.unwrap_or_else(|| undefined(env)), outcome)
        }
        None => (undefined(env), Outcome::Closed),
    })
}

/// `allows(source, key, value)`: whether the value lies in the key's range.
unsafe extern "C" fn allows(env: sys::napi_env, info: sys::napi_callback_info) -> Js {
    // SAFETY: Node-API's own arguments.
    let call = unsafe { Call::<3>::new(env, info) };
    call.read(|local, snapshot| {
        let Some(Interned { key, value_type }) = call.key(local, 1) else { return (undefined(env), Outcome::Closed) };
        let allowed = match value_type {
            ValueType::I64 => call.i64(2).is_some_and(|value| snapshot.guard_i64(key, value)),
            _ => call.number(2).is_some_and(|value| snapshot.guard_f64(key, value)),
        };
        (boolean(env, allowed), Outcome::Present)
    })
}

/// `range(source, key)`: the bounds of the key's guard as two numbers, rounded where a number cannot hold them; undefined where there is
/// no such value.
unsafe extern "C" fn range(env: sys::napi_env, info: sys::napi_callback_info) -> Js {
    // SAFETY: Node-API's own arguments.
    let call = unsafe { Call::<2>::new(env, info) };
    call.read(|local, snapshot| {
        let Some(Interned { key, value_type }) = call.key(local, 1) else { return (undefined(env), Outcome::Closed) };
        match value::range(snapshot, key, value_type) {
            Some(bounds) => {
                (value::list(env, bounds.map(|bound| value::number(env, bound)).into_iter()), Outcome::Present)
            }
            None => (undefined(env), Outcome::Absent),
        }
    })
}

/// `isA(source, class, ancestor)`: whether the one descends from the other, or is it.
unsafe extern "C" fn is_a(env: sys::napi_env, info: sys::napi_callback_info) -> Js {
    // SAFETY: Node-API's own arguments.
    let call = unsafe { Call::<3>::new(env, info) };
    call.read(|local, snapshot| match (call.key(local, 1), call.key(local, 2)) {
        (Some(class), Some(ancestor)) => (boolean(env, snapshot.is_a(class.key, ancestor.key)), Outcome::Present),
        _ => (undefined(env), Outcome::Closed),
    })
}

/// `lookup(source, map, name, big)`: the value under a name known only now.
unsafe extern "C" fn lookup(env: sys::napi_env, info: sys::napi_callback_info) -> Js {
    // SAFETY: Node-API's own arguments.
    let call = unsafe { Call::<4>::new(env, info) };
    call.read(|local, snapshot| {
        let (Some(map), Some(name)) = (call.key(local, 1), call.text(2)) else {
            return (undefined(env), Outcome::Closed);
        };
        value_at(env, snapshot, snapshot.lookup(map.key, &name), call.boolean(3) == Some(true))
    })
}

/// `find(source, "sector", "path", big)`: the value under a path known only now.
unsafe extern "C" fn find(env: sys::napi_env, info: sys::napi_callback_info) -> Js {
    // SAFETY: Node-API's own arguments.
    let call = unsafe { Call::<4>::new(env, info) };
    call.read(|local, snapshot| {
        let (Some(sector), Some(path)) = (call.text(1), call.text(2)) else {
            return (undefined(env), Outcome::Closed);
        };
        let Ok(sector) = local.shared.engine.sector_number(&sector) else {
            return (undefined(env), Outcome::Absent);
        };
        value_at(env, snapshot, snapshot.find(sector, &path), call.boolean(3) == Some(true))
    })
}

fn value_at(env: sys::napi_env, snapshot: &Snapshot, key: Option<knhk_hot::layout::Key>, big: bool) -> (Js, Outcome) {
    let found = key.and_then(|key| Some((key, value::type_of(value::tag(snapshot, key))?)));
    match found {
        Some((key, value_type)) => {
            let (value, outcome) = value::read(env, snapshot, key, value_type, big);
            (value.unwrap_or_else(|| undefined(env)), outcome)
        }
        None => (undefined(env), Outcome::Absent),
    }
}

/// `openView(engine)`: holds the current generation; gives its handle.
unsafe extern "C" fn open_view(env: sys::napi_env, info: sys::napi_callback_info) -> Js {
    // SAFETY: Node-API's own arguments.
    let call = unsafe { Call::<1>::new(env, info) };
    let Some(environment) = Environment::current() else { return undefined(env) };
    let local = u32::try_from(call.integer(0)).ok().and_then(|place| environment.local(place));
    let Some(local) = local.filter(|local| local.is_open()) else {
        environment.scratch.outcome(Outcome::Closed);
        return undefined(env);
    };
    let hold = local.read(|_, snapshot| {
        environment.scratch.generation(snapshot.raw());
        snapshot.hold()
    });
    environment.scratch.outcome(Outcome::Present);
    hold.map_or_else(|| undefined(env), |hold| value::number(env, environment.hold(Rc::clone(&local), hold) as f64))
}

/// `endView(handle)`: lets the generation go; false when that was done before.
unsafe extern "C" fn end_view(env: sys::napi_env, info: sys::napi_callback_info) -> Js {
    // SAFETY: Node-API's own arguments.
    let call = unsafe { Call::<1>::new(env, info) };
    boolean(env, Environment::current().is_some_and(|environment| environment.release(call.integer(0))))
}

/// `observe(source, key, value, outcome, subject, detail, timeNs)`: whether there was room.
unsafe extern "C" fn observe(env: sys::napi_env, info: sys::napi_callback_info) -> Js {
    // SAFETY: Node-API's own arguments.
    let call = unsafe { Call::<7>::new(env, info) };
    let Some(environment) = Environment::current() else { return undefined(env) };
    let scratch = &environment.scratch;
    let what = |local: &Local| -> Option<Observed> {
        let Interned { key, value_type } = call.key(local, 1)?;
        let (tag, bits) = match value_type {
            ValueType::Bool => (Tag::Bool, u64::from(call.boolean(2)?)),
            ValueType::F64 => (Tag::F64, call.number(2)?.to_bits()),
            _ => (Tag::I64, call.i64(2)?.cast_unsigned()),
        };
        Some(Observed {
            key,
            tag,
            bits,
            outcome: call.number(3).map_or(Seen::Unspecified as u32, |code| code as u32),
            subject: call.word(4).unwrap_or(0),
            detail: call.word(5).unwrap_or(0),
            time_ns: call.word(6),
        })
    };
    let append = |local: &Local, held: Option<&Snapshot>| {
        let what = what(local)?;
        let accepted = local.read(|reader: &Reader, current| reader.observe(held.unwrap_or(current), what));
        accepted.filter(|_| !local.shared.is_closed())
    };
    let source = call.integer(0);
    let accepted = match u32::try_from(source) {
        Ok(place) => environment.local(place).and_then(|local| append(&local, None)),
        Err(_) => environment.held(source).and_then(|held| append(&held.local, Some(&held.hold))),
    };
    scratch.outcome(if accepted.is_some() { Outcome::Present } else { Outcome::Closed });
    boolean(env, accepted == Some(true))
}

/// Does nothing: what a call costs at least, for the benchmark.
unsafe extern "C" fn empty(_: sys::napi_env, _: sys::napi_callback_info) -> Js {
    null_mut()
}
