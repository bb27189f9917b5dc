//! Variables a guest may read.
