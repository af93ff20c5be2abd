//! `…/Configuration/Webhooks` of the account and of a service.
