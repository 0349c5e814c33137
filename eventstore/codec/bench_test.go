package codec_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore/codec"
)

func BenchmarkEncode(b *testing.B) {
	c, _ := newCodec(b)
	meta := newMeta()
	for name, event := range map[string]codec.Event{
		"clear":  answered{place: full().place},
		"trace":  answered{place: full().place, Identifier: "ada@example.org"},
		"secret": answered{place: full().place, Typed: domain.NewSecret("t")},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Encode(b.Context(), stream, meta, event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	c, _ := newCodec(b)
	for name, event := range map[string]codec.Event{
		"clear": answered{place: full().place},
		"trace": answered{place: full().place, Identifier: "ada@example.org"},
	} {
		r := encode(b, c, newMeta(), event)[0]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Decode(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
