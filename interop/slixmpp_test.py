"""slixmpp walks the whole connection over TCP, with STARTTLS and over TLS. Prints TAP."""

import asyncio
from xml.etree import ElementTree
import ctypes

from lab import PASSWORD, WAIT_SECS, run
from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0059 import Set
from slixmpp.plugins.xep_0060.stanza import Pubsub
from slixmpp.xmlstream import register_stanza_plugin

PUBSUB = "pubsub.localhost"
NS = "http://jabber.org/protocol/pubsub"

# The library pages items, too, but leaves it to its user to say that they have pages.
register_stanza_plugin(Pubsub, Set)


class Desk(ClientXMPP):
    """A client, and what it waits for."""

    def __init__(self, lab, user, password=PASSWORD, is_direct=False, mechanism=None, binds=None):
        super().__init__(f"{user}@localhost/slixmpp", password)
        self.register_plugin("xep_0004")
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0059")
        self.register_plugin("xep_0060")
        self.register_plugin("xep_0199")
        sasl = self.plugin["feature_mechanisms"]
        sasl.use_mech = mechanism
        if binds:
            known = sasl.sasl_callback
            sasl.sasl_callback = lambda *wanted: {**known(*wanted), "channel_binding": binds(self)}
        self.ca_certs = lab.ca
        self.enable_direct_tls, self.enable_starttls = is_direct, not is_direct
        self.seen = asyncio.Queue()
        for name in ("session_start", "failed_auth", "presence_available", "stream_error"):
            self.add_event_handler(name, lambda data, name=name: self.seen.put_nowait((name, data)))
        keep = lambda data: self.seen.put_nowait(("event", data))  # noqa: E731
        self.add_event_handler("pubsub_publish", keep)
        self.connect("localhost", lab.xmpps if is_direct else lab.xmpp)

    async def until(self, wanted, is_it=lambda _data: True):
        async with asyncio.timeout(WAIT_SECS):
            while True:
                name, data = await self.seen.get()
                if name == wanted and is_it(data):
                    return data

    async def online(self):
        await self.until("session_start")
        self.send_presence()
        await self.until("presence_available", lambda data: data["from"].user == "finesse")
        return self


def exporter(desk):
    """The data of tls-exporter, asked of OpenSSL, as Python 3.11 does not hand it out.

    In CPython's `PySSLSocket` the connection of OpenSSL stands behind the head of the object and a
    reference to the socket.
    """
    tls = desk.socket._sslobj
    connection = ctypes.c_void_p.from_address(id(tls) + object.__basicsize__ + 8)
    label, data = b"EXPORTER-Channel-Binding", ctypes.create_string_buffer(32)
    export = ctypes.CDLL("libssl.so.3").SSL_export_keying_material
    text, size = ctypes.c_char_p, ctypes.c_size_t
    export.argtypes = [ctypes.c_void_p, text, size, text, size, text, size, ctypes.c_int]
    done = export(connection, data, 32, label, len(label), b"", 0, 1)
    assert done == 1, "OpenSSL exports nothing"
    return data.raw


async def gets_the_event(lab, is_direct, request_id):
    desk = await Desk(lab, "1001", is_direct=is_direct).online()
    node = "/finesse/api/User/1001"
    answer = await desk.plugin["xep_0060"].subscribe(PUBSUB, node, bare=False)
    assert answer["pubsub"]["subscription"]["subscription"] == "subscribed", answer
    await asyncio.to_thread(lab.put_state, "1001", "LOGIN", request_id)
    event = await desk.until("event", lambda data: request_id in str(data))
    assert event["pubsub_event"]["items"]["node"] == node, event
    assert "NOT_READY" in str(event), event
    items = await desk.plugin["xep_0060"].get_items(PUBSUB, node, max_items=1)
    assert len(list(items["pubsub"]["items"])) == 1, items
    await desk.plugin["xep_0199"].ping("localhost")
    await desk.disconnect()


def the_event_of_a_rest_change_comes_with_starttls(lab):
    asyncio.run(gets_the_event(lab, False, "slix1"))


