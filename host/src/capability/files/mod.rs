//! Files of the host that a guest may read.
