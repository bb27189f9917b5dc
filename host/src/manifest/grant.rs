//! Addresses a component may call (`allowed_outbound_hosts`).