def the_event_of_a_rest_change_comes_over_tls(lab):
    asyncio.run(gets_the_event(lab, True, "slix2"))


def it_logs_in_by_each_hash_and_by_the_strongest_of_itself(lab):
    async def log_in(user, mechanism):
        desk = await Desk(lab, user, mechanism=mechanism).online()
        await desk.disconnect()

    for number, mechanism in enumerate(["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"]):
        user = str(1006 + number)
        asyncio.run(log_in(user, mechanism))
        assert lab.logins(user) == [(mechanism, None)], lab.logins(user)
    asyncio.run(log_in("1010", None))
    assert lab.logins("1010") == [("SCRAM-SHA-512", None)], lab.logins("1010")


def it_binds_its_login_to_the_tls_connection(lab):
    async def log_in(is_direct):
        desk = await Desk(lab, "1011", is_direct=is_direct, binds=exporter).online()
        await desk.disconnect()

    asyncio.run(log_in(False))
    asyncio.run(log_in(True))
    bound = ("SCRAM-SHA-512-PLUS", "tls-exporter")
    assert lab.logins("1011", 2) == [bound, bound], lab.logins("1011")


def a_login_that_is_bound_to_another_connection_is_refused(lab):
    async def log_in():
        mechanism = "SCRAM-SHA-256-PLUS"
        desk = Desk(lab, "1012", mechanism=mechanism, binds=lambda _desk: bytes(32))
        failure = await desk.until("failed_auth")
        assert failure["condition"] == "not-authorized", failure
        assert "another TLS connection" in failure["text"], failure
        desk.abort()

    asyncio.run(log_in())


def a_node_says_that_it_is_a_leaf(lab):
    async def ask():
        desk = await Desk(lab, "1002").online()
        info = await desk.plugin["xep_0030"].get_info(PUBSUB, "/finesse/api/User/1002")
        kinds = {(identity[0], identity[1]) for identity in info["disco_info"]["identities"]}
        assert ("pubsub", "leaf") in kinds, kinds
        await desk.disconnect()

    asyncio.run(ask())


def another_agents_node_is_refused(lab):
    async def ask():
        desk = await Desk(lab, "1002").online()
        try:
            await desk.plugin["xep_0060"].subscribe(PUBSUB, "/finesse/api/User/1003", bare=False)
        except IqError:
            await desk.disconnect()
            return
        raise AssertionError("it was subscribed")

    asyncio.run(ask())


def two_people_come_to_see_each_other(lab):
    async def meet():
        ada, bob = await Desk(lab, "1001").online(), await Desk(lab, "1004").online()
        for desk in (ada, bob):
            # Who is asked decides by himself, below.
            desk.auto_authorize, desk.auto_subscribe = None, None
            await desk.get_roster()
        asked = asyncio.get_running_loop().create_future()
        bob.add_event_handler("presence_subscribe", lambda ask: asked.set_result(ask))
        ada.add_event_handler("presence_dnd", lambda busy: ada.seen.put_nowait(("presence_dnd", busy)))
        ada.update_roster("1004@localhost", name="Bob", groups=["Team 1"])
        ada.send_presence_subscription("1004@localhost", ptype="subscribe")
        assert (await asyncio.wait_for(asked, WAIT_SECS))["from"].bare == "1001@localhost"
        bob.send_presence_subscription("1001@localhost", ptype="subscribed")
        of_bob = lambda data: data["from"] == "1004@localhost/slixmpp"  # noqa: E731
        await ada.until("presence_available", of_bob)
        bob.send_presence(pshow="dnd", pstatus="in a call")
        busy = await ada.until("presence_dnd")
        assert busy["status"] == "in a call" and of_bob(busy), busy
        entry = ada.client_roster["1004@localhost"]
        assert entry["subscription"] == "to" and entry["name"] == "Bob", entry
        assert entry["groups"] == ["Team 1"] and "slixmpp" in entry.resources, entry
        assert bob.client_roster["1001@localhost"]["subscription"] == "from"
        gone = asyncio.get_running_loop().create_future()
        ada.add_event_handler("presence_unavailable", lambda data: gone.set_result(data))
        await bob.disconnect()
        assert of_bob(await asyncio.wait_for(gone, WAIT_SECS))
        await ada.del_roster_item("1004@localhost")
        assert (await ada.get_roster())["roster"]["items"] == {}
        await ada.disconnect()

    asyncio.run(meet())


