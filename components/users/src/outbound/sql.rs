//! Accounts and sessions in Postgres.

use kit::{
    Failure, Role,
    page::Cursor,
    sql::{Database, ParameterValue, Row, SqlError, moment, uuid},
};

use crate::domain::{
    accounts::{AccountError, Accounts, NewAccount},
    email::Email,
    sessions::{Credentials, RefreshToken, SESSION_S, Sessions},
    user::{Change, User},
};

/// The component's database.
pub const DATABASE: Database = Database::at("users_database_url");

/// The ports over [`DATABASE`].
#[derive(Debug, Clone, Copy)]
pub struct Sql;

/// An account as [`user`] reads it, for the table or CTE in front of the dot.
macro_rules! columns {
    ($from:literal) => {
        concat!(
            $from,
            ".id, ",
            $from,
            ".name, ",
            $from,
            ".email, ",
            $from,
            ".active, ",
            $from,
            ".role, ",
            $from,
            ".version, ",
            $from,
            ".created_at at time zone 'UTC' as created_at, ",
            $from,
            ".updated_at at time zone 'UTC' as updated_at"
        )
    };
}

impl Accounts for Sql {
    async fn insert(&self, account: &NewAccount) -> Result<User, AccountError> {
        let statement = concat!(
            "insert into users (name, email, password_hash, role) values ($1, $2, $3, $4) returning ",
            columns!("users")
        );
        let row = DATABASE.one(statement, new_account(account)).await;
        Ok(user(&row.map_err(taken)?).map_err(Failure::from)?)
    }

    async fn get(&self, id: i64) -> Result<User, AccountError> {
        let statement = concat!("select ", columns!("users"), " from users where id = $1");
        let row = DATABASE.row(statement, vec![id.into()]).await.map_err(Failure::from)?;
        let row = row.ok_or(AccountError::NotFound)?;
        Ok(user(&row).map_err(Failure::from)?)
    }

    async fn list(&self, after: Option<Cursor>, limit: i64) -> Result<Vec<User>, Failure> {
        let rows = match after {
            None => {
                let statement = concat!("select ", columns!("users"), " from users order by created_at, id limit $1");
                DATABASE.rows(statement, vec![limit.into()]).await?
            }
            Some(cursor) => {
                let statement = concat!(
                    "select ",
                    columns!("users"),
                    " from users
                     where (created_at, id) > ($2::timestamp at time zone 'UTC', $3::bigint)
                     order by users.created_at, users.id limit $1"
                );
                let params = vec![limit.into(), moment(cursor.created_at), cursor.id.into()];
                DATABASE.rows(statement, params).await?
            }
        };
        Ok(rows.iter().map(user).collect::<Result<_, _>>()?)
    }

    async fn change(&self, by: i64, id: i64, change: &Change, expected: Option<i64>) -> Result<User, AccountError> {
        // Whoever ends an administrator locks all of them first, in the order of their ids: of two who end one another
        // at the same moment the second sees what the first has done.
        let statement = concat!(
            "with administrators as materialized (
                 select id from users where $9::boolean and role = 'admin' and active order by id for update
             ), left_over as materialized (
                 select count(*) as others from administrators where id <> $1::bigint
             ), changed as (
                 update users set
                     name = coalesce($2::text, name),
                     email = coalesce($3::text, email),
                     active = coalesce($4::boolean, active),
                     role = coalesce($5::text, role),
                     version = version + 1,
                     sessions_generation = sessions_generation
                         + case when not $4::boolean or $5::text is not null then 1 else 0 end,
                     updated_at = now()
                 from left_over
                 where id = $1::bigint and ($6::bigint is null or version = $6::bigint)
                     and (not $9::boolean or role <> 'admin' or not active or left_over.others > 0)
                     and exists (select from users as actor where actor.id = $7::bigint and actor.active
                         and (actor.role = 'admin' or (actor.id = $1::bigint and not $8::boolean)))
                 returning users.*
             )
             select ",
            columns!("changed"),
            " from changed"
        );
        let params = vec![
            id.into(),
            change.name.as_ref().map(|name| name.as_str().to_owned()).into(),
            change.email.as_ref().map(|email| email.as_str().to_owned()).into(),
            change.active.into(),
            change.role.map(|role| role.as_str().to_owned()).into(),
            expected.into(),
            by.into(),
            change.needs_admin().into(),
            change.ends_administrator().into(),
        ];
        let row = DATABASE.row(statement, params).await.map_err(taken)?;
        match row {
            Some(row) => Ok(user(&row).map_err(Failure::from)?),
            None => Err(self.why_not_changed(by, id, change, expected).await?),
        }
    }

    async fn has_admin_or(&self, email: &Email) -> Result<bool, Failure> {
        let row = DATABASE
            .one(
                "select exists (select from users where role = 'admin')
                     or exists (select from users where lower(email) = lower($1::text)) as there",
                vec![email.as_str().to_owned().into()],
            )
            .await?;
        Ok(row.get("there")?)
    }

    async fn insert_first_admin(&self, account: &NewAccount) -> Result<(), Failure> {
        DATABASE
            .execute(
                "insert into users (name, email, password_hash, role)
                 select $1::text, $2::text, $3::text, $4::text
                 where not exists (select from users where role = 'admin')
                 on conflict do nothing",
                new_account(account),
            )
            .await?;
        Ok(())
    }
}

impl Sql {
    /// Why a change found nothing to change.
    async fn why_not_changed(
        &self,
        by: i64,
        id: i64,
        change: &Change,
        expected: Option<i64>,
    ) -> Result<AccountError, AccountError> {
        let user = self.get(id).await?;
        let actor = if by == id { user.clone() } else { self.get(by).await? };
        Ok(match expected {
            _ if !actor.may_change(id, change) => AccountError::NotPermitted,
            Some(expected) if expected != user.version => AccountError::Changed,
            _ if change.ends_administrator() && user.role == Role::Admin => AccountError::LastAdministrator,
            _ => AccountError::Changed,
        })
    }
}

