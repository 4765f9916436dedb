"""slixmpp's plugin for XEP-0060 owns nodes: models, rights, those who wait, options. Prints TAP."""

import asyncio

from lab import PASSWORD, WAIT_SECS, run
from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

PUBSUB = "pubsub.localhost"
NS = "http://jabber.org/protocol/pubsub"
NODE_CONFIG = "http://jabber.org/protocol/pubsub#node_config"
PUBLISH_OPTIONS = "http://jabber.org/protocol/pubsub#publish-options"
AUTHORIZATION = "http://jabber.org/protocol/pubsub#subscribe_authorization"
ERRORS = "{http://jabber.org/protocol/pubsub#errors}"
META_DATA = "http://jabber.org/protocol/pubsub#meta-data"


class Desk(ClientXMPP):
    """A client, and what it waits for."""

    def __init__(self, lab, user):
        super().__init__(f"{user}@localhost/slixmpp", PASSWORD)
        for plugin in ("xep_0004", "xep_0030", "xep_0050", "xep_0060", "xep_0128"):
            self.register_plugin(plugin)
        self.ca_certs = lab.ca
        self.enable_direct_tls, self.enable_starttls = True, False
        self.seen = asyncio.Queue()
        events = ("session_start", "presence_available", "pubsub_publish", "pubsub_delete")
        for name in (*events, "message_xform"):
            self.add_event_handler(name, lambda data, name=name: self.seen.put_nowait((name, data)))
        keep = lambda message: self.seen.put_nowait(("message", message))  # noqa: E731
        self.register_handler(Callback("every message", StanzaPath("message"), keep))
        self.connect("localhost", lab.xmpps)

    @property
    def pubsub(self):
        return self.plugin["xep_0060"]

    def form(self, form_type, fields, kind="submit"):
        form = self.plugin["xep_0004"].make_form(ftype=kind)
        form.add_field(var="FORM_TYPE", ftype="hidden", value=form_type)
        for name, value in fields.items():
            form.add_field(var=f"pubsub#{name}", value=value)
        return form

    async def until(self, wanted, is_it=lambda _data: True):
        async with asyncio.timeout(WAIT_SECS):
            while True:
                name, data = await self.seen.get()
                if name == wanted and is_it(data):
                    return data

    async def told(self, state):
        """Waits until a subscription of ours has come to a state."""

        def is_it(message):
            found = message.xml.find(f"{{{NS}}}pubsub/{{{NS}}}subscription")
            return found is not None and found.get("subscription") == state

        await self.until("message", is_it)

    async def online(self):
        await self.until("session_start")
        self.send_presence()
        await self.until("presence_available", lambda data: data["from"].user == "finesse")
        return self

    async def publish(self, node, item_id, **options):
        options = self.form(PUBLISH_OPTIONS, options) if options else None
        payload = ET.fromstring(f"<note xmlns='urn:example:note'>{item_id}</note>")
        return await self.pubsub.publish(PUBSUB, node, item_id, payload, options=options)


async def refused(request):
    """The condition of a refusal, and that of XEP-0060 beside it."""
    try:
        answer = await request
    except IqError as error:
        # slixmpp knows the special conditions of the first editions only.
        special = [child.tag for child in error.iq["error"].xml if ERRORS in child.tag]
        return error.condition, "".join(special).removeprefix(ERRORS)
    raise AssertionError(f"it was done: {answer}")


def talk(function):
    """Makes a test of a coroutine that takes the clients it names."""

    def test(lab):
        async def play():
            names = function.__annotations__
            desks = {name: await Desk(lab, user).online() for name, user in names.items()}
            await function(**desks)
            for desk in desks.values():
                await desk.disconnect()

        asyncio.run(play())

    test.__name__ = function.__name__
    return test


