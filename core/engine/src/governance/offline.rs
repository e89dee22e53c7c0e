//! What concerns no engine: keys of approvers, and what they sign.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use knhk_ledger::Signer;
use serde::Deserialize;
use serde_json::{Value, json};

use super::govern::{Empty, bytes, read, unknown, wrong};
use super::sign_approval;
use crate::Error;
use crate::control::hex;

/// What concerns no engine: `sign_approval` with `payload` (base64) and `key` (the secret 32 bytes, base64), and `approver_key`, which makes a
/// new pair of keys: `public` as 64 hexadecimal digits, `secret` as base64. Keys stay in this process.
///
/// # Errors
/// `InvalidArgument` for another verb or request.
pub fn offline(verb: &str, request: Value) -> Result<Value, Error> {
    match verb {
        "sign_approval" => {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Sign {
                payload: String,
                key: String,
            }
            let Sign { payload, key } = read(verb, request)?;
            let secret = bytes("key", &key)?.try_into().map_err(|_| wrong("key", "a secret key has 32 bytes"))?;
            Ok(json!({ "approval": STANDARD.encode(sign_approval(&bytes("payload", &payload)?, &secret)?) }))
        }
        "approver_key" => {
            let Empty {} = read(verb, request)?;
            let mut secret = [0; 32];
            super::approvals::random(&mut secret)?;
            let public = hex(&Signer::from_seed(&secret).public().to_bytes());
            Ok(json!({ "public": public, "secret": STANDARD.encode(secret) }))
        }
        _ => Err(unknown(verb)),
    }
}
