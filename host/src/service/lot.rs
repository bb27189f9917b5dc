//! The draw that decides which of two versions answers.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Tickets in the draw: a share is given in parts of it.
pub const TICKETS: u16 = 10_000;

/// A request's ticket. A newer version that is being tried takes those below its share, so one ticket sees the same
/// version wherever it is shown: in every component that the request comes through, and on every host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot(u16);

impl Lot {
    /// Never drawn for a version on trial, unless that takes everything.
    pub const LAST: Self = Self(TICKETS - 1);

    /// Any ticket.
    pub fn any() -> Self {
        Self(rand::random_range(0..TICKETS))
    }

    /// The ticket of everything that has this text in common.
    pub fn of(text: &str) -> Self {
        let hash = Sha256::digest(text);
        let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Self(u16::try_from(number % u64::from(TICKETS)).unwrap_or_default())
    }

    /// Whether it is among the first `share` tickets.
    pub fn is_below(self, share: Share) -> bool {
        self.0 < share.0
    }
}

/// A part of all requests, in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share(u16);

impl Share {
    /// From 1 to 10,000 ten-thousandths; `None` for anything else.
    pub fn of_ten_thousand(parts: u16) -> Option<Self> {
        (1..=TICKETS).contains(&parts).then_some(Self(parts))
    }

    /// In ten-thousandths.
    pub fn ten_thousandths(self) -> u16 {
        self.0
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} %", f64::from(self.0) / 100.0)
    }
}

impl std::str::FromStr for Share {
    type Err = ShareError;

    /// Reads `10%`, `0.5%` or `10`.
    fn from_str(text: &str) -> Result<Self, ShareError> {
        let number = text.trim().trim_end_matches('%').trim_end();
        let percent: f64 = number.parse().map_err(|_| ShareError)?;
        let parts = (percent * 100.0).round();
        if !(1.0..=f64::from(TICKETS)).contains(&parts) {
            return Err(ShareError);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it was just compared with both ends"
        )]
        Self::of_ten_thousand(parts as u16).ok_or(ShareError)
    }
}

/// A text that is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a share from 0.01% to 100%, for example 10%")]
pub struct ShareError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_always_has_the_same_ticket() {
        // On every host and with every release: a customer must not change sides because one of them was built anew.
        assert_eq!(Lot::of("customer-1"), Lot::of("customer-1"));
        assert_eq!(Lot::of("customer-1"), Lot(8_135));
    }

    #[test]
    fn a_share_of_the_texts_is_about_that_share() {
        let tenth: Share = "10%".parse().unwrap();
        let below = (0..10_000).filter(|number| Lot::of(&format!("customer-{number}")).is_below(tenth)).count();
        assert!((900..1_100).contains(&below), "{below}");
    }

    #[test]
    fn the_last_ticket_is_drawn_only_when_all_are() {
        assert!(!Lot::LAST.is_below("99.99%".parse().unwrap()));
        assert!(Lot::LAST.is_below("100%".parse().unwrap()));
    }

    #[test]
    fn shares_are_read_as_people_write_them() {
        for (text, parts) in [("10%", 1_000), ("10", 1_000), ("0.5%", 50), (" 100 % ", 10_000), ("0.01%", 1)] {
            assert_eq!(text.parse::<Share>().map(Share::ten_thousandths), Ok(parts), "{text}");
        }
        for text in ["0%", "-1%", "101%", "ten", "", "NaN", "0.001%"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError), "{text}");
        }
    }
}
