//! What one store holds.
