//! The component `payment-sandbox`.
