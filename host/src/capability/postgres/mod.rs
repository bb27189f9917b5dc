//! PostgreSQL for guests.
