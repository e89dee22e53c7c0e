//! Promoting Rust structs, reading them back, and keys of their fields.

use std::collections::BTreeMap;
use std::time::Instant;

use knhk_hot::{Snapshot, layout};
use knhk_ontology::ValueType;
use knhk_promotion::PromotionSafe;
use knhk_promotion::typed::{Bytes, FromField, Plain, Scalar, Unfit};

use crate::{Engine, Error, Key, Origin, Status, VersionInfo};

/// The keys of a promoted struct's fields, under the fields' names: what [`Engine::keys_of`] gives.
pub type Keys<T> = <T as Keyed>::Keys;

/// A field that keys can be interned for; derived with [`PromotionSafe`](macro@crate::PromotionSafe).
#[diagnostic::on_unimplemented(
    message = "a document cannot hold a `{Self}`",
    label = "not a type of values",
    note = "a struct is one when it has `#[derive(PromotionSafe)]`"
)]
pub trait Keyed<K = Plain> {
    /// The key, or the struct of keys.
    type Keys;

    /// Interns what is at the path `at`.
    ///
    /// # Errors
    /// As [`Engine::intern`].
    fn intern(at: &str, names: &Names<'_>) -> Result<Self::Keys, Error>;
}

/// The names of a sector, while keys are interned.
#[derive(Clone, Copy)]
pub struct Names<'e> {
    engine: &'e Engine,
    sector: &'e str,
}

impl Names<'_> {
    fn key<T: ?Sized>(&self, at: &str, value_type: ValueType) -> Result<Key<T>, Error> {
        self.engine.intern(self.sector, at, value_type).map(Key::new)
    }
}

impl Engine {
    /// Verifies a struct field by field and makes it the current knowledge of its direct sector.
    ///
    /// ```
    /// use knhk_engine::{Engine, Options, Origin, PromotionSafe, SectorKind};
    ///
    /// #[derive(PromotionSafe)]
    /// #[knhk(sector = "orders", invariant = "self.min_qty <= self.max_qty")]
    /// struct Limits {
    ///     /// The smallest order that is let through.
    ///     #[knhk(min = 1, unit = "lots")]
    ///     min_qty: i64,
    ///     /// The largest order that is let through.
    ///     #[knhk(min = 1, max = 5000, unit = "lots")]
    ///     max_qty: i64,
    ///     venues: Vec<String>,
    /// }
    ///
    /// let engine = Engine::open(":memory:", Options::default())?;
    /// engine.create_sector("orders", SectorKind::Direct)?;
    /// let mut limits = Limits { min_qty: 1, max_qty: 1000, venues: vec!["XLON".into()] };
    /// engine.promote(&limits, Origin::default())?;
    ///
    /// limits.max_qty = 9000;
    /// let refused = engine.promote(&limits, Origin::default()).unwrap_err();
    /// assert_eq!(refused.message(), "max_qty is 9000 lots, above its maximum 5000 lots");
    /// limits.max_qty = 0;
    /// limits.min_qty = 10;
    /// assert!(engine.promote(&limits, Origin::default()).is_err());
    ///
    /// let current: Limits = engine.promoted()?; // what is current is as it was
    /// assert_eq!((current.max_qty, current.venues), (1000, vec!["XLON".to_string()]));
    /// # Ok::<(), knhk_engine::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Document` with every field that is out of bounds, or every invariant that does not hold; else as [`Engine::promote_json`].
    pub fn promote<T: PromotionSafe>(&self, value: &T, origin: Origin) -> Result<VersionInfo, Error> {
        self.checked()?;
        let sector = self.sector(T::SECTOR)?;
        let begun = Instant::now();
        let document = value.document_within(&self.inner.limits).map_err(Error::from);
        let document = self.admitted(&sector, &origin, document)?;
        self.promote_content(&sector, document.into(), origin, begun)
    }

    /// States a struct's values as what reads see before its sector's first promotion; see [`Engine::declare_json`].
    ///
    /// # Errors
    /// As [`Engine::promote`].
    pub fn declare<T: PromotionSafe>(&self, value: &T) -> Result<(), Error> {
        self.checked()?;
        let sector = self.sector(T::SECTOR)?;
        let document = value.declaration_within(&self.inner.limits)?;
        Ok(sector.declare(&self.inner.hot, &self.inner.journal, document)?)
    }

    /// The struct that its sector's current version, whoever promoted it, holds; verified.
    ///
    /// # Errors
    /// `NotReady` before the first promotion, `Document` when the version does not hold every field in its bounds.
    pub fn promoted<T: PromotionSafe + FromField>(&self) -> Result<T, Error> {
        let sector = self.sector(T::SECTOR)?;
        let current = sector.lock()?.current().cloned();
        let Some(current) = current else {
            let message = format!("nothing was promoted in sector {} yet", sector.name());
            return Err(Error::new(Status::NotReady, "read", sector.name(), message));
        };
        Ok(T::from_document(current.document())?)
    }

