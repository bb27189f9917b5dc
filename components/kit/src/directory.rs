//! What an account may do at this moment, by `shop:users/directory`, which each component imports for itself.

use crate::{Role, Unavailable};

/// Who knows what an account may do at this moment.
pub trait Directory {
    /// What this account may do; `None` where it is not active, or does not exist.
    fn role(user_id: i64) -> impl Future<Output = Result<Option<Role>, Unavailable>>;
}

/// Makes a [`Directory`] of this type by the component's import of the interface, whose bindings are in this module.
#[macro_export]
macro_rules! directory {
    ($world:ty, $($module:ident)::+) => {
        impl $crate::Directory for $world {
            async fn role(user_id: i64) -> Result<Option<$crate::Role>, $crate::Unavailable> {
                use $($module)::+ as directory;
                match directory::get_user(user_id).await {
                    Ok(user) if user.active && user.role == directory::Role::Admin => Ok(Some($crate::Role::Admin)),
                    Ok(user) => Ok(user.active.then_some($crate::Role::Customer)),
                    Err(directory::Error::NotFound) => Ok(None),
                    Err(directory::Error::Unavailable(why)) => Err($crate::Unavailable { who: "users", why }),
                }
            }
        }
    };
}
