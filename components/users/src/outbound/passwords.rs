//! The hashing of passwords, by the component that does nothing else.

use kit::Failure;

use crate::{
    bindings::shop::passwords::hashing,
    domain::password::{Hasher, Verdict},
};

/// Whoever provides `shop:passwords/hashing`.
#[derive(Debug, Clone, Copy)]
pub struct Passwords;

impl Hasher for Passwords {
    async fn hash(&self, password: &str) -> Result<String, Failure> {
        kit::local(hashing::hash(password.to_owned())).await.map_err(failure)
    }

    async fn verify(&self, password: &str, hash: Option<&str>) -> Result<Verdict, Failure> {
        let asked = hashing::verify(password.to_owned(), hash.map(str::to_owned));
        let hashing::Verdict { right, outdated } = kit::local(asked).await.map_err(failure)?;
        Ok(Verdict { right, outdated })
    }
}

fn failure(error: hashing::Error) -> Failure {
    let hashing::Error::Unavailable(why) = error;
    Failure::temporary(format!("passwords: {why}"))
}
