//! Keys: a name interned once, with its type, that reads then find in two loads.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{Error, Status, ValueType};
use knhk_hot::layout::Key;

use crate::abi::{AbiInfo, check};
use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given};
use crate::options::out_of;
use crate::text::{Texts, output, text};

/// All types, in the order of their numbers.
const TYPES: [ValueType; 12] = [
    ValueType::Bool,
    ValueType::I64,
    ValueType::F64,
    ValueType::Str,
    ValueType::Bytes,
    ValueType::ListBool,
    ValueType::ListI64,
    ValueType::ListF64,
    ValueType::ListStr,
    ValueType::ListBytes,
    ValueType::Map,
    ValueType::Class,
];

pub(crate) fn value_type(number: u32) -> Result<ValueType, Error> {
    let found = TYPES.into_iter().find(|of| of.tag() as u32 == number);
    found.ok_or_else(|| out_of("type", number.into(), "one of KNHK_BOOL, KNHK_I64 and so on"))
}

/// A key, as enumerated.
#[repr(C)]
pub struct KeyInfoC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// Its type: KNHK_I64 and so on.
    pub value_type: u32,
    /// Its path in the sector.
    pub name: *const c_char,
    /// The type in words, such as "list<i64>".
    pub type_name: *const c_char,
    /// The unit of the value; NULL where none is stated.
    pub unit: *const c_char,
    /// What it means; NULL where nothing is said.
    pub doc: *const c_char,
    /// The value and its range as people write them: "1000 lots   (1 … 5000)".
    pub display: *const c_char,
}

/// Keys, as of one moment.
pub struct KeyList {
    items: Vec<KeyInfoC>,
    _texts: Texts,
}

impl Kind for KeyList {
    const NAME: &'static str = "list of keys";
    const MAGIC: u64 = 0x6b6e_686b_6b65_7901;
}

/// Interns a name with its type; called through the macro knhk_key(engine, sector, name, type, key, err), which adds what the header
/// was made for.
///
/// `name`: the path in the sector, such as "orders/max_qty". `type`: KNHK_I64 and so on. `key`: receives the key, plain data that is
/// valid for the engine's life, through promotions and rollbacks. From now on a promotion that drops or retypes it needs KNHK_MAJOR.
/// Returns KNHK_OK; KNHK_NOT_FOUND for a sector or name that is not there, with the nearest name; KNHK_WRONG_TYPE;
/// KNHK_NOT_READY before anything was promoted or declared; KNHK_ABI_MISMATCH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_key_abi(
    engine: *mut EngineHandle,
    sector: *const c_char,
    name: *const c_char,
    r#type: u32,
    abi: *const AbiInfo,
    key: *mut Key,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            check(abi)?;
            let key = output(key, "key")?;
            let value_type = value_type(r#type)?;
            ptr::write(key, engine.intern(text(sector, "sector")?, text(name, "name")?, value_type)?);
            Ok(())
        })
    }
}

/// Lists the values of a sector's current document, or of what was declared before the first promotion.
///
/// `keys`: receives the list, which the program frees with knhk_keys_free.
/// Returns KNHK_OK or KNHK_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_keys(
    engine: *const EngineHandle,
    sector: *const c_char,
    keys: *mut *mut KeyList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let keys = output(keys, "keys")?;
            let mut texts = Texts::default();
            let items = engine.keys(text(sector, "sector")?)?.into_iter().map(|info| KeyInfoC {
                struct_size: size_of::<KeyInfoC>() as u32,
                value_type: info.value_type.tag() as u32,
                name: texts.keep(&info.name),
                type_name: texts.keep(info.value_type.as_str()),
                unit: texts.keep_some(info.unit.as_deref()),
                doc: texts.keep_some(info.doc.as_deref()),
                display: texts.keep(&info.display),
            });
            let items = items.collect();
            ptr::write(keys, give(KeyList { items, _texts: texts }));
            Ok(())
        })
    }
}

/// How many keys a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_keys_len(keys: *const KeyList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(keys) }.map_or(0, |list| list.items.len())
}

/// A key of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_keys_at(keys: *const KeyList, index: usize) -> *const KeyInfoC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(keys) }.and_then(|list| list.items.get(index)).map_or(ptr::null(), ptr::from_ref)
}

/// Frees a list of keys. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_keys_free(keys: *mut KeyList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(keys) }
}
