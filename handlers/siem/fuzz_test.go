package siem_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/siem"
)

// FuzzTextsAreEscaped writes records whose texts a stranger chose: a user agent,
// names, ids of requests, and names of configured things.
func FuzzTextsAreEscaped(f *testing.F) {
	for _, seed := range []string{
		"", "plain", `a|b\c=d`, "a\nb\rc\td", "] id=\"x\"", "=cmd|' /C calc'!A0", "-1+1", "@x", "\xff\xfe", "ünï\u2028\u0085\x00", " lead", "a, \"b\"",
		"cs1=x cs1Label=y", `\`, `\\`, "\u202e", "\ufeff", "a=b =c \\=d", "\t=1", "\r\n=1",
		strings.Repeat("long", 200),
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		payload, err := json.Marshal(map[string]string{"name": a, "kind": b, "cause": a, "correlation": b})
		if err != nil {
			t.Skip()
		}
		header := codec.Header{Correlation: a, Trace: b}
		header.Actor = codec.Actor{Kind: "user", ID: a, Session: b}
		header.Request = codec.Request{ID: a, Method: b, Route: a}
		header.Writer = codec.Writer{Version: a, Instance: b, Node: a}
		head, err := json.Marshal(header)
		if err != nil {
			t.Skip()
		}
		for typ, stream := range map[string]eventstore.StreamID{"ObjectChanged": "object-1", "LoginFailed": eventstore.StreamID("execution-" + a), "AuditQueried": "audit-1"} {
			r := siem.Record{
				Decoded: codec.Decoded{
					Recorded: eventstore.Recorded{
						NewEvent: eventstore.NewEvent{Type: typ, Schema: 1, Header: head, Payload: payload}, Stream: stream, RecordedAt: start,
					},
					Header: header,
				},
				Network: session.Network{IP: "203.0.113.77", UserAgent: a, Place: &session.Place{Country: b, City: a}, System: &session.System{Number: 1, Name: b}},
				Flow:    domain.Ref{ID: a, Name: b}, Slug: a, Designation: b, Stage: domain.Ref{ID: a, Name: b}, Policy: domain.Ref{ID: "p", Name: a},
				Session: b, User: siem.Person{ID: a, Username: b, Name: a, Email: "x@" + "example.org"}, Target: siem.Person{ID: b, Username: a},
			}
			for _, o := range []siem.Options{{Personal: true, All: true, Host: a, Version: b}, {Host: b}} {
				for _, format := range siem.Formats() {
					text, ok, err := format.Append(nil, r, o)
					if err != nil || !ok {
						t.Fatalf("%s: %v, %v", format, ok, err)
					}
					for _, complaint := range complaints(format, r, string(text)) {
						t.Errorf("%s of %q and %q: %s\n%s", format, a, b, complaint, text)
					}
				}
			}
		}
	})
}
