package codec_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// The types below are registered by TestRegisterRefuses only, and in vain.
type (
	clearSecret struct {
		S domain.Secret `json:"s"`
	}
	tracedSecret struct {
		S map[string][]domain.Secret `json:"s" seal:"T"`
	}
	nestedSecret struct {
		S []deep `json:"s"`
	}
	pointedSecret struct {
		S *domain.Secret `json:"s"`
	}
	sealedInside struct {
		List []owned `json:"list"`
	}
	noName struct {
		Field string
	}
	camelName struct {
		Field string `json:"someField"`
	}
	twoNames struct {
		bare
		Other string `json:"kind" seal:"T"`
	}
	badClass struct {
		A string `json:"a" seal:"Q"`
	}
	network struct {
		A string `json:"network" seal:"N"`
	}
	suspicious struct {
		A struct {
			APIKey string `json:"api_key"`
		} `json:"a"`
	}
	badSchema struct{}
	notStruct string
)

func (clearSecret) EventType() string   { return "ClearSecret" }
func (tracedSecret) EventType() string  { return "TracedSecret" }
func (nestedSecret) EventType() string  { return "NestedSecret" }
func (pointedSecret) EventType() string { return "PointedSecret" }
func (sealedInside) EventType() string  { return "SealedInside" }
func (noName) EventType() string        { return "NoName" }
func (camelName) EventType() string     { return "CamelName" }
func (twoNames) EventType() string      { return "TwoNames" }
func (badClass) EventType() string      { return "BadClass" }
func (network) EventType() string       { return "Network" }
func (suspicious) EventType() string    { return "Suspicious" }
func (badSchema) EventType() string     { return "BadSchema" }
func (notStruct) EventType() string     { return "NotStruct" }

func TestRegisterRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		register func()
		want     string
	}{
		"twice":                   {func() { codec.Register[bare](1) }, "twice"},
		"a clear secret":          {func() { codec.Register[clearSecret](1) }, "domain.Secret"},
		"a secret as trace":       {func() { codec.Register[tracedSecret](1) }, "domain.Secret"},
		"a secret deep inside":    {func() { codec.Register[nestedSecret](1) }, "domain.Secret"},
		"a seal tag too deep":     {func() { codec.Register[sealedInside](1) }, "inside"},
		"a pointer to a secret":   {func() { codec.Register[pointedSecret](1) }, "domain.Secret"},
		"a field without a name":  {func() { codec.Register[noName](1) }, "json tag"},
		"a name in camel case":    {func() { codec.Register[camelName](1) }, "json tag"},
		"two of one name":         {func() { codec.Register[twoNames](1) }, "json name"},
		"an unknown class":        {func() { codec.Register[badClass](1) }, "no class"},
		"the network's own name":  {func() { codec.Register[network](1) }, "network"},
		"text called like a key":  {func() { codec.Register[suspicious](1) }, `"api_key"`},
		"a schema without a past": {func() { codec.Register[badSchema](2) }, "upcasters"},
		"a type without fields":   {func() { codec.Register[notStruct](1) }, "struct"},
		"a pointer":               {func() { codec.Register[*bare](1) }, "struct"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, test.want) {
					t.Errorf("panic %q, want: %s", got, test.want)
				}
			}()
			test.register()
		})
	}
}

// renamed has been reshaped twice: name was called title, then who was clear.
type renamed struct {
	Name string        `json:"name"`
	Who  string        `json:"who" seal:"T"`
	Pin  domain.Secret `json:"pin" seal:"X"`
	N    int64         `json:"n"`
}

func (renamed) EventType() string { return "Renamed" }

func init() {
	codec.Register[renamed](3,
		func(s *codec.Shape) {
			s.Payload["name"] = s.Payload["title"]
			delete(s.Payload, "title")
		},
		func(s *codec.Shape) {
			if who, ok := s.Payload["who"]; ok {
				s.Sealed[domain.Trace]["who"] = who
			}
			delete(s.Payload, "who")
		},
	)
}

