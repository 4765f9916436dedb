// A desk that runs strophe.js, as Cisco's own clients do.

import { $build, $iq, $pres, Strophe } from 'strophe.js';
import { Inbox, PASSWORD } from './server.mjs';

const { Status } = Strophe;
const NAMES = Object.fromEntries(Object.entries(Status).map(([name, value]) => [value, name]));
const PUBSUB = 'http://jabber.org/protocol/pubsub';

// What fails is told by the tests.
Strophe.setLogLevel(Strophe.LogLevel.FATAL);

export class Desk {
    constructor(
        server,
        user,
        {
            resource = 'desktop',
            mechanisms = [Strophe.SASLPlain],
            service = server.ws,
            wait = undefined,
            options = {},
        } = {},
    ) {
        globalThis.WebSocket = server.WebSocket;
        this.server = server;
        this.bare = `${user}@${server.domain}`;
        this.jid = `${this.bare}/${resource}`;
        this.statuses = new Inbox();
        this.stanzas = new Inbox();
        this.connection = new Strophe.Connection(service, { mechanisms, ...options });
        this.wait = wait;
        const keep = (element) => {
            this.stanzas.push(element);
            return true;
        };
        for (const name of ['message', 'presence', 'iq'])
            this.connection.addHandler(keep, null, name);
    }

    /** Connects; gives the name of the status in which it ends. */
    connect(password = PASSWORD) {
        const since = this.statuses.all.length;
        const tell = (status, why) => {
            this.statuses.push({
                name: NAMES[status],
                why,
                toString: () => `${NAMES[status]} ${why}`,
            });
        };
        this.connection.connect(this.jid, password, tell, this.wait);
        const final = ['CONNECTED', 'AUTHFAIL', 'CONFAIL', 'CONNTIMEOUT', 'DISCONNECTED'];
        const isFinal = ({ name }) => final.includes(name);
        return this.statuses.until('end of the login', isFinal, since).then(({ name }) => name);
    }

    /** Connects and does what the desktop does until it calls itself connected. */
    async open() {
        const status = await this.connect();
        if (status !== 'CONNECTED') throw new Error(`login ended in ${status}`);
        this.connection.send($pres());
        await this.presence('finesse');
        return this;
    }

    /** Waits for the presence of a user. */
    presence(user, type = null) {
        const is = (element) =>
            element.nodeName === 'presence' &&
            element.getAttribute('type') === type &&
            element.getAttribute('from')?.startsWith(`${user}@`);
        return this.stanzas.until(`presence of ${user}`, is);
    }

    /** Sends a pubsub request and gives its answer: the element, or the name of the error. */
    pubsub(type, name, attributes, to = `pubsub.${this.server.domain}`) {
        const iq = $iq({
            type,
            to,
            from: this.jid,
            id: this.connection.getUniqueId('subscribenode'),
        })
            .c('pubsub', { xmlns: PUBSUB })
            .c(name, attributes);
        return this.ask(iq);
    }

    ask(iq) {
        return new Promise((resolve, reject) => {
            this.connection.sendIQ(
                iq,
                resolve,
                (error) => {
                    const condition = error?.getElementsByTagName('error')[0]?.firstChild?.nodeName;
                    reject(new Error(condition ?? 'no answer'));
                },
                10_000,
            );
        });
    }

    subscribe(node) {
        return this.pubsub('set', 'subscribe', { node, jid: this.jid });
    }

    /** Waits for an event of a node; gives its payload, decoded once, and the message. */
    async event(node, is = () => true, since = 0) {
        const payload = (element) => element.getElementsByTagName('notification')[0]?.textContent;
        const fits = (element) =>
            element.nodeName === 'message' &&
            element.getElementsByTagName('items')[0]?.getAttribute('node') === node &&
            is(payload(element));
        const message = await this.stanzas.until(`event of ${node}`, fits, since);
        return { message, payload: payload(message) };
    }

    events(node) {
        return this.stanzas.all.filter(
            (element) =>
                element.nodeName === 'message' &&
                element.getElementsByTagName('items')[0]?.getAttribute('node') === node,
        );
    }

    ended() {
        return this.statuses.until('end of the connection', ({ name }) => name === 'DISCONNECTED');
    }

    close() {
        this.connection.disconnect('bye');
        return this.ended();
    }
}

export { $build, $iq, $pres, Strophe };
