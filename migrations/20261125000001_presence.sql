-- Who is online: kept only for services that have reachability switched on.

-- What others see of a user, and the position of its last change. Null while the service has it switched off, and until
-- the user is online for the first time after it was switched on.
alter table users
    add column is_online boolean,
    add column is_notifiable boolean,
    add column reachability_position bigint not null default 0;

-- Nodes to which such users are connected, and when each last said that it lives. One row for a node, not for a user,
-- is what has to be written every few seconds.
create table presence_nodes (
    node_sid uuid not null constraint presence_nodes_pkey primary key,
    seen_at timestamptz not null
);

-- Where a user is connected. The row stays for the grace after the last connection to the node has ended: a user is
-- online while there is a row.
create table presences (
    user_sid uuid not null constraint presences_user_sid_fkey references users on delete cascade,
    node_sid uuid not null,
    offline_at timestamptz,                     -- null: connected; else the end of the grace
    constraint presences_pkey primary key (user_sid, node_sid)
);
create index presences_offline_at_idx on presences (offline_at) where offline_at is not null;
create index presences_node_sid_idx on presences (node_sid) where offline_at is null;
