// What is sent for each resource that the server describes.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { Visitor } from "./browser.mjs";
import { Client, cycle, fails } from "./everything.mjs";

const { BASE, TOKEN, USERNAME, PASSWORD, BLUEPRINT } = process.env;
const nothing = "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10";
const slug = "default-authentication-flow";

// loggedIn is a browser in which somebody is logged in.
async function loggedIn(username, password) {
    const v = new Visitor(BASE);
    await v.enter(slug);
    await v.answer(slug, { component: "ak-stage-identification", uidField: username });
    const last = await v.answer(slug, { component: "ak-stage-password", password });
    assert.equal(last.component, "xak-flow-redirect", JSON.stringify(last));
    return v;
}

// Each kind of stage: its fields, and what is changed of them.
const stageKinds = {
    "authenticator/validate": { make: { notConfiguredAction: "skip" }, change: { lastAuthThreshold: "hours=1" } },
    captcha: { make: { publicKey: "site", privateKey: "key" }, change: { interactive: true } },
    consent: { make: { mode: "permanent" }, change: { mode: "always_require" }, find: { mode: "permanent" } },
    deny: { make: { denyMessage: "No." }, change: { denyMessage: "Never." }, find: { denyMessage: "No." } },
    dummy: { change: { throwError: true }, find: { throwError: false } },
    email: { make: { subject: "Hello" }, change: { useGlobalSettings: true }, find: { subject: "Hello" } },
    identification: { make: { userFields: ["email"] }, change: { showMatchedUser: false }, find: { userFields: undefined } },
    "invitation/stages": { change: { continueFlowWithoutInvitation: true }, find: { noFlows: true } },
    password: { make: { backends: ["authentik.core.auth.InbuiltBackend"] }, change: { failedAttemptsBeforeCancel: 3 } },
    redirect: { make: { mode: "static", targetStatic: "https://example.org" }, change: { keepContext: false } },
    user_delete: {},
    user_login: { change: { sessionDuration: "hours=8" } },
    user_logout: {},
    user_write: { change: { createUsersAsInactive: true }, find: { createUsersAsInactive: false } },
};

// Each kind of policy.
const policyKinds = {
    dummy: { make: { result: true, waitMin: 0, waitMax: 0 }, change: { result: false }, find: { result: true } },
    event_matcher: { make: { action: "login" }, change: { action: "logout" }, find: { action: "login" } },
    expression: { make: { expression: "return True" }, change: { executionLogging: true }, find: { expression: "return True" } },
    geoip: { make: { countries: ["DE"] }, change: { checkImpossibleTravel: true } },
    password: { make: { lengthMin: 12, errorMessage: "Longer." }, change: { lengthMin: 14 }, find: { lengthMin: 12 } },
    password_expiry: { make: { days: 30 }, change: { denyOnly: true }, find: { days: 30 } },
    reputation: { make: { checkIp: true, threshold: -7 }, change: { threshold: -9 }, find: { threshold: -7 } },
    unique_password: { make: { numHistoricalPasswords: 3 }, change: { passwordField: "secret" }, find: { numHistoricalPasswords: 3 } },
};

async function stages(c) {
    for (const [kind, { make = {}, change = {}, find = {} }] of Object.entries(stageKinds)) {
        const name = `every ${kind}`;
        await cycle(c, `/stages/${kind}/`, { make: { name, ...make }, change: { name: `${name} again`, ...change }, find: { name, ...find } });
    }
    // There are no sources, so there are no stages of theirs.
    await fails(400, c.call("stages_source_create", undefined, { name: "every source", source: nothing }));
    assert.deepEqual((await c.call("stages_source_list")).results, []);
    for (const verb of ["retrieve", "used_by_list", "destroy"]) await fails(404, c.call(`stages_source_${verb}`, nothing));
    await fails(404, c.call("stages_source_update", nothing, { name: "every source", source: nothing }));
    await fails(404, c.call("stages_source_partial_update", nothing, {}));
    await c.call("stages_email_templates_list");
    assert.ok((await c.call("stages_all_types_list")).length > 10);
    await c.call("stages_all_user_settings_list");
    const stage = await c.call("stages_dummy_create", undefined, { name: "every all" });
    const listed = await c.call("stages_all_list", undefined, undefined, { name: "every all", ordering: "name" });
    assert.deepEqual(listed.results.map((one) => one.pk), [stage.pk]);
    assert.equal((await c.call("stages_all_retrieve", stage)).name, "every all");
    assert.deepEqual(await c.call("stages_all_used_by_list", stage), []);
    await c.call("stages_all_destroy", stage);
    const prompt = { name: "every prompt", fieldKey: "every", label: "Every", type: "text" };
    assert.equal((await c.call("stages_prompt_prompts_preview_create", undefined, prompt)).component, "ak-stage-prompt");
    await cycle(c, "/stages/prompt/prompts/", {
        make: prompt, change: { label: "Each" }, find: { fieldKey: "every", type: "text" },
        meanwhile: (made) => cycle(c, "/stages/prompt/stages/", { make: { name: "every prompts", fields: [made.pk] }, find: { fields: [made.pk] } }),
    });
}