@talk
async def a_node_is_created_with_a_configuration_and_says_what_it_is(
    owner: "publisher", agent: "1001"
):
    config = owner.form(NODE_CONFIG, {"access_model": "open", "title": "News", "max_items": "7"})
    await owner.pubsub.create_node(PUBSUB, "slix/news", config)
    answer = await owner.pubsub.get_node_config(PUBSUB, "slix/news")
    values = answer["pubsub_owner"]["configure"]["form"].get_values()
    assert values["pubsub#access_model"] == "open", values
    assert (values["pubsub#title"], values["pubsub#max_items"]) == ("News", "7"), values
    info = await agent.plugin["xep_0030"].get_info(PUBSUB, "slix/news")
    meta = info["disco_info"]["form"].get_values()
    assert META_DATA in meta["FORM_TYPE"] and meta["pubsub#title"] == "News", meta
    assert meta["pubsub#owner"] == ["publisher@localhost"], meta
    await agent.pubsub.subscribe(PUBSUB, "slix/news", bare=False)
    await owner.publish("slix/news", "one")
    event = await agent.until("pubsub_publish")
    assert event["pubsub_event"]["items"]["item"]["id"] == "one", event
    assert await refused(agent.publish("slix/news", "two")) == ("forbidden", "")


@talk
async def a_form_that_was_read_is_changed_and_sent_back(owner: "publisher", agent: "1001"):
    await owner.pubsub.create_node(PUBSUB, "slix/form")
    get = agent.pubsub.get_items(PUBSUB, "slix/form")
    assert await refused(get) == ("item-not-found", "")
    answer = await owner.pubsub.get_node_config(PUBSUB, "slix/form")
    form = answer["pubsub_owner"]["configure"]["form"]
    form["type"] = "submit"
    form.set_values({"pubsub#access_model": "open", "pubsub#publish_model": "open"})
    await owner.pubsub.set_node_config(PUBSUB, "slix/form", form)
    await agent.publish("slix/form", "mine")
    items = await agent.pubsub.get_items(PUBSUB, "slix/form")
    assert [item["id"] for item in items["pubsub"]["items"]] == ["mine"], items


@talk
async def rights_are_given_and_an_outcast_is_out(owner: "publisher", agent: "1001"):
    config = owner.form(NODE_CONFIG, {"access_model": "open"})
    await owner.pubsub.create_node(PUBSUB, "slix/rights", config)
    await agent.pubsub.subscribe(PUBSUB, "slix/rights", bare=False)
    give = owner.pubsub.modify_affiliations
    await give(PUBSUB, "slix/rights", [("1001@localhost", "publisher")])
    await agent.publish("slix/rights", "one")
    mine = await agent.pubsub.get_affiliations(PUBSUB)
    rights = {a["node"]: a["affiliation"] for a in mine["pubsub"]["affiliations"]}
    assert rights["slix/rights"] == "publisher", mine
    await give(PUBSUB, "slix/rights", [("1001@localhost", "outcast")])
    await agent.told("none")
    assert await refused(agent.publish("slix/rights", "two")) == ("forbidden", "")
    again = agent.pubsub.subscribe(PUBSUB, "slix/rights", bare=False)
    assert await refused(again) == ("forbidden", "")
    last = give(PUBSUB, "slix/rights", [("publisher@localhost", "none")])
    assert (await refused(last))[0] == "not-acceptable"
    answer = await owner.pubsub.get_node_affiliations(PUBSUB, "slix/rights")
    told = {str(a["jid"]): a["affiliation"] for a in answer["pubsub_owner"]["affiliations"]}
    assert told == {"publisher@localhost": "owner", "1001@localhost": "outcast"}, told


