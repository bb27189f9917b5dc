//! The lines of an order: as they are wished for, and as they were sold.

use std::collections::BTreeMap;

use kit::{Faults, Money};

/// Most lines one order may have, after equal products were merged.
pub const MAX_LINES: usize = 100;
/// Most pieces of one product in one order.
pub const MAX_QUANTITY: i64 = 1000;

/// A line as somebody sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The product's number.
    pub product_id: Option<i64>,
    /// Pieces.
    pub quantity: Option<i64>,
}

/// A product and how many pieces of it are wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The product's number.
    pub product_id: i64,
    /// Pieces.
    pub quantity: i64,
}

/// 1 to 100 lines of 1 to 1000 pieces each, every product once, by product number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines(Vec<Wanted>);

impl Lines {
    /// Merges lines of the same product and checks every bound; all faults are returned at once.
    pub fn parse(asked: &[Asked]) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        if asked.is_empty() || asked.len() > MAX_LINES {
            faults.add("items", format!("must have 1 to {MAX_LINES} lines"));
        }
        let mut merged: BTreeMap<i64, i64> = BTreeMap::new();
        for (index, line) in asked.iter().take(MAX_LINES).enumerate() {
            let Some(line) = line.check(index, &mut faults) else {
                continue;
            };
            let sum = merged.entry(line.product_id).or_default();
            *sum = sum.saturating_add(line.quantity);
            // Lines that are each within bounds may exceed them together.
            if *sum > MAX_QUANTITY {
                let detail =
                    format!("makes {sum} pieces of product {} together; {MAX_QUANTITY} is the most", line.product_id);
                faults.add(format!("items[{index}].quantity"), detail);
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let lines = merged.into_iter();
        Ok(Self(lines.map(|(product_id, quantity)| Wanted { product_id, quantity }).collect()))
    }

    /// The lines, by product number.
    pub fn as_slice(&self) -> &[Wanted] {
        &self.0
    }
}

/// A line as it was sold: name and price are those of the moment of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The product's number.
    pub product_id: i64,
    /// Pieces.
    pub quantity: i64,
    /// The product's name then.
    pub name: String,
    /// The price of one piece then, in the order's currency.
    pub price: Money,
}

/// Σ quantity × price; `None` when it exceeds what money can hold.
pub fn total(lines: &[Line]) -> Option<Money> {
    lines.iter().try_fold(Money::ZERO, |total, line| total.checked_add(line.price.checked_mul(line.quantity)?))
}

impl Asked {
    fn check(self, index: usize, faults: &mut Faults) -> Option<Wanted> {
        let number = |id: i64| (id >= 1).then_some(id).ok_or("must be a product's number, from 1");
        let pieces = |count: i64| {
            let bounded = (1..=MAX_QUANTITY).contains(&count);
            bounded.then_some(count).ok_or_else(|| format!("must be 1 to {MAX_QUANTITY}"))
        };
        let product_id = faults.parse(&format!("items[{index}].productId"), self.product_id, number);
        let quantity = faults.parse(&format!("items[{index}].quantity"), self.quantity, pieces);
        Some(Wanted { product_id: product_id?, quantity: quantity? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(product_id: i64, quantity: i64) -> Wanted {
        Wanted { product_id, quantity }
    }

    fn asked(product_id: i64, quantity: i64) -> Asked {
        Asked { product_id: Some(product_id), quantity: Some(quantity) }
    }

    fn fields(faults: Faults) -> Vec<String> {
        faults.into_list().into_iter().map(|fault| fault.field).collect()
    }

    fn line(quantity: i64, price_minor: i64) -> Line {
        Line { product_id: 1, quantity, name: "Cup".to_owned(), price: Money::from_minor(price_minor) }
    }

    #[test]
    fn lines_of_the_same_product_are_merged_and_sorted() {
        let lines = Lines::parse(&[asked(7, 1), asked(2, 3), asked(7, 4)]).unwrap();
        assert_eq!(lines.as_slice(), [wanted(2, 3), wanted(7, 5)]);
    }

    #[test]
    fn every_bad_line_is_named() {
        let faults = Lines::parse(&[asked(0, 1), asked(1, 0), asked(2, -3), asked(3, 1001)]).unwrap_err();
        assert_eq!(
            fields(faults),
            ["items[0].productId", "items[1].quantity", "items[2].quantity", "items[3].quantity"]
        );
    }

    #[test]
    fn what_is_missing_in_one_line_hides_nothing_in_another() {
        let half = Asked { product_id: None, quantity: Some(1) };
        let faults = Lines::parse(&[asked(3, -1), half]).unwrap_err();
        assert_eq!(fields(faults), ["items[0].quantity", "items[1].productId"]);
    }

    #[test]
    fn an_order_has_one_to_a_hundred_lines() {
        assert!(Lines::parse(&[]).is_err());
        let hundred: Vec<Asked> = (1..=100).map(|id| asked(id, 1)).collect();
        assert_eq!(Lines::parse(&hundred).unwrap().as_slice().len(), 100);
        let more: Vec<Asked> = (1..=101).map(|id| asked(id, 1)).collect();
        assert!(Lines::parse(&more).is_err());
    }

    #[test]
    fn merging_cannot_exceed_the_bound_of_a_line() {
        let faults = Lines::parse(&[asked(5, 600), asked(5, 600)]).unwrap_err();
        assert_eq!(fields(faults), ["items[1].quantity"]);
    }

    #[test]
    fn a_total_is_the_sum_of_quantity_times_price() {
        assert_eq!(total(&[line(3, 1999), line(1, 1)]), Some(Money::from_minor(5998)));
        assert_eq!(total(&[]), Some(Money::ZERO));
    }

    #[test]
    fn a_total_that_overflows_is_no_total() {
        assert_eq!(total(&[line(1000, i64::MAX / 10)]), None);
        assert_eq!(total(&[line(1, i64::MAX), line(1, 1)]), None);
    }
}
