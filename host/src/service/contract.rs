//! Do these exports still satisfy those imports?
