-- Rows by the hundred thousand, as years of use would leave them. Conversation 1 is the big one: half of all messages,
-- a thousand participants. User 1 takes part in three thousand conversations. SIDs are numbers with a letter for the
-- kind, rising with time, as real ones do.

create function pg_temp.id(kind text, n bigint) returns uuid
    language sql immutable as $$ select ('00000000-0000-700' || kind || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;

create temp table the as
select sid as account, default_chat_service_sid as service, default_messaging_service_sid as messaging_service,
       timestamptz '2026-01-01' as start, (select sid from roles limit 1) as role
  from accounts;

insert into services (sid, account_sid, friendly_name, default_conversation_creator_role_sid,
                      default_conversation_role_sid, default_chat_service_role_sid, date_created, date_updated)
select pg_temp.id('1', n), account, 'service', role, role, role, start + n * interval '1 s', start
  from the, generate_series(1, 10000) n;

insert into roles (sid, account_sid, service_sid, friendly_name, type, permissions, date_created, date_updated)
select pg_temp.id('1', n), account, service, 'role', 'service', '{}', start + n * interval '1 s', start
  from the, generate_series(1, 10000) n;

insert into users (sid, account_sid, service_sid, identity, role_sid, date_created, date_updated)
select pg_temp.id('1', n), account, service, 'user ' || n, role, start + n * interval '1 s', start
  from the, generate_series(1, 100000) n;

insert into conversations (sid, account_sid, service_sid, messaging_service_sid, friendly_name, attributes, state,
                           state_updated, timers_start, created_by, active_at, last_message_at, last_message_index,
                           date_created, date_updated)
select pg_temp.id('1', n), account, service, messaging_service, 'talk ' || n, '{}',
       case when n % 2 = 0 then 'closed' when n % 10 = 3 then 'inactive' else 'active' end, start, start, 'system',
       start + (n * 7919 % 100000) * interval '1 min', start + (n * 7919 % 100000) * interval '1 min',
       case when n = 1 then 500000 else 4 end, start + n * interval '1 min', start
  from the, generate_series(1, 100000) n;

insert into conversation_words (conversation_sid, words)
select sid, words_in(coalesce(friendly_name, '') || ' ' || coalesce(unique_name, '') || ' ' || attributes)
  from conversations;

insert into participants (conversation_sid, sid, identity, user_sid, address, proxy_address, role_sid, attributes,
                          created_position, position, date_created, date_updated)
select pg_temp.id('1', c), pg_temp.id('1', n), 'user ' || u, pg_temp.id('1', u), null, null, role, '{}', 0, 0,
       start + n * interval '1 s', start
  from the, (select n as c, n, 1 as u from generate_series(1, 3000) n
             union all
             select n, 200000 + n, n from generate_series(3001, 100000) n
             union all
             select 1, 400000 + n, n from generate_series(2, 1000) n) as taking_part
union all
select pg_temp.id('1', n), pg_temp.id('2', n), null, null, '+1555' || lpad((n % 50000)::text, 7, '0'), '+15550100000',
       null, '{}', 0, 0, start + n * interval '1 s', start
  from the, generate_series(1, 100000) n;

insert into participant_addresses (service_sid, address, conversation_sid, participant_sid)
select service, address, conversation_sid, sid from the, participants where address is not null;

insert into memberships (user_sid, conversation_sid, participant_sid, created_position, position)
select user_sid, conversation_sid, sid, 0, 0 from participants where user_sid is not null;

insert into messages (conversation_sid, index, sid, author, body, attributes, created_position, position, date_created,
                      date_updated)
select pg_temp.id('1', 1), n, pg_temp.id('1', n), 'user 1', 'word' || n % 1000 || ' hello', '{}', n, n,
       start + n * interval '1 s', start
  from the, generate_series(0, 500000) n
union all
select pg_temp.id('1', 2 + n / 5), n % 5, pg_temp.id('2', n), 'user 1', 'word' || n % 1000 || ' hello', '{}', n, n,
       start, start
  from the, generate_series(0, 499994) n;

insert into receipts (conversation_sid, message_sid, sid, participant_sid, channel_message_sid, status, date_created,
                      date_updated)
select pg_temp.id('1', c), m, pg_temp.id('1', n), pg_temp.id('2', n), 'SM', 'sent', start, start
  from the, (select 1 as c, pg_temp.id('1', 500000) as m, n from generate_series(1, 50) n
             union all
             select 2 + n / 5, pg_temp.id('2', n), 100 + n from generate_series(0, 199999) n) as receipts;

insert into scoped_webhooks (conversation_sid, sid, configuration, date_created, date_updated)
select pg_temp.id('1', 1 + n / 5), pg_temp.id('1', n),
       '{"target":"webhook","url":"https://hooks.example/","method":"POST","filters":["onMessageAdded"]}', start, start
  from the, generate_series(0, 49999) n;

insert into credentials (sid, account_sid, type, sandbox, secret, date_created, date_updated)
select pg_temp.id('1', n), account, 'fcm', false, '', start + n * interval '1 s', start
  from the, generate_series(1, 20000) n;

insert into bindings (sid, account_sid, service_sid, identity, binding_type, address, message_types, date_created,
                      date_updated)
select pg_temp.id('1', n), account, pg_temp.id('1', 1), 'user ' || n % 10000,
       case when n % 2 = 0 then 'fcm' else 'apn' end, n::text, '{new_message}', start + n * interval '1 s', start
  from the, generate_series(1, 50000) n;

insert into address_configurations (sid, account_sid, type, address, auto_creation, date_created, date_updated)
select pg_temp.id('1', n), account, case when n % 50 = 0 then 'whatsapp' else 'sms' end, '+1777' || n,
       '{"enabled":false,"type":"default"}', start + n * interval '1 s', start
  from the, generate_series(1, 20000) n;

insert into contents (sid, account_sid, language, variables, types, date_created, date_updated)
select pg_temp.id('1', n), account, 'en', '{}', '{"twilio/text":{"body":"x"}}', start + n * interval '1 s', start
  from the, generate_series(1, 20000) n;

insert into messaging_services (sid, account_sid, friendly_name, date_created, date_updated)
select pg_temp.id('1', n), account, 'messaging service', start + n * interval '1 s', start
  from the, generate_series(1, 10000) n;

insert into senders (sid, account_sid, messaging_service_sid, kind, address, date_created, date_updated)
select pg_temp.id('1', n), account, pg_temp.id('1', 1), kind, kind || n, start + n * interval '1 s', start
  from the, generate_series(1, 10000) n,
       (values ('phone_number'), ('short_code'), ('alpha_sender'), ('channel_sender')) as kinds (kind);

insert into plain_messages (sid, account_sid, direction, from_address, to_address, media_urls, segments, date_created,
                            date_updated)
select pg_temp.id('1', n), account, 'outbound-api', '+1555' || n % 1000, '+1666' || n % 1000, '{}', 1,
       start + n * interval '1 s', start
  from the, generate_series(1, 100000) n;

insert into phone_numbers (sid, account_sid, phone_number, friendly_name, date_created, date_updated)
select pg_temp.id('1', n), account, '+1888' || n, 'number', start + n * interval '1 s', start
  from the, generate_series(1, 10000) n;

insert into api_keys (sid, account_sid, friendly_name, secret, date_created, date_updated)
select pg_temp.id('1', n), account, 'key', '', start + n * interval '1 s', start
  from the, generate_series(1, 10000) n;

insert into accounts (sid, friendly_name, auth_token, default_chat_service_sid, default_messaging_service_sid,
                      owner_account_sid, date_created, date_updated)
select pg_temp.id('1', n), 'shop', '', service, messaging_service, account, start + n * interval '1 s', start
  from the, generate_series(1, 10000) n;

analyze;
