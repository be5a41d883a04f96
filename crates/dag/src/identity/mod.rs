//! What a result is: digests of bytes, the key of all that determines a stage's outputs, the difference of two keys.

mod canonical;
mod digest;
mod digest_memory;
mod key;
mod lineage;
mod reason;
mod seal;

pub use digest::{Digest, Fingerprint};
pub use key::{KeyInput, StageKey};
pub use reason::Reason;

pub(crate) use canonical::canonical_json;
pub(crate) use digest::{digest_file, digest_of_entries, walk};
pub(crate) use digest_memory::DigestMemory;
pub(crate) use seal::{Seal, SealedInputs};
