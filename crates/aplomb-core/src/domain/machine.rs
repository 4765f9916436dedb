//! The state machine of a voice agent, for both flavours (Finesse REST guide, User state).
