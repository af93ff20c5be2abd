//! Webhooks, of accounts, services and conversations.
