package exporter_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/command"
	"github.com/flowledger/flowledger/handlers/exporter"
)

func init() { codec.Register[audit.ObjectExported](1) }

// A shelf has one flow.
type shelf struct{ fault error }

func (shelf) Get(ref, pk string) (blueprint.Object, bool) {
	o := blueprint.Object{Model: object.FlowModel, PK: "f", Fields: map[string]any{"slug": "login", "name": "Log in"}}
	return o, pk == "f" && ref == object.FlowModel
}

func (shelf) All(string) []blueprint.Object                 { return nil }
func (shelf) Used(string) bool                              { return false }
func (shelf) SameSecret(string, string, domain.Secret) bool { return false }
func (s shelf) Fault() error                                { return s.fault }

func TestExport(t *testing.T) {
	tests := map[string]struct {
		flow   string
		shelf  shelf
		behind error // of the read models
		gone   bool  // the ledger cannot be written
		ok     bool
	}{
		"a flow":                           {flow: "f", ok: true},
		"one that is not there":            {flow: "g"},
		"what cannot be read":              {flow: "f", shelf: shelf{errors.New("disk")}},
		"read models that do not follow":   {flow: "f", behind: errors.New("stopped")},
		"evidence that cannot be recorded": {flow: "f", gone: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := vault.Open(vault.Memory, [32]byte{1}, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = v.Close() })
			store := memory.New(time.Now)
			c := &codec.Codec{Vault: v, Tenant: "t", Leak: func(event, key string) { t.Errorf("%s leaks %s", event, key) }}
			x := &exporter.Exporter{
				Audits: &command.Handler[audit.State]{Store: store, Codec: c},
				Look:   func(context.Context) exporter.View { return tt.shelf },
				Wait:   func(context.Context) error { return tt.behind }, NewID: func() string { return "n" },
			}
			ctx := t.Context()
			if tt.gone {
				gone, cancel := context.WithCancel(ctx)
				cancel()
				ctx = gone
			}
			text, err := x.Export(ctx, exporter.Job{Flow: tt.flow, By: "u", Meta: codec.Meta{Subject: "tenant", Time: time.Now()}})
			if (err == nil) != tt.ok || (len(text) > 0) != tt.ok {
				t.Fatalf("%d bytes, %v", len(text), err)
			}
			var got []any
			for e, err := range store.ReadStream(t.Context(), eventstore.Stream("audit", "n"), 0) {
				if err != nil {
					t.Fatal(err)
				}
				decoded, err := c.Decode(t.Context(), e)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, decoded.Event)
			}
			var want []any
			if tt.ok {
				sum := sha256.Sum256(text)
				want = []any{audit.ObjectExported{
					Kind: object.FlowModel, Object: "f", Name: "login", Count: 1, Digest: hex.EncodeToString(sum[:]), By: "u",
				}}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
			if tt.ok && !bytes.Contains(text, []byte("slug: login")) {
				t.Errorf("text: %s", text)
			}
		})
	}
}
