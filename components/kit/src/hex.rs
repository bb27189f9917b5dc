//! Bytes as hexadecimal digits.

/// The bytes that these digits stand for, whatever their case; `None` where they are no pairs of such digits.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    pairs.chunks_exact(2).map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_digits_are_bytes_and_nothing_else_is() {
        assert_eq!(decode("00fFa0"), Some(vec![0, 255, 160]));
        assert_eq!(decode(""), Some(Vec::new()));
        for text in ["0", "0g", "ü0", " 00"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
