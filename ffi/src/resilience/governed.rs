//! Policies that an engine knows: listed for operators, and retuned by a sector's values.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{Error, PolicyInfo, Status, policy_document};

use super::policy::PolicyHandle;
use crate::buffer::{Buffer, filled};
use crate::call::{call, on_engine};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given, required};
use crate::text::{Texts, optional_text, output, text};

/// The parameters of a policy as a JSON document, with ranges, units and meanings: promoted into the sector that the policy follows,
/// alone or among others, it changes nothing until somebody changes a value.
///
/// `json`: receives it; the program frees it with knhk_buffer_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_document(
    policy: *const PolicyHandle,
    json: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let json = output(json, "json")?;
        // SAFETY: as documented.
        let policy = unsafe { required(policy)? };
        let name = policy.name.to_string_lossy();
        // SAFETY: as documented.
        unsafe { ptr::write(json, filled(policy_document(&name, &policy.policy))) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Makes a policy known to an engine under its name: knhk_policies lists it.
///
/// `sector`: NULL, or the sector whose values under "resilience/<policy>/<parameter>" retune it, at once and before each promotion or
/// rollback returns; what a version does not state is as the program made it, and a version that it cannot take leaves it as it was.
/// Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_INVALID_ARGUMENT for a name with a slash; KNHK_NOT_FOUND for an unknown sector.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_add(
    engine: *mut EngineHandle,
    policy: *const PolicyHandle,
    sector: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let policy = required(policy)?;
            let sector = optional_text(sector, "sector")?;
            engine.add_policy(&policy.name.to_string_lossy(), policy.policy.clone(), sector)
        })
    }
}

/// Has an engine forget a policy, which stays as it is.
///
/// Returns KNHK_OK, or KNHK_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_remove(
    engine: *mut EngineHandle,
    name: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let name = text(name, "name")?;
            if engine.remove_policy(name) {
                return Ok(());
            }
            Err(Error::new(Status::NotFound, "policy", name, format!("there is no policy {name:?}")))
        })
    }
}

/// A policy, as enumerated.
#[repr(C)]
pub struct PolicyInfoC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Its name.
    pub name: *const c_char,
    /// Its kind.
    pub kind: *const c_char,
    /// The sector that it follows; NULL for none.
    pub sector: *const c_char,
    /// The version of the sector that was looked at last; 0 for none.
    pub version: u64,
    /// Why that version could not retune it; NULL where it could.
    pub refused: *const c_char,
    /// Its state in a word or two; may be "".
    pub state: *const c_char,
    /// Its state and figures, for people.
    pub text: *const c_char,
}

/// Policies, as of one moment.
pub struct PolicyList {
    items: Vec<PolicyInfoC>,
    _texts: Texts,
}

impl Kind for PolicyList {
    const NAME: &'static str = "list of policies";
    const MAGIC: u64 = 0x6b6e_686b_706f_6c02;
}

/// Lists the policies that an engine knows.
///
/// `policies`: receives the list, which the program frees with knhk_policies_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policies(
    engine: *const EngineHandle,
    policies: *mut *mut PolicyList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let policies = output(policies, "policies")?;
            let mut texts = Texts::default();
            let item = |info: &PolicyInfo| PolicyInfoC {
                struct_size: size_of::<PolicyInfoC>() as u32,
                reserved: 0,
                name: texts.keep(&info.name),
                kind: texts.keep(info.kind),
                sector: texts.keep_some(info.sector.as_deref()),
                version: info.version,
                refused: texts.keep_some(info.refused.as_deref()),
                state: texts.keep(&info.state),
                text: texts.keep(&info.summary),
            };
            let items = engine.policies().iter().map(item).collect();
            ptr::write(policies, give(PolicyList { items, _texts: texts }));
            Ok(())
        })
    }
}

/// How many policies a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policies_len(policies: *const PolicyList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(policies) }.map_or(0, |list| list.items.len())
}

/// A policy of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policies_at(policies: *const PolicyList, index: usize) -> *const PolicyInfoC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(policies) }.and_then(|list| list.items.get(index)).map_or(ptr::null(), ptr::from_ref)
}

/// Frees a list of policies. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policies_free(policies: *mut PolicyList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(policies) }
}
