//! What the guests of all versions do, each with the types of its own version.

/// Makes the guest: it does `values`, `counts` and `failures` with `$connection` and the parameters that `$cases` returns, and
/// what else its version can do.
macro_rules! ask {
    ($connection:ty, $parameter:ty, $cases:path $(, $name:literal => $further:path)*) => {
        struct Guest;

        bindings::export!(Guest with_types_in bindings);

        impl bindings::Guest for Guest {
            async fn run(name: String, address: String) -> Result<String, String> {
                match name.as_str() {
                    "values" => values(&address),
                    "counts" => counts(&address),
                    "failures" => failures(&address),
                    $($name => $further(&address).await,)*
                    other => Err(format!("no case {other}")),
                }
            }
        }

        /// Sends each parameter as a value of its type and returns what came back.
        fn values(address: &str) -> Result<String, String> {
            let connection = <$connection>::open(address).map_err(text)?;
            let mut lines = Vec::new();
            for (target, parameter) in $cases() {
                let answer = connection.query(&format!("SELECT $1::{target}"), &[parameter]).map_err(text)?;
                let types: Vec<_> = answer.columns.iter().map(|column| &column.data_type).collect();
                lines.push(format!("{target} {types:?} {:?}", answer.rows));
            }
            Ok(lines.join("\n"))
        }

        /// Returns the numbers of rows that statements changed.
        fn counts(address: &str) -> Result<String, String> {
            let connection = <$connection>::open(address).map_err(text)?;
            let none: [$parameter; 0] = [];
            let made = connection.execute("CREATE TABLE counted (id int)", &none).map_err(text)?;
            let inserted = connection.execute("INSERT INTO counted VALUES (1), (2)", &none).map_err(text)?;
            let updated = connection.execute("UPDATE counted SET id = 3", &none).map_err(text)?;
            let answer = connection.query("SELECT id AS number FROM counted WHERE id = 0", &none).map_err(text)?;
            Ok(format!("{made} {inserted} {updated} {} {}", answer.columns[0].name, answer.rows.len()))
        }

        /// Returns an error of every kind that there is.
        fn failures(address: &str) -> Result<String, String> {
            let refused = <$connection>::open("postgres://u@db.example/x").err().map(text).unwrap_or_default();
            let connection = <$connection>::open(address).map_err(text)?;
            let none: [$parameter; 0] = [];
            let bad = connection.query("SELECT $1::int4", &none).err().map(text).unwrap_or_default();
            let failed = connection.query("SELECT 1/0", &none).err().map(text).unwrap_or_default();
            Ok([refused, bad, failed].join("\n"))
        }

        fn text(error: impl std::fmt::Debug) -> String {
            format!("{error:?}")
        }
    };
}
