//! Who may approve: names, keys and groups, and how many of them it takes to change that.

use std::collections::HashSet;

use knhk_ledger::PublicKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::Refusal;
use crate::text::{hex, is_name, unhex};

/// Someone who may approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// Their name, which is theirs alone in the set.
    pub name: String,
    /// Their Ed25519 key: 64 hexadecimal digits in JSON and TOML.
    #[serde(serialize_with = "write_key", deserialize_with = "read_key")]
    pub key: PublicKey,
    /// What they belong to: `risk`, `desk-7`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// A set of approvers. It, and the guards, change only by [`Change`](super::Change), which it and its successor sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvers {
    /// Which in the row of sets: 1 is the first.
    pub revision: u64,
    /// How many signatures change the set or the guards.
    pub threshold: u32,
    /// The group whose members' signatures do; empty: anyone's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub keepers: String,
    /// Who may approve.
    #[serde(rename = "approver")]
    pub members: Vec<Approver>,
}

impl Approvers {
    /// The most members of a set.
    pub const MOST: usize = 1000;

    /// Reads the JSON form.
    ///
    /// # Errors
    /// When it is none, or a set that cannot be, with what is wrong and what to do.
    pub fn from_json(json: &str) -> Result<Approvers, Refusal> {
        let read = serde_json::from_str(json).map_err(|error| Refusal::malformed(SET, error.to_string()))?;
        Approvers::checked(read)
    }

    /// Reads the TOML form: `revision`, `threshold`, `keepers`, and an `[[approver]]` for each.
    ///
    /// # Errors
    /// As [`Approvers::from_json`].
    pub fn from_toml(text: &str) -> Result<Approvers, Refusal> {
        let read = toml::from_str(text).map_err(|error| Refusal::malformed(SET, error.to_string()))?;
        Approvers::checked(read)
    }

    /// The JSON form, of which there is one: what is hashed and stored.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists are written")
    }

    /// The TOML form.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("texts, numbers and lists are written")
    }

    /// What stands for the set where it is approved: SHA-256 of `knhk approvers 1\0` and its JSON.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::new_with_prefix(b"knhk approvers 1\0").chain_update(self.to_json()).finalize().into()
    }

    /// The set itself, where it can be one: names and keys each there once, and a threshold that its keepers can reach.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn checked(self) -> Result<Approvers, Refusal> {
        let malformed = |why: String| Err(Refusal::malformed(SET, why));
        if self.members.len() > Approvers::MOST {
            let most = Approvers::MOST;
            return Err(Refusal::limit(format!("{} approvers are more than a set holds ({most})", self.members.len())));
        }
        if self.revision == 0 {
            return malformed("its revision is 0; the first is 1".to_owned());
        }
        let (mut names, mut keys) = (HashSet::new(), HashSet::new());
        for Approver { name, key, groups } in &self.members {
            if let Some(bad) = std::iter::once(name).chain(groups).find(|name| !is_name(name)) {
                return malformed(format!("{bad:?} is no name: 1 to 128 bytes without control characters"));
            }
            if groups.len() > 64 {
                return Err(Refusal::limit(format!("{name} is in {} groups, and 64 are the most", groups.len())));
            }
            if !names.insert(name) {
                return malformed(format!("{name} is there twice; an approver has one name and one key"));
            }
            // Not only the keys: what signatures name them by has to tell them apart, too.
            if !keys.insert(key.id()) {
                return malformed(format!("{name} has a key that another approver has; each has their own"));
            }
        }
        let keepers = self.members.iter().filter(|member| self.keeps(member)).count();
        if self.threshold == 0 || self.threshold as usize > keepers {
            let threshold = self.threshold;
            return malformed(format!("its threshold is {threshold}, and {keepers} can sign; it takes 1 to {keepers}"));
        }
        Ok(self)
    }

    /// Who has a key, by what signatures name it by.
    pub fn by_key_id(&self, id: &[u8; 8]) -> Option<&Approver> {
        self.members.iter().find(|member| member.key.id() == *id)
    }

    /// Who has a key.
    pub fn by_key(&self, key: &[u8; 32]) -> Option<&Approver> {
        self.members.iter().find(|member| member.key.to_bytes() == *key)
    }

    /// Who has a name.
    pub fn by_name(&self, name: &str) -> Option<&Approver> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The groups of someone; none of who is no approver.
    pub fn groups_of(&self, name: &str) -> Vec<String> {
        self.by_name(name).map(|member| member.groups.clone()).unwrap_or_default()
    }

    fn keeps(&self, member: &Approver) -> bool {
        self.keepers.is_empty() || member.groups.contains(&self.keepers)
    }
}

const SET: &str = "set of approvers";

fn write_key<S: Serializer>(key: &PublicKey, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex(&key.to_bytes()))
}

fn read_key<'de, D: Deserializer<'de>>(from: D) -> Result<PublicKey, D::Error> {
    use serde::de::Error;
    let text = String::deserialize(from)?;
    let bytes = unhex(&text)
        .ok_or_else(|| D::Error::custom("a key is 64 hexadecimal digits: `knhk approve --new-key FILE` prints them"))?;
    PublicKey::from_bytes(&bytes).map_err(D::Error::custom)
}
