-- What the rest of the published API keeps: configuration, media, credentials, templates, senders.

alter table accounts
    add column owner_account_sid uuid constraint accounts_owner_account_sid_fkey references accounts on delete cascade,
    add column status text not null default 'active'
        constraint accounts_status_check check (status in ('active', 'suspended', 'closed'));
-- An account without an owner is its own: so the published list, of an account and its subaccounts, is one range.
create index accounts_owner_account_sid_idx on accounts (coalesce(owner_account_sid, sid), date_created, sid);

alter table api_keys
    add column kind text not null default 'standard'
        constraint api_keys_kind_check check (kind in ('main', 'standard', 'restricted')),
    add column policy jsonb;                    -- of a restricted key, as it was given
create index api_keys_date_created_idx on api_keys (account_sid, date_created, sid);

alter table services
    add column notifications jsonb;             -- null until it is set

-- One row per account or service that was ever configured.
create table webhook_configurations (
    owner_sid uuid not null constraint webhook_configurations_pkey primary key,
    method text,
    filters text[],
    pre_webhook_url text,
    post_webhook_url text,
    target text
);

create table address_configurations (
    sid uuid not null constraint address_configurations_pkey primary key,
    account_sid uuid not null constraint address_configurations_account_sid_fkey references accounts on delete cascade,
    type text not null,
    address text not null,
    friendly_name text,
    address_country text,
    auto_creation jsonb not null,
    date_created timestamptz not null,
    date_updated timestamptz not null,
    constraint address_configurations_address_key unique (account_sid, address)
);
create index address_configurations_account_sid_idx on address_configurations (account_sid, date_created, sid);
create index address_configurations_type_idx on address_configurations (account_sid, type, date_created, sid);

create table scoped_webhooks (
    conversation_sid uuid not null,
    sid uuid not null,
    configuration jsonb not null,
    date_created timestamptz not null,
    date_updated timestamptz not null,
    constraint scoped_webhooks_pkey primary key (conversation_sid, sid)
);

-- What pushing needs. The secret is encrypted.
create table credentials (
    sid uuid not null constraint credentials_pkey primary key,
    account_sid uuid not null constraint credentials_account_sid_fkey references accounts on delete cascade,
    friendly_name text,
    type text not null constraint credentials_type_check check (type in ('apn', 'gcm', 'fcm')),
    sandbox boolean not null,
    secret bytea not null,
    date_created timestamptz not null,
    date_updated timestamptz not null
);
create index credentials_account_sid_idx on credentials (account_sid, date_created, sid);

create table bindings (
    sid uuid not null constraint bindings_pkey primary key,
    account_sid uuid not null,
    service_sid uuid not null constraint bindings_service_sid_fkey references services on delete cascade,
    credential_sid uuid,
    identity text not null,
    binding_type text not null,
    address text not null,                      -- the device's token
    message_types text[] not null,
    date_created timestamptz not null,
    date_updated timestamptz not null,
    constraint bindings_address_key unique (service_sid, identity, binding_type, address)
);
create index bindings_service_sid_idx on bindings (service_sid, date_created, sid);

-- Media: the bytes are in the object store under the SID. A row comes before its bytes and goes after them, so nothing
-- is in the store that no row tells of.
create table media (
    sid uuid not null constraint media_pkey primary key,
    account_sid uuid not null,
    service_sid uuid not null,
    state text not null constraint media_state_check check (state in ('uploading', 'ready', 'removed')),
    category text not null,
    author text,                                -- an identity; null for a program
    filename text,
    content_type text not null,
    sniffed_type text,
    size bigint not null,
    is_multipart_upstream boolean not null,
    conversation_sid uuid,
    message_sid uuid,
    date_created timestamptz not null,
    date_uploaded timestamptz not null,
    date_updated timestamptz not null
);
create index media_conversation_sid_idx on media (conversation_sid) where conversation_sid is not null;
create index media_service_sid_idx on media (service_sid);

-- What is fixed when a message is written is kept with it, so that reading a list joins nothing.
alter table messages
    add column media jsonb,
    add column content_sid uuid;

-- When the newest message was written, or the conversation was created; in whole seconds, as active_at. The default is
-- for programs of an older version, which do not know the column.
alter table conversations add column last_message_at timestamptz default date_trunc('second', now());
update conversations c
   set last_message_at = date_trunc('second', coalesce((select m.date_created from messages m
                                                         where m.conversation_sid = c.sid
                                                         order by m.index desc
                                                         limit 1), c.date_created));
alter table conversations alter column last_message_at set not null;
create index conversations_last_message_at_idx on conversations (service_sid, last_message_at, sid);
create index conversations_state_idx on conversations (service_sid, state, active_at, sid);

-- What searching means: the words of a text, and a query for all words of another. A word is a run of letters and
-- digits. Postgres takes `a-1`, `a@b.c` and `a/b` for one word; people who look for a part of it do not.
create function words_in(text) returns tsvector
    language sql immutable strict parallel safe
    as $$ select to_tsvector('simple', translate($1, '-./@:_+<>&%~=?#', '               ')) $$;
create function all_words(text) returns tsquery
    language sql immutable strict parallel safe
    as $$ select plainto_tsquery('simple', translate($1, '-./@:_+<>&%~=?#', '               ')) $$;

