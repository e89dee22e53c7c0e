//! The zero-size binder.

/// Declares a type of no size that reads the engine in a static of the caller's.
///
/// The static, the thread-local readers and the type are all the caller's: the library keeps no global, and two crates in one program that
/// bind two engines know nothing of each other. Each thread registers a reader at its first read and unregisters it when it ends.
///
/// ```
/// use std::sync::OnceLock;
/// use knhk_engine::{Engine, Options, Origin, SectorKind};
///
/// static ENGINE: OnceLock<Engine> = OnceLock::new();
/// knhk_engine::bind!(
///     /// What this service lets through.
///     pub Orders => ENGINE
/// );
///
/// let engine = ENGINE.get_or_init(|| Engine::open(":memory:", Options::default()).expect("an engine in memory"));
/// engine.create_sector("orders", SectorKind::Direct)?;
/// engine.promote_json("orders", r#"{"max_qty": 1000, "min_qty": 1}"#, Origin::default())?;
///
/// let max_qty = engine.key::<i64>("orders", "max_qty")?;
/// let min_qty = engine.key::<i64>("orders", "min_qty")?;
/// assert_eq!(Orders::get(max_qty, 0), 1000);
/// let spread = Orders::with(|view| max_qty.get(view, 0) - min_qty.get(view, 0))?; // one generation for both
/// assert_eq!(spread, 999);
/// assert_eq!(size_of::<Orders>(), 0);
/// # Ok::<(), knhk_engine::Error>(())
/// ```
///
/// `with` fails where there is nothing to read: `NotReady` before the static is set, `Closed` on a thread that reads for the first
/// time after the engine was closed, `Forked` on one in a forked child. `get` gives the fallback then. A thread that has read
/// before sees a closed engine as every reader does: all values are absent.
#[macro_export]
macro_rules! bind {
    ($(#[$attribute:meta])* $visibility:vis $name:ident => $engine:path $(,)?) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        $visibility struct $name;

        const _: () = {
            assert!(::std::mem::size_of::<$name>() == 0);

            ::std::thread_local! {
                static READER: ::std::cell::OnceCell<$crate::Reader> = const { ::std::cell::OnceCell::new() };
            }

            #[allow(dead_code)]
            impl $name {
                /// The engine behind this type.
                ///
                /// # Errors
                /// `NotReady` while the static is not set.
                $visibility fn engine() -> ::std::result::Result<&'static $crate::Engine, $crate::Error> {
                    let engine: &'static ::std::sync::OnceLock<$crate::Engine> = &$engine;
                    engine.get().ok_or_else(|| $crate::__bind::unset(stringify!($name), stringify!($engine)))
                }

                /// Runs `read` in a view of the current generation, on this thread's reader.
                ///
                /// # Errors
                /// `NotReady` while the static is not set; where this thread has no reader yet, why it cannot have one.
                $visibility fn with<T>(
                    read: impl ::std::ops::FnOnce(&$crate::View<'_>) -> T,
                ) -> ::std::result::Result<T, $crate::Error> {
                    let here = READER.try_with(|reader| {
                        let reader = match reader.get() {
                            ::std::option::Option::Some(reader) => reader,
                            ::std::option::Option::None => {
                                let registered = $crate::__bind::register(Self::engine()?)?;
                                reader.get_or_init(|| registered)
                            }
                        };
                        ::std::result::Result::Ok(read(&reader.view()))
                    });
                    match here {
                        ::std::result::Result::Ok(outcome) => outcome,
                        ::std::result::Result::Err(_) => {
                            ::std::result::Result::Err($crate::__bind::ended(stringify!($name)))
                        }
                    }
                }

                /// The value under `key` now, or `fallback` where there is none.
                $visibility fn get<T: $crate::Typed>(key: $crate::Key<T>, fallback: T) -> T {
                    Self::with(|view| key.get(view, fallback)).unwrap_or(fallback)
                }
            }
        };
    };
}

/// What [`bind!`](crate::bind) calls.
#[doc(hidden)]
pub mod __bind {
    use crate::{Engine, Error, Reader, ReaderOptions, Status};

    pub fn register(engine: &Engine) -> Result<Reader, Error> {
        engine.register_reader(ReaderOptions { ring_records: Some(0), migratable: false })
    }

    #[cold]
    pub fn unset(name: &str, engine: &str) -> Error {
        let message = format!("{name} has no engine yet: open one and set the static {engine} to it first");
        Error::new(Status::NotReady, "bind", name, message)
    }

    #[cold]
    pub fn ended(name: &str) -> Error {
        let message = format!("{name} cannot be read while its thread ends: its reader is gone");
        Error::new(Status::Closed, "bind", name, message)
    }
}
