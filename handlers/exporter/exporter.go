// Package exporter writes flows as blueprints, and records who took one out of
// the house. What such a blueprint says is decided in domain/blueprint; who may
// have it, by those who ask.
package exporter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/command"
)

// A View shows what exists to one export. What cannot be read looks as if it
// did not exist, so Fault is asked before anything is handed out.
type View interface {
	blueprint.View
	// Fault returns the first error of reading, if there was one.
	Fault() error
}

// An Exporter exports flows. Its method may be called concurrently.
type Exporter struct {
	Audits *command.Handler[audit.State]
	Look   func(ctx context.Context) View
	Wait   func(ctx context.Context) error // until the read models have seen all
	NewID  func() string                   // a new UUID
}

// A Job is one export.
type Job struct {
	Flow string // primary key
	By   string // id of the user who asks; empty for somebody with the data folder
	Meta codec.Meta
}

// Export writes a flow as a blueprint. It fails with NotFound if there is no
// such flow, and with whatever keeps the evidence from being written: what left
// the house unseen never left it.
func (x *Exporter) Export(ctx context.Context, j Job) ([]byte, error) {
	if err := x.Wait(ctx); err != nil {
		return nil, err
	}
	view := x.Look(ctx)
	out, err := blueprint.Export(view, j.Flow)
	if fault := view.Fault(); fault != nil {
		return nil, fmt.Errorf("look at what exists: %w", fault)
	}
	if err != nil {
		return nil, err
	}
	flow, _ := view.Get(object.FlowModel, j.Flow)
	slug, _ := flow.Fields["slug"].(string)
	sum := sha256.Sum256(out.Text)
	exported := audit.ObjectExported{
		Kind: object.FlowModel, Object: j.Flow, Name: slug, Count: out.Count, Digest: hex.EncodeToString(sum[:]), By: j.By,
	}
	// Dying behind this line leaves an export on record that nobody got.
	if _, err := x.Audits.Handle(ctx, eventstore.Stream("audit", x.NewID()), audit.Write{Event: exported}, j.Meta); err != nil {
		return nil, fmt.Errorf("record the export of %s: %w", j.Flow, err)
	}
	return out.Text, nil
}