-- The words of a conversation's names and attributes, for searching. A table of its own, because a row of conversations
-- moves with every message, and the index of words would move with it.
create table conversation_words (
    conversation_sid uuid not null constraint conversation_words_pkey primary key,
    words tsvector not null
);
create index conversation_words_words_idx on conversation_words using gin (words);
insert into conversation_words (conversation_sid, words)
select sid, words_in(coalesce(friendly_name, '') || ' ' || coalesce(unique_name, '') || ' ' || attributes)
  from conversations;
create index users_search_idx on users
    using gin (words_in(identity || ' ' || coalesce(friendly_name, '') || ' ' || attributes));
-- What has all the words of a text, in any service, up to a number. Postgres expects half a percent of all rows of a word
-- that it does not know, and would read everything rather than ask the index; here it must not.
create function conversations_with(text, bigint) returns setof uuid
    language sql stable
    set enable_seqscan = off
    as $$ select conversation_sid from conversation_words where words @@ all_words($1) limit $2 $$;
create function users_with(text, bigint) returns setof uuid
    language sql stable
    set enable_seqscan = off
    as $$ select sid
            from users
           where words_in(identity || ' ' || coalesce(friendly_name, '') || ' ' || attributes) @@ all_words($1)
           limit $2 $$;

-- In which conversations of a service an address takes part, also closed ones.
create table participant_addresses (
    service_sid uuid not null,
    address text not null,
    conversation_sid uuid not null,
    participant_sid uuid not null,
    constraint participant_addresses_pkey primary key (service_sid, address, conversation_sid, participant_sid)
);
create index participant_addresses_conversation_sid_idx on participant_addresses (conversation_sid, participant_sid);
insert into participant_addresses (service_sid, address, conversation_sid, participant_sid)
select c.service_sid, p.address, p.conversation_sid, p.sid
  from participants p join conversations c on c.sid = p.conversation_sid
 where p.address is not null;

-- Whether the identity was attached to a participant who had only a projected address: such a one is not found by it.
alter table memberships add column attached boolean not null default false;

create index participants_date_created_idx on participants (conversation_sid, date_created, sid);

create table contents (
    sid uuid not null constraint contents_pkey primary key,
    account_sid uuid not null constraint contents_account_sid_fkey references accounts on delete cascade,
    friendly_name text,
    language text not null,
    variables text not null,                    -- JSON texts, answered as they were given
    types text not null,
    date_created timestamptz not null,
    date_updated timestamptz not null
);
create index contents_account_sid_idx on contents (account_sid, date_created, sid);

alter table messaging_services add column settings jsonb not null default '{}';
create index messaging_services_date_created_idx on messaging_services (account_sid, date_created, sid);

-- Numbers that the account says are its own.
create table phone_numbers (
    sid uuid not null constraint phone_numbers_pkey primary key,
    account_sid uuid not null constraint phone_numbers_account_sid_fkey references accounts on delete cascade,
    phone_number text not null,
    friendly_name text not null,
    date_created timestamptz not null,
    date_updated timestamptz not null,
    constraint phone_numbers_phone_number_key unique (account_sid, phone_number)
);
create index phone_numbers_account_sid_idx on phone_numbers (account_sid, date_created, sid);

-- The addresses that a Messaging Service sends from. An address belongs to one Messaging Service of its account, or to
-- none after it was taken out of one: then its SID may be put into another.
create table senders (
    sid uuid not null,
    account_sid uuid not null constraint senders_account_sid_fkey references accounts on delete cascade,
    messaging_service_sid uuid
        constraint senders_messaging_service_sid_fkey references messaging_services on delete set null,
    kind text not null constraint senders_kind_check check (kind in ('phone_number', 'short_code', 'alpha_sender', 'channel_sender')),
    address text not null,
    date_created timestamptz not null,
    date_updated timestamptz not null,
    constraint senders_pkey primary key (account_sid, kind, sid),
    constraint senders_address_key unique (account_sid, address)
);
create index senders_date_created_idx on senders (messaging_service_sid, kind, date_created, sid);

-- Messages outside of conversations: sent as they are, through a Messaging Service.
create table plain_messages (
    sid uuid not null constraint plain_messages_pkey primary key,
    account_sid uuid not null constraint plain_messages_account_sid_fkey references accounts on delete cascade,
    messaging_service_sid uuid,
    direction text not null,
    from_address text not null,
    to_address text not null,
    body text,
    media_urls text[] not null,
    segments integer not null,
    -- null while it waits to be handed over
    status text constraint plain_messages_status_check
        check (status in ('sent', 'delivered', 'read', 'undelivered', 'failed')),
    error_code integer not null default 0,
    date_created timestamptz not null,
    date_sent timestamptz,
    date_updated timestamptz not null
);
create index plain_messages_account_sid_idx on plain_messages (account_sid, date_created, sid);
create index plain_messages_to_address_idx on plain_messages (account_sid, to_address, date_created, sid);
create index plain_messages_from_address_idx on plain_messages (account_sid, from_address, date_created, sid);

-- Answers to creations that came with a key, for a day. `status` is null while the first request is under way.
create table idempotency_keys (
    account_sid uuid not null,
    key text not null,
    request bytea not null,                     -- a digest of method, path and body
    status smallint,
    answer bytea,
    date_created timestamptz not null,
    constraint idempotency_keys_pkey primary key (account_sid, key)
);
create index idempotency_keys_date_created_idx on idempotency_keys (date_created);
