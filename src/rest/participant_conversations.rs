//! `…/ParticipantConversations`.
