// A real browser: pages that run strophe.js against the server, from an allowed origin, from the
// server's own, and from a foreign one.

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { field, PASSWORD, setState, start } from './server.mjs';

const skip = process.env.CHROMIUM ? false : 'set CHROMIUM to the path of a Chromium';
const require = createRequire(import.meta.url);
const strophe = path.join(path.dirname(require.resolve('strophe.js')), 'strophe.umd.min.js');

const PAGE = `<!doctype html><meta charset="utf-8"><title>A desk</title>
<h1>A desk that runs strophe.js</h1><ol id="steps"></ol><pre id="event"></pre>
<script src="/strophe.js"></script>`;

let pages, foreign, server, browser;

/** Serves the page from an origin of its own. */
async function serve() {
    const script = await readFile(strophe);
    const host = http.createServer((request, response) => {
        const isScript = request.url === '/strophe.js';
        response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
        response.end(isScript ? script : PAGE);
    });
    await new Promise((resolve) => host.listen(0, '127.0.0.1', resolve));
    return { origin: `http://127.0.0.1:${host.address().port}`, close: () => host.close() };
}

before(async () => {
    if (skip) return;
    pages = await serve();
    foreign = await serve();
    server = await start('--allowed-origins', pages.origin);
    // This certificate and no other is trusted.
    const key = new X509Certificate(server.ca).publicKey.export({ type: 'spki', format: 'der' });
    const pin = createHash('sha256').update(key).digest('base64');
    const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({
        executablePath: process.env.CHROMIUM,
        args: [
            `--ignore-certificate-errors-spki-list=${pin}`,
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
            ...root,
        ],
    });
});
after(async () => {
    await browser?.close();
    pages?.close();
    foreign?.close();
    await server?.stop();
});

/** Runs in the page: logs in, and says how it ended. */
function login({ url, jid, password }) {
    const step = (text) => {
        const item = document.createElement('li');
        item.textContent = text;
        document.getElementById('steps')?.append(item);
    };
    return new Promise((resolve) => {
        const connection = (globalThis.desk = new Strophe.Connection(url));
        const names = Object.fromEntries(
            Object.entries(Strophe.Status).map(([name, value]) => [value, name]),
        );
        connection.connect(jid, password, (status) => {
            step(names[status]);
            if (status === Strophe.Status.CONNECTED) {
                connection.addHandler(
                    (presence) => {
                        if (!presence.getAttribute('from').startsWith('finesse@')) return true;
                        step(`presence of ${presence.getAttribute('from')}`);
                        resolve('CONNECTED');
                        return false;
                    },
                    null,
                    'presence',
                );
                connection.send($pres());
            } else if (
                ['AUTHFAIL', 'CONFAIL', 'CONNTIMEOUT', 'DISCONNECTED'].includes(names[status])
            ) {
                resolve(names[status]);
            }
        });
    });
}

/** Runs in the page: changes the state over REST and waits for the event. */
async function change({ rest, user, password, requestId, body }) {
    const event = new Promise((resolve) => {
        desk.addHandler(
            (message) => {
                const text = message.getElementsByTagName('notification')[0].textContent;
                if (!text.includes(requestId)) return true;
                const shown = document.getElementById('event');
                if (shown) shown.textContent = text;
                resolve(text);
                return false;
            },
            null,
            'message',
        );
    });
    const answer = await fetch(`${rest}/finesse/api/User/${user}`, {
        method: 'PUT',
        headers: {
            Authorization: `Basic ${btoa(`${user}:${password}`)}`,
            'Content-Type': 'application/xml',
            requestId,
        },
        body,
    });
    return { status: answer.status, event: await event };
}

const desk = (user) => ({
    url: server.ws,
    jid: `${user}@${server.domain}/desktop`,
    password: PASSWORD,
});
const signIn = (user, requestId) => ({
    rest: server.origin,
    user,
    password: PASSWORD,
    requestId,
    body: `<User><state>LOGIN</state><extension>${user}</extension></User>`,
});

