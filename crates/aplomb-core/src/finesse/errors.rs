//! The `ApiErrors` body, upper case on HTTP and lower case in events (Finesse REST guide, errors).