impl Sessions for Sql {
    async fn by_email(&self, email: &Email) -> Result<Option<Credentials>, Failure> {
        let row = DATABASE
            .row(
                "select id, password_hash, active, sessions_generation from users where lower(email) = lower($1::text)",
                vec![email.as_str().to_owned().into()],
            )
            .await?;
        Ok(row.as_ref().map(credentials).transpose()?)
    }

    async fn by_id(&self, id: i64) -> Result<Option<Credentials>, Failure> {
        let statement = "select id, password_hash, active, sessions_generation from users where id = $1";
        let row = DATABASE.row(statement, vec![id.into()]).await?;
        Ok(row.as_ref().map(credentials).transpose()?)
    }

    async fn open(
        &self,
        account: &Credentials,
        session_id: &str,
        token: &RefreshToken,
    ) -> Result<Option<User>, Failure> {
        // The share lock reads the account as it is after a change under way: its generation is compared with that one.
        let statement = concat!(
            "with holder as (
                 select * from users where id = $1 and active and sessions_generation = $5::bigint for share
             ), opened as (
                 insert into sessions (id, user_id, generation, expires_at)
                 select $2, holder.id, holder.sessions_generation, now() + $4::bigint * interval '1 second' from holder
                 returning id
             ), token as (
                 insert into refresh_tokens (hash, session_id) select $3, opened.id from opened
             )
             select ",
            columns!("holder"),
            " from holder"
        );
        let params = vec![
            account.user_id.into(),
            uuid(session_id),
            token.sha256.to_vec().into(),
            SESSION_S.into(),
            account.generation.into(),
        ];
        let row = DATABASE.row(statement, params).await?;
        Ok(row.as_ref().map(user).transpose()?)
    }

    async fn rotate(&self, used: &[u8; 32], fresh: &RefreshToken) -> Result<Option<(String, User)>, Failure> {
        let statement = concat!(
            "with presented as (
                 update refresh_tokens set used_at = now()
                 where hash = $1 and used_at is null
                 returning session_id
             ), session as (
                 select sessions.id, sessions.user_id, sessions.generation from presented
                 join sessions on sessions.id = presented.session_id
                 where sessions.ended_at is null and sessions.expires_at > now()
             ), holder as (
                 select users.*, session.id as session_id from session
                 join users on users.id = session.user_id
                 where users.active and users.sessions_generation = session.generation
             ), token as (
                 insert into refresh_tokens (hash, session_id) select $2, holder.session_id from holder
             )
             select holder.session_id, ",
            columns!("holder"),
            " from holder"
        );
        let params = vec![used.to_vec().into(), fresh.sha256.to_vec().into()];
        let Some(row) = DATABASE.row(statement, params).await? else {
            return Ok(None);
        };
        Ok(Some((row.get("session_id")?, user(&row)?)))
    }

    async fn end_if_reused(&self, used: &[u8; 32]) -> Result<(), Failure> {
        DATABASE
            .execute(
                "update sessions set ended_at = now()
                 where ended_at is null and id =
                     (select session_id from refresh_tokens where hash = $1 and used_at is not null)",
                vec![used.to_vec().into()],
            )
            .await?;
        Ok(())
    }

    async fn end(&self, session_id: &str) -> Result<(), Failure> {
        DATABASE
            .execute("update sessions set ended_at = now() where id = $1 and ended_at is null", vec![uuid(session_id)])
            .await?;
        Ok(())
    }

    async fn replace_hash(
        &self,
        user_id: i64,
        old_hash: &str,
        new_hash: &str,
        end_sessions: bool,
    ) -> Result<bool, Failure> {
        let changed = DATABASE
            .execute(
                "update users set
                     password_hash = $3::text,
                     sessions_generation = sessions_generation + case when $4::boolean then 1 else 0 end
                 where id = $1::bigint and password_hash = $2::text",
                vec![user_id.into(), old_hash.to_owned().into(), new_hash.to_owned().into(), end_sessions.into()],
            )
            .await?;
        Ok(changed > 0)
    }
}

/// Forgets sessions whose time has long been over, a thousand at a time; for the tick.
pub async fn forget_sessions() -> Result<u64, SqlError> {
    DATABASE
        .execute(
            "delete from sessions where id = any(array(
                 select id from sessions where expires_at < now() - interval '1 day' limit 1000))",
            Vec::new(),
        )
        .await
}

fn new_account(account: &NewAccount) -> Vec<ParameterValue> {
    vec![
        account.name.as_str().to_owned().into(),
        account.email.as_str().to_owned().into(),
        account.password_hash.clone().into(),
        account.role.as_str().to_owned().into(),
    ]
}

fn taken(error: SqlError) -> AccountError {
    if error.is_constraint("users_email_unique") {
        return AccountError::EmailTaken;
    }
    AccountError::Store(error.into())
}

fn user(row: &Row) -> Result<User, SqlError> {
    let role: String = row.get("role")?;
    Ok(User {
        id: row.get("id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        active: row.get("active")?,
        role: Role::from_name(&role)
            .ok_or_else(|| SqlError::Failed(format!("an account has the unknown role {role}")))?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

fn credentials(row: &Row) -> Result<Credentials, SqlError> {
    Ok(Credentials {
        user_id: row.get("id")?,
        password_hash: row.get("password_hash")?,
        active: row.get("active")?,
        generation: row.get("sessions_generation")?,
    })
}
