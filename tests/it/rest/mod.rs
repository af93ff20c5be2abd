//! The REST door: what it refuses, the shapes it prints, its pages, and what strangers can send.

mod accounts;
mod address_configurations;
mod bindings;
mod codes;
mod compatibility;
mod configuration;
mod contents;
mod conversation_with_participants;
mod credentials;
mod hostile;
mod idempotency;
mod keys;
mod media;
mod messaging;
mod openapi;
pub mod operations;
mod pages;
mod participant_conversations;
mod plain_messages;
mod refusals;
mod searching;
mod shapes;
mod user_conversations;
mod webhooks;
