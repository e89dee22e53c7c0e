//! Programs over generated Rust keys.

/// The right one compiles.
///
/// ```
/// mod orders { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/orders_keys.rs")); }
/// fn qty(keys: &orders::OrdersKeys, view: &knhk_hot::Snapshot) -> i64 {
///     if keys.open.get(view, false) { keys.max_qty.get(view, 0) } else { 0 }
/// }
/// ```
///
/// A misspelt key does not.
///
/// ```compile_fail,E0609
/// mod orders { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/orders_keys.rs")); }
/// fn qty(keys: &orders::OrdersKeys, view: &knhk_hot::Snapshot) -> i64 {
///     if keys.open.get(view, false) { keys.max_qyt.get(view, 0) } else { 0 }
/// }
/// ```
///
/// Nor does one that is a double now.
///
/// ```compile_fail,E0308
/// mod orders { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/orders_keys.rs")); }
/// fn qty(keys: &orders::OrdersKeys, view: &knhk_hot::Snapshot) -> i64 {
///     if keys.open.get(view, false) { keys.collar.get(view, 0) } else { 0 }
/// }
/// ```
pub struct Programs;
