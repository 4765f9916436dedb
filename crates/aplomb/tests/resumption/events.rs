//! Events that are numbers, so that a test sees which of them came.

use crate::client::Client;

impl Client {
    /// The numbers of the next events.
    pub(crate) async fn numbers(&mut self, count: usize) -> Vec<u32> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(number(&self.hear().await.unwrap()));
        }
        all
    }

    /// Publishes a number.
    pub(crate) async fn publish(&mut self, n: u32) {
        self.publish_text(&n.to_string()).await;
    }

    /// Publishes a text.
    pub(crate) async fn publish_text(&mut self, text: &str) {
        let id = text.get(..16).unwrap_or(text);
        self.say(&format!(
            "<iq xmlns='jabber:client' type='set' id='p{id}' to='pubsub.cc.test'><pubsub \
             xmlns='http://jabber.org/protocol/pubsub'><publish node='/finesse/api/User/1001'>\
             <item><n xmlns='x'>{text}</n></item></publish></pubsub></iq>"
        ))
        .await;
        let answer = self.until(&format!("id=\"p{id}\"")).await.unwrap();
        assert!(answer.contains("type=\"result\""), "{answer}");
    }
}

/// The number in an event, if it is one.
pub(crate) fn number(text: &str) -> Option<u32> {
    text.split("<n xmlns=\"x\">").nth(1)?.split('<').next()?.parse().ok()
}

/// Whether this is a stanza, which both sides count.
pub(crate) fn is_stanza(text: &str) -> bool {
    ["<message", "<presence", "<iq"].iter().any(|start| text.starts_with(start))
}