test(
    'a page of an allowed origin walks the connection, signs in over REST and gets the event',
    { skip },
    async () => {
        const page = await browser.newPage();
        await page.goto(pages.origin);
        assert.equal(await page.evaluate(login, desk('1001')), 'CONNECTED');
        const { status, event } = await page.evaluate(change, signIn('1001', 'from-a-page'));
        assert.equal(status, 202);
        assert.equal(field(event, 'state'), 'NOT_READY');
        if (process.env.SCREENSHOT)
            await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
        await page.close();
    },
);

test('a page of an allowed origin does it over BOSH as well', { skip }, async () => {
    const page = await browser.newPage();
    await page.goto(pages.origin);
    assert.equal(await page.evaluate(login, { ...desk('1004'), url: server.bosh }), 'CONNECTED');
    const { status, event } = await page.evaluate(change, signIn('1004', 'over-bosh'));
    assert.equal(status, 202);
    assert.equal(field(event, 'state'), 'NOT_READY');
    await page.close();
});

test("a page of the server's own origin does so without being allowed", { skip }, async () => {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/healthz`);
    await page.evaluate(await readFile(strophe, 'utf8'));
    assert.equal(await page.evaluate(login, desk('1002')), 'CONNECTED');
    const { status } = await page.evaluate(change, signIn('1002', 'from-home'));
    assert.equal(status, 202);
    await page.close();
});

test('a page of a foreign origin gets no connection and no answer', { skip }, async () => {
    const page = await browser.newPage();
    await page.goto(foreign.origin);
    assert.notEqual(await page.evaluate(login, desk('1003')), 'CONNECTED');
    const fetched = (url, options) =>
        page.evaluate(
            ([url, options]) =>
                fetch(url, options).then(
                    () => 'answer',
                    () => 'refused',
                ),
            [url, options],
        );
    assert.equal(await fetched(`${server.origin}/finesse/api/SystemInfo`), 'refused');
    const body =
        "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='localhost' ver='1.6'/>";
    assert.equal(await fetched(server.bosh, { method: 'POST', body }), 'refused');
    await page.close();
});

/** Runs in the page: follows an agent by EventSource and by WebSocket, with a token. */
async function follow({ rest, user, password, node, body }) {
    const basic = { Authorization: `Basic ${btoa(`${user}:${password}`)}` };
    const made = await fetch(`${rest}/feeds/token`, { method: 'POST', headers: basic });
    const { token } = await made.json();
    const query = new URLSearchParams({ node, token });
    const first = (source, name, read) =>
        new Promise((resolve, reject) => {
            source.addEventListener(name, (event) => {
                const told = read(event);
                if (told) resolve(told);
            });
            source.addEventListener('error', () => reject(new Error(`${source.url} failed`)));
        });
    const stateOf = (event) => event?.update.data.user.state;
    const events = new EventSource(`${rest}/feeds/sse?${query}`);
    const socket = new WebSocket(`${rest.replace('http', 'ws')}/feeds/ws?${query}`);
    const sent = first(events, 'notice', ({ data, lastEventId }) => ({
        state: stateOf(JSON.parse(data)),
        cursor: lastEventId,
    }));
    const heard = first(socket, 'message', ({ data }) => stateOf(JSON.parse(data).events[0]));
    await Promise.all([first(events, 'open', () => true), first(socket, 'open', () => true)]);
    const start = await (await fetch(`${rest}/feeds/poll?${query}`)).json();
    const headers = { ...basic, 'Content-Type': 'application/xml' };
    await fetch(`${rest}/finesse/api/User/${user}`, { method: 'PUT', headers, body });
    const told = { sent: await sent, heard: await heard };
    query.set('cursor', start.cursor);
    const polled = await (await fetch(`${rest}/feeds/poll?${query}`)).json();
    events.close();
    socket.close();
    return { ...told, polled: stateOf(polled.events[0]), cursor: polled.cursor };
}

test(
    'a page of an allowed origin follows an agent by EventSource, WebSocket and fetch',
    { skip },
    async () => {
        const page = await browser.newPage();
        await page.goto(pages.origin);
        const node = '/finesse/api/User/1004';
        const told = await page.evaluate(follow, { ...signIn('1004', ''), node });
        assert.equal(told.sent.state, 'NOT_READY');
        assert.deepEqual([told.heard, told.polled], ['NOT_READY', 'NOT_READY']);
        assert.equal(told.sent.cursor, told.cursor, 'both feeds name the same place');
        await page.close();
    },
);

/** Runs in the page: follows by EventSource until it has heard of `last`; the page is left alone. */
function followTo({ rest, token, node, last }) {
    const query = new URLSearchParams({ node, token });
    const events = new EventSource(`${rest}/feeds/sse?${query}`);
    const heard = { ids: [], opened: 0 };
    events.addEventListener('open', () => (heard.opened += 1));
    globalThis.heard = heard;
    globalThis.done = new Promise((resolve) =>
        events.addEventListener('notice', ({ data }) => {
            heard.ids.push(JSON.parse(data).update.requestId);
            if (heard.ids.includes(last)) resolve(heard);
        }),
    );
    return new Promise((resolve) => events.addEventListener('open', () => resolve(true)));
}

/** A line to a server that can be cut: nobody gets through while it is. */
async function cuttable(to) {
    const lines = new Set();
    let isCut = false;
    const host = net.createServer((near) => {
        if (isCut) return near.destroy();
        const [name, port] = to.split(':');
        const far = net.connect(Number(port), name);
        for (const [one, other] of [
            [near, far],
            [far, near],
        ]) {
            lines.add(one);
            one.pipe(other);
            one.on('error', () => other.destroy());
            one.on('close', () => lines.delete(one));
        }
    });
    await new Promise((resolve) => host.listen(0, '127.0.0.1', resolve));
    return {
        origin: `http://127.0.0.1:${host.address().port}`,
        cut() {
            isCut = true;
            for (const line of lines) line.destroy();
        },
        mend: () => (isCut = false),
        close: () => host.close(),
    };
}

