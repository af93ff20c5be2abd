//! Writing messages: one statement for any number of drafts.

use sqlx::PgConnection;
use sqlx::types::Json;

use crate::domain::media::Piece;
use crate::domain::{
    ContentSid, ConversationSid, Draft, Message, MessageSid, ParticipantSid, ServiceSid, Timestamp,
};

/// A draft on its way to becoming a row.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// The message's SID, made before it is written: a second try finds what the first one did.
    pub sid: MessageSid,
    /// The service the caller acts in; a conversation of another one is as absent.
    pub service: ServiceSid,
    /// The conversation.
    pub conversation: ConversationSid,
    /// The conversation's membership position when the caller's right to send was checked; none before that, and where
    /// no such right is needed.
    pub seen_membership: Option<i64>,
    /// What is to be written.
    pub draft: Draft,
    /// The media that were claimed for it.
    pub pieces: Vec<Piece>,
    /// When it was posted.
    pub now: Timestamp,
}

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is a message now.
    Added {
        /// Its index.
        index: i64,
        /// The position it took.
        position: i64,
        /// The participant who is the author, if one is.
        participant_sid: Option<ParticipantSid>,
    },
    /// The conversation does not exist in the service.
    NoConversation,
    /// It was not written: the conversation asks for more than a row (it is not active, somebody is reached on a
    /// channel, or who takes part changed meanwhile). The caller must hold the conversation and look.
    Held,
}

/// Whether the caller holds the conversations' rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The caller holds them and has applied the rules: everything is written.
    Caller,
    /// The statement takes and leaves them itself, and writes only where a row is all there is to do.
    Statement,
}

#[derive(sqlx::FromRow)]
struct WrittenRow {
    nth: i64,
    fits: bool,
    index: i64,
    position: i64,
    participant_sid: Option<ParticipantSid>,
}

/// Writes drafts as messages, with their events, in the order given: one statement, one round trip, any number.
///
/// The conversations' rows are locked in SID order. What is read beside them (who takes part) is as old as the
/// statement, while a row that had to be waited for is new; so a draft whose conversation's membership position
/// differs between the two is not written, but answered as [`Written::Held`].
///
/// # Errors
/// As the database; then nothing was written.
pub async fn insert(
    conn: &mut PgConnection,
    hold: Hold,
    new: &[NewMessage],
) -> sqlx::Result<Vec<Written>> {
    let column = |of: fn(&NewMessage) -> Option<&str>| -> Vec<Option<String>> {
        new.iter()
            .map(|draft| of(draft).map(str::to_owned))
            .collect()
    };
    let rows: Vec<WrittenRow> = sqlx::query_as(
        "with draft as materialized (
             select *
               from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                           $8::text[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $13::jsonb[], $14::uuid[])
                    with ordinality
                    as d (sid, service_sid, conversation_sid, seen_membership, author, body, subject, attributes,
                          date_created, date_updated, now, media, content_sid, nth)
         ),
         held as materialized (
             select h.*, (select s.membership_position from conversations s where s.sid = h.sid) as seen_by_snapshot
               from (select sid, service_sid, state, last_message_index, position, membership_position,
                            channel_participants_count
                       from conversations
                      where sid = any(array(select distinct conversation_sid from draft))
                      order by sid
                        for update) h
         ),
         known as (
             select d.*, h.last_message_index, h.position, h.channel_participants_count,
                    $12 or (h.state = 'active'
                            and h.channel_participants_count = 0
                            and h.membership_position = coalesce(d.seen_membership, h.seen_by_snapshot)
                            and h.membership_position = h.seen_by_snapshot
                            -- Only users repeat what they have sent.
                            and (d.seen_membership is null
                                 or not exists (select from messages m
                                                 where m.conversation_sid = d.conversation_sid and m.sid = d.sid)
                                and not exists (select from tombstones t
                                                 where t.owner_sid = d.conversation_sid and t.kind = 'message'
                                                   and t.subject_sid = d.sid))) as fits
               from draft d
               join held h on h.sid = d.conversation_sid and h.service_sid = d.service_sid
         ),
         placed as materialized (
             select k.sid, k.conversation_sid, k.author, k.body, k.subject, k.attributes, k.media,
                    k.content_sid, k.date_created, k.date_updated, k.now, k.nth, k.fits,
                    k.last_message_index + row_number() over place as index,
                    k.position + row_number() over place as position,
                    -- Only identities have an index; the few people with an address are looked through.
                    coalesce((select p.sid from participants p
                               where p.conversation_sid = k.conversation_sid and p.identity = k.author),
                             case when k.channel_participants_count > 0 then
                                 (select p.sid from participants p
                                   where p.conversation_sid = k.conversation_sid
                                     and k.author in (p.address, p.projected_address)
                                   order by p.sid
                                   limit 1) end) as participant_sid
               from known k
             window place as (partition by k.conversation_sid, k.fits order by k.nth)
         ),
         moved as (
             update conversations c
                set last_message_index = f.index,
                    position = f.position,
                    document_position = f.position,
                    messages_position = f.position,
                    active_at = greatest(c.active_at, f.active_at),
                    last_message_at = greatest(c.last_message_at, f.active_at),
                    timers_start = greatest(c.timers_start, f.active_at)
               from (select conversation_sid, max(index) as index, max(position) as position,
                            date_trunc('second', max(now)) as active_at
                       from placed where fits group by conversation_sid) f
              where c.sid = f.conversation_sid
         ),
         added as (
             insert into messages (conversation_sid, index, sid, author, body, subject, attributes, media,
                                   content_sid, participant_sid, created_position, position, date_created, date_updated)
             select conversation_sid, index, sid, author, body, subject, attributes, media, content_sid,
                    participant_sid, position, position, date_created, date_updated
               from placed where fits
         ),
         logged as (
             insert into events (scope_sid, position, kind, subject_sid, at)
             select conversation_sid, position, 'message_added', sid, now from placed where fits
         )
         select nth, fits, index, position, participant_sid from placed",
    )
    .bind(new.iter().map(|draft| draft.sid).collect::<Vec<_>>())
    .bind(new.iter().map(|draft| draft.service).collect::<Vec<_>>())
    .bind(new.iter().map(|draft| draft.conversation).collect::<Vec<_>>())
    .bind(new.iter().map(|draft| draft.seen_membership).collect::<Vec<_>>())
    .bind(column(|new| Some(&new.draft.author)))
    .bind(column(|new| new.draft.body.as_deref()))
    .bind(column(|new| new.draft.subject.as_deref()))
    .bind(column(|new| Some(new.draft.attributes.as_str())))
    .bind(new.iter().map(NewMessage::date_created).collect::<Vec<_>>())
    .bind(new.iter().map(NewMessage::date_updated).collect::<Vec<_>>())
    .bind(new.iter().map(|draft| draft.now).collect::<Vec<_>>())
    .bind(hold == Hold::Caller)
    .bind(media(new))
    .bind(contents(new))
    .fetch_all(conn)
    .await?;
    let mut written = vec![Written::NoConversation; new.len()];
    for row in rows {
        let place = usize::try_from(row.nth - 1).unwrap_or_default();
        written[place] = if row.fits {
            Written::Added {
                index: row.index,
                position: row.position,
                participant_sid: row.participant_sid,
            }
        } else {
            Written::Held
        };
    }
    Ok(written)
}

