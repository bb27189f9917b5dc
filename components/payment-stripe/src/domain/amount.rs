//! Amounts as Stripe takes them.

/// Currencies whose amounts Stripe does not count in hundredths, or of which it takes whole units alone
/// (<https://docs.stripe.com/currencies#special-cases>). The shop counts all money in hundredths: charged as they are, its
/// amounts would be a hundred times too much or ten times too little.
const NOT_IN_HUNDREDTHS: [&str; 24] = [
    "BHD", "BIF", "CLP", "DJF", "GNF", "IQD", "ISK", "JOD", "JPY", "KMF", "KRW", "KWD", "LYD", "MGA", "OMR", "PYG",
    "RWF", "TND", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
];

/// More than nothing, in hundredths of a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    minor: i64,
    currency: String,
}

/// Why an amount cannot be charged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing, or less.
    #[error("the amount must be more than nothing")]
    Nothing,
    /// Not three capital letters.
    #[error("the currency must be an ISO 4217 code, such as EUR")]
    NoCurrency,
    /// The shop and Stripe count it differently.
    #[error("{0} is not counted in hundredths, and is not charged through Stripe")]
    NotInHundredths(String),
}

impl Amount {
    /// This much of the currency with this ISO 4217 code.
    pub fn parse(minor: i64, currency: &str) -> Result<Self, AmountError> {
        if minor < 1 {
            return Err(AmountError::Nothing);
        }
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(AmountError::NoCurrency);
        }
        if NOT_IN_HUNDREDTHS.contains(&currency) {
            return Err(AmountError::NotInHundredths(currency.to_owned()));
        }
        Ok(Self { minor, currency: currency.to_ascii_lowercase() })
    }

    /// In hundredths.
    pub fn minor(&self) -> i64 {
        self.minor
    }

    /// The currency's code in small letters, as Stripe writes it.
    pub fn currency(&self) -> &str {
        &self.currency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_are_passed_on_as_they_are() {
        let amount = Amount::parse(3998, "EUR").unwrap();
        assert_eq!((amount.minor(), amount.currency()), (3998, "eur"));
    }

    #[test]
    fn what_stripe_counts_otherwise_is_refused_rather_than_charged_a_hundredfold() {
        for currency in ["JPY", "KWD", "ISK", "UGX"] {
            assert_eq!(Amount::parse(100, currency), Err(AmountError::NotInHundredths(currency.to_owned())));
        }
    }

    #[test]
    fn nothing_and_no_currency_are_refused() {
        assert_eq!(Amount::parse(0, "EUR"), Err(AmountError::Nothing));
        assert_eq!(Amount::parse(-5, "EUR"), Err(AmountError::Nothing));
        for currency in ["", "eur", "EURO", "E1R"] {
            assert_eq!(Amount::parse(1, currency), Err(AmountError::NoCurrency));
        }
    }
}
