//! Every bound of the shell, with its unit and the reason for the number.
