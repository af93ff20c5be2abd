//! Webhooks: of accounts and services, and of single conversations.

use sqlx::types::Json;
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::{MomentKey, Order, push_page};
use crate::domain::webhooks::{ScopedWebhook, WebhookConfiguration, WebhookSid};
use crate::domain::{ConversationSid, PageRequest};

macro_rules! configuration {
    () => {
        "select method, filters, pre_webhook_url, post_webhook_url, target from webhook_configurations where owner_sid = $1"
    };
}

macro_rules! scoped {
    () => {
        "sid, conversation_sid, configuration, date_created, date_updated"
    };
}

/// Finds the webhooks of an account or a service; none when they were never set.
///
/// # Errors
/// As the database.
pub async fn find_configuration(
    conn: &mut PgConnection,
    owner: Uuid,
) -> sqlx::Result<Option<WebhookConfiguration>> {
    sqlx::query_as(configuration!())
        .bind(owner)
        .fetch_optional(conn)
        .await
}

/// Locks the webhooks of an account or a service and loads what they are now; they need not have been set before.
///
/// # Errors
/// As the database.
pub async fn lock_configuration(
    conn: &mut PgConnection,
    owner: Uuid,
) -> sqlx::Result<WebhookConfiguration> {
    sqlx::query(
        "insert into webhook_configurations (owner_sid) values ($1) on conflict do nothing",
    )
    .bind(owner)
    .execute(&mut *conn)
    .await?;
    sqlx::query_as(concat!(configuration!(), " for update"))
        .bind(owner)
        .fetch_one(conn)
        .await
}

/// Writes the webhooks of an account or a service that were locked.
///
/// # Errors
/// As the database.
pub async fn update_configuration(
    conn: &mut PgConnection,
    owner: Uuid,
    changed: &WebhookConfiguration,
) -> sqlx::Result<()> {
    sqlx::query(
        "update webhook_configurations
            set method = $2, filters = $3, pre_webhook_url = $4, post_webhook_url = $5, target = $6
          where owner_sid = $1",
    )
    .bind(owner)
    .bind(changed.method)
    .bind(&changed.filters)
    .bind(&changed.pre_webhook_url)
    .bind(&changed.post_webhook_url)
    .bind(changed.target)
    .execute(conn)
    .await?;
    Ok(())
}

/// Inserts a webhook of a conversation.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, new: &ScopedWebhook) -> sqlx::Result<()> {
    sqlx::query(
        "insert into scoped_webhooks (conversation_sid, sid, configuration, date_created, date_updated)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(new.conversation_sid)
    .bind(new.sid)
    .bind(Json(&new.target))
    .bind(new.date_created)
    .bind(new.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a webhook of a conversation.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    of: ConversationSid,
    sid: WebhookSid,
) -> sqlx::Result<Option<ScopedWebhook>> {
    sqlx::query_as(concat!(
        "select ",
        scoped!(),
        " from scoped_webhooks where conversation_sid = $1 and sid = $2"
    ))
    .bind(of)
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Lists a conversation's webhooks, oldest first. There are only a few, so the primary key serves.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    of: ConversationSid,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<ScopedWebhook>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        scoped!(),
        " from scoped_webhooks where conversation_sid = "
    ));
    query.push_bind(of);
    push_page(&mut query, ["date_created", "sid"], Order::Ascending, asked);
    query.build_query_as().fetch_all(conn).await
}

/// Counts a conversation's webhooks.
///
/// # Errors
/// As the database.
pub async fn count(conn: &mut PgConnection, of: ConversationSid) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from scoped_webhooks where conversation_sid = $1")
        .bind(of)
        .fetch_one(conn)
        .await
}

/// Writes what a webhook of a conversation does.
///
/// # Errors
/// As the database.
pub async fn update(conn: &mut PgConnection, changed: &ScopedWebhook) -> sqlx::Result<()> {
    sqlx::query(
        "update scoped_webhooks
            set configuration = $3, date_updated = $4
          where conversation_sid = $1 and sid = $2",
    )
    .bind(changed.conversation_sid)
    .bind(changed.sid)
    .bind(Json(&changed.target))
    .bind(changed.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a webhook of a conversation; answers whether it was there.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    of: ConversationSid,
    sid: WebhookSid,
) -> sqlx::Result<bool> {
    let done = sqlx::query("delete from scoped_webhooks where conversation_sid = $1 and sid = $2")
        .bind(of)
        .bind(sid)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
