//! `…/Conversations/{conversation}/Webhooks`.
