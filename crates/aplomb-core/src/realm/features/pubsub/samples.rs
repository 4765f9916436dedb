//! What an agent says to the pubsub service, one request of each kind.

use crate::standard::Sample;

pub(super) const SAMPLES: &[Sample] = &[
    Sample::answered(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <subscribe node='/finesse/api/User/1001' jid='1001@cc.test/desk'/></pubsub></iq>",
    ),
    Sample::answered(
        "<iq type='get' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions/></pubsub></iq>",
    ),
    Sample::answered(
        "<iq type='get' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <options node='/finesse/api/User/1001' jid='1001@cc.test/desk'/></pubsub></iq>",
    ),
    Sample::answered(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <options node='/finesse/api/User/1001' jid='1001@cc.test/desk'>\
         <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>\
         http://jabber.org/protocol/pubsub#subscribe_options</value></field>\
         <field var='pubsub#show-values'><value>away</value><value>online</value></field>\
         </x></options></pubsub></iq>",
    ),
    Sample::answered(
        "<iq type='get' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><default/></pubsub></iq>",
    ),
    Sample::answered(
        "<iq type='get' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <items node='/finesse/api/User/1001' max_items='2'/></pubsub></iq>",
    ),
    Sample::answered(
        "<iq type='get' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><affiliations/></pubsub></iq>",
    ),
    Sample::refused(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <publish node='/finesse/api/User/1001'><item id='1'><a xmlns='urn:a'/></item>\
         </publish></pubsub></iq>",
    ),
    Sample::refused(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <retract node='/finesse/api/User/1001'><item id='1'/></retract></pubsub></iq>",
    ),
    Sample::refused(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n'/><configure>\
         <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>\
         http://jabber.org/protocol/pubsub#node_config</value></field>\
         <field var='pubsub#max_items'><value>3</value></field></x></configure></pubsub>\
         </iq>",
    ),
    Sample::refused(
        "<iq type='get' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>\
         <configure node='/finesse/api/User/1001'/></pubsub></iq>",
    ),
    Sample::refused(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>\
         <affiliations node='/finesse/api/User/1001'>\
         <affiliation jid='1002@cc.test' affiliation='owner'/></affiliations></pubsub>\
         </iq>",
    ),
    Sample::refused(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>\
         <delete node='/finesse/api/User/1001'/></pubsub></iq>",
    ),
    Sample::refused(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>\
         <purge node='/finesse/api/User/1001'/></pubsub></iq>",
    ),
    Sample::answered(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <unsubscribe node='/finesse/api/User/1001' jid='1001@cc.test/desk'/></pubsub>\
         </iq>",
    ),
    Sample::refused(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <publish node='n'><item id='1'><a xmlns='urn:a'/></item></publish><publish-options>\
         <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>\
         http://jabber.org/protocol/pubsub#publish-options</value></field>\
         <field var='pubsub#access_model'><value>open</value></field></x></publish-options>\
         </pubsub></iq>",
    ),
    Sample::refused(
        "<iq type='set' to='pubsub.cc.test'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>\
         <subscriptions node='/finesse/api/User/1001'>\
         <subscription jid='1002@cc.test' subscription='subscribed'/></subscriptions>\
         </pubsub></iq>",
    ),
    Sample::refused(
        "<message to='pubsub.cc.test'><x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE'><value>\
         http://jabber.org/protocol/pubsub#subscribe_authorization</value></field>\
         <field var='pubsub#node'><value>n</value></field>\
         <field var='pubsub#subscriber_jid'><value>1002@cc.test</value></field>\
         <field var='pubsub#allow'><value>1</value></field></x></message>",
    ),
];