    /// Interns all fields of a struct: once, where a program starts. The sector must have the names, declared or promoted. A field that is
    /// an `Option` has `None` for a key where the sector does not know its name yet.
    ///
    /// ```
    /// # use knhk_engine::{Engine, Options, Origin, PromotionSafe, SectorKind};
    /// use knhk_engine::{Keys, ReaderOptions};
    ///
    /// #[derive(PromotionSafe)]
    /// #[knhk(sector = "orders")]
    /// struct Limits {
    ///     max_qty: i64,
    ///     desk: String,
    /// }
    ///
    /// # let engine = Engine::open(":memory:", Options::default())?;
    /// # engine.create_sector("orders", SectorKind::Direct)?;
    /// engine.promote(&Limits { max_qty: 1000, desk: "rates".into() }, Origin::default())?;
    /// let keys: Keys<Limits> = engine.keys_of::<Limits>()?;
    /// let reader = engine.register_reader(ReaderOptions::default())?;
    /// let view = reader.view();
    /// assert_eq!(keys.max_qty.get(&view, 0), 1000);
    /// assert_eq!(keys.desk.get(&view), Some("rates"));
    /// # Ok::<(), knhk_engine::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Engine::intern`], for the first field that cannot be interned.
    pub fn keys_of<T: PromotionSafe + Keyed>(&self) -> Result<Keys<T>, Error> {
        T::intern("", &Names { engine: self, sector: T::SECTOR })
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Error {
        let message = unfit.to_string();
        match unfit {
            Unfit::Fields(errors) => Error::new(Status::Document, "check", errors[0].path.as_str(), message),
            Unfit::Document(error) => error.into(),
            _ => Error::new(Status::Document, "check", "", message),
        }
    }
}

/// Where the values of a map are: reads look names up in it.
#[derive(Debug)]
pub enum Map {}

impl Key<str> {
    /// The text in `view`, where there is one.
    pub fn get(self, view: &Snapshot) -> Option<&str> {
        view.str(self.raw())
    }
}

impl Key<[u8]> {
    /// The bytes in `view`, where there are any.
    pub fn get(self, view: &Snapshot) -> Option<&[u8]> {
        view.bytes(self.raw())
    }
}

impl Key<[i64]> {
    /// The list in `view`, where there is one.
    pub fn get(self, view: &Snapshot) -> Option<&[i64]> {
        view.list_i64(self.raw())
    }
}

impl Key<[f64]> {
    /// The list in `view`, where there is one.
    pub fn get(self, view: &Snapshot) -> Option<&[f64]> {
        view.list_f64(self.raw())
    }
}

impl Key<[bool]> {
    /// The list in `view`, where there is one.
    pub fn get<'v>(self, view: &'v Snapshot) -> Option<impl ExactSizeIterator<Item = bool> + 'v> {
        view.list_bool(self.raw())
    }
}

impl Key<[String]> {
    /// The list in `view`, where there is one.
    pub fn get<'v>(self, view: &'v Snapshot) -> Option<impl ExactSizeIterator<Item = &'v str> + 'v> {
        view.list_str(self.raw())
    }
}

impl Key<[Vec<u8>]> {
    /// The list in `view`, where there is one.
    pub fn get<'v>(self, view: &'v Snapshot) -> Option<impl ExactSizeIterator<Item = &'v [u8]> + 'v> {
        view.list_bytes(self.raw())
    }
}

impl Key<Map> {
    /// Where the value named `name` is in the map, as `view` has it: valid in this view.
    pub fn lookup(self, view: &Snapshot, name: &str) -> Option<layout::Key> {
        view.lookup(self.raw(), name)
    }
}

/// The type of the key of a scalar, and of a list of it.
#[diagnostic::on_unimplemented(message = "a list or map in a document cannot hold a `{Self}`", label = "not a scalar")]
pub trait KeyedScalar<K = Plain>: Scalar<K> {
    /// The key's type.
    type One: ?Sized;
    /// The type of the key of a list.
    type Many: ?Sized;
}

macro_rules! keyed {
    ($($kind:ty: $type:ty => $one:ty, $many:ty $(, <$life:lifetime>)?;)*) => {$(
        impl $(<$life>)? KeyedScalar<$kind> for $type {
            type One = $one;
            type Many = $many;
        }

        impl $(<$life>)? Keyed<$kind> for $type {
            type Keys = Key<$one>;

            fn intern(at: &str, names: &Names<'_>) -> Result<Key<$one>, Error> {
                names.key(at, <$type as Scalar<$kind>>::TYPE)
            }
        }
    )*};
}

keyed! {
    Plain: bool => bool, [bool];
    Plain: i8 => i64, [i64];
    Plain: i16 => i64, [i64];
    Plain: i32 => i64, [i64];
    Plain: i64 => i64, [i64];
    Plain: isize => i64, [i64];
    Plain: u8 => i64, [i64];
    Plain: u16 => i64, [i64];
    Plain: u32 => i64, [i64];
    Plain: u64 => i64, [i64];
    Plain: usize => i64, [i64];
    Plain: f64 => f64, [f64];
    Plain: String => str, [String];
    Plain: &'a str => str, [String], <'a>;
    Bytes: Vec<u8> => [u8], [Vec<u8>];
    Bytes: &'a [u8] => [u8], [Vec<u8>], <'a>;
}

impl<K, T: KeyedScalar<K>> Keyed<K> for Vec<T> {
    type Keys = Key<T::Many>;

    fn intern(at: &str, names: &Names<'_>) -> Result<Self::Keys, Error> {
        names.key(at, T::LIST)
    }
}

impl<K, T: KeyedScalar<K>> Keyed<K> for BTreeMap<String, T> {
    type Keys = Key<Map>;

    fn intern(at: &str, names: &Names<'_>) -> Result<Self::Keys, Error> {
        names.key(at, ValueType::Map)
    }
}

impl<K, T: Keyed<K>> Keyed<K> for Option<T> {
    type Keys = Option<T::Keys>;

    fn intern(at: &str, names: &Names<'_>) -> Result<Self::Keys, Error> {
        match T::intern(at, names) {
            Ok(keys) => Ok(Some(keys)),
            Err(error) if error.status() == Status::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
