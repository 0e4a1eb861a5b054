//! Password hashing. Argon2 is slow and memory-hungry on purpose, so concurrency is limited and memory is reused.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;
use tower_sso::keys::Secret;

use crate::problem::Problem;

/// Concurrent hashes. Each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// Free buffers. Allocating one for each hash would leave a copy with the allocator for every thread that ever hashed:
    /// hundreds of MiB.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), memory: Arc::default() }
    }

    /// Argon2id in PHC format, computed on a blocking thread.
    pub(crate) async fn hash(&self, password: Secret) -> Result<String, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Problem::UNAVAILABLE)?;
        let this = self.clone();
        let hashed = tokio::task::spawn_blocking(move || {
            let mut memory = this.spare().pop().unwrap_or_else(|| vec![Block::new(); Params::default().block_count()]);
            let hashed = hash_in(&mut memory, password.expose());
            this.spare().push(memory);
            // Released only here: the hash keeps running if the client disconnects.
            drop(turn);
            hashed
        });
        hashed.await.ok().flatten().ok_or_else(|| {
            tracing::error!("could not hash a password");
            Problem::UNAVAILABLE
        })
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Like `Argon2::hash_password`, but in memory given by the caller.
fn hash_in(memory: &mut [Block], password: &[u8]) -> Option<String> {
    let (argon2, salt) = (Argon2::default(), Salt::generate());
    let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
    argon2.hash_password_into_with_memory(password, &salt, &mut hash, memory).ok()?;
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params()).ok()?,
        salt: Some(salt),
        hash: Some(Output::new(&hash).ok()?),
    };
    Some(hash.to_string())
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordVerifier;
    use futures::FutureExt;
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn hashes_are_right_and_share_two_pieces_of_memory() {
        let passwords = Passwords::new();
        let mut hashes = JoinSet::new();
        for number in 0..6 {
            let passwords = passwords.clone();
            hashes.spawn(async move { (number, passwords.hash(Secret::new(format!("password {number}"))).await) });
        }
        let mut seen = std::collections::HashSet::new();
        while let Some(hashed) = hashes.join_next().await {
            let (number, hash) = hashed.unwrap();
            let hash = hash.unwrap();
            let right = format!("password {number}");
            assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
            assert!(Argon2::default().verify_password(right.as_bytes(), &*hash).is_ok(), "{hash}");
            assert!(Argon2::default().verify_password(b"wrong", &*hash).is_err());
            assert!(seen.insert(hash), "each hash has its own salt");
        }
        assert!(passwords.spare().len() <= 2, "40 MiB");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_goes_away_gives_up_no_turn_that_is_in_use() {
        let passwords = Passwords::new();
        {
            // Blocks hashing.
            let _spare = passwords.spare();
            for in_use in 1..=2 {
                assert!(passwords.hash(Secret::new("gone")).now_or_never().is_none());
                assert_eq!(passwords.turns.available_permits(), 2 - in_use);
            }
        }
        _ = passwords.turns.acquire_many(2).await.unwrap();
        assert_eq!(passwords.spare().len(), 2, "both hashes finished after their callers had gone");
    }
}