/// The media of each draft; no list at all where no draft has any, which is the rule: it costs nothing to send and the
/// missing values are null.
fn media(of: &[NewMessage]) -> Option<Vec<Option<Json<&[Piece]>>>> {
    of.iter().any(|new| !new.pieces.is_empty()).then(|| {
        of.iter()
            .map(|new| (!new.pieces.is_empty()).then_some(Json(new.pieces.as_slice())))
            .collect()
    })
}

/// The content template of each draft, in the same way.
fn contents(of: &[NewMessage]) -> Option<Vec<Option<ContentSid>>> {
    of.iter()
        .any(|new| new.draft.content_sid.is_some())
        .then(|| of.iter().map(|new| new.draft.content_sid).collect())
}

/// Prepares a connection of a lane: for [`insert`] and for reading who may send.
///
/// Its statements are planned once, for any number of drafts. The planner cannot know how few they are against the
/// tables, so it is told to go by the indexes.
///
/// # Errors
/// As the database.
pub async fn settle(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(
        "select set_config('plan_cache_mode', 'force_generic_plan', false),
                set_config('enable_seqscan', 'off', false),
                set_config('enable_hashjoin', 'off', false),
                set_config('enable_mergejoin', 'off', false)",
    )
    .execute(conn)
    .await?;
    Ok(())
}

impl NewMessage {
    fn date_created(&self) -> Timestamp {
        self.draft.date_created.unwrap_or(self.now)
    }

    fn date_updated(&self) -> Timestamp {
        self.draft
            .date_updated
            .unwrap_or_else(|| self.date_created())
    }

    /// The message that this draft became.
    #[must_use]
    pub fn into_message(
        self,
        index: i64,
        position: i64,
        participant_sid: Option<ParticipantSid>,
    ) -> Message {
        Message {
            sid: self.sid,
            conversation_sid: self.conversation,
            index,
            participant_sid,
            last_updated_by: None,
            created_position: position,
            position,
            date_created: self.date_created(),
            date_updated: self.date_updated(),
            author: self.draft.author,
            body: self.draft.body,
            subject: self.draft.subject,
            attributes: self.draft.attributes,
            media: (!self.pieces.is_empty()).then_some(self.pieces),
            content_sid: self.draft.content_sid,
            receipt_statuses: None,
        }
    }
}
