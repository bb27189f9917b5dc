//! Accounts, log-in and roles.
//!
//! | route | who | use case |
//! |---|---|---|
//! | `POST /api/v1/users` | anyone | [`domain::accounts::register`] |
//! | `GET /api/v1/users` | administrators | the port [`domain::accounts::Accounts`] |
//! | `GET /api/v1/users/{id}` | the owner, administrators | the port |
//! | `PATCH /api/v1/users/{id}` | the owner, administrators | the port [`domain::accounts::Accounts`] |
//! | `PUT /api/v1/users/{id}/password` | the owner | [`domain::sessions::change_password`] |
//! | `POST /api/v1/sessions` | anyone | [`domain::sessions::log_in`] |
//! | `POST /api/v1/sessions/refresh` | holders of a refresh token | [`domain::sessions::refresh`] |
//! | `DELETE /api/v1/sessions/current` | anyone logged in | the port [`domain::sessions::Sessions`] |
//!
//! The component also exports `shop:users/directory` and, for the clock, `plaza:schedule/task`. It has passwords hashed by
//! `shop:passwords/hashing`, a component of its own.

mod bindings;
pub mod domain;
pub mod inbound;
pub mod outbound;
