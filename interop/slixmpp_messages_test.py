"""Two agents of one team talk by slixmpp, one with STARTTLS and one over TLS. Prints TAP."""

import asyncio

from lab import PASSWORD, WAIT_SECS, run
from slixmpp import ClientXMPP

WORDS = ("session_start", "presence_available", "presence_subscribe", "changed_status", "message")


class Desk(ClientXMPP):
    """A client, and what it waits for."""

    def __init__(self, lab, user, resource="desk", is_direct=False):
        super().__init__(f"{user}@localhost/{resource}", PASSWORD)
        for plugin in ("xep_0030", "xep_0085", "xep_0184", "xep_0199", "xep_0280", "xep_0352"):
            self.register_plugin(plugin)
        self.auto_authorize = None
        self.ca_certs = lab.ca
        self.enable_direct_tls, self.enable_starttls = is_direct, not is_direct
        self.seen = asyncio.Queue()
        self.all = []
        for name in (*WORDS, "message_error", "carbon_received", "carbon_sent", "receipt_received"):
            self.add_event_handler(name, lambda data, name=name: self.note(name, data))
        self.connect("localhost", lab.xmpps if is_direct else lab.xmpp)

    def note(self, name, data):
        self.all.append((name, data))
        self.seen.put_nowait((name, data))

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

    async def ping(self):
        await self.plugin["xep_0199"].ping("localhost")


def agents_talk_with_receipts_and_carbons(lab):
    async def talk():
        ada = await Desk(lab, "1001").online()
        bob = await Desk(lab, "1004", is_direct=True).online()
        phone = await Desk(lab, "1004", "phone").online()
        await phone.plugin["xep_0280"].enable()
        ada.send_message("1004@localhost/desk", "hello", mtype="chat")
        came = await bob.until("message")
        assert (came["body"], came["from"]) == ("hello", ada.boundjid), came
        copy = await phone.until("carbon_received")
        assert copy["carbon_received"]["body"] == "hello", copy
        # slixmpp asks for a receipt, and gives one, by itself.
        message = bob.make_message("1001@localhost/desk", "hello yourself", mtype="chat")
        message["request_receipt"] = True
        message.send()
        assert (await ada.until("message"))["body"] == "hello yourself"
        await bob.until("receipt_received", lambda data: data["receipt"] == message["id"])
        copy = await phone.until("carbon_sent")
        assert copy["carbon_sent"]["body"] == "hello yourself", copy
        await phone.plugin["xep_0280"].disable()
        ada.send_message("1004@localhost/desk", "in private", mtype="chat")
        await bob.until("message", lambda data: data["body"] == "in private")
        await phone.ping()
        copies = [data for name, data in phone.all if name == "carbon_received"]
        assert not any("in private" in str(copy) for copy in copies), copies
        for desk in (ada, bob, phone):
            await desk.disconnect()

    asyncio.run(talk())


def what_nobody_reads_comes_back(lab):
    async def talk():
        ada = await Desk(lab, "1001").online()
        ada.send_message("1004@localhost", "are you there", mtype="chat")
        error = await ada.until("message_error")
        assert error["error"]["condition"] == "service-unavailable", error
        # An agent of another team.
        eve = await Desk(lab, "1002").online()
        eve.send_message("1001@localhost", "psst", mtype="chat")
        error = await eve.until("message_error")
        assert error["error"]["condition"] == "service-unavailable", error
        await ada.ping()
        assert not any(name == "message" and data["body"] == "psst" for name, data in ada.all)
        await ada.disconnect()
        await eve.disconnect()

    asyncio.run(talk())


def who_looks_away_gets_the_newest_presence_when_he_looks_again(lab):
    async def look():
        ada = await Desk(lab, "1007").online()
        bob = await Desk(lab, "1010").online()
        bob.send_presence_subscription("1007@localhost")
        await ada.until("presence_subscribe")
        ada.send_presence_subscription("1010@localhost", ptype="subscribed")
        from_ada = lambda data: data["from"] == ada.boundjid  # noqa: E731
        await bob.until("changed_status", from_ada)
        bob.plugin["xep_0352"].send_inactive()
        await bob.ping()
        before = len(bob.all)
        for show in ("away", "xa", "dnd"):
            ada.send_presence(pshow=show)
        await ada.ping()
        await bob.ping()
        assert bob.all[before:] == [], bob.all[before:]
        bob.plugin["xep_0352"].send_active()
        await bob.ping()
        shown = [data["show"] for name, data in bob.all[before:] if name == "changed_status"]
        assert shown == ["dnd"], bob.all[before:]
        await ada.disconnect()
        await bob.disconnect()

    asyncio.run(look())


run(
    [
        agents_talk_with_receipts_and_carbons,
        what_nobody_reads_comes_back,
        who_looks_away_gets_the_newest_presence_when_he_looks_again,
    ]
)
