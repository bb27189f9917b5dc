//! A named component: its versions, and which one is active.

pub mod contract;
