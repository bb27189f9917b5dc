//! What an event of the topic `order-events` demands of the stock.

use serde::Deserialize;

/// What an event demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// The order of this reservation is cancelled: its pieces come back.
    Undo(String),
    /// Nothing.
    Nothing,
}

#[derive(Deserialize)]
struct Envelope {
    data: Cancelled,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancelled {
    reservation_id: String,
}

/// Reads an event's value. An error says why it can never be taken in.
pub fn read(kind: &str, value: &str) -> Result<Demand, String> {
    if kind != "ORDER_CANCELLED" {
        return Ok(Demand::Nothing);
    }
    let envelope: Envelope = serde_json::from_str(value).map_err(|error| format!("ORDER_CANCELLED: {error}"))?;
    Ok(Demand::Undo(envelope.data.reservation_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_order_gives_its_stock_back() {
        let value = r#"{"type":"ORDER_CANCELLED","data":{"orderId":1,"reservationId":"r","more":1.5}}"#;
        assert_eq!(read("ORDER_CANCELLED", value), Ok(Demand::Undo("r".to_owned())));
    }

    #[test]
    fn other_events_demand_nothing_and_broken_ones_are_refused() {
        assert_eq!(read("ORDER_CREATED", "{}"), Ok(Demand::Nothing));
        assert!(read("ORDER_CANCELLED", r#"{"data":{}}"#).is_err());
    }
}
