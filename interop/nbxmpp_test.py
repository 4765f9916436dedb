"""nbxmpp, the library under Gajim, walks the whole connection. Prints TAP.

Of Python's XMPP libraries it is the one that speaks WebSocket; slixmpp and aioxmpp speak TCP only.
It comes from Debian (python3-nbxmpp), not from PyPI, because it needs GLib and libsoup.
"""

import re

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib  # noqa: E402
from lab import PASSWORD, WAIT_SECS, run  # noqa: E402
from nbxmpp.client import Client  # noqa: E402
from nbxmpp.const import ConnectionProtocol, ConnectionType  # noqa: E402
from nbxmpp.protocol import Iq, Node, Presence  # noqa: E402

PUBSUB = "http://jabber.org/protocol/pubsub"
WEBSOCKET = (ConnectionProtocol.WEBSOCKET, ConnectionType.DIRECT_TLS)
STARTTLS = (ConnectionProtocol.TCP, ConnectionType.START_TLS)
DIRECT_TLS = (ConnectionProtocol.TCP, ConnectionType.DIRECT_TLS)


class Desk:
    """A client and everything that happened to it."""

    def __init__(self, lab, user, password=PASSWORD, carrier=WEBSOCKET):
        self.seen = []
        self.client = client = Client()
        client.set_domain("localhost")
        client.set_username(user)
        client.set_resource("gajim")
        client.set_password(password)
        client.set_ignore_tls_errors(True)
        where = {
            WEBSOCKET: f"wss://localhost:{lab.https}/ws/",
            STARTTLS: f"localhost:{lab.xmpp}",
            DIRECT_TLS: f"localhost:{lab.xmpps}",
        }
        client.set_custom_host(where[carrier], *carrier)
        for name in ("connected", "disconnected", "connection-failed"):
            client.subscribe(name, lambda _client, name, *_rest: self.seen.append(name))
        keep = lambda _client, _name, text: self.seen.append(str(text))  # noqa: E731
        client.subscribe("stanza-received", keep)
        client.connect()

    def until(self, what, is_it, since=0):
        """Turns the main loop until something seen fits."""
        context, is_late = GLib.MainContext.default(), []
        timer = GLib.timeout_add_seconds(WAIT_SECS, lambda: is_late.append(True))
        while True:
            for thing in self.seen[since:]:
                if is_it(thing):
                    if not is_late:
                        GLib.source_remove(timer)
                    return thing
            assert not is_late, f"no {what}; seen: {self.seen[-8:]}"
            context.iteration(True)

    def online(self):
        self.until("login", lambda thing: thing in ("connected", "disconnected"))
        assert "connected" in self.seen, self.client.get_error()
        self.client.send_stanza(Presence())
        gate = re.compile(r"<presence[^>]*from=.finesse@")
        self.until("presence of finesse", gate.search)
        return self

    def ask(self, kind, child):
        iq = Iq(kind, to="pubsub.localhost")
        iq.setID(f"ask-{len(self.seen)}")
        iq.addChild("pubsub", namespace=PUBSUB).addChild(node=child)
        since = len(self.seen)
        self.client.send_stanza(iq)
        id_ = re.compile(f"<iq[^>]*id=.{iq.getID()}[\"']")
        return self.until("answer", lambda thing: id_.search(thing), since)

    def end(self):
        self.client.disconnect()
        self.until("end", lambda thing: thing == "disconnected")


def gets_the_event(lab, carrier, request_id):
    desk = Desk(lab, "1001", carrier=carrier).online()
    node = "/finesse/api/User/1001"
    jid = str(desk.client.get_bound_jid())
    answer = desk.ask("set", Node("subscribe", {"node": node, "jid": jid}))
    assert "subscribed" in answer and "error" not in answer, answer
    since = len(desk.seen)
    lab.put_state("1001", "LOGIN", request_id)
    event = desk.until("event", lambda thing: node in thing and request_id in thing, since)
    assert "NOT_READY" in event, event
    assert lab.logins("1001")[-1] == ("SCRAM-SHA-512", None), lab.logins("1001")
    desk.end()


def an_agent_gets_the_event_of_a_rest_change_over_websocket(lab):
    gets_the_event(lab, WEBSOCKET, "nb1")


def an_agent_gets_the_event_of_a_rest_change_over_tcp_with_starttls(lab):
    gets_the_event(lab, STARTTLS, "nb2")


def an_agent_gets_the_event_of_a_rest_change_over_tls(lab):
    gets_the_event(lab, DIRECT_TLS, "nb3")


def a_supervisor_subscribes_to_a_team(lab):
    desk = Desk(lab, "sup3").online()
    node = "/finesse/api/Team/3/Users"
    jid = str(desk.client.get_bound_jid())
    answer = desk.ask("set", Node("subscribe", {"node": node, "jid": jid}))
    assert "subscribed" in answer and "error" not in answer, answer
    desk.end()


def a_publisher_publishes_and_a_reader_reads(lab):
    bridge = Desk(lab, "publisher").online()
    node = "/crm/alerts"
    pubsub = bridge.client.get_module("PubSub")
    done = []
    created = bridge.ask("set", Node("create", {"node": node}))
    assert "result" in created, created

    def keep(task):
        try:
            done.append(task.finish())
        except Exception as error:  # It would be lost in the main loop.
            done.append(error)

    text = Node("alert", {"xmlns": "urn:example:crm"}, ["a < b & c"])
    pubsub.publish(node, text, id_="one", jid="pubsub.localhost", callback=keep)
    bridge.until("answer to publish", lambda _: done)
    pubsub.request_items(node, jid="pubsub.localhost", callback=keep)
    bridge.until("answer to items", lambda _: len(done) == 2)
    items = done[1]
    assert getattr(done[0], "id", None) == "one", done
    assert [item.getAttr("id") for item in items] == ["one"], items
    assert items[0].getTag("alert").getData() == "a < b & c", items[0]
    bridge.end()


def a_wrong_password_is_refused(lab):
    desk = Desk(lab, "1002", password="wrong")
    desk.until("end", lambda thing: thing in ("connected", "disconnected"))
    assert "connected" not in desk.seen
    assert "not-authorized" in str(desk.client.get_error()), desk.client.get_error()


def a_second_desk_ends_the_first_with_a_conflict(lab):
    first = Desk(lab, "1003").online()
    second = Desk(lab, "1003").online()
    first.until("conflict", lambda thing: "<conflict" in thing)
    first.until("end", lambda thing: thing == "disconnected")
    second.end()


run(
    [
        an_agent_gets_the_event_of_a_rest_change_over_websocket,
        an_agent_gets_the_event_of_a_rest_change_over_tcp_with_starttls,
        an_agent_gets_the_event_of_a_rest_change_over_tls,
        a_supervisor_subscribes_to_a_team,
        a_publisher_publishes_and_a_reader_reads,
        a_wrong_password_is_refused,
        a_second_desk_ends_the_first_with_a_conflict,
    ]
)