async function policies(c) {
    for (const [kind, { make, change, find = {} }] of Object.entries(policyKinds)) {
        const name = `every ${kind}`;
        await cycle(c, `/policies/${kind}/`, { make: { name, ...make }, change, find: { name, ...find } });
    }
    const policy = await c.call("policies_dummy_create", undefined, { name: "every all", result: true, waitMin: 0, waitMax: 0 });
    const unbound = await c.call("policies_all_list", undefined, undefined, { bindingsIsnull: true, search: "every all" });
    assert.deepEqual(unbound.results.map((one) => one.pk), [policy.pk]);
    assert.equal((await c.call("policies_all_retrieve", policy)).boundTo, 0);
    assert.equal((await c.call("policies_all_test_create", policy, { user: 1 })).passing, true);
    const flow = await c.call("flows_instances_create", undefined, { name: "Bound", slug: "every-bound", title: "Bound", designation: "recovery" });
    await cycle(c, "/policies/bindings/", {
        make: { target: flow.pk, policy: policy.pk, order: 3 }, change: { enabled: false },
        find: { search: "every all", policy: policy.pk, target: flow.policybindingmodelPtrId, targetIn: [flow.policybindingmodelPtrId], order: 3 },
    });
    await c.call("flows_instances_destroy", flow);
    assert.deepEqual(await c.call("policies_all_used_by_list", policy), []);
    await c.call("policies_all_destroy", policy);
    assert.ok((await c.call("policies_all_types_list")).length > 5);
    assert.equal((await c.call("policies_all_cache_info_retrieve")).count, 0);
    await c.call("policies_all_cache_clear_create");
    assert.equal((await c.call("policies_geoip_iso3166_list")).length, 249);
    await c.call("policies_reputation_scores_list", undefined, undefined, { identifierIn: ["nobody", "else"], ordering: "score" });
    for (const verb of ["retrieve", "used_by_list", "destroy"]) await fails(404, c.call(`policies_reputation_scores_${verb}`, nothing));
}

async function flows(c) {
    const stage = await c.call("stages_dummy_create", undefined, { name: "every bound" });
    await cycle(c, "/flows/instances/", {
        make: { name: "Every", slug: "every-flow", title: "Every flow", designation: "stage_configuration" },
        change: { title: "Each flow" }, find: { slug: "every-flow", name: "Every", designation: "stage_configuration" },
        async meanwhile(flow) {
            await cycle(c, "/flows/bindings/", {
                make: { target: flow.pk, stage: stage.pk, order: 4 }, change: { reEvaluatePolicies: false },
                find: { search: "every bound", target: flow.pk, stage: stage.pk, order: 4 },
            });
            await c.call("flows_bindings_create", undefined, { target: flow.pk, stage: stage.pk, order: 4 });
            assert.match((await c.call("flows_instances_diagram_retrieve", flow)).diagram, /graph/);
            if (c.has("flows_instances_export_retrieve")) await c.call("flows_instances_export_retrieve", flow);
            // To execute and inspect a flow takes a browser.
            const admin = await loggedIn(USERNAME, PASSWORD);
            admin.log = c.visitor.log;
            assert.match((await admin.flows.flowsInstancesExecuteRetrieve({ slug: flow.slug })).link, /every-flow/);
            assert.equal((await admin.flows.flowsInspectorGet({ flowSlug: flow.slug })).isCompleted, false);
            const challenge = await admin.enter(flow.slug);
            assert.equal(challenge.component, "ak-stage-dummy");
            assert.equal((await admin.answer(flow.slug, { component: "ak-stage-dummy" })).component, "xak-flow-redirect");
        },
    });
    await c.call("stages_dummy_destroy", stage);
    assert.equal((await c.call("flows_instances_cache_info_retrieve")).count, 0);
    await c.call("flows_instances_cache_clear_create");
}

