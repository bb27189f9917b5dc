//! Names that nobody else has (RFC 9562).

use crate::Failure;

/// A random UUID (version 4).
pub fn random() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::lasting(format!("no random bytes: {error}")))?;
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf000 << 64) | 0x4000 << 64;
    let number = number & !(0xc000 << 48) | 0x8000 << 48;
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok(format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_uuids_have_their_version_and_differ() {
        let one = random().unwrap();
        assert_ne!(one, random().unwrap());
        assert_eq!(one.len(), 36);
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_bytes()[19]));
    }
}
