//! The stream from outside: scripted conversations, and our client against our server.

mod desk;
mod talks;
mod walk;
