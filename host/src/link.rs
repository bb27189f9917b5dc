//! A WIT import of one component becomes a call into the service that exports it.
