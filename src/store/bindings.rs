//! Bindings.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::bindings::{Binding, BindingFilter, BindingSid, Device};
use crate::domain::{Identity, PageRequest, ServiceSid};

macro_rules! columns {
    () => {
        "sid, account_sid, service_sid, credential_sid, identity, binding_type, address, message_types, date_created, \
         date_updated"
    };
}

/// Inserts a binding; a device that is known already keeps its SID, and everything else becomes as said now.
///
/// # Errors
/// As the database.
pub async fn upsert(conn: &mut PgConnection, binding: &Binding) -> sqlx::Result<Binding> {
    sqlx::query_as(concat!(
        "insert into bindings (sid, account_sid, service_sid, credential_sid, identity, binding_type, address,
                               message_types, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict on constraint bindings_address_key do update
             set credential_sid = excluded.credential_sid, message_types = excluded.message_types,
                 date_updated = excluded.date_updated
         returning ",
        columns!()
    ))
    .bind(binding.sid)
    .bind(binding.account_sid)
    .bind(binding.service_sid)
    .bind(binding.credential_sid)
    .bind(&binding.identity)
    .bind(&binding.binding_type)
    .bind(&binding.address)
    .bind(&binding.message_types)
    .bind(binding.date_created)
    .bind(binding.date_updated)
    .fetch_one(conn)
    .await
}

/// Deletes a user's bindings beyond `most`: those that were heard of longest ago.
///
/// # Errors
/// As the database.
pub async fn delete_beyond(
    conn: &mut PgConnection,
    service: ServiceSid,
    identity: &Identity,
    most: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "delete from bindings
          where sid in (select sid from bindings
                         where service_sid = $1 and identity = $2
                         order by date_updated desc, sid desc
                        offset $3)",
    )
    .bind(service)
    .bind(identity)
    .bind(most)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a binding of a service.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    service: ServiceSid,
    sid: BindingSid,
) -> sqlx::Result<Option<Binding>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from bindings where sid = $1 and service_sid = $2"
    ))
    .bind(sid)
    .bind(service)
    .fetch_optional(conn)
    .await
}

/// Lists a service's bindings, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    service: ServiceSid,
    filter: &BindingFilter,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Binding>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from bindings where service_sid = "
    ));
    query.push_bind(service);
    if !filter.binding_types.is_empty() {
        query
            .push(" and binding_type = any(")
            .push_bind(&filter.binding_types)
            .push(")");
    }
    if !filter.identities.is_empty() {
        query
            .push(" and identity = any(")
            .push_bind(&filter.identities)
            .push(")");
    }
    push_page(
        &mut query,
        ["date_created", "sid"],
        Order::Descending,
        asked,
    );
    query.build_query_as().fetch_all(conn).await
}

/// Whether a user has a binding.
///
/// # Errors
/// As the database.
pub async fn exist(
    conn: &mut PgConnection,
    service: ServiceSid,
    identity: &Identity,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from bindings where service_sid = $1 and identity = $2)",
    )
    .bind(service)
    .bind(identity)
    .fetch_one(conn)
    .await
}

/// Deletes a binding of a service, of one user if it is given; answers whether it was there.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    service: ServiceSid,
    sid: BindingSid,
    of: Option<&Identity>,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "delete from bindings
          where sid = $1 and service_sid = $2 and ($3::text is null or identity = $3)",
    )
    .bind(sid)
    .bind(service)
    .bind(of)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes the binding of a user's device; answers whether there was one.
///
/// # Errors
/// As the database.
pub async fn delete_device(
    conn: &mut PgConnection,
    service: ServiceSid,
    identity: &Identity,
    device: &Device,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "delete from bindings
          where service_sid = $1 and identity = $2 and binding_type = $3 and address = $4",
    )
    .bind(service)
    .bind(identity)
    .bind(&device.binding_type)
    .bind(&device.address)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes all bindings of a user.
///
/// # Errors
/// As the database.
pub async fn delete_all(
    conn: &mut PgConnection,
    service: ServiceSid,
    identity: &Identity,
) -> sqlx::Result<()> {
    sqlx::query("delete from bindings where service_sid = $1 and identity = $2")
        .bind(service)
        .bind(identity)
        .execute(conn)
        .await?;
    Ok(())
}
