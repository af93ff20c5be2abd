-- Accounts, services, people, conversations, messages, and what follows from changes to them.
--
-- SIDs are stored as uuid, without their prefix: the column tells the kind. Times come from the program, never from
-- now(): tests move the clock. Attributes are text, because they are answered byte for byte. Rules about text lengths
-- live in the program; the constraints here are the last word on what two callers could race for.
--
-- Tables from `conversations` on begin their keys with the conversation, so that an engine that distributes tables
-- can keep a conversation's rows together. Look-ups by other keys (unique name, address pair, user) have small tables
-- of their own.

create table accounts (
    sid uuid not null constraint accounts_pkey primary key,
    friendly_name text not null,
    auth_token bytea not null,                  -- encrypted
    default_chat_service_sid uuid not null,
    default_messaging_service_sid uuid not null,
    default_inactive_timer text,
    default_closed_timer text,
    date_created timestamptz not null,
    date_updated timestamptz not null
);

create table api_keys (
    sid uuid not null constraint api_keys_pkey primary key,
    account_sid uuid not null constraint api_keys_account_sid_fkey references accounts on delete cascade,
    friendly_name text not null,
    secret bytea not null,                      -- encrypted
    date_created timestamptz not null,
    date_updated timestamptz not null
);
create index api_keys_account_sid_idx on api_keys (account_sid, sid);

create table messaging_services (
    sid uuid not null constraint messaging_services_pkey primary key,
    account_sid uuid not null constraint messaging_services_account_sid_fkey references accounts on delete cascade,
    friendly_name text not null,
    date_created timestamptz not null,
    date_updated timestamptz not null
);
create index messaging_services_account_sid_idx on messaging_services (account_sid, sid);

create table services (
    sid uuid not null constraint services_pkey primary key,
    account_sid uuid not null constraint services_account_sid_fkey references accounts on delete cascade,
    friendly_name text not null,
    default_conversation_creator_role_sid uuid not null,
    default_conversation_role_sid uuid not null,
    default_chat_service_role_sid uuid not null,
    reachability_enabled boolean not null default false,
    date_created timestamptz not null,
    date_updated timestamptz not null
);
create index services_account_sid_idx on services (account_sid, date_created, sid);

create table roles (
    sid uuid not null constraint roles_pkey primary key,
    account_sid uuid not null,
    service_sid uuid not null constraint roles_service_sid_fkey references services on delete cascade,
    friendly_name text not null,
    type text not null constraint roles_type_check check (type in ('service', 'conversation')),
    permissions text[] not null,
    date_created timestamptz not null,
    date_updated timestamptz not null
);
create index roles_service_sid_idx on roles (service_sid, date_created, sid);

create table users (
    sid uuid not null constraint users_pkey primary key,
    account_sid uuid not null,
    service_sid uuid not null constraint users_service_sid_fkey references services on delete cascade,
    identity text not null,
    friendly_name text,
    attributes text not null default '{}',
    role_sid uuid not null,
    position bigint not null default 0,
    conversations_position bigint not null default 0,
    friendly_name_position bigint not null default 0,
    attributes_position bigint not null default 0,
    date_created timestamptz not null,
    date_updated timestamptz not null,
    constraint users_service_sid_identity_key unique (service_sid, identity)
) with (fillfactor = 80);
create index users_service_sid_idx on users (service_sid, date_created, sid);
create index users_role_sid_idx on users (role_sid);

-- The row of a conversation is its lock and its counters: whoever changes anything in it holds the row. Room is left
-- on each page so that counting up stays on the page and touches no index; active_at is in an index, but in whole
-- seconds, so a busy conversation moves it once a second.
create table conversations (
    sid uuid not null constraint conversations_pkey primary key,
    account_sid uuid not null,
    service_sid uuid not null,
    messaging_service_sid uuid,
    friendly_name text,
    unique_name text,
    attributes text not null,
    state text not null constraint conversations_state_check check (state in ('active', 'inactive', 'closed')),
    state_updated timestamptz not null,
    inactive_timer text,
    closed_timer text,
    timers_start timestamptz not null,
    email_address text,
    email_name text,
    created_by text not null,
    last_message_index bigint not null default -1,
    position bigint not null default 0,
    document_position bigint not null default 0,
    messages_position bigint not null default 0,
    roster_position bigint not null default 0,
    membership_position bigint not null default 0,
    participants_count integer not null default 0,
    channel_participants_count integer not null default 0,
    active_at timestamptz not null,
    date_created timestamptz not null,
    date_updated timestamptz not null
) with (fillfactor = 50);
create index conversations_active_at_idx on conversations (service_sid, active_at, sid);
create index conversations_date_created_idx on conversations (service_sid, date_created, sid);

create table conversation_names (
    service_sid uuid not null,
    unique_name text not null,
    conversation_sid uuid not null,
    constraint conversation_names_unique_name_key primary key (service_sid, unique_name)
);

create table participants (
    conversation_sid uuid not null,
    sid uuid not null,
    identity text,
    user_sid uuid,
    address text,
    proxy_address text,
    projected_address text,
    role_sid uuid,
    attributes text not null,
    last_read_message_index bigint,
    last_read_timestamp timestamptz,
    created_position bigint not null,
    position bigint not null,
    date_created timestamptz not null,
    date_updated timestamptz not null,
    constraint participants_pkey primary key (conversation_sid, sid),
    constraint participants_identity_key unique (conversation_sid, identity)
);
create index participants_role_sid_idx on participants (role_sid);