async function people(c) {
    const fields = { username: "every-user", name: "Every User", email: "every@example.org", path: "users/every" };
    const password = "an honest passphrase 7";
    const group = { name: "every group", attributes: { a: 1 } };
    await cycle(c, "/core/users/", {
        make: fields, change: { name: "Each User" }, find: { username: "every-user", email: fields.email, path: "users/every", isSuperuser: false },
        async meanwhile(user) {
            await c.call("core_users_set_password_create", user, { password });
            await sessions(c, user, password);
            await recovery(c, user);
            await fails(400, c.call("core_users_set_password_hash_create", user, { password: "no hash" }));
            await cycle(c, "/core/groups/", {
                make: group, change: { name: "each group" }, find: { name: "every group", isSuperuser: false },
                async meanwhile(made) {
                    await c.call("core_groups_add_user_create", made, { pk: user.pk });
                    assert.deepEqual((await c.call("core_groups_retrieve", made)).users, [user.pk]);
                    await c.call("core_groups_remove_user_create", made, { pk: user.pk });
                },
            });
            await roles(c, user);
            await cycle(c, "/core/tokens/", {
                make: { identifier: "every-token", user: user.pk, intent: "api" }, change: { description: "Each" },
                find: { search: "every-token", identifier: "every-token", userUsername: "every-user" },
                async meanwhile(token) {
                    await fails(403, c.call("core_tokens_view_key_retrieve", token));
                    await c.call("core_tokens_set_key_create", token, { key: "a-key-of-one's-own-0123456789-abcdefghijklmnopqrstuvwxyz" });
                },
            });
        },
    });
    const service = await c.call("core_users_service_account_create", undefined, { name: "every-service", createGroup: true });
    assert.ok(service.token.length > 20);
    await c.call("core_users_destroy", service.userPk);
    await c.call("core_groups_destroy", service.groupPk);
    assert.ok((await c.call("core_users_paths_retrieve")).paths.includes("users"));
    assert.equal((await c.call("core_users_me_retrieve")).user.username, USERNAME);
}

// sessions are looked at, and ended.
async function sessions(c, user, password) {
    await loggedIn(user.username, password);
    await loggedIn(user.username, password);
    const { results } = await c.call("core_authenticated_sessions_list", undefined, undefined, { userUsername: user.username });
    assert.equal(results.length, 2);
    assert.equal((await c.call("core_authenticated_sessions_retrieve", results[0])).user, user.pk);
    assert.deepEqual(await c.call("core_authenticated_sessions_used_by_list", results[0]), []);
    await c.call("core_authenticated_sessions_destroy", results[0]);
    const ended = await c.call("core_authenticated_sessions_bulk_delete_destroy", undefined, undefined, { userPks: [user.pk] });
    assert.equal(ended.deleted, 1);
}

// recovery makes links for who cannot log in.
async function recovery(c, user) {
    const flow = await c.call("flows_instances_create", undefined, { name: "Recover", slug: "every-recovery", title: "Recover", designation: "recovery" });
    const mail = await c.call("stages_email_create", undefined, { name: "every mail" });
    await cycle(c, "/core/brands/", { make: { domain: "every.example.org" }, change: { brandingTitle: "Every" }, find: { domain: "every.example.org" } });
    const { results: [brand] } = await c.call("core_brands_list", undefined, undefined, { _default: true });
    await c.call("core_brands_partial_update", brand, { flowRecovery: flow.pk });
    assert.match((await c.call("core_users_recovery_create", user, {})).link, /every-recovery/);
    await c.call("core_users_recovery_email_create", user, { emailStage: mail.pk });
    assert.equal((await c.call("core_brands_current_retrieve")).flowRecovery, "every-recovery");
    await c.call("core_brands_partial_update", brand, { flowRecovery: brand.flowRecovery ?? null });
    await c.call("stages_email_destroy", mail);
    await c.call("flows_instances_destroy", flow);
}

async function roles(c, user) {
    await cycle(c, "/rbac/roles/", {
        make: { name: "every role" }, change: { name: "each role" }, find: { name: "every role" },
        async meanwhile(role) {
            await c.call("rbac_roles_add_user_create", role, { pk: user.pk });
            const permissions = ["authentik_flows.view_flow"];
            await c.call("rbac_permissions_assigned_by_roles_assign", role, { permissions });
            const assigned = await c.call("rbac_permissions_assigned_by_roles_list", undefined, undefined, { model: "authentik_flows.flow" });
            assert.ok(assigned.results.some((one) => one.rolePk === role.pk));
            const { results } = await c.call("rbac_permissions_list", undefined, undefined, { role: role.pk });
            assert.deepEqual(results.map((one) => one.codename), ["view_flow"]);
            assert.equal((await c.call("rbac_permissions_retrieve", results[0].id)).codename, "view_flow");
            assert.deepEqual((await c.call("rbac_permissions_roles_list", undefined, undefined, { uuid: role.pk })).results, []);
            await c.call("rbac_permissions_assigned_by_roles_unassign_partial_update", role, { permissions });
            await c.call("rbac_roles_remove_user_create", role, { pk: user.pk });
        },
    });
}

