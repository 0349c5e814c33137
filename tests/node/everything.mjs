// Calls every operation that the server describes and the published client
// knows, through that client.
import assert from "node:assert/strict";

import { ResponseError, Visitor } from "./browser.mjs";

const camel = (words) => words.replace(/_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const lower = (word) => word[0].toLowerCase() + word.slice(1);

// A Client calls operations by the names that the server's document gives them.
export class Client {
    called = new Set();
    operations = new Map();

    constructor(base, token) {
        this.visitor = new Visitor(base, token);
        this.base = base;
    }

    // learn reads the server's document.
    async learn() {
        const document = await (await fetch(`${this.base}/api/v3/schema/`)).json();
        for (const [path, methods] of Object.entries(document.paths)) {
            for (const [method, op] of Object.entries(methods)) {
                const api = this.visitor.api(op.tags[0]);
                const name = camel(op.operationId);
                if (!api || !(name in api)) continue; // the contract does not have it
                const [body] = Object.values(op.requestBody?.content ?? {});
                const key = (op.parameters ?? []).find((p) => p.in === "path")?.name;
                this.operations.set(op.operationId, {
                    api, name, method, path, key: key && camel(key), body: body && lower(body.schema.$ref.split("/").pop()),
                    matches: new RegExp(`^/api/v3${path.replace(/\{[^}]*\}/g, "([^/]+)")}$`), fixed: path.replace(/\{[^}]*\}/g, "").length,
                });
            }
        }
        this.visitor.log = (method, url) => this.note(method.toLowerCase(), new URL(url).pathname);
    }

    // note finds out which operation a request is. A name beats a key.
    note(method, path) {
        const [found] = [...this.operations].filter(([, op]) => op.method === method && op.matches.test(path)).sort(([, a], [, b]) => b.fixed - a.fixed);
        if (found) this.called.add(found[0]);
    }

    has(id) { return this.operations.has(id); }

    // call calls an operation. Of is what it is about: a thing, or its key.
    call(id, of, body, query = {}) {
        const op = this.operations.get(id);
        assert.ok(op, `${id} is not served`);
        const request = { ...query };
        if (op.key) request[op.key] = typeof of === "object" ? of[op.key] ?? of.pk : of;
        if (body !== undefined) request[op.body] = body;
        return op.api[op.name](request);
    }

    // missing are the operations that nobody called.
    missing() { return [...this.operations.keys()].filter((id) => !this.called.has(id)); }
}

// fails checks that a request is refused, with a status.
export async function fails(status, request) {
    const e = await request.then(() => assert.fail("it is not refused"), (e) => e);
    assert.ok(e instanceof ResponseError, String(e));
    assert.equal(e.response.status, status, await e.response.text());
}

// cycle makes a thing, finds it, reads, changes and deletes it. Meanwhile runs
// while it is there.
export async function cycle(client, path, { make, replace, change = {}, find = {}, meanwhile }) {
    const id = path.slice(1, -1).replaceAll("/", "_");
    const made = await client.call(`${id}_create`, undefined, make);
    const identify = (one) => one.pk ?? one.brandUuid;
    assert.ok(identify(made), `${path}: no key`);
    for (const [name, value] of Object.entries({ search: make.name, ...find })) {
        if (value === undefined) continue;
        const listed = await client.call(`${id}_list`, undefined, undefined, { [name]: value, ordering: "-pk", pageSize: 100 });
        assert.ok(listed.results.some((one) => identify(one) === identify(made)), `${path}: not found by ${name}=${value}`);
    }
    for (const nothing of [{ search: "zz-no-such-thing" }, { page: 9999 }]) {
        const listing = client.call(`${id}_list`, undefined, undefined, nothing);
        if (nothing.page) await fails(404, listing);
        else assert.deepEqual((await listing).results, [], `${path}: found what is not there`);
    }
    assert.deepEqual(await client.call(`${id}_retrieve`, made), made, path);
    const replaced = await client.call(`${id}_update`, made, { ...make, ...replace });
    assert.equal(identify(replaced), identify(made), path);
    const changed = await client.call(`${id}_partial_update`, replaced, change);
    for (const [name, value] of Object.entries(change)) assert.deepEqual(changed[name], value, `${path}: ${name}`);
    assert.ok(Array.isArray(await client.call(`${id}_used_by_list`, changed)), path);
    if (meanwhile) await meanwhile(changed);
    await client.call(`${id}_destroy`, changed);
    await fails(404, client.call(`${id}_retrieve`, changed));
}
