//! The list of a service's conversations: filtered, searched and sorted.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::columns;
use crate::domain::conversations::{ConversationFilter, SortBy, Sorting};
use crate::domain::{Conversation, PageRequest, ServiceSid};
use crate::store::{MomentKey, gather, push_page};

/// Lists a service's conversations.
///
/// # Why a search gathers first
/// Postgres cannot know how rare a rare word is: it expects half a percent of all rows, and walks the list until it has
/// a page of them, which for a word that nothing has is the whole list. So the index of words is asked first, which is
/// quick whatever comes of it, and where it finds little the list is not walked.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    service: ServiceSid,
    filter: &ConversationFilter,
    sorting: Sorting,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Conversation>> {
    let gathered = match &filter.search {
        Some(search) => {
            gather::<Conversation>(conn, "select conversations_with($1, $2)", search).await?
        }
        None => None,
    };
    let walks = gathered.is_none();
    let mut query = QueryBuilder::new(concat!("select ", columns!(), " from "));
    match gathered {
        None => query.push("conversations c"),
        // The offset keeps Postgres from turning this round.
        Some(found) => query.push("unnest(").push_bind(found).push(concat!(
            ") as found (sid) cross join lateral (select ",
            columns!(),
            " from conversations c where c.sid = found.sid offset 0) c"
        )),
    };
    query.push(" where c.service_sid = ").push_bind(service);
    push_filter(&mut query, filter);
    if walks {
        push_search(&mut query, filter);
    }
    push_page(
        &mut query,
        [order_column(sorting.by), "c.sid"],
        sorting.order,
        asked,
    );
    // Walking is planned each time, with the words in sight.
    query
        .build_query_as()
        .persistent(filter.search.is_none())
        .fetch_all(conn)
        .await
}

/// How many conversations a service has that pass a filter.
///
/// # Errors
/// As the database.
pub async fn count(
    conn: &mut PgConnection,
    service: ServiceSid,
    filter: &ConversationFilter,
) -> sqlx::Result<i64> {
    let mut query =
        QueryBuilder::new("select count(*) from conversations c where c.service_sid = ");
    query.push_bind(service);
    push_filter(&mut query, filter);
    push_search(&mut query, filter);
    query
        .build_query_scalar()
        .persistent(filter.search.is_none())
        .fetch_one(conn)
        .await
}

fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &ConversationFilter) {
    if let Some(state) = filter.state {
        query.push(" and c.state = ").push_bind(state);
    }
    if let Some(start) = filter.start_date {
        query.push(" and c.date_created >= ").push_bind(start);
    }
    if let Some(end) = filter.end_date {
        query.push(" and c.date_created <= ").push_bind(end);
    }
}

fn push_search(query: &mut QueryBuilder<Postgres>, filter: &ConversationFilter) {
    if let Some(search) = &filter.search {
        query
            .push(
                " and exists (select from conversation_words w
                               where w.conversation_sid = c.sid and w.words @@ all_words(",
            )
            .push_bind(search.as_str().to_owned())
            .push("))");
    }
}

/// The column that an order goes by; an index of a service's conversations has each.
pub(in crate::store) const fn order_column(by: SortBy) -> &'static str {
    match by {
        SortBy::Activity => "c.active_at",
        SortBy::LastMessage => "c.last_message_at",
        SortBy::DateCreated => "c.date_created",
    }
}
