// The scenarios of how people enroll, recover, change and leave: what is
// configured for it, through authentik's published client.
import assert from "node:assert/strict";

import { Visitor } from "./browser.mjs";

const { BASE, TOKEN } = process.env;

const gone = (e) => e.response.status === 404;

// refused checks that a request is refused because of a field.
async function refused(request, field) {
    const e = await request.then(() => assert.fail("it is not refused"), (e) => e);
    assert.equal(e.response?.status, 400, String(e));
    assert.ok(field in (await e.response.json()), `it is not refused over ${field}`);
}

// Each kind: how the client calls it, what is sent, and what it is changed to.
const kinds = [
    ["Email", "email", { template: "email/account_confirmation.html", tokenExpiry: "minutes=5", password: "zq-secret" }, { activateUserOnSuccess: true }],
    ["Captcha", "captcha", { publicKey: "site", privateKey: "zq-secret", interactive: true, scoreMinThreshold: 0.25 }, { errorOnInvalidScore: false }],
    ["Consent", "consent", { mode: "expiring", consentExpireIn: "days=3" }, { mode: "permanent" }],
    ["InvitationStages", "invitation", { continueFlowWithoutInvitation: true }, { continueFlowWithoutInvitation: false }],
    ["UserDelete", "userDelete", {}, {}],
    ["UserWrite", "userWrite", { userCreationMode: "always_create", createUsersAsInactive: true }, { userPathTemplate: "users/new" }],
    ["Redirect", "redirect", { mode: "static", targetStatic: "https://example.org" }, { keepContext: false }],
];