func TestUpcast(t *testing.T) {
	c, _ := newCodec(t)
	const large = 9007199254740993 // more than a float can hold
	newest := encode(t, c, newMeta(), renamed{Name: "n", Who: "w", Pin: domain.NewSecret("p"), N: large})[0]
	for name, test := range map[string]struct {
		schema  int
		payload string
		want    renamed
	}{
		"first":  {1, `{"title":"n","who":"w","n":9007199254740993}`, renamed{Name: "n", Who: "w", N: large}},
		"second": {2, `{"name":"n","who":"w","n":9007199254740993,"added":{}}`, renamed{Name: "n", Who: "w", N: large}},
		"third":  {3, string(newest.Payload), renamed{Name: "n", N: large}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newest
			r.Schema, r.Payload, r.Sealed = test.schema, []byte(test.payload), nil
			if diff := cmp.Diff(codec.Event(test.want), decode(t, c, r).Event, compare); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
		})
	}
}

// loose has fields whose keys are data.
type loose struct {
	Set    map[string]any  `json:"set,omitempty"`
	Raw    json.RawMessage `json:"raw,omitempty"`
	Config map[string]any  `json:"config,omitempty" cleanse:"-"`
	Keys   []string        `json:"keys,omitempty"`
	Inner  map[string]bare `json:"inner,omitempty"`
}

func (loose) EventType() string { return "Loose" }

func init() { codec.Register[loose](1) }

func TestCleanse(t *testing.T) {
	c, _ := newCodec(t)
	var leaks []string
	c.Leak = func(event, key string) { leaks = append(leaks, event+"."+key) }
	r := encode(t, c, newMeta(), loose{
		Set: map[string]any{
			"user_Password": "mark",
			"passing":       "yes",
			"auth_method":   "password",
			"tokens":        []any{"mark", "", 1, map[string]any{"note": "n"}},
			"api":           map[string]any{"name": "n"},
			"key":           12,
		},
		Raw:    json.RawMessage(`{"a":[{"secret":"mark"}]}`),
		Config: map[string]any{"password_stage": "p1"},
		Keys:   []string{"password"},
		Inner:  map[string]bare{"signature": {"k"}},
	})[0]
	want := `{"set":{"api":{"name":"n"},"auth_method":"password","key":12,"passing":"yes",` +
		`"tokens":["********************","",1,{"note":"n"}],"user_Password":"********************"},` +
		`"raw":{"a":[{"secret":"********************"}]},"config":{"password_stage":"p1"},"keys":["password"],` +
		`"inner":{"signature":{"kind":"k"}}}`
	if diff := cmp.Diff(want, string(r.Payload)); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	if len(leaks) != 3 || !strings.Contains(strings.Join(leaks, " "), "Loose.user_Password") {
		t.Errorf("leaks %v, want three", leaks)
	}
	c.Leak = nil
	encode(t, c, newMeta(), loose{Set: map[string]any{"password": "mark"}})
}

func FuzzDecode(f *testing.F) {
	c, _ := newCodec(f)
	for _, e := range []codec.Event{full(), bare{"k"}, renamed{Name: "n", Who: "w"}, loose{Set: map[string]any{"a": 1}}} {
		r := encode(f, c, newMeta(), e)[0]
		f.Add(r.Type, r.Schema, r.Header, r.Payload, r.Sealed)
	}
	f.Add("Renamed", 1, []byte(`{}`), []byte(`null`), []byte{255, 1, 'T', 255, 255})
	f.Fuzz(func(t *testing.T, typ string, schema int, header, payload, sealed []byte) {
		r := eventstore.Recorded{Stream: stream}
		r.Type, r.Schema, r.Header, r.Payload, r.Sealed = typ, schema, header, payload, sealed
		d, err := c.Decode(t.Context(), r)
		if (d.Event == nil) == (err == nil) {
			t.Errorf("event %v and error %v", d.Event, err)
		}
		c.DecodeClear(r)
	})
}

// FuzzSealedText is for what a key opens: it may have been written by a bug.
func FuzzSealedText(f *testing.F) {
	c, _ := newCodec(f)
	f.Add([]byte(`{"typed":"t","learned":{"a":{"$secret":"b"}},"deep":[{"inner":[{}]}]}`))
	f.Add([]byte(`{"learned":{"$secret":{"$$secret":[]}},"deep":[{"list":["a","b","c"],"codes":null}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c.Decode(t.Context(), codec.SealX(t, c, encode(t, c, newMeta(), answered{})[0], text))
	})
}
