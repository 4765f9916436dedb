import java.util.Collection;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jivesoftware.smack.packet.Presence;
import org.jivesoftware.smack.roster.AbstractRosterListener;
import org.jivesoftware.smack.roster.Roster;
import org.jivesoftware.smack.roster.SubscribeListener;
import org.jxmpp.jid.BareJid;
import org.jxmpp.jid.Jid;
import org.jxmpp.jid.impl.JidCreate;

/** The roster as Smack keeps it: asked, allowed, named, seen, and taken out. */
final class People {
    private People() { }

    static void comeToSeeEachOther(Server server) throws Exception {
        var ada = Desk.connect(server, "1001", Server.PASSWORD, "smack", false);
        var bob = Desk.connect(server, "1004", Server.PASSWORD, "smack", true);
        var bobsAddress = JidCreate.bareFrom("1004@localhost");
        var adas = Roster.getInstanceFor(ada);
        var bobs = Roster.getInstanceFor(bob);
        var asked = new CompletableFuture<String>();
        bobs.addSubscribeListener((from, request) -> {
            asked.complete(from.toString());
            return SubscribeListener.SubscribeAnswer.ApproveAndAlsoRequestIfRequired;
        });
        adas.addSubscribeListener((from, request) -> SubscribeListener.SubscribeAnswer.Approve);
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        adas.addRosterListener(new AbstractRosterListener() {
            @Override
            public void presenceChanged(Presence presence) {
                seen.add(presence.getFrom() + " " + presence.getType() + " " + presence.getMode());
            }
        });
        adas.reloadAndWait();
        bobs.reloadAndWait();
        adas.createItemAndRequestSubscription(bobsAddress, "Bob", new String[] {"Team 1"});
        Tap.check(asked.get(Server.WAIT_SECS, TimeUnit.SECONDS).equals("1001@localhost"), "by whom?");
        Desk.await(seen, text -> text.equals("1004@localhost/smack available available"));
        bob.sendStanza(bob.getStanzaFactory().buildPresenceStanza()
            .setMode(Presence.Mode.dnd).build());
        Desk.await(seen, text -> text.equals("1004@localhost/smack available dnd"));
        Desk.await(states(adas, bobsAddress), state -> state.equals("both"));
        var entry = adas.getEntry(bobsAddress);
        Tap.check(entry.getName().equals("Bob"), entry.toString());
        Tap.check(entry.getGroups().get(0).getName().equals("Team 1"), entry.toString());
        Tap.check(bobs.isSubscribedToMyPresence(JidCreate.from("1001@localhost")), "not seen");
        bob.disconnect();
        Desk.await(seen, text -> text.startsWith("1004@localhost/smack unavailable"));
        adas.removeEntry(entry);
        adas.reloadAndWait();
        Tap.check(adas.getEntry(bobsAddress) == null, "it is there still");
        ada.disconnect();
    }

    /** The states of a subscription, as they come. */
    private static BlockingQueue<String> states(Roster roster, BareJid contact) {
        BlockingQueue<String> states = new LinkedBlockingQueue<>();
        roster.addRosterListener(new AbstractRosterListener() {
            @Override
            public void entriesUpdated(Collection<Jid> addresses) {
                states.add(roster.getEntry(contact).getType().name());
            }
        });
        states.add(roster.getEntry(contact).getType().name());
        return states;
    }
}
