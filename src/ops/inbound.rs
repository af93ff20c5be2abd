//! Where a message from a channel belongs.
//!
//! A message from an address to one of ours goes to the open conversation that holds the pair. The provider's id of the
//! message is stored in the same transaction, so a repeat changes nothing, and a crash between the two loses nothing.

use super::record::Change;
use super::{Core, messages};
use crate::domain::addresses::AddressPair;
use crate::domain::messages::MAX_BODY_BYTES;
use crate::domain::{Attributes, Draft, Error, Message, MessageSid, MessagingServiceSid, State};
use crate::store;
use crate::store::messages::NewMessage;

/// A message that came from a channel.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The account whose address it was sent to.
    pub account: crate::domain::AccountSid,
    /// The Messaging Service through which it came.
    pub via: MessagingServiceSid,
    /// What the provider calls it, unique there.
    pub provider_id: String,
    /// Who sent it, to which address of ours.
    pub pair: AddressPair,
    /// The text.
    pub text: Option<String>,
}

/// What became of it.
#[derive(Debug)]
pub enum Taken {
    /// It is a message of a conversation now.
    Added(Box<Message>),
    /// It was taken before.
    Repeated,
    /// No open conversation holds the pair.
    Nowhere,
}

/// Takes in a message from a channel.
///
/// # Errors
/// As the database; nothing is stored then, and it can be tried again.
pub async fn receive(core: &Core, inbound: &Inbound) -> Result<Taken, Error> {
    let mut change = Change::begin(core).await?;
    let holder =
        store::addresses::find_holder(&mut change.tx, inbound.account, &inbound.pair).await?;
    let Some(holder) = holder else {
        return Ok(Taken::Nowhere);
    };
    // The holder may have closed, or let go of the pair, until its row is ours; then nobody holds it.
    let locked = store::conversations::lock(&mut change.tx, holder.conversation_sid).await?;
    let still =
        store::addresses::find_holder(&mut change.tx, inbound.account, &inbound.pair).await?;
    let Some(mut conversation) =
        locked.filter(|row| row.state != State::Closed && still == Some(holder))
    else {
        return Ok(Taken::Nowhere);
    };
    let sid = MessageSid::new(change.now);
    let (via, now) = (inbound.via, change.now);
    let is_new = store::receipts::remember_inbound(
        &mut change.tx,
        via,
        &inbound.provider_id,
        conversation.sid,
        sid,
        now,
    )
    .await?;
    if !is_new {
        return Ok(Taken::Repeated);
    }
    let new = NewMessage {
        sid,
        service: conversation.service_sid,
        conversation: conversation.sid,
        seen_membership: None,
        draft: Draft {
            sid: None,
            author: inbound.pair.address.as_str().to_owned(),
            body: inbound.text.clone().map(cut),
            subject: None,
            attributes: Attributes::default(),
            media: Vec::new(),
            content_sid: None,
            rich: None,
            date_created: None,
            date_updated: None,
        },
        pieces: Vec::new(),
        now,
    };
    let message = messages::write_in(&mut change, &mut conversation, new).await?;
    change.commit().await?;
    Ok(Taken::Added(Box::new(message)))
}

/// Cuts what is longer than a body may be: a person cannot be asked to send it again.
fn cut(mut text: String) -> String {
    text.retain(|c| c != '\0');
    text.truncate(text.floor_char_boundary(MAX_BODY_BYTES));
    text
}
