package openapi

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/catalog"
)

// A category is what the contract has about the things of a category beside
// the fields that the catalog tells.
type category struct {
	key     Parameter
	pk      string // what the primary key is called in answers
	adds    any    // a shape: what is not written
	filters []Parameter
}

// categories is the one table beside the catalog.
func categories() map[catalog.Category]category {
	return map[catalog.Category]category{
		catalog.Flow: {key: key("slug", ""), adds: flowAdds{}, filters: []Parameter{by("flow_uuid", uuid(""), "Primary key.")}},
		catalog.Stage: {
			key: key("stage_uuid", uuid("")), adds: stageAdds{}, filters: []Parameter{
				by("stage_uuid", uuid(""), "Primary key."), by("no_flows", false, "Whether it is in no flow."),
			},
		},
		catalog.StageBinding: {
			key: key("fsb_uuid", uuid("")), adds: stageBindingAdds{}, filters: []Parameter{
				by("fsb_uuid", uuid(""), "Primary key."), by("pbm_uuid", uuid(""), "Second identifier, to which policies are bound."),
				by("policies", []uuid{}, "Policies that are bound to it."),
			},
		},
		catalog.Policy: {
			key: key("policy_uuid", uuid("")), adds: policyAdds{}, filters: append(slices.Clone(unused), by("policy_uuid", uuid(""), "Primary key."),
				by("created", time.Time{}, "When it was made."), by("last_updated", time.Time{}, "When it was written last.")),
		},
		catalog.PolicyBinding: {
			key: key("policy_binding_uuid", uuid("")), adds: policyBindingAdds{}, filters: []Parameter{
				by("target", uuid(""), "Second identifier of what policies are bound to."),
				by("target_in", []uuid{}, "Several of them."),
			},
		},
		catalog.Prompt: {key: key("prompt_uuid", uuid("")), adds: promptAdds{}, filters: []Parameter{by("prompt_uuid", uuid(""), "Primary key.")}},
		catalog.Brand: {key: key("brand_uuid", uuid("")), pk: "brand_uuid", filters: []Parameter{
			by("brand_uuid", uuid(""), "Primary key."),
		}},
		catalog.NotificationRule: {
			key: key("pbm_uuid", uuid("")), adds: ruleAdds{}, filters: []Parameter{
				by("pbm_uuid", uuid(""), "Second identifier, to which policies are bound."), by("destination_group__name", "", "Name of the group."),
			},
		},
		catalog.NotificationTransport: {key: key("uuid", uuid("")), adds: transportAdds{}},
		catalog.Sink:                  {key: key("uuid", uuid(""))},
		catalog.Invitation: {
			key: key("invite_uuid", uuid("")), adds: invitationAdds{}, filters: []Parameter{
				by("created_by__username", "", "Username of who made it."), by("flow__slug", "", "Slug of the flow that it opens."),
			},
		},
	}
}

// unused pick policies that nothing uses, or that something does.
var unused = []Parameter{
	by("bindings__isnull", false, "Whether it is bound to nothing."),
	by("promptstage__isnull", false, "Whether no prompt stage validates with it."),
}

// named are the kinds whose schemas are not called by their names.
var named = map[string]string{
	"authentik_policies_unique_password.uniquepasswordpolicy":            "UniquePasswordPolicy",
	"authentik_stages_authenticator_validate.authenticatorvalidatestage": "AuthenticatorValidateStage",
}

// kinds describes everything in the catalog that has a path of its own. Users
// and groups have descriptions of their own.
func kinds(s *shapes) (out []resource) {
	all := categories()
	for _, k := range catalog.All() {
		c, ok := all[k.Category]
		if !ok || k.Path == "" {
			continue
		}
		r := resource{
			path: k.Path + "/", one: sentenceCase(k.Name), many: sentenceCase(k.Plural), key: c.key, name: strings.ReplaceAll(k.Name, " ", ""),
			search: true, ordered: true,
		}
		if name, ok := named[k.Model]; ok {
			r.name = name
		}
		pk := "pk"
		if c.pk != "" {
			pk = c.pk
		}
		r.fields = append(r.fields, field{name: pk, schema: &Schema{Type: "string", Format: "uuid"}, read: true})
		for _, f := range k.Fields() {
			r.fields = append(r.fields, fieldOf(f))
		}
		if c.adds != nil {
			r.fields = append(r.fields, s.fields(reflect.TypeOf(c.adds))...)
		}
		r.fields = append(r.fields, s.extras(k)...)
		r.filters = filtersOf(k, c.filters)
		out = append(out, r)
	}
	return out
}

// sentenceCase writes a name as it stands within a sentence: words in capitals
// stay.
func sentenceCase(name string) string {
	words := strings.Fields(name)
	for i, word := range words {
		if word[1:] == strings.ToLower(word[1:]) {
			words[i] = strings.ToLower(word)
		}
	}
	return strings.Join(words, " ")
}

// types of the catalog and what they are on the wire.
var types = map[catalog.Type]Schema{
	catalog.Text: {Type: "string"}, catalog.Bool: {Type: "boolean"}, catalog.Int: {Type: "integer"}, catalog.Float: {Type: "number"},
	catalog.Duration: {Type: "string", Description: "A duration, such as hours=1;minutes=30."},
	catalog.Time:     {Type: "string", Format: "date-time"}, catalog.Map: {Type: "object", Additional: &Schema{Nullable: true}},
	catalog.Reference: {Type: "string", Format: "uuid"},
}

// fieldOf is a field of the catalog as a property.
func fieldOf(f catalog.Field) field {
	out := field{name: f.Name, schema: schemaOf(f), write: f.Secret, required: f.Required}
	if f.Nullable {
		out.schema.Nullable = true
	}
	return out
}

// schemaOf is the shape of a field's values that are not null.
func schemaOf(f catalog.Field) *Schema {
	one := types[f.Type]
	if f.Ref == string(catalog.User) {
		one = Schema{Type: "integer"}
	}
	if f.Slug {
		one.Pattern = "^[-a-zA-Z0-9_]+$"
	}
	if len(f.Enum) > 0 {
		one.Enum = slices.Clone(f.Enum)
		if f.Blank {
			one.Enum = append(one.Enum, "")
		}
	}
	switch f.Type {
	case catalog.Int, catalog.Float:
		one.Minimum, one.Maximum = f.Min, f.Max
	case catalog.Text:
		one.MinLength, one.MaxLength = f.Min, f.Max
	}
	if f.Many {
		return list(&one)
	}
	return &one
}

// filtersOf are the filters of a list of a kind: its fields but for mappings
// and secrets, and what its category adds in their place.
func filtersOf(k catalog.Kind, added []Parameter) []Parameter {
	out := slices.Clone(added)
	for _, f := range k.Fields() {
		taken := slices.ContainsFunc(added, func(p Parameter) bool { return p.Name == f.Name })
		if taken || f.Secret || f.Type == catalog.Map {
			continue
		}
		out = append(out, parameter(f.Name, schemaOf(f), ""))
		if f.Nullable && f.Type == catalog.Reference {
			out = append(out, by(f.Name+"__isnull", false, "Whether there is none."))
		}
	}
	slices.SortFunc(out, func(a, b Parameter) int { return strings.Compare(a.Name, b.Name) })
	return out
}