@talk
async def who_waits_is_let_in_by_the_form(owner: "publisher", agent: "1001", other: "1002"):
    config = owner.form(NODE_CONFIG, {"access_model": "authorize"})
    await owner.pubsub.create_node(PUBSUB, "slix/desk", config)
    answer = await agent.pubsub.subscribe(PUBSUB, "slix/desk", bare=False)
    assert answer["pubsub"]["subscription"]["subscription"] == "pending", answer
    question = await owner.until("message_xform")
    asked = question["form"].get_values()
    assert AUTHORIZATION in asked["FORM_TYPE"], asked
    assert asked["pubsub#subscriber_jid"] == "1001@localhost/slixmpp", asked
    again = agent.pubsub.subscribe(PUBSUB, "slix/desk", bare=False)
    assert await refused(again) == ("not-authorized", "pending-subscription")
    get = agent.pubsub.get_items(PUBSUB, "slix/desk")
    assert await refused(get) == ("not-authorized", "not-subscribed")
    reply = owner.make_message(PUBSUB)
    reply["id"] = question["id"]
    fields = {"node": "slix/desk", "subscriber_jid": "1001@localhost/slixmpp", "allow": "1"}
    reply.append(owner.form(AUTHORIZATION, fields))
    reply.send()
    await agent.told("subscribed")
    await owner.publish("slix/desk", "one")
    await agent.until("pubsub_publish")
    await other.pubsub.subscribe(PUBSUB, "slix/desk", bare=False)
    subscriptions = [("1002@localhost/slixmpp", "none")]
    await owner.pubsub.modify_subscriptions(PUBSUB, "slix/desk", subscriptions)
    await other.told("none")


@talk
async def the_command_tells_who_waits(owner: "publisher", agent: "1001"):
    config = owner.form(NODE_CONFIG, {"access_model": "authorize"})
    await owner.pubsub.create_node(PUBSUB, "slix/pending", config)
    await agent.pubsub.subscribe(PUBSUB, "slix/pending", bare=False)
    await owner.until("message_xform")
    commands = await owner.plugin["xep_0050"].get_commands(PUBSUB)
    names = [item[1] for item in commands["disco_items"]["items"]]
    assert names == ["http://jabber.org/protocol/pubsub#get-pending"], names
    answer = await owner.plugin["xep_0050"].send_command(PUBSUB, names[0])
    command = answer["command"]
    assert command["status"] == "executing", answer
    choice = command["form"].get_fields()["pubsub#node"]["options"]
    assert "slix/pending" in [option["value"] for option in choice], answer
    form = owner.form(AUTHORIZATION, {"node": "slix/pending"})
    answer = await owner.plugin["xep_0050"].send_command(
        PUBSUB, names[0], payload=form, sessionid=command["sessionid"]
    )
    assert answer["command"]["status"] == "completed", answer
    question = await owner.until("message_xform")
    assert question["form"].get_values()["pubsub#node"] == "slix/pending", question


@talk
async def publish_options_make_a_node_or_are_held_against_it(owner: "publisher", agent: "1001"):
    await owner.publish("slix/options", "one", access_model="open", persist_items="1")
    items = await agent.pubsub.get_items(PUBSUB, "slix/options")
    assert [item["id"] for item in items["pubsub"]["items"]] == ["one"], items
    await owner.publish("slix/options", "two", access_model="open")
    wrong = owner.publish("slix/options", "three", access_model="whitelist")
    assert await refused(wrong) == ("conflict", "precondition-not-met")


@talk
async def a_node_is_purged_and_deleted(owner: "publisher", agent: "1001"):
    config = owner.form(NODE_CONFIG, {"access_model": "open"})
    await owner.pubsub.create_node(PUBSUB, "slix/gone", config)
    await agent.pubsub.subscribe(PUBSUB, "slix/gone", bare=False)
    await owner.publish("slix/gone", "one")
    await owner.pubsub.purge(PUBSUB, "slix/gone")
    items = await agent.pubsub.get_items(PUBSUB, "slix/gone")
    assert not list(items["pubsub"]["items"]), items
    assert await refused(agent.pubsub.delete_node(PUBSUB, "slix/gone")) == ("forbidden", "")
    await owner.pubsub.delete_node(PUBSUB, "slix/gone")
    await agent.until("pubsub_delete")
    get = agent.pubsub.get_items(PUBSUB, "slix/gone")
    assert await refused(get) == ("item-not-found", "")


run(
    [
        a_node_is_created_with_a_configuration_and_says_what_it_is,
        a_form_that_was_read_is_changed_and_sent_back,
        rights_are_given_and_an_outcast_is_out,
        who_waits_is_let_in_by_the_form,
        the_command_tells_who_waits,
        publish_options_make_a_node_or_are_held_against_it,
        a_node_is_purged_and_deleted,
    ]
)
