import java.util.List;
import org.jivesoftware.smack.XMPPException.XMPPErrorException;
import org.jivesoftware.smackx.pubsub.AccessModel;
import org.jivesoftware.smackx.pubsub.Affiliation;
import org.jivesoftware.smackx.pubsub.LeafNode;
import org.jivesoftware.smackx.pubsub.PayloadItem;
import org.jivesoftware.smackx.pubsub.PublishModel;
import org.jivesoftware.smackx.pubsub.SimplePayload;

/** Smack owns a node: models, rights, and who waits (XEP-0060 §8). */
final class Nodes {
    static void anOwnerConfiguresANodeAndGivesRights(Server server) throws Exception {
        var owner = Desk.connect(server, "publisher", Server.PASSWORD, "smack", true);
        var agent = Desk.connect(server, "1001", Server.PASSWORD, "smack", true);
        var form = Desk.pubsub(owner).getDefaultConfiguration().getFillableForm();
        form.setAccessModel(AccessModel.authorize);
        form.setTitle("Desk");
        form.setMaxItems(3);
        var node = (LeafNode) Desk.pubsub(owner).createNode("/crm/desk", form);
        Tap.check(node.getNodeConfiguration().getAccessModel() == AccessModel.authorize, "model");
        LeafNode seen = Desk.pubsub(agent).getLeafNode("/crm/desk");
        var subscription = seen.subscribe(agent.getUser());
        Tap.check(subscription.getState().name().equals("pending"), subscription.toString());
        var person = agent.getUser().asBareJid();
        node.modifyAffiliationAsOwner(
            List.of(new Affiliation(person, Affiliation.Type.publisher)));
        var mine = Desk.pubsub(agent).getSubscriptions();
        Tap.check(mine.stream().anyMatch(s -> s.getNode().equals("/crm/desk")
            && s.getState().name().equals("subscribed")), mine.toString());
        Tap.check(node.getSubscriptionsAsOwner().size() == 1, "subscribers");
        seen.publish(new PayloadItem<>("one", new SimplePayload("<a xmlns='urn:example:crm'/>")));

        var change = node.getNodeConfiguration().getFillableForm();
        change.setAccessModel(AccessModel.open);
        change.setPublishModel(PublishModel.open);
        node.sendConfigurationForm(change);
        node.modifyAffiliationAsOwner(List.of(new Affiliation(person, Affiliation.Type.outcast)));
        try {
            seen.getItems();
            Tap.check(false, "an outcast reads");
        } catch (XMPPErrorException error) {
            String condition = error.getStanzaError().getCondition().name();
            Tap.check(condition.equals("forbidden"), error.toString());
        }
        Tap.check(Desk.pubsub(owner).deleteNode("/crm/desk"), "it was not deleted");
        agent.disconnect();
        owner.disconnect();
    }

    private Nodes() { }
}
