//! Health: what must answer before an order can be placed.

/// How a service answered when it was asked for something harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// The service.
    pub service: &'static str,
    /// Whether it answered from its database.
    pub is_well: bool,
}

/// The services that are down; none when an order can be placed.
pub fn down(signs: &[Sign]) -> Vec<&'static str> {
    signs.iter().filter(|sign| !sign.is_well).map(|sign| sign.service).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_services_that_do_not_answer_are_named() {
        let signs = [Sign { service: "users", is_well: true }, Sign { service: "products", is_well: false }];
        assert_eq!(down(&signs), ["products"]);
        assert!(down(&[]).is_empty());
    }
}