def a_wrong_password_is_refused(lab):
    async def ask():
        desk = Desk(lab, "1004", password="wrong")
        await desk.until("failed_auth")
        desk.abort()

    asyncio.run(ask())


def a_second_desk_ends_the_first_with_a_conflict(lab):
    async def ask():
        first = await Desk(lab, "1005").online()
        second = await Desk(lab, "1005").online()
        error = await first.until("stream_error")
        assert error["condition"] == "conflict", error
        first.abort()
        await second.disconnect()

    asyncio.run(ask())


async def with_items(desk, node, count):
    """Makes a node and publishes `count` items; gives their ids, the oldest first."""
    service = desk.plugin["xep_0060"]
    await service.create_node(PUBSUB, node)
    ids = []
    for number in range(count):
        payload = ElementTree.fromstring(f"<n xmlns='urn:n'>{number}</n>")
        answer = await service.publish(PUBSUB, node, payload=payload)
        ids.append(answer["pubsub"]["publish"]["item"]["id"])
    return ids


def ids_of(answer):
    return [item["id"] for item in answer["pubsub"]["items"]]


def items_come_in_pages_from_either_end(lab):
    async def ask():
        desk = await Desk(lab, "publisher").online()
        ids = await with_items(desk, "pages", 7)
        pages = desk.plugin["xep_0060"].get_items(PUBSUB, "pages", iterator=True)
        pages.amount = 3
        assert [ids_of(page) async for page in pages] == [ids[:3], ids[3:6], ids[6:]]
        pages = desk.plugin["xep_0060"].get_items(PUBSUB, "pages", iterator=True)
        pages.amount, pages.reverse = 4, True
        last = await anext(pages)
        assert ids_of(last) == ids[3:] and last["pubsub"]["rsm"]["count"] == "7", last
        names = []
        listed = await desk.plugin["xep_0030"].get_items(PUBSUB, "pages", iterator=True)
        async for page in listed:
            names += [item[2] for item in page["disco_items"]["items"]]
        assert sorted(names) == sorted(ids), names
        await desk.disconnect()

    asyncio.run(ask())


def all_that_came_after_an_item_comes_or_the_reason_why_not(lab):
    async def since(desk, place):
        iq = desk.Iq(sto=PUBSUB, stype="get")
        iq["pubsub"]["items"]["node"] = "since"
        iq["pubsub"]["rsm"]["after"] = place
        return await iq.send()

    async def ask():
        desk = await Desk(lab, "publisher").online()
        ids = await with_items(desk, "since", 4)
        assert ids_of(await since(desk, ids[1])) == ids[2:]
        assert ids_of(await since(desk, ids[3])) == []
        other = "00000000-0000-4000-8000-0000000000001"
        for place, reason in (("elsewhere", "unknown"), (other, "epoch-changed")):
            try:
                await since(desk, place)
                raise AssertionError(f"{place} was found")
            except IqError as error:
                assert error.condition == "item-not-found", error
                assert f"{{urn:aplomb:lost:0}}{reason}" in str([e.tag for e in error.iq["error"].xml])
        await desk.disconnect()

    asyncio.run(ask())