-- Who holds a pair of addresses; a conversation's pairs leave this table when it closes.
create table address_pairs (
    account_sid uuid not null,
    address text not null,
    proxy_address text not null,
    conversation_sid uuid not null,
    participant_sid uuid not null,
    constraint address_pairs_pair_key primary key (account_sid, address, proxy_address)
);
create index address_pairs_conversation_sid_idx on address_pairs (conversation_sid);

-- A user's own side of taking part.
create table memberships (
    user_sid uuid not null,
    conversation_sid uuid not null,
    participant_sid uuid not null,
    notification_level text not null default 'default'
        constraint memberships_notification_level_check check (notification_level in ('default', 'muted')),
    created_position bigint not null,
    position bigint not null,
    constraint memberships_pkey primary key (user_sid, conversation_sid)
);

-- `position` equals `created_position` until a message changes, so the index below holds changed messages only; what
-- was added since a position is the end of the list.
create table messages (
    conversation_sid uuid not null,
    index bigint not null,
    sid uuid not null,
    author text not null,
    body text,
    subject text,
    attributes text not null,
    participant_sid uuid,
    last_updated_by text,
    receipts_count smallint not null default 0,
    created_position bigint not null,
    position bigint not null,
    date_created timestamptz not null,
    date_updated timestamptz not null,
    constraint messages_pkey primary key (conversation_sid, index),
    constraint messages_sid_key unique (conversation_sid, sid)
);
create index messages_changed_idx on messages (conversation_sid, position) where position <> created_position;

create table receipts (
    conversation_sid uuid not null,
    message_sid uuid not null,
    sid uuid not null,
    participant_sid uuid not null,
    channel_message_sid text not null,
    status text constraint receipts_status_check
        check (status in ('sent', 'delivered', 'read', 'undelivered', 'failed')),
    error_code integer not null default 0,
    date_created timestamptz not null,
    date_updated timestamptz not null,
    constraint receipts_pkey primary key (conversation_sid, message_sid, sid),
    constraint receipts_participant_sid_key unique (conversation_sid, message_sid, participant_sid)
);

-- What providers call their messages: the anchor that makes an inbound message arrive once, and that finds the receipt
-- a status report is about.
create table provider_messages (
    messaging_service_sid uuid not null,
    direction text not null constraint provider_messages_direction_check check (direction in ('in', 'out')),
    provider_id text not null,
    conversation_sid uuid not null,
    message_sid uuid not null,
    receipt_sid uuid,
    date_created timestamptz not null,
    constraint provider_messages_pkey primary key (messaging_service_sid, direction, provider_id)
);

-- What is gone, for clients that come back and must learn it. Owner is the conversation (messages, participants) or
-- the user (memberships).
create table tombstones (
    owner_sid uuid not null,
    kind text not null constraint tombstones_kind_check check (kind in ('message', 'participant', 'membership')),
    subject_sid uuid not null,
    index bigint,                               -- of a message
    position bigint not null,
    constraint tombstones_pkey primary key (owner_sid, kind, subject_sid)
);
create index tombstones_position_idx on tombstones (owner_sid, kind, position);

-- The event log, by conversation or user. Slim: the rows above tell what, this tells that, in order.
create table events (
    scope_sid uuid not null,
    position bigint not null,
    kind text not null,
    subject_sid uuid,
    payload jsonb,
    at timestamptz not null,
    constraint events_pkey primary key (scope_sid, position)
);
create index events_at_idx on events using brin (at) with (autosummarize = on);

-- Work that is left to do. One row is one job; finished jobs are deleted, exhausted ones kept as dead letters.
create table jobs (
    id bigint generated always as identity constraint jobs_pkey primary key,
    order_key text not null,
    job jsonb not null,
    run_at timestamptz not null,
    leased_until timestamptz,
    failures integer not null default 0,
    last_error text,
    dead_at timestamptz
);
create index jobs_run_at_idx on jobs (run_at) where dead_at is null;
create index jobs_order_key_idx on jobs (order_key, id) where dead_at is null;

-- Virtual handsets, for development and tests: their threads survive a restart and are the same on every node.
create table handsets (
    account_sid uuid not null constraint handsets_account_sid_fkey references accounts on delete cascade,
    address text not null,
    name text,
    state text not null default 'on' constraint handsets_state_check check (state in ('on', 'off', 'full', 'blocked')),
    used_at timestamptz not null,
    constraint handsets_pkey primary key (account_sid, address)
);

create table handset_messages (
    id uuid not null constraint handset_messages_pkey primary key,
    account_sid uuid not null,
    address text not null,
    proxy_address text not null,
    direction text not null constraint handset_messages_direction_check check (direction in ('received', 'sent')),
    text text,
    media jsonb not null default '[]',
    status text,
    error_code integer not null default 0,
    segments integer not null,
    encoding text,
    shown boolean not null,                     -- in the thread: a received message from `sent` on
    at timestamptz not null,
    conversation_sid uuid,
    message_sid uuid,
    receipt_sid uuid,
    constraint handset_messages_account_sid_fkey foreign key (account_sid, address)
        references handsets on delete cascade
);
create index handset_messages_thread_idx on handset_messages (account_sid, address, at, id);

