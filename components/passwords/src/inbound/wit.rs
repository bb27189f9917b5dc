//! The interface `shop:passwords/hashing`.

use crate::{
    bindings::{
        Component,
        exports::shop::passwords::hashing::{Error, Guest, Verdict},
    },
    domain::argon2id,
};

impl Guest for Component {
    async fn hash(password: String) -> Result<String, Error> {
        argon2id::hash(&password).map_err(|error| Error::Unavailable(error.to_string()))
    }

    async fn verify(password: String, hash: Option<String>) -> Result<Verdict, Error> {
        let hash = hash.as_deref();
        let right = argon2id::verify(&password, hash);
        Ok(Verdict { right, outdated: hash.is_some_and(argon2id::is_outdated) })
    }
}