async function events(c) {
    const event = await c.call("events_events_create", undefined, { action: "custom_every", app: "every" });
    const found = await c.call("events_events_list", undefined, undefined, { action: "custom_every" });
    assert.ok(found.results.some((one) => one.pk === event.pk));
    assert.equal((await c.call("events_events_retrieve", event)).app, "every");
    const refused = [["update", { action: "login", app: "x" }], ["partial_update", {}], ["destroy"]];
    for (const [verb, body] of refused) await fails(403, c.call(`events_events_${verb}`, event, body));
    assert.ok((await c.call("events_events_actions_list")).length > 10);
    assert.ok((await c.call("events_events_volume_list", undefined, undefined, { historyDays: 1 })).length > 0);
    await c.call("events_events_top_per_user_list", undefined, undefined, { topN: 3 });
    assert.ok((await c.call("events_events_stats_retrieve", undefined, undefined, { countSteps: ["hours=1"] })).uniqueUsers >= 0);
    if (c.has("events_events_export_create")) {
        const made = await c.call("events_events_export_create", undefined, undefined, { action: "custom_every" });
        // Another node than the one that wrote the file does not have it.
        const elsewhere = (fault) => assert.ok(process.env.SEVERAL_NODES, fault);
        const listed = (await c.call("reports_exports_list")).results.find((one) => one.id === made.id);
        if (!listed) elsewhere("the export is not listed");
        const found = await c.call("reports_exports_retrieve", made.id).catch(elsewhere);
        if (!found?.completed) elsewhere("the export is not complete");
        await c.call("reports_exports_destroy", made.id).catch(elsewhere);
    }
    await cycle(c, "/events/rules/", { make: { name: "every rule", severity: "alert" }, change: { severity: "notice" }, find: { severity: "alert" } });
    await cycle(c, "/events/transports/", {
        make: { name: "every transport", mode: "local" }, change: { sendOnce: true }, find: { mode: "local" },
        async meanwhile(transport) {
            await c.call("events_transports_test_create", transport);
            const { results: [first] } = await c.call("events_notifications_list", undefined, undefined, { seen: false });
            assert.ok(first, "the trial of a transport tells nobody");
            assert.equal((await c.call("events_notifications_retrieve", first)).pk, first.pk);
            assert.equal((await c.call("events_notifications_partial_update", first, { seen: true })).seen, true);
            assert.equal((await c.call("events_notifications_update", first, { seen: false })).seen, false);
            assert.deepEqual(await c.call("events_notifications_used_by_list", first), []);
            await c.call("events_notifications_mark_all_seen_create");
            await c.call("events_notifications_destroy", first);
        },
    });
}

async function managed(c) {
    const content = "version: 1\nmetadata: {name: every}\nentries: []\n";
    await cycle(c, "/managed/blueprints/", {
        make: { name: "every blueprint", content, path: "" }, change: { enabled: false }, find: { name: "every blueprint" },
        meanwhile: (made) => c.call("managed_blueprints_apply_create", made),
    });
    assert.ok((await c.call("managed_blueprints_available_list")).length >= 0);
    const file = new File([await readFile(BLUEPRINT)], "flow.yaml");
    assert.equal((await c.call("managed_blueprints_import_create", undefined, undefined, { file })).success, true);
}

async function rest(c) {
    await c.call("root_config_retrieve");
    await c.call("schema_retrieve");
    assert.deepEqual((await c.call("core_applications_list")).results, []);
    assert.deepEqual((await c.call("core_user_consent_list", undefined, undefined, { user: 1 })).results, []);
    for (const verb of ["retrieve", "used_by_list", "destroy"]) await fails(404, c.call(`core_user_consent_${verb}`, 99));
    const flow = await c.call("flows_instances_create", undefined, { name: "Join", slug: "every-join", title: "Join", designation: "enrollment" });
    await cycle(c, "/stages/invitation/invitations/", {
        make: { name: "every-invitation", flow: flow.pk }, change: { singleUse: true }, find: { name: "every-invitation", flowSlug: "every-join" },
        meanwhile: (made) => c.call("stages_invitation_invitations_send_email_create", made, { emailAddresses: ["guest@example.org"] }),
    });
    await c.call("flows_instances_destroy", flow);
}

export const resources = {
    // Every operation that is served, and that the client knows, is called.
    async resources() {
        const c = new Client(BASE, TOKEN);
        await c.learn();
        assert.ok(c.operations.size > 300, "the server describes hardly anything");
        for (const part of [managed, stages, policies, flows, people, events, rest]) await part(c);
        assert.deepEqual(c.missing(), [], "operations that nobody called");
    },
};