test(
    'an EventSource whose line is cut comes back by itself and misses nothing',
    { skip },
    async (t) => {
        const one = await start(
            ...['--insecure-http', '127.0.0.1:0', '--allowed-origins', pages.origin],
        );
        t.after(() => one.stop());
        const line = await cuttable(one.clear);
        t.after(() => line.close());
        const change = (state, requestId) => setState(one, '1005', state, { requestId });
        const { text } = await one.rest('POST', '/feeds/token', { user: '1005' });
        const { token } = JSON.parse(text);
        const page = await browser.newPage();
        await page.goto(pages.origin);
        const node = '/finesse/api/User/1005';
        await page.evaluate(followTo, { rest: line.origin, token, node, last: 'after' });
        await change('LOGIN', 'before');
        await page.waitForFunction(() => globalThis.heard.ids.includes('before'));
        line.cut();
        await change('READY', 'between');
        await change('NOT_READY', 'between-2');
        line.mend();
        await page.waitForFunction(() => globalThis.heard.opened === 2);
        await change('READY', 'after');
        const heard = await page.evaluate(() => globalThis.done);
        assert.deepEqual(heard.ids, ['before', 'between', 'between-2', 'after']);
        await page.close();
    },
);

test('a page of a foreign origin opens no feed, even with a token', { skip }, async () => {
    const { text } = await server.rest('POST', '/feeds/token', { user: '1003' });
    const { token } = JSON.parse(text);
    const page = await browser.newPage();
    await page.goto(foreign.origin);
    const outcome = page.evaluate(
        ({ rest, query }) =>
            Promise.all(
                [
                    new EventSource(`${rest}/feeds/sse?${query}`),
                    new WebSocket(`${rest.replace('http', 'ws')}/feeds/ws?${query}`),
                ].map(
                    (source) =>
                        new Promise((resolve) => {
                            source.addEventListener('open', () => resolve('open'));
                            source.addEventListener('error', () => resolve('refused'));
                        }),
                ),
            ),
        { rest: server.origin, query: `node=/finesse/api/User/1003&token=${token}` },
    );
    assert.deepEqual(await outcome, ['refused', 'refused']);
    await page.close();
});
