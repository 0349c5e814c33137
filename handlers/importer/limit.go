package importer

import (
	"encoding/json"
	"fmt"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore"
)

// margin is what an event has beside the fields of a thing.
const margin = 4 << 10

// fits refuses what no event can hold, before anything is begun: an import that
// the ledger refuses in the middle could never be finished.
func fits(j Job, changes []blueprint.Change) error {
	for _, c := range changes {
		clear, sealed, limit := 0, 0, eventstore.MaxPayload-margin
		switch c.Model {
		case object.UserModel, object.GroupModel, object.InvitationModel:
			limit = eventstore.MaxSealed - margin // what names people is sealed
		}
		for name, value := range c.Set {
			if secret, ok := value.(domain.Secret); ok {
				sealed += len(secret.Reveal()) + len(name)
				continue
			}
			n, err := sizeOf(value, c.Previous[name])
			if err != nil {
				return fmt.Errorf("measure %s of %s: %w", name, c.Model, err)
			}
			clear += n + 2*len(name)
		}
		if clear > limit || sealed > eventstore.MaxSealed-margin {
			return &blueprint.Error{
				File: j.File, Entry: c.Entry, EntryID: c.EntryID, Model: c.Model,
				Message: fmt.Sprintf("the fields are larger than %d bytes together", limit),
			}
		}
	}
	return nil
}

// sizeOf is how much room values take in an event.
func sizeOf(values ...any) (n int, err error) {
	for _, v := range values {
		text, err := json.Marshal(v)
		if err != nil {
			return 0, err
		}
		n += len(text) + len(`"":,`)
	}
	return n, nil
}
