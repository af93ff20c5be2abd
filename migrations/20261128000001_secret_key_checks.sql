-- Tells whether a process has the key that this database's secrets are sealed with, before it seals more with another.

-- One row: a text that nobody needs to keep secret, sealed. Written once, by the first process whose key opens what is
-- sealed here already.
create table secret_key_checks (
    is_only boolean not null default true
        constraint secret_key_checks_pkey primary key
        constraint secret_key_checks_is_only_check check (is_only),
    sealed bytea not null
);
