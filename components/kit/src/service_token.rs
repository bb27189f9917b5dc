//! The token by which the shop's own components know one another on `/internal/…`.

use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::settings;

/// The variable that holds it. Without a value nobody is let in.
pub const VARIABLE: &str = "service_token";

/// Whether these are the headers of a component of the shop: `Authorization: Bearer <service_token>`.
pub async fn came_with(headers: &HeaderMap) -> bool {
    let Some(sent) = bearer(headers) else {
        return false;
    };
    let expected = settings::get_or(VARIABLE, "").await;
    !expected.is_empty() && same(sent, expected.as_bytes())
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

/// Compares digests, and all of them whatever the first bytes are: the time taken tells nothing about the token.
fn same(left: &[u8], right: &[u8]) -> bool {
    let pairs = Sha256::digest(left).into_iter().zip(Sha256::digest(right));
    std::hint::black_box(pairs.fold(0, |difference, (left, right)| difference | (left ^ right))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        [(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect()
    }

    #[tokio::test]
    async fn only_the_right_token_lets_in() {
        settings::provide(VARIABLE, "s3cret");
        assert!(came_with(&headers("Bearer s3cret")).await);
        assert!(came_with(&headers("bearer s3cret")).await);
        for wrong in ["Bearer s3cre", "Bearer s3crets", "Bearer ", "Bearer", "Basic s3cret", "s3cret"] {
            assert!(!came_with(&headers(wrong)).await, "{wrong}");
        }
        assert!(!came_with(&HeaderMap::new()).await);
    }

    #[tokio::test]
    async fn nobody_is_let_in_where_there_is_no_token() {
        settings::provide(VARIABLE, "");
        assert!(!came_with(&headers("Bearer ")).await);
        assert!(!came_with(&HeaderMap::new()).await);
    }
}
