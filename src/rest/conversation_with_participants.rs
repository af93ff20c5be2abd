//! `…/ConversationWithParticipants`.
