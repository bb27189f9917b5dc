/// The accounts, by the interface that the shop's components share.
pub struct Users;

kit::directory!(Users, crate::bindings::shop::users::directory);
