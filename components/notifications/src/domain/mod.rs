//! Notifications without HTTP, SQL or bindings: an order's event becomes what its customer is told.

pub mod event;
pub mod notification;
pub mod ports;
pub mod tell;
