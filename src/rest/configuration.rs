//! `…/Configuration` of the account and of a service.
