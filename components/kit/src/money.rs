//! Money: whole minor units and a currency. No float comes near it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use thiserror::Error;

/// An exact amount in a currency of two decimals, as minor units.
///
/// In JSON it is a number that shows the decimal amount exactly: `19.99`. The currency stands in a field of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money {
    minor: i64,
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not a plain decimal number.
    #[error("must be a plain decimal number such as 19.99")]
    Malformed,
    /// More than two digits behind the point.
    #[error("must have at most two decimals")]
    TooPrecise,
    /// Beyond what 64 bits of minor units can hold.
    #[error("is too large")]
    TooLarge,
}

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money { minor: 0 };

    /// An amount from minor units (cents).
    pub const fn from_minor(minor: i64) -> Self {
        Self { minor }
    }

    /// The amount in minor units (cents).
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The sum, or `None` beyond 64 bits.
    pub fn checked_add(self, other: Money) -> Option<Money> {
        self.minor.checked_add(other.minor).map(Money::from_minor)
    }

    /// The difference, or `None` beyond 64 bits.
    pub fn checked_sub(self, other: Money) -> Option<Money> {
        self.minor.checked_sub(other.minor).map(Money::from_minor)
    }

    /// The price of `quantity` pieces, or `None` beyond 64 bits.
    pub fn checked_mul(self, quantity: i64) -> Option<Money> {
        self.minor.checked_mul(quantity).map(Money::from_minor)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return Err(MoneyError::Malformed);
        }
        if fraction.len() > 2 {
            return Err(MoneyError::TooPrecise);
        }
        let whole: i64 = whole.parse().map_err(|_| MoneyError::TooLarge)?;
        let cents: i64 = format!("{fraction:0<2}").parse().map_err(|_| MoneyError::Malformed)?;
        let minor = whole.checked_mul(100).and_then(|minor| minor.checked_add(cents)).ok_or(MoneyError::TooLarge)?;
        Ok(Money::from_minor(if negative { -minor } else { minor }))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let absolute = self.minor.unsigned_abs();
        write!(f, "{sign}{}.{:02}", absolute / 100, absolute % 100)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::Number::from_str(&self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Number::deserialize(deserializer)?.as_str().parse().map_err(D::Error::custom)
    }
}

/// The format of amounts in documents (OpenAPI format registry). `multipleOf: 0.01` would say more, but validators that
/// reckon in binary fractions find that 19.99 is no multiple of it.
pub fn amount_format() -> utoipa::openapi::SchemaFormat {
    utoipa::openapi::SchemaFormat::Custom("decimal".to_owned())
}

impl utoipa::PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Number)
            .format(Some(amount_format()))
            .description(Some("An exact decimal amount with at most two decimals."))
            .into()
    }
}

impl utoipa::ToSchema for Money {}

/// An ISO 4217 code: three capital letters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Currency(String);

/// The text is no currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an ISO 4217 code: three capital letters, such as EUR")]
pub struct CurrencyError;

impl Currency {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        let sound = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        sound.then(|| Self(code.to_owned())).ok_or(CurrencyError)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_shown_exactly() {
        for (text, minor, shown) in [
            ("19.99", 1999, "19.99"),
            ("20", 2000, "20.00"),
            ("0.1", 10, "0.10"),
            ("-0.05", -5, "-0.05"),
            ("92233720368547758.07", i64::MAX, "92233720368547758.07"),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!(money.minor(), minor);
            assert_eq!(money.to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_plain_amount_is_refused() {
        for text in ["", "-", ".5", "5.", "1e2", "+1", "NaN", "1,5", " 1"] {
            assert_eq!(text.parse::<Money>(), Err(MoneyError::Malformed), "{text}");
        }
        assert_eq!("1.999".parse::<Money>(), Err(MoneyError::TooPrecise));
        assert_eq!("92233720368547758.08".parse::<Money>(), Err(MoneyError::TooLarge));
    }

    #[test]
    fn json_keeps_every_digit() {
        let money: Money = serde_json::from_str("92233720368547758.07").unwrap();
        assert_eq!(serde_json::to_string(&money).unwrap(), "92233720368547758.07");
        let value: serde_json::Value = serde_json::from_str(r#"{"price":90071992547409.93}"#).unwrap();
        let price: Money = serde_json::from_value(value["price"].clone()).unwrap();
        assert_eq!(price.minor(), 9_007_199_254_740_993);
        assert!(serde_json::from_str::<Money>("\"19.99\"").is_err());
        assert!(serde_json::from_str::<Money>("1e2").is_err());
    }
}

#[cfg(test)]
#[path = "money_properties.rs"]
mod properties;
