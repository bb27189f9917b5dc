//! What the shop asks of the provider.

mod wit;