def a_subscriber_sets_his_options(lab):
    def form(desk, **fields):
        form = desk.plugin["xep_0004"].make_form("submit")
        form.add_field("FORM_TYPE", ftype="hidden", value=f"{NS}#subscribe_options")
        for name, value in fields.items():
            form.add_field(f"pubsub#{name}", value=value)
        return form

    async def ask():
        desk = await Desk(lab, "publisher").online()
        service, me = desk.plugin["xep_0060"], desk.boundjid.full
        await service.create_node(PUBSUB, "options")
        silent = form(desk, deliver="0", expire="2100-01-01T00:00:00Z")
        answer = await service.subscribe(PUBSUB, "options", subscribee=me, options=silent)
        assert answer["pubsub"]["subscription"]["subscription"] == "subscribed", answer
        told = await service.get_subscription_options(PUBSUB, "options", me)
        values = told["pubsub"]["options"]["options"].get_values()
        assert values["pubsub#deliver"] is False, values
        assert values["pubsub#expire"] == "2100-01-01T00:00:00.000Z", values
        assert set(values["pubsub#show-values"]) == {"online", "chat", "away", "xa", "dnd"}, values
        payload = ElementTree.fromstring("<n xmlns='urn:n'/>")
        await service.publish(PUBSUB, "options", id="unheard", payload=payload)
        # The library's own way to set them asks where it should set, and is told so.
        try:
            await service.set_subscription_options(PUBSUB, "options", me, form(desk, deliver="1"))
            raise AssertionError("a question set something")
        except IqError as error:
            assert error.condition == "bad-request", error
        iq = desk.Iq(sto=PUBSUB, stype="set")
        iq["pubsub"]["options"]["node"] = "options"
        iq["pubsub"]["options"]["jid"] = me
        iq["pubsub"]["options"].append(form(desk, deliver="1"))
        await iq.send()
        await service.publish(PUBSUB, "options", id="heard", payload=payload)
        event = await desk.until("event")
        assert event["pubsub_event"]["items"]["item"]["id"] == "heard", event
        await desk.disconnect()

    asyncio.run(ask())


def goes_on(is_direct, user):
    """Cuts the line in the middle of a row of events; each must come once."""

    async def ask(lab):
        desk = Desk(lab, user, is_direct=is_direct)
        desk.register_plugin("xep_0198")
        # Its word for a client that means to come back.
        desk.end_session_on_disconnect = False
        for name in ("sm_enabled", "session_resumed", "disconnected"):
            desk.add_event_handler(
                name, lambda data, name=name: desk.seen.put_nowait((name, data))
            )
        await desk.until("sm_enabled")
        desk.send_presence()
        await desk.until("presence_available", lambda data: data["from"].user == "finesse")
        jid, seen = desk.boundjid.full, []

        async def event(request_id):
            def note(data):
                seen.append(str(data).split("requestId&gt;")[1].split("&lt;")[0])
                return seen[-1] == request_id

            await desk.until("event", note)

        async def change(state, request_id):
            await asyncio.to_thread(lab.put_state, user, state, request_id)

        await change("LOGIN", "m1")
        await event("m1")
        desk.transport.abort()
        await desk.until("disconnected")
        await change("READY", "m2")
        await change("NOT_READY", "m3")
        desk.connect("localhost", lab.xmpps if is_direct else lab.xmpp)
        await desk.until("session_resumed")
        await event("m3")
        await change("READY", "m4")
        await event("m4")
        assert seen == ["m1", "m2", "m3", "m4"], seen
        assert desk.boundjid.full == jid, desk.boundjid
        await desk.disconnect()

    return lambda lab: asyncio.run(ask(lab))


def a_stream_that_is_cut_goes_on_with_starttls(lab):
    goes_on(False, "1006")(lab)


def a_stream_that_is_cut_goes_on_over_tls(lab):
    goes_on(True, "1007")(lab)


run(
    [
        the_event_of_a_rest_change_comes_with_starttls,
        the_event_of_a_rest_change_comes_over_tls,
        it_logs_in_by_each_hash_and_by_the_strongest_of_itself,
        it_binds_its_login_to_the_tls_connection,
        a_login_that_is_bound_to_another_connection_is_refused,
        a_node_says_that_it_is_a_leaf,
        another_agents_node_is_refused,
        two_people_come_to_see_each_other,
        a_wrong_password_is_refused,
        a_second_desk_ends_the_first_with_a_conflict,
        items_come_in_pages_from_either_end,
        all_that_came_after_an_item_comes_or_the_reason_why_not,
        a_subscriber_sets_his_options,
        a_stream_that_is_cut_goes_on_with_starttls,
        a_stream_that_is_cut_goes_on_over_tls,
    ],
    "--stream-management",
    "offered",
)
