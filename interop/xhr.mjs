// The part of a browser's XMLHttpRequest that strophe.js uses for BOSH, over Node's https; and a
// network that loses answers when it is told to.

import https from 'node:https';
import { DOMParser } from '@xmldom/xmldom';

/** Makes the class for one server. `loses(n)` says whether the answer to the n-th request is lost. */
export function xhrFor(server, loses = () => false) {
    let count = 0;
    const agent = new https.Agent({ ca: server.ca, keepAlive: true });
    return class XMLHttpRequest {
        readyState = 0;
        status = 0;
        responseText = '';
        responseXML = null;
        onreadystatechange = null;
        #headers = {};
        #request = null;

        open(method, url) {
            this.#request = https.request(url, { method, agent });
            this.readyState = 1;
        }

        setRequestHeader(name, value) {
            this.#headers[name] = value;
        }

        send(body) {
            const isLost = loses(++count);
            const request = this.#request;
            for (const [name, value] of Object.entries(this.#headers)) request.setHeader(name, value);
            request.on('error', () => this.#end(0, ''));
            request.on('response', (response) => {
                let text = '';
                response.setEncoding('utf8').on('data', (part) => (text += part));
                response.on('end', () =>
                    isLost ? this.#end(0, '') : this.#end(response.statusCode, text),
                );
            });
            request.end(body);
        }

        abort() {
            this.#request?.destroy();
        }

        getAllResponseHeaders() {
            return '';
        }

        #end(status, text) {
            if (this.readyState === 4) return;
            this.readyState = 4;
            this.status = status;
            this.responseText = text;
            if (status === 200) this.responseXML = new DOMParser().parseFromString(text, 'text/xml');
            this.onreadystatechange?.();
        }
    };
}
