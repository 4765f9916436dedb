//! Keys for names that nobody has, so that an unknown name answers like a known one.

use std::num::NonZeroU32;

use super::ScramKeys;
use crate::secret::Secret;

/// Makes the same decoy for the same name each time, and no password fits it.
#[derive(Debug)]
pub struct Decoys {
    _key: Secret<[u8; 32]>,
    _iterations: NonZeroU32,
}

impl Decoys {
    /// `key` is random and kept with the store; `iterations` those of real accounts.
    pub const fn new(key: Secret<[u8; 32]>, iterations: NonZeroU32) -> Self {
        Self { _key: key, _iterations: iterations }
    }

    /// The decoy of `name`. Costs two HMACs.
    pub fn keys(&self, _name: &str) -> ScramKeys {
        todo!()
    }
}
