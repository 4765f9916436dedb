import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jivesoftware.smack.XMPPConnection;
import org.jivesoftware.smack.chat2.ChatManager;
import org.jivesoftware.smack.filter.MessageTypeFilter;
import org.jivesoftware.smack.packet.Message;
import org.jivesoftware.smack.packet.Presence;
import org.jivesoftware.smack.roster.Roster;
import org.jivesoftware.smackx.carbons.CarbonManager;
import org.jivesoftware.smackx.csi.ClientStateIndicationManager;
import org.jivesoftware.smackx.ping.PingManager;
import org.jxmpp.jid.EntityBareJid;
import org.jxmpp.jid.impl.JidCreate;

/** Two agents of one team talk: ChatManager, CarbonManager, client state. */
final class Messages {
    /** One over STARTTLS, the other over TLS, and a second device of his. */
    static void agentsTalkAndEveryDeviceSeesIt(Server server) throws Exception {
        var ada = Desk.connect(server, "1001", Server.PASSWORD, "desk", false);
        var bob = Desk.connect(server, "1004", Server.PASSWORD, "desk", true);
        var phone = Desk.connect(server, "1004", Server.PASSWORD, "phone", false);
        CarbonManager carbons = CarbonManager.getInstanceFor(phone);
        Tap.check(carbons.isSupportedByServer(), "carbons are not announced");
        BlockingQueue<String> copies = new LinkedBlockingQueue<>();
        carbons.addCarbonCopyReceivedListener((direction, copy, wrapping) ->
            copies.add(direction + " " + copy.getBody()));
        carbons.enableCarbons();
        BlockingQueue<String> toAda = chats(ada);
        BlockingQueue<String> toBob = chats(bob);
        // To the very session, so that the phone only gets a copy.
        Message hello = ada.getStanzaFactory().buildMessageStanza()
            .to(bob.getUser()).ofType(Message.Type.chat).setBody("hello").build();
        ada.sendStanza(hello);
        is(toBob, "1001@localhost hello");
        is(copies, "received hello");
        ChatManager.getInstanceFor(bob).chatWith(account("1001")).send("hello yourself");
        is(toAda, "1004@localhost hello yourself");
        is(copies, "sent hello yourself");
        carbons.disableCarbons();
        ada.sendStanza(hello);
        is(toBob, "1001@localhost hello");
        PingManager.getInstanceFor(phone).pingMyServer();
        Tap.check(copies.isEmpty(), copies.toString());
        for (var connection : new XMPPConnection[] {ada, bob, phone}) {
            ((org.jivesoftware.smack.tcp.XMPPTCPConnection) connection).disconnect();
        }
    }

    static void whatNobodyReadsComesBack(Server server) throws Exception {
        var ada = Desk.connect(server, "1001", Server.PASSWORD, "desk", false);
        BlockingQueue<String> errors = new LinkedBlockingQueue<>();
        ada.addAsyncStanzaListener(
            stanza -> errors.add(stanza.getError().getCondition().toString()),
            MessageTypeFilter.ERROR);
        // Of her team and not there; of another team; nobody.
        for (String user : new String[] {"1004", "1002", "nobody"}) {
            ChatManager.getInstanceFor(ada).chatWith(account(user)).send("are you there");
            is(errors, "service-unavailable");
        }
        ada.disconnect();
    }

    static void whoLooksAwayIsSparedPresences(Server server) throws Exception {
        var ada = Desk.connect(server, "1007", Server.PASSWORD, "desk", false);
        var bob = Desk.connect(server, "1010", Server.PASSWORD, "desk", true);
        Tap.check(ClientStateIndicationManager.isSupported(bob), "csi is not announced");
        Roster.getInstanceFor(ada).setSubscriptionMode(Roster.SubscriptionMode.accept_all);
        BlockingQueue<String> shown = new LinkedBlockingQueue<>();
        bob.addAsyncStanzaListener(stanza -> {
            Presence presence = (Presence) stanza;
            if (presence.isAvailable() && presence.getFrom().equals(ada.getUser())) {
                shown.add(presence.getMode().toString());
            }
        }, stanza -> stanza instanceof Presence);
        Roster.getInstanceFor(bob).createItemAndRequestSubscription(account("1007"), "Ada", null);
        is(shown, "available");
        ClientStateIndicationManager.inactive(bob);
        PingManager.getInstanceFor(bob).pingMyServer();
        for (var mode : new Presence.Mode[] {Presence.Mode.away, Presence.Mode.dnd}) {
            ada.sendStanza(ada.getStanzaFactory().buildPresenceStanza().setMode(mode).build());
        }
        PingManager.getInstanceFor(ada).pingMyServer();
        PingManager.getInstanceFor(bob).pingMyServer();
        Tap.check(shown.isEmpty(), shown.toString());
        ClientStateIndicationManager.active(bob);
        is(shown, "dnd");
        ada.disconnect();
        bob.disconnect();
    }

    private static EntityBareJid account(String user) throws Exception {
        return JidCreate.entityBareFrom(user + "@localhost");
    }

    private static BlockingQueue<String> chats(XMPPConnection connection) {
        BlockingQueue<String> came = new LinkedBlockingQueue<>();
        ChatManager.getInstanceFor(connection).addIncomingListener((from, message, chat) ->
            came.add(from + " " + message.getBody()));
        return came;
    }

    private static void is(BlockingQueue<String> queue, String wanted) throws Exception {
        String came = queue.poll(Server.WAIT_SECS, TimeUnit.SECONDS);
        Tap.check(wanted.equals(came), "wanted " + wanted + ", came " + came);
    }

    private Messages() { }
}
