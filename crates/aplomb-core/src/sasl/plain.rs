//! PLAIN: name and password in one message (RFC 4616).

use super::{Failure, check_authzid};
use crate::jid;
use crate::secret::Secret;

/// What a client claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The account's name, in its one spelling.
    pub name: String,
    /// The password as sent.
    pub password: Secret<String>,
}

/// Reads the client's only message, base64 taken off, on a server for `domain`.
///
/// - Shape: `authzid NUL authcid NUL password`; the authzid is empty or the client's own bare JID.
/// - Errors: [`Failure::MalformedRequest`] or [`Failure::InvalidAuthzid`].
/// - Source: RFC 4616 §2.
pub fn read(message: &[u8], domain: &str) -> Result<Claim, Failure> {
    let text = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
    let parts: Vec<&str> = text.split('\0').collect();
    let &[authzid, authcid, password] = parts.as_slice() else {
        return Err(Failure::MalformedRequest);
    };
    if password.is_empty() {
        return Err(Failure::MalformedRequest);
    }
    let name = jid::account_name(authcid).map_err(|_| Failure::MalformedRequest)?;
    check_authzid(authzid, &name, domain)?;
    Ok(Claim { name, password: Secret::new(password.to_owned()) })
}

/// Writes the client's only message, before base64.
///
/// COMPAT: Cisco Finesse: the authzid is the bare JID, as Strophe and the desktop send it.
pub fn write(authzid: &str, authcid: &str, password: &Secret<String>) -> Secret<String> {
    Secret::new(format!("{authzid}\0{authcid}\0{}", password.expose()))
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};

    use super::*;

    const DOMAIN: &str = "uccxpub.prabhat.com";

    fn check(message: &str, expected: Result<(&str, &str), Failure>) {
        let claim = read(message.as_bytes(), DOMAIN);
        let expected = expected.map(|(name, password)| Claim {
            name: name.to_owned(),
            password: Secret::new(password.to_owned()),
        });
        assert_eq!(claim, expected, "{message:?}");
    }

    #[test]
    fn the_message_of_ciscos_tech_note_is_read() {
        let blob = "YWRtaW5pc3RyYXRvckB1Y2N4cHViLnByYWJoYXQuY29tAGFkbWluaXN0cmF0b3IAMTIzNA==";
        let message = String::from_utf8(BASE64_STANDARD.decode(blob).unwrap()).unwrap();
        check(&message, Ok(("administrator", "1234")));
        let own = "administrator@uccxpub.prabhat.com";
        let written = write(own, "administrator", &Secret::new("1234".to_owned()));
        assert_eq!(BASE64_STANDARD.encode(written.expose()), blob);
    }

    #[test]
    fn a_client_is_itself_or_nobody() {
        check("\0ada\0pencil", Ok(("ada", "pencil")));
        check("ada@uccxpub.prabhat.com\0Ada\0pencil", Ok(("ada", "pencil")));
        check("ADA@uccxpub.prabhat.com\0ada\0pencil", Ok(("ada", "pencil")));
        check("d\\27arc@uccxpub.prabhat.com\0d'arc\0pencil", Ok(("d'arc", "pencil")));
        check("bob@uccxpub.prabhat.com\0ada\0pencil", Err(Failure::InvalidAuthzid));
        check("ada@elsewhere.test\0ada\0pencil", Err(Failure::InvalidAuthzid));
        check("ada@uccxpub.prabhat.com/desk\0ada\0pencil", Err(Failure::InvalidAuthzid));
        check("ada\0ada\0pencil", Err(Failure::InvalidAuthzid));
        check(" \0ada\0pencil", Err(Failure::InvalidAuthzid));
    }

    #[test]
    fn a_message_of_another_shape_is_refused() {
        for message in [
            "",
            "\0",
            "ada\0pencil",
            "\0ada\0",
            "\0\0pencil",
            "\0ada\0pen\0cil",
            "\0ada\0pencil\0",
            "\0\0\0\0",
            "\0ada /\u{7}\0pencil",
        ] {
            check(message, Err(Failure::MalformedRequest));
        }
        let too_long = format!("\0{}\0pencil", "a".repeat(1024));
        check(&too_long, Err(Failure::MalformedRequest));
        assert_eq!(read(b"\0ada\0\xff", DOMAIN), Err(Failure::MalformedRequest));
    }
}
