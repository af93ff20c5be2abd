//! Stories across doors.

mod deletion;
mod delivery;
mod phone;
mod timers;
