//! The lines of an order: as they are wished for, and as they were sold.

use std::collections::BTreeMap;

use kit::{Faults, Money};

/// Most lines one order may have, after equal products were merged.
pub const MAX_LINES: usize = 100;
/// Most pieces of one product in one order.
pub const MAX_QUANTITY: i64 = 1000;

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
    pub fn parse(wanted: &[Wanted]) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        if wanted.is_empty() || wanted.len() > MAX_LINES {
            faults.add("items", format!("must have 1 to {MAX_LINES} lines"));
        }
        let mut merged: BTreeMap<i64, i64> = BTreeMap::new();
        for (index, line) in wanted.iter().take(MAX_LINES).enumerate() {
            check(&mut faults, index, *line);
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

fn check(faults: &mut Faults, index: usize, line: Wanted) {
    if line.product_id < 1 {
        faults.add(format!("items[{index}].productId"), "must be a product's number, from 1");
    }
    if !(1..=MAX_QUANTITY).contains(&line.quantity) {
        faults.add(format!("items[{index}].quantity"), format!("must be 1 to {MAX_QUANTITY}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(product_id: i64, quantity: i64) -> Wanted {
        Wanted { product_id, quantity }
    }

    fn line(quantity: i64, price_minor: i64) -> Line {
        Line { product_id: 1, quantity, name: "Cup".to_owned(), price: Money::from_minor(price_minor) }
    }

    #[test]
    fn lines_of_the_same_product_are_merged_and_sorted() {
        let lines = Lines::parse(&[wanted(7, 1), wanted(2, 3), wanted(7, 4)]).unwrap();
        assert_eq!(lines.as_slice(), [wanted(2, 3), wanted(7, 5)]);
    }

    #[test]
    fn every_bad_line_is_named() {
        let faults = Lines::parse(&[wanted(0, 1), wanted(1, 0), wanted(2, -3), wanted(3, 1001)]).unwrap_err();
        let fields: Vec<String> = faults.into_list().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["items[0].productId", "items[1].quantity", "items[2].quantity", "items[3].quantity"]);
    }

    #[test]
    fn an_order_has_one_to_a_hundred_lines() {
        assert!(Lines::parse(&[]).is_err());
        let hundred: Vec<Wanted> = (1..=100).map(|id| wanted(id, 1)).collect();
        assert_eq!(Lines::parse(&hundred).unwrap().as_slice().len(), 100);
        let more: Vec<Wanted> = (1..=101).map(|id| wanted(id, 1)).collect();
        assert!(Lines::parse(&more).is_err());
    }

    #[test]
    fn merging_cannot_exceed_the_bound_of_a_line() {
        let faults = Lines::parse(&[wanted(5, 600), wanted(5, 600)]).unwrap_err();
        let fields: Vec<String> = faults.into_list().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["items[1].quantity"]);
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
