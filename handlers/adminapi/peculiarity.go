package adminapi

import (
	"context"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// A peculiarity is what the contract has about the things of a category beside
// the fields that the catalog tells. The zero one has nothing.
type peculiarity struct {
	order  []string // of lists, unless the client says otherwise
	search []string // the fields that a search looks into
	// derived are names that lists can be filtered and ordered by, beside the
	// fields. A list of values matches when one of them does.
	derived map[string]func(v *view, t object.Thing) any
	// adorn adds what is not written to what is shown.
	adorn func(ctx context.Context, v *view, k catalog.Kind, t object.Thing, out map[string]any) error
	// amend changes or refuses what is to be written. All is what the thing
	// will be; set are the fields that the client gives.
	amend func(s *Server, id string, all, set map[string]any) catalog.Problems
}

// peculiarityOf is the one table beside the catalog. What a category has of
// its own stands in the file that is named after it.
func peculiarityOf(c catalog.Category) peculiarity {
	switch c {
	case catalog.Flow:
		return flowPeculiarity()
	case catalog.Stage:
		return stagePeculiarity()
	case catalog.StageBinding:
		return stageBindingPeculiarity()
	case catalog.Policy:
		return policyPeculiarity()
	case catalog.PolicyBinding:
		return policyBindingPeculiarity()
	case catalog.Prompt:
		return promptPeculiarity()
	case catalog.Brand:
		return brandPeculiarity()
	case catalog.NotificationRule:
		return notificationRulePeculiarity()
	case catalog.NotificationTransport:
		return notificationTransportPeculiarity()
	case catalog.Sink:
		return sinkPeculiarity()
	}
	return peculiarity{order: []string{"name"}, search: []string{"name"}}
}

// configured tells whether things of this kind are objects that the generic
// endpoints serve. Users, groups, roles and invitations are aggregates of their
// own.
func configured(k catalog.Kind) bool {
	switch k.Category {
	case catalog.User, catalog.Group, catalog.Role, catalog.Invitation, catalog.Token:
		return false
	}
	return k.Path != ""
}

// primaryKey gives a thing's primary key as a name to filter by.
func primaryKey(_ *view, t object.Thing) any { return t.ID }

// targetKey gives a thing's second identifier as a name to filter by.
func targetKey(_ *view, t object.Thing) any { return catalog.TargetID(t.ID) }

// createdAt and updatedAt give the times of a thing as names to filter by.
func createdAt(_ *view, t object.Thing) any { return stamp(t.Created) }
func updatedAt(_ *view, t object.Thing) any { return stamp(t.Updated) }
