//! `shop:payments/provider` over HTTP, which is the same whichever provider it is.

/// Has a component answer at `/internal/<component>/provider/…` what its interface `shop:payments/provider` answers to a link:
/// `provider!("payment-sandbox": Component as Guest)`, where `Guest` is what the bindings make of that interface.
#[macro_export]
macro_rules! provider {
    ($name:literal: $component:ident as $guest:ident) => {
        impl $crate::internal::Internal for $component {
            const COMPONENT: &'static str = $name;

            async fn answer(call: $crate::internal::Call) -> Result<$crate::internal::Response, $crate::Problem> {
                use $crate::internal::{NoArguments, Octets, nothing_here};
                match call.function() {
                    "provider/name" => call.run(async |[]: NoArguments| <Self as $guest>::name().await).await,
                    "provider/charge" => call.run(async |(request,)| <Self as $guest>::charge(request).await).await,
                    "provider/refund" => call.run(async |(request,)| <Self as $guest>::refund(request).await).await,
                    "provider/find" => {
                        call.run(async |(provider, key)| <Self as $guest>::find(provider, key).await).await
                    }
                    "provider/withdraw" => {
                        call.run(async |(provider, key)| <Self as $guest>::withdraw(provider, key).await).await
                    }
                    "provider/verify-webhook" => {
                        let verify =
                            async |(headers, Octets(body))| <Self as $guest>::verify_webhook(headers, body).await;
                        call.run(verify).await
                    }
                    _ => Ok(nothing_here()),
                }
            }
        }
    };
}
