package blueprint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
)

// metaModel applies another blueprint first (spec/blueprints.md 4).
const metaModel = "authentik_blueprints.metaapplyblueprint"

// renamed maps models of old files to what they are called today
// (spec/blueprints.md 7.3).
var renamed = map[string]string{
	"authentik_tenants.tenant": "authentik_brands.brand",
	"authentik_stages_authenticator_webauthn.authenticatewebauthnstage": "authentik_stages_authenticator_webauthn.authenticatorwebauthnstage",
}

// bases maps base classes, which can be looked up and not imported, to the
// refs of the kinds below them.
var bases = map[string]string{
	"authentik_flows.stage":                       string(catalog.Stage),
	"authentik_policies.policy":                   string(catalog.Policy),
	"authentik_policies.policybindingmodel":       "target",
	"authentik_core.source":                       "source",
	"authentik_core.provider":                     "provider",
	"authentik_core.propertymapping":              "property mapping",
	"authentik_core.usersourceconnection":         "source connection",
	"authentik_core.groupsourceconnection":        "source connection",
	"authentik_endpoints.connector":               "connector",
	"authentik_outposts.outpostserviceconnection": "service connection",
}

// contractModels are the models of the contract, by app. Those without a kind
// in the catalog are known and not supported.
const contractModels = `
agents: agent
blueprints: blueprintinstance metaapplyblueprint
brands: brand
core: group user application applicationentitlement token objectattribute actor
crypto: certificatekeypair
endpoints: deviceuserbinding deviceaccessgroup endpointstage
endpoints_connectors_agent: agentconnector agentdeviceuserbinding enrollmenttoken
endpoints_connectors_fleet: fleetconnector
endpoints_connectors_google_chrome: googlechromeconnector
enterprise: license
events: event notificationtransport notification notificationrule notificationwebhookmapping
flows: flow flowstagebinding
lifecycle: lifecyclerule lifecycleiteration review useroffboarding
outposts: dockerserviceconnection kubernetesserviceconnection outpost
policies: policybinding
policies_dummy: dummypolicy
policies_event_matcher: eventmatcherpolicy
policies_expiry: passwordexpirypolicy
policies_expression: expressionpolicy
policies_geoip: geoippolicy
policies_password: passwordpolicy
policies_reputation: reputationpolicy
policies_unique_password: uniquepasswordpolicy
providers_google_workspace: googleworkspaceprovider googleworkspaceprovidermapping
providers_ldap: ldapprovider
providers_microsoft_entra: microsoftentraprovider microsoftentraprovidermapping
providers_oauth2: scopemapping oauth2provider oauth2dynamicclientregistration
providers_proxy: proxyprovider
providers_rac: racprovider endpoint racpropertymapping
providers_radius: radiusprovider radiusproviderpropertymapping
providers_saml: samlprovider samlpropertymapping
providers_scim: scimprovider scimmapping
providers_ssf: ssfprovider
providers_ws_federation: wsfederationprovider
rbac: role initialpermissions
reports: dataexport
requests: requestrulechildbinding requestrulebinding requestrule grantrequest
sources_kerberos: kerberossource kerberossourcepropertymapping userkerberossourceconnection groupkerberossourceconnection
sources_ldap: ldapsource ldapsourcepropertymapping userldapsourceconnection groupldapsourceconnection
sources_oauth: oauthsource oauthsourcepropertymapping useroauthsourceconnection groupoauthsourceconnection
sources_plex: plexsource plexsourcepropertymapping userplexsourceconnection groupplexsourceconnection
sources_saml: samlsource samlsourcepropertymapping usersamlsourceconnection groupsamlsourceconnection
sources_scim: scimsource scimsourcepropertymapping
sources_telegram: telegramsource telegramsourcepropertymapping usertelegramsourceconnection grouptelegramsourceconnection
stages_account_lockdown: accountlockdownstage
stages_authenticator_duo: authenticatorduostage duodevice
stages_authenticator_email: authenticatoremailstage emaildevice
stages_authenticator_endpoint_gdtc: authenticatorendpointgdtcstage
stages_authenticator_sms: authenticatorsmsstage smsdevice
stages_authenticator_static: authenticatorstaticstage staticdevice
stages_authenticator_totp: authenticatortotpstage totpdevice
stages_authenticator_validate: authenticatorvalidatestage
stages_authenticator_webauthn: authenticatorwebauthnstage webauthndevice webauthndevicetype
stages_captcha: captchastage
stages_consent: consentstage
stages_deny: denystage
stages_dummy: dummystage
stages_email: emailstage
stages_identification: identificationstage
stages_invitation: invitationstage invitation
stages_mtls: mutualtlsstage
stages_password: passwordstage
stages_prompt: prompt promptstage
stages_redirect: redirectstage
stages_source: sourcestage
stages_user_delete: userdeletestage
stages_user_login: userloginstage
stages_user_logout: userlogoutstage
stages_user_write: userwritestage
tasks_schedules: schedule
tenants: domain
`