export const stages = {
    // Each kind of stage is made, found, changed and deleted. What was secret
    // is not shown again.
    async stages() {
        const { stages } = new Visitor(BASE, TOKEN);
        for (const [kind, word, fields, change] of kinds) {
            const call = (verb, request) => stages[`stages${kind}${verb}`](request);
            const body = (extra) => ({ name: `node ${word}`, ...fields, ...extra });
            const { password, privateKey, ...shown } = fields; // all but what is secret
            const made = await call("Create", { [`${word}StageRequest`]: body() });
            for (const [name, value] of Object.entries(shown)) assert.equal(made[name], value, `${kind}: ${name}`);
            assert.ok(!JSON.stringify(made).includes("zq-secret"), `${kind} shows a secret`);
            const stageUuid = made.pk;
            assert.deepEqual(await call("Retrieve", { stageUuid }), made);
            for (const filter of [{ name: made.name }, { stageUuid }, { search: made.name }]) {
                assert.deepEqual((await call("List", filter)).results.map((one) => one.pk), [made.pk], `${kind}: ${Object.keys(filter)}`);
            }
            assert.deepEqual((await call("List", { name: "node nothing" })).results, []);
            const patch = `patched${word[0].toUpperCase()}${word.slice(1)}StageRequest`;
            const changed = await call("PartialUpdate", { stageUuid, [patch]: change });
            assert.deepEqual(changed, { ...made, ...change });
            await call("Update", { stageUuid, [`${word}StageRequest`]: body({ name: `node ${word} again` }) });
            assert.deepEqual(await call("UsedByList", { stageUuid }), []);
            await call("Destroy", { stageUuid });
            await assert.rejects(call("Retrieve", { stageUuid }), gone);
        }
        const templates = await stages.stagesEmailTemplatesList();
        assert.ok(templates.some((t) => t.name === "email/password_reset.html" && t.description === "Password Reset"));
        // There are no sources, so no stage can send anybody to one.
        assert.deepEqual((await stages.stagesSourceList({ resumeTimeout: "minutes=10" })).results, []);
        const source = "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10";
        await refused(stages.stagesSourceCreate({ sourceStageRequest: { name: "node source", source } }), "source");
    },

    // An invitation is made, mailed, found, changed and deleted.
    async invitations() {
        const { stages, flows } = new Visitor(BASE, TOKEN);
        const flow = await flows.flowsInstancesCreate({
            flowRequest: { name: "Join", slug: "node-join", title: "Join", designation: "enrollment" },
        });
        const expires = new Date(Date.now() + 3600_000);
        const made = await stages.stagesInvitationInvitationsCreate({
            invitationRequest: { name: "node-one", flow: flow.pk, singleUse: true, expires, fixedData: { email: "guest@example.org" } },
        });
        assert.equal(made.createdBy.username, "akadmin");
        assert.equal(made.flowObj.slug, "node-join");
        assert.equal(made.expires.getTime(), expires.getTime());
        assert.deepEqual(made.fixedData, { email: "guest@example.org" });
        const inviteUuid = made.pk;
        for (const filter of [{ name: "node-one" }, { flowSlug: "node-join" }, { createdByUsername: "akadmin" }, { search: "node-one" }]) {
            const listed = await stages.stagesInvitationInvitationsList(filter);
            assert.deepEqual(listed.results.map((one) => one.pk), [inviteUuid], JSON.stringify(filter));
        }
        const to = (emailAddresses) => ({ inviteUuid, invitationSendEmailRequest: { emailAddresses } });
        await stages.stagesInvitationInvitationsSendEmailCreate(to(["guest@example.org"]));
        await refused(stages.stagesInvitationInvitationsSendEmailCreate(to([])), "error");
        await refused(stages.stagesInvitationInvitationsSendEmailCreate(to(["nowhere"])), "email_addresses");
        const changed = await stages.stagesInvitationInvitationsPartialUpdate({
            inviteUuid, patchedInvitationRequest: { expires: null, flow: null },
        });
        assert.equal(changed.expires, undefined); // what the client makes of null
        assert.equal(changed.flow, undefined);
        await refused(stages.stagesInvitationInvitationsSendEmailCreate(to(["guest@example.org"])), "error");
        assert.deepEqual(await stages.stagesInvitationInvitationsUsedByList({ inviteUuid }), []);
        await stages.stagesInvitationInvitationsDestroy({ inviteUuid });
        await assert.rejects(stages.stagesInvitationInvitationsRetrieve({ inviteUuid }), gone);
        await flows.flowsInstancesDestroy({ slug: flow.slug });
    },

    // A prompt is looked at before it is kept, and asked for in a stage.
    async prompts() {
        const { stages } = new Visitor(BASE, TOKEN);
        const promptRequest = {
            name: "node color", fieldKey: "color", label: "Color", type: "radio-button-group", order: 3, subText: "Any will do.",
            placeholder: 'return ["red", "green"]', placeholderExpression: true,
            initialValue: 'return request.user.username and "green"', initialValueExpression: true,
        };
        const preview = await stages.stagesPromptPromptsPreviewCreate({ promptRequest });
        assert.equal(preview.component, "ak-stage-prompt");
        assert.deepEqual(preview.fields[0].choices, [{ label: "red", value: "red" }, { label: "green", value: "green" }]);
        assert.equal(preview.fields[0].initialValue, "green");
        assert.equal(preview.fields[0].subText, "Any will do.");
        assert.deepEqual((await stages.stagesPromptPromptsList({ search: "node color" })).results, []);
        const prompt = await stages.stagesPromptPromptsCreate({ promptRequest });
        for (const filter of [{ name: "node color" }, { fieldKey: "color" }, { label: "Color" }, { type: "radio-button-group" }]) {
            const listed = await stages.stagesPromptPromptsList(filter);
            assert.deepEqual(listed.results.map((one) => one.pk), [prompt.pk], JSON.stringify(filter));
        }
        const stage = await stages.stagesPromptStagesCreate({ promptStageRequest: { name: "node prompts", fields: [prompt.pk] } });
        assert.deepEqual(stage.fields, [prompt.pk]);
        const promptUuid = prompt.pk;
        const users = await stages.stagesPromptPromptsUsedByList({ promptUuid });
        assert.deepEqual(users.map((one) => one.pk), [stage.pk]);
        await stages.stagesPromptStagesDestroy({ stageUuid: stage.pk });
        await stages.stagesPromptPromptsDestroy({ promptUuid });
        await assert.rejects(stages.stagesPromptPromptsRetrieve({ promptUuid }), gone);
    },

    // Nobody has agreed to anything yet.
    async consents() {
        const { core } = new Visitor(BASE, TOKEN);
        assert.deepEqual((await core.coreUserConsentList({ user: 1 })).results, []);
        await assert.rejects(core.coreUserConsentRetrieve({ id: 99 }), gone);
        await assert.rejects(core.coreUserConsentDestroy({ id: 99 }), gone);
    },
};
