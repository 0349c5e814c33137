// A browser as far as authentik's API client can tell: a cookie jar around
// fetch that follows redirects with GET, and the published client on top.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const api = require("@goauthentik/api");

export const { ResponseError } = api;

// Visitor is a browser without a past.
export class Visitor {
    cookies = new Map();

    constructor(base, token) {
        const configuration = new api.Configuration({
            basePath: `${base}/api/v3`,
            accessToken: token,
            fetchApi: (url, init) => this.fetch(url, init),
            middleware: [{ pre: async ({ url, init }) => ({ url, init: this.sign(init) }) }],
        });
        this.base = base;
        this.flows = new api.FlowsApi(configuration);
        this.core = new api.CoreApi(configuration);
        this.managed = new api.ManagedApi(configuration);
        this.policies = new api.PoliciesApi(configuration);
        this.stages = new api.StagesApi(configuration);
        this.configuration = configuration;
    }

    // api is the part of the client that is named after a tag.
    api(tag) {
        const kind = api[`${tag[0].toUpperCase()}${tag.slice(1)}Api`];
        return kind && (this[tag] ??= new kind(this.configuration));
    }

    // sign adds the CSRF header, as authentik's pages do.
    sign(init) {
        const token = this.cookies.get("authentik_csrf");
        return token ? { ...init, headers: { ...init.headers, "X-authentik-CSRF": token } } : init;
    }

    async fetch(url, init) {
        for (let hops = 0; hops < 20; hops++) {
            this.log?.(init.method ?? "GET", url);
            const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
            const response = await fetch(url, {
                ...init,
                headers: { ...init.headers, ...(cookie ? { cookie } : {}) },
                redirect: "manual",
            });
            this.remember(response);
            if (response.status !== 302) return response;
            url = new URL(response.headers.get("location"), url).href;
            if (!url.startsWith(`${this.base}/`)) throw new Error(`sent away to ${url}`);
            init = { method: "GET", headers: { accept: "application/json" } };
        }
        throw new Error(`more than 20 redirects, the last to ${url}`);
    }

    remember(response) {
        for (const line of response.headers.getSetCookie()) {
            const [pair, ...attributes] = line.split(";");
            const [name, value] = [pair.slice(0, pair.indexOf("=")).trim(), pair.slice(pair.indexOf("=") + 1)];
            const gone = attributes.some((a) => /^\s*max-age=(0|-\d+)\s*$/i.test(a));
            if (gone || value === "") this.cookies.delete(name);
            else this.cookies.set(name, value);
        }
    }

    // enter fetches the current challenge of a flow.
    enter(slug, query = "") {
        return this.flows.flowsExecutorGet({ flowSlug: slug, query });
    }

    // answer responds to it, and returns what comes next.
    answer(slug, response, query = "") {
        return this.flows.flowsExecutorSolve({ flowSlug: slug, query, flowChallengeResponseRequest: response });
    }
}
