//! Where an order stands, and which ways lead on from there.

use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderStatus)]
pub enum Status {
    /// Placed; its stock is held until it is paid or its deadline passes.
    Pending,
    /// Paid for; its stock has left the shelf.
    Paid,
    /// Handed to a carrier.
    Shipped,
    /// Arrived.
    Delivered,
    /// Ended without a sale; the reason says why.
    Cancelled,
}

impl Status {
    /// Every status, in the order in which an order meets them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Paid, Self::Shipped, Self::Delivered, Self::Cancelled];

    /// The word for it in SQL, JSON and URLs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this word; `None` when there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether an order may go from here to `next` in one step.
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Paid | Self::Cancelled)
                | (Self::Paid, Self::Shipped | Self::Cancelled)
                | (Self::Shipped, Self::Delivered)
        )
    }
}

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CancelReason)]
pub enum Reason {
    /// Its owner asked for it.
    User,
    /// An administrator did.
    Admin,
    /// Nobody paid before the deadline.
    Expired,
    /// The payment was given up.
    PaymentFailed,
    /// It was paid for after its pieces had gone to somebody else.
    OutOfStock,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::User, Self::Admin, Self::Expired, Self::PaymentFailed, Self::OutOfStock];

    /// The word for it in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::Expired => "expired",
            Self::PaymentFailed => "payment_failed",
            Self::OutOfStock => "out_of_stock",
        }
    }

    /// The reason with this word; `None` when there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_what_it_was() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.word()), Some(status));
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.word()), Some(reason));
        }
        assert_eq!(Status::parse("lost"), None);
    }

    #[test]
    fn only_five_steps_are_legal() {
        let legal: Vec<(Status, Status)> = Status::ALL
            .into_iter()
            .flat_map(|from| Status::ALL.into_iter().map(move |to| (from, to)))
            .filter(|(from, to)| from.may_become(*to))
            .collect();
        assert_eq!(
            legal,
            [
                (Status::Pending, Status::Paid),
                (Status::Pending, Status::Cancelled),
                (Status::Paid, Status::Shipped),
                (Status::Paid, Status::Cancelled),
                (Status::Shipped, Status::Delivered),
            ]
        );
    }

    #[test]
    fn delivered_and_cancelled_are_the_end() {
        for next in Status::ALL {
            assert!(!Status::Delivered.may_become(next));
            assert!(!Status::Cancelled.may_become(next));
        }
    }
}
