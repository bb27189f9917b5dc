//! The database server: embedded or outside, a database and role per component, migrations, generated secrets.