var contract = contractTable()

// contractTable maps apps to their models.
func contractTable() map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(contractModels) {
		if app, models, ok := strings.Cut(line, ": "); ok {
			out["authentik_"+app] = strings.Fields(models)
		}
	}
	return out
}

// canonical brings a model's name into the form of the tables: the part after
// the dot in lower case, and what old files call differently by its name of
// today.
func canonical(model string) string {
	app, name, _ := strings.Cut(model, ".")
	model = app + "." + strings.ToLower(name)
	if now, ok := renamed[model]; ok {
		return now
	}
	return model
}

func isBase(model string) bool {
	_, ok := bases[canonical(model)]
	return ok
}

// isKnown tells whether the contract has a model, supported or not.
func isKnown(model string) bool {
	app, name, _ := strings.Cut(canonical(model), ".")
	return slices.Contains(contract[app], name)
}

// refOf gives the ref by which !Find looks a model up. It is empty for models
// that are known and of which nothing can exist.
func refOf(model string) (string, error) {
	name := canonical(model)
	if kind, ok := catalog.Lookup(name); ok {
		return kind.Model, nil
	}
	if ref, ok := bases[name]; ok {
		return ref, nil
	}
	if isKnown(name) {
		return "", nil
	}
	app, base, _ := strings.Cut(model, ".")
	if _, known := contract[app]; known {
		return "", faultf("App '%s' doesn't have a '%s' model.", app, base)
	}
	return "", faultf("No installed app with label '%s'.", app)
}

// kindsOf lists the kinds that a ref names.
func kindsOf(ref string) []catalog.Kind {
	var out []catalog.Kind
	for _, kind := range catalog.All() {
		if kind.Match(ref) {
			out = append(out, kind)
		}
	}
	return out
}

// builtins is the context that every document has.
func builtins() map[string]any {
	models := map[string]any{}
	for _, kind := range catalog.All() {
		models[strings.ToLower(kind.Base())] = kind.App()
	}
	return map[string]any{
		"goauthentik.io/enterprise/licensed": false,
		"goauthentik.io/rbac/models":         models,
	}
}

// modelFault says why an entry's model cannot be imported.
func modelFault(model string) error {
	if isBase(model) {
		return faultf("Model %s not allowed", model)
	}
	return faultf("Model %s is not supported by this release", model)
}

// splitModel parts a model's name for the log.
func splitModel(model string) map[string]any {
	app, name, _ := strings.Cut(model, ".")
	return map[string]any{"app": app, "model": name}
}

// serializerFault words what is wrong with an entry's fields as the contract
// does. The first field, by name, takes the blame.
func serializerFault(problems catalog.Problems) error {
	if len(problems) == 0 {
		return nil
	}
	m := newMapping()
	for _, field := range slices.Sorted(maps.Keys(problems)) {
		var list []any
		for _, sentence := range problems[field] {
			list = append(list, sentence)
		}
		m.set(field, list)
	}
	f := faultf("Serializer errors %s", pyRepr(m))
	if f.field = m.keys[0]; f.field == catalog.NonField {
		f.field = ""
	}
	return f
}

func unsupportedLookup(lookup string) error {
	return faultf("Unsupported lookup '%s' or join on the field not permitted.", lookup)
}

// unknownField is the database's sentence about a name that is no field.
func unknownField(name string, kinds []catalog.Kind) *fault {
	choices := []string{"pk"}
	for _, kind := range kinds {
		for _, f := range kind.Fields() {
			if !f.Secret && !slices.Contains(choices, f.Name) {
				choices = append(choices, f.Name)
			}
		}
	}
	slices.Sort(choices)
	return &fault{field: name, message: fmt.Sprintf("Cannot resolve keyword '%s' into field. Choices are: %s", name, strings.Join(choices, ", "))}
}
