// Starts the real program on free ports, and speaks REST to it. Whatever waits has a deadline.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import tls from 'node:tls';
import WebSocket from 'ws';

export const PASSWORD = 'opensesame';

/** How long a client waits for one answer: its own 2 s are short where ten suites share two cores. */
export const PATIENCE_MS = 20_000;
const WAIT_MS = 15_000;
export const PROGRAM =
    process.env.INTEROP_PROGRAM ??
    path.join(
        import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname),
        '../target/debug/aplomb',
    );

/** Things that arrive, and those who wait for one of them. */
export class Inbox {
    #things = [];
    #waiting = [];

    push(thing) {
        this.#things.push(thing);
        this.#waiting = this.#waiting.filter((wants) => !wants(thing));
    }

    get all() {
        return [...this.#things];
    }

    /** The first thing, past or future, that `is` right. */
    until(what, is, since = 0) {
        const found = this.#things.slice(since).find(is);
        if (found !== undefined) return Promise.resolve(found);
        return new Promise((resolve, reject) => {
            const late = setTimeout(() => {
                const seen = this.#things.slice(-12).map((thing) => String(thing).slice(0, 300));
                reject(
                    new Error(
                        `no ${what} in ${WAIT_MS} ms; the last things seen:\n${seen.join('\n')}`,
                    ),
                );
            }, WAIT_MS);
            this.#waiting.push((thing) => {
                if (!is(thing)) return false;
                clearTimeout(late);
                resolve(thing);
                return true;
            });
        });
    }
}

/** Starts a laboratory; `more` are further flags. */
export async function start(...more) {
    const home = await mkdtemp(path.join(tmpdir(), 'aplomb-interop-'));
    const flags = [
        'serve',
        '--lab',
        '--lab-password',
        PASSWORD,
        '--https',
        '127.0.0.1:0',
        '--log',
        'json',
    ];
    const child = spawn(PROGRAM, [...flags, ...more], {
        cwd: home,
        stdio: ['ignore', 'ignore', 'pipe'],
    });
    const log = new Inbox();
    const ended = new Promise((resolve) =>
        child.once('exit', (code, signal) => resolve(code ?? signal)),
    );
    readline.createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    ended.then((code) => log.push(`the program ended: ${code}`));
    const isDecided = (line) => line.includes('"listening"') || line.includes('the program ended');
    const line = await log.until('line that tells the ports', isDecided);
    if (line.startsWith('the')) throw new Error(log.all.join('\n'));
    const told = JSON.parse(line);
    const port = Number(told.https.split(':').pop());
    const server = { child, log, ended, home, port, clear: told.insecure_http, told };
    server.domain = 'localhost';
    server.ca = await certificate(server.port);
    server.origin = `https://localhost:${server.port}`;
    server.ws = `wss://localhost:${server.port}/ws/`;
    server.bosh = `${server.origin}/http-bind/`;
    server.WebSocket = class extends WebSocket {
        constructor(url, protocols, options) {
            super(url, protocols, { ca: server.ca, ...options });
        }
    };
    server.rest = (method, path, options) => rest(server, method, path, options);
    server.stop = () => stop(server);
    return server;
}

async function stop(server) {
    if (server.isStopped) return;
    server.isStopped = true;
    server.child.kill('SIGTERM');
    const late = setTimeout(() => server.child.kill('SIGKILL'), WAIT_MS);
    const code = await server.ended;
    clearTimeout(late);
    await rm(server.home, { recursive: true, force: true });
    assert.equal(code, 0, `the server ended with ${code}\n${server.log.all.slice(-20).join('\n')}`);
}

/** The server's own certificate, to be trusted from then on. */
function certificate(port) {
    return new Promise((resolve, reject) => {
        const socket = tls.connect({
            host: '127.0.0.1',
            port,
            servername: 'localhost',
            rejectUnauthorized: false,
        });
        socket.once('error', reject);
        socket.once('secureConnect', () => {
            const body = socket
                .getPeerCertificate()
                .raw.toString('base64')
                .replace(/.{64}/g, '$&\n');
            socket.end();
            resolve(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`);
        });
    });
}

function rest(server, method, path, { user, password = PASSWORD, body, headers = {} } = {}) {
    const auth = user
        ? { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
        : {};
    const type = body ? { 'Content-Type': 'application/xml' } : {};
    const options = {
        method,
        ca: server.ca,
        agent: false,
        timeout: WAIT_MS,
        headers: { ...auth, ...type, ...headers },
    };
    return new Promise((resolve, reject) => {
        const request = https.request(`${server.origin}${path}`, options, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (part) => (text += part));
            response.on('end', () =>
                resolve({ status: response.statusCode, headers: response.headers, text }),
            );
        });
        request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer`)));
        request.on('error', reject).end(body);
    });
}

/** Signs an agent in over REST, or changes the state; 202 is expected. */
export async function setState(server, id, state, { by = id, requestId, reason } = {}) {
    const extension = state === 'LOGIN' ? `<extension>${id}</extension>` : '';
    const why = reason ? `<reasonCodeId>${reason}</reasonCodeId>` : '';
    const answer = await server.rest('PUT', `/finesse/api/User/${id}`, {
        user: by,
        body: `<User><state>${state}</state>${extension}${why}</User>`,
        headers: requestId ? { requestId } : {},
    });
    assert.equal(answer.status, 202, answer.text);
    assert.equal(answer.text, '');
}

/** What is between two tags. */
export function field(text, name) {
    return text.match(new RegExp(`<${name}>([^<]*)</${name}>`))?.[1];
}
