// Each scenario drives a running server with authentik's published client.
//
//	BASE=… TOKEN=… BLUEPRINT=… node scenarios.mjs NAME
//
// It exits with 0 when everything was as a client may expect.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { ResponseError, Visitor } from "./browser.mjs";
import { resources } from "./resources.mjs";
import { stages } from "./stages.mjs";

const { BASE, TOKEN, USERNAME, PASSWORD, BLUEPRINT } = process.env;
const slug = "default-authentication-flow";
const identification = "ak-stage-identification";
const password = "ak-stage-password";

const visitor = () => new Visitor(BASE);

// asked goes as far as the password.
async function asked(v, name) {
    const first = await v.enter(slug);
    assert.equal(first.component, identification);
    const second = await v.answer(slug, { component: identification, uidField: name });
    assert.equal(second.component, password);
    return second;
}

const scenarios = {
    // The flow that a login needs comes from authentik's own file.
    async imports() {
        const admin = new Visitor(BASE, TOKEN);
        const file = new File([await readFile(BLUEPRINT)], "flow-default-authentication-flow.yaml");
        for (const time of ["first", "second"]) {
            const result = await admin.managed.managedBlueprintsImportCreate({ file });
            assert.equal(result.success, true, `the ${time} import: ${JSON.stringify(result.logs)}`);
        }
        const flow = await admin.flows.flowsInstancesRetrieve({ slug });
        assert.equal(flow.designation, "authentication");
        assert.equal(flow.title, "Welcome to authentik!");
        assert.equal(flow.stages.length, 4);
        const me = await admin.core.coreUsersMeRetrieve();
        assert.equal(me.user.isSuperuser, true);
    },

    // Each kind of policy is made, tried, bound and deleted; the scores are read.
    async policies() {
        const { policies, flows } = new Visitor(BASE, TOKEN);
        const flow = await flows.flowsInstancesCreate({
            flowRequest: { name: "Guarded", slug: "node-guarded", title: "Guarded", designation: "stage_configuration" },
        });
        const kinds = [
            ["Dummy", { waitMin: 0, waitMax: 0, result: true }, true],
            ["EventMatcher", { action: "login" }, false],
            ["Expression", { expression: 'return context["kind"] == "Expression"' }, true],
            ["Geoip", { countries: ["DE"] }, true],
            ["Password", { lengthMin: 99, errorMessage: "Longer." }, false],
            ["PasswordExpiry", { days: 3650 }, true],
            ["Reputation", { checkIp: true, threshold: -99 }, false],
            ["UniquePassword", {}, true],
        ];
        for (const [order, [kind, fields, passing]] of kinds.entries()) {
            const body = { name: `node ${kind}`, ...fields };
            const type = { Geoip: "GeoIPPolicy" }[kind] ?? `${kind}Policy`;
            const made = await policies[`policies${kind}Create`]({ [`${type[0].toLowerCase()}${type.slice(1)}Request`]: body });
            assert.equal(made.name, body.name);
            const listed = await policies[`policies${kind}List`]({ search: body.name });
            assert.deepEqual(listed.results.map((p) => p.pk), [made.pk]);
            const context = { kind, password: "a password", geoip: { country: "DE" } };
            const tried = await policies.policiesAllTestCreate({ policyUuid: made.pk, policyTestRequest: { user: 1, context } });
            assert.equal(tried.passing, passing, `${kind}: ${JSON.stringify(tried)}`);
            const binding = await policies.policiesBindingsCreate({
                policyBindingRequest: { target: flow.pk, policy: made.pk, order },
            });
            assert.equal(binding.policyObj.name, body.name);
            assert.equal((await policies.policiesAllUsedByList({ policyUuid: made.pk })).length, 1);
            await policies[`policies${kind}Destroy`]({ policyUuid: made.pk });
            await assert.rejects(policies.policiesBindingsRetrieve({ policyBindingUuid: binding.pk }), (e) => e.response.status === 404);
        }
        const scores = await policies.policiesReputationScoresList({});
        assert.ok(scores.results.every((one) => Number.isInteger(one.score)));
        assert.equal((await policies.policiesGeoipIso3166List()).length, 249);
        await flows.flowsInstancesDestroy({ slug: flow.slug });
    },

    async login() {
        const v = visitor();
        const first = await v.enter(slug);
        assert.equal(first.component, identification);
        assert.equal(first.flowInfo.title, "Welcome to authentik!");
        assert.equal(first.flowDesignation, "authentication");
        assert.deepEqual([...first.userFields].sort(), ["email", "username"]);
        assert.equal(first.passwordFields, false);
        await assert.rejects(v.core.coreUsersMeRetrieve(), ResponseError);
        const before = v.cookies.get("authentik_session");

        const second = await v.answer(slug, { component: identification, uidField: USERNAME });
        assert.equal(second.component, password);
        assert.equal(second.pendingUser, USERNAME);
        const last = await v.answer(slug, { component: password, password: PASSWORD });
        assert.equal(last.component, "xak-flow-redirect");
        assert.equal(last.to, "/");
        assert.equal(last.finalRedirect, true);
        assert.notEqual(v.cookies.get("authentik_session"), before, "a login keeps the session's old identifier");

        const me = await v.core.coreUsersMeRetrieve();
        assert.equal(me.user.username, USERNAME);
        assert.equal(me.original, undefined);
        const config = await v.core.coreBrandsCurrentRetrieve();
        assert.ok(config.brandingTitle);
        const stranger = visitor();
        await assert.rejects(stranger.core.coreUsersMeRetrieve(), (e) => e.response.status === 403);
    },

    // The target of the page's query is where the login leads.
    async next() {
        const v = visitor();
        const query = "next=%2Fif%2Fuser%2F%3Fa%3Db";
        await v.enter(slug, query);
        await v.answer(slug, { component: identification, uidField: USERNAME }, query);
        const last = await v.answer(slug, { component: password, password: PASSWORD }, query);
        assert.equal(last.to, "/if/user/?a=b");
    },

    // Somebody who does not exist looks like somebody with a wrong password.
    async "unknown user"() {
        const v = visitor();
        const ghost = await asked(v, "nobody-of-that-name");
        assert.equal(ghost.pendingUser, "nobody-of-that-name");
        const refused = await v.answer(slug, { component: password, password: PASSWORD });
        const w = visitor();
        await asked(w, USERNAME);
        const wrong = await w.answer(slug, { component: password, password: "not it" });
        for (const ch of [refused, wrong]) {
            assert.equal(ch.component, password);
            assert.deepEqual(Object.keys(ch.responseErrors), ["password"]);
        }
        assert.deepEqual(refused.responseErrors, wrong.responseErrors);
        assert.deepEqual(Object.keys(refused).sort(), Object.keys(wrong).sort());
    },

    // The password stage of the file asks five times (the default), then the flow is over.
    async "wrong password"() {
        const v = visitor();
        await asked(v, USERNAME);
        let ch;
        let answers = 0;
        do {
            ch = await v.answer(slug, { component: password, password: `wrong ${answers}` });
            answers++;
        } while (ch.component === password && answers < 20);
        assert.equal(ch.component, "ak-stage-access-denied");
        assert.equal(answers, 5);
        assert.ok(ch.errorMessage);
        // It starts over, and the right password is still right.
        await asked(v, USERNAME);
        const last = await v.answer(slug, { component: password, password: PASSWORD });
        assert.equal(last.component, "xak-flow-redirect");
    },

    async "denied flow"() {
        const v = visitor();
        const ch = await v.enter("node-denied");
        assert.equal(ch.component, "ak-stage-access-denied");
        assert.equal(ch.errorMessage, "Not today.");
        assert.ok(ch.flowInfo.cancelUrl);
    },

    // An answer to a stage that has gone by changes nothing and gets the stage
    // that is up.
    async "stale component"() {
        const v = visitor();
        await asked(v, USERNAME);
        const stale = await v.answer(slug, { component: identification, uidField: "somebody-else" });
        assert.equal(stale.component, password);
        assert.equal(stale.pendingUser, USERNAME);
        assert.equal(stale.responseErrors, undefined);
        const last = await v.answer(slug, { component: password, password: PASSWORD });
        assert.equal(last.component, "xak-flow-redirect");
        assert.equal((await v.core.coreUsersMeRetrieve()).user.username, USERNAME);
    },

    async "unknown flow"() {
        await assert.rejects(visitor().enter("no-such-flow"), (e) => e instanceof ResponseError && e.response.status === 404);
        await assert.rejects(visitor().answer("no-such-flow", { component: password, password: "x" }),
            (e) => e instanceof ResponseError && e.response.status === 404);
    },

    async "empty answers"() {
        const v = visitor();
        await v.enter(slug);
        const nobody = await v.answer(slug, { component: identification, uidField: "" });
        assert.equal(nobody.component, identification);
        assert.ok(Object.keys(nobody.responseErrors).length > 0);
        await asked(v, USERNAME);
        const nothing = await v.answer(slug, { component: password, password: "" });
        assert.equal(nothing.component, password);
        assert.ok(nothing.responseErrors.password.length > 0);
    },
};

Object.assign(scenarios, stages, resources);

const name = process.argv[2];
if (!scenarios[name]) {
    console.error(`no scenario ${name}; there are: ${Object.keys(scenarios).join(", ")}`);
    process.exit(2);
}
await scenarios[name]();
