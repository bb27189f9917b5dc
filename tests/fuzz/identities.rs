//! As whom the fuzzer asks.

use std::{path::PathBuf, sync::Arc};

use axum::{Json, Router, extract::Path, routing::post};
use plaza_tests::{
    Client, Shop,
    databases::Databases,
    shop::{Customer, PASSWORD, log_in},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Accounts that are as they should be whenever the fuzzer logs in, whatever it did to them before.
pub struct Identities {
    /// The customers among them.
    pub customers: Vec<Customer>,
    folder: TempDir,
}

struct Account {
    name: &'static str,
    id: i64,
    email: String,
    password: String,
    /// The password as the database has it: the fuzzer may find out the old one, and set another.
    hash: String,
    role: &'static str,
}

/// What it takes to log in again and again.
struct Desk {
    client: Client,
    databases: Databases,
    accounts: Vec<Account>,
}

impl Identities {
    /// Two customers, who must not see what is the other's, and the administrator. The fuzzer logs in at an address of
    /// this process, which makes the account sound again and then logs in at the shop as anybody does.
    pub async fn of(shop: &Shop) -> Self {
        let customers = vec![shop.customer().await, shop.customer().await];
        let databases = Databases::of(&shop.host);
        let mut accounts = Vec::new();
        for (name, customer) in ["customer", "other"].into_iter().zip(&customers) {
            accounts.push(Account::of(&databases, name, customer.id, &customer.email, PASSWORD).await);
        }
        accounts.push(Account::of(&databases, "admin", 1, "admin@example.com", shop.admin_password()).await);
        let names: Vec<&str> = accounts.iter().map(|account| account.name).collect();
        let desk = Arc::new(Desk { client: shop.anyone(), databases, accounts });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let entries: Vec<Value> = names.iter().map(|name| entry(name, &format!("http://{address}/{name}"))).collect();
        let document = json!({ "auth": entries }).to_string();
        std::fs::write(folder.path().join("identities.json"), document).expect("the folder can be written");
        let router = Router::new().route(
            "/{name}",
            post(move |Path(name): Path<String>| {
                let desk = desk.clone();
                async move { Json(json!({ "access_token": desk.token(&name).await })) }
            }),
        );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { customers, folder }
    }

    /// Where Schemathesis finds how to log in (Web Fuzzing Commons).
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("identities.json")
    }

    /// Where reports may be put.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

impl Account {
    async fn of(databases: &Databases, name: &'static str, id: i64, email: &str, password: &str) -> Self {
        let query = format!("SELECT password_hash FROM users WHERE id = {id}");
        let (hash,) = databases.rows::<(String,)>("users_database", &query).await.remove(0);
        let role = if name == "admin" { "admin" } else { "customer" };
        Self { name, id, email: email.to_owned(), password: password.to_owned(), hash, role }
    }
}

impl Desk {
    async fn token(&self, name: &str) -> String {
        let account = self.accounts.iter().find(|account| account.name == name).expect("a known name");
        let Account { id, email, password, hash, role, .. } = account;
        // The fuzzer guesses passwords, too, and all that it does comes from one address.
        let statement = format!(
            "UPDATE users SET email = 'moved-' || id || '@example.com' WHERE email = '{email}' AND id <> {id};
             UPDATE users SET email = '{email}', active = true, role = '{role}', password_hash = '{hash}' WHERE id = {id};
             DELETE FROM log_in_failures"
        );
        self.databases.execute("users_database", &statement).await;
        log_in(&self.client, email, password).await
    }
}

fn entry(name: &str, url: &str) -> Value {
    json!({
        "name": name,
        "loginEndpointAuth": {
            "verb": "POST",
            "externalEndpointURL": url,
            "token": {
                "extractFrom": "body",
                "extractSelector": "/access_token",
                "sendIn": "header",
                "sendName": "Authorization",
                "sendTemplate": "Bearer {token}",
            },
        },
    })
}
