// The report of `aplomb compare`, as a browser shows it: light, dark and narrow.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { PROGRAM } from './server.mjs';

const skip = process.env.CHROMIUM ? false : 'set CHROMIUM to the path of a Chromium';
let home, report, browser;

before(async () => {
    if (skip) return;
    home = await mkdtemp(path.join(tmpdir(), 'aplomb-report-'));
    const file = path.join(home, 'report.html');
    const flags = ['--seconds', '6', '--rates', '4,40', '--poll', '0.1,0.2,0.4', '--html', file];
    await promisify(execFile)(PROGRAM, ['compare', ...flags], { timeout: 120_000 });
    report = pathToFileURL(file).href;
    browser = await chromium.launch({
        executablePath: process.env.CHROMIUM,
        args: ['--no-sandbox'],
    });
});

after(async () => {
    await browser?.close();
    if (home) await rm(home, { recursive: true, force: true });
});

/** Runs in the page: texts of plots that are cut off or lie upon each other. */
function faults() {
    const upon = (a, b) =>
        a.left < b.right - 2 && b.left < a.right - 2 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
    const within = (a, b) =>
        a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
    const found = [];
    for (const svg of document.querySelectorAll('svg')) {
        const title = svg.querySelector('title').textContent;
        const texts = [...svg.querySelectorAll('text')].map((text) => ({
            text: text.textContent,
            box: text.getBoundingClientRect(),
        }));
        texts.forEach(({ text, box }, place) => {
            if (!within(box, svg.getBoundingClientRect())) found.push(`${title}: ${text} is cut off`);
            for (const other of texts.slice(place + 1))
                if (upon(box, other.box)) found.push(`${title}: ${text} lies on ${other.text}`);
        });
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
    return found;
}

for (const [width, colorScheme] of [
    [1000, 'light'],
    [1000, 'dark'],
    [400, 'light'],
]) {
    test(`nothing is cut off or covered at ${width} pixels, ${colorScheme}`, { skip }, async () => {
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
        const wanted = [];
        page.on('request', (request) => wanted.push(request.url()));
        page.on('pageerror', (error) => wanted.push(String(error)));
        await page.goto(report);
        if (process.env.SCREENSHOT) {
            const picture = `${process.env.SCREENSHOT}-${width}-${colorScheme}.png`;
            await page.screenshot({ path: picture, fullPage: true });
        }
        assert.deepEqual(await page.evaluate(faults), []);
        assert.deepEqual(wanted, [report], 'the page needs nothing besides');
        await page.addStyleTag({ content: 'svg text { font-size: 60px !important }' });
        assert.notDeepEqual(await page.evaluate(faults), [], 'letters that are too large are found');
        await page.close();
    });
}

test('each plot says what it is to those who do not see it', { skip }, async () => {
    const page = await browser.newPage();
    await page.goto(report);
    const named = await page.evaluate(() =>
        [...document.querySelectorAll('svg')].map((svg) => {
            const names = svg.getAttribute('aria-labelledby').split(' ');
            return names.every((id) => document.getElementById(id)?.textContent);
        }),
    );
    assert.deepEqual(named, [true, true, true, true, true]);
    assert.equal(await page.getByRole('table').count(), 2);
    await page.close();
});
