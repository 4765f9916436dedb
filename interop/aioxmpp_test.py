"""aioxmpp logs in bound to the server's certificate (RFC 5929). Prints TAP.

It is a client of Debian's (python3-aioxmpp). Its own choice is SCRAM without a binding; its SASL
library has the bound form too, which is given to it here. The certificate is of RSA, as that library
reads no other's hash, and signed with SHA-384, so that the hash is not the one that all use.
"""

import asyncio
import subprocess
import tempfile
from pathlib import Path

import aioxmpp
import aiosasl
from aiosasl.channel_binding import TLSServerEndPoint
from aioxmpp.sasl import SASLXMPPInterface
from aioxmpp.security_layer import SASLProvider
from lab import PASSWORD, WAIT_SECS, run


class Bound(SASLProvider):
    """Logs in by SCRAM-PLUS, bound to the certificate that the connection shows."""

    async def execute(self, jid, features, xmlstream, tls_transport):
        async def credentials():
            return jid.localpart, PASSWORD

        binding = TLSServerEndPoint(tls_transport.get_extra_info("ssl_object"))
        scram = aiosasl.SCRAMPLUS(credentials, binding)
        _, token = self._find_supported(features, [scram])
        return await self._execute(SASLXMPPInterface(xmlstream), scram, token)


async def log_in(lab, user, providers=None):
    layer = aioxmpp.make_security_layer(PASSWORD, no_verify=True)
    if providers:
        layer = layer._replace(sasl_providers=providers)
    where = [("localhost", lab.xmpp, aioxmpp.connector.STARTTLSConnector())]
    client = aioxmpp.Client(
        aioxmpp.JID.fromstr(f"{user}@localhost/aioxmpp"), layer, override_peer=where
    )
    async with asyncio.timeout(WAIT_SECS), client.connected():
        pass


def it_logs_in_bound_to_the_certificate(lab):
    asyncio.run(log_in(lab, "1001", (Bound(),)))
    ((mechanism, binding),) = lab.logins("1001")
    assert mechanism.endswith("-PLUS") and binding == "tls-server-end-point", (mechanism, binding)


def it_logs_in_as_it_does_by_itself(lab):
    asyncio.run(log_in(lab, "1002"))
    ((mechanism, binding),) = lab.logins("1002")
    assert mechanism.startswith("SCRAM-SHA-") and binding is None, (mechanism, binding)


with tempfile.TemporaryDirectory() as home:
    key, certificate = Path(home) / "key.pem", Path(home) / "certificate.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -sha384 -days 2 -subj /CN=localhost".split()
    make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run(make, check=True, capture_output=True)
    run(
        [it_logs_in_bound_to_the_certificate, it_logs_in_as_it_does_by_itself],
        *["--tls-certificate", certificate, "--tls-key", key],
    )
