package projections_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// Kinds of what is met in flows.
const (
	promptStage  = "authentik_stages_prompt.promptstage"
	prompt       = "authentik_stages_prompt.prompt"
	expression   = "authentik_policies_expression.expressionpolicy"
	brandChanged = "authentik_brands.brand"
)

// doneBy is the meta data of what somebody does in one request.
func doneBy(who, request string) codec.Meta {
	var m codec.Meta
	m.Actor, m.Request = codec.Actor{Kind: "admin", ID: id(who)}, codec.Request{ID: request}
	return m
}

func changed(kind string, set, previous map[string]any) object.ObjectChanged {
	return object.ObjectChanged{Kind: kind, Name: "new", Set: set, Previous: previous, Via: "api"}
}

// configured is a world in which flows "in" and "out" have one stage each, a
// prompt stage with a prompt and a stage of no matter; a policy is bound to the
// binding of the first, by the second name that it has.
func configured(w *world) {
	add := func(letter, kind string, set map[string]any) {
		w.appendAs(doneBy("ada", "setup"), stream("object", letter), created(kind, letter, set))
	}
	add("in", object.FlowModel, map[string]any{"slug": "in"})
	add("out", object.FlowModel, map[string]any{"slug": "out"})
	add("prompt", prompt, map[string]any{"label": "Name"})
	add("stage", promptStage, map[string]any{"fields": []any{id("prompt")}})
	add("binding", object.StageBindingModel, map[string]any{"target": id("in"), "stage": id("stage")})
	add("policy", expression, map[string]any{"expression": "return True"})
	add("guard", object.PolicyBindingModel, map[string]any{"target": catalog.TargetID(id("binding")), "policy": id("policy")})
	add("lonely", expression, map[string]any{"expression": "return False"})
	w.clock = w.clock.Add(time.Hour)
}

// lastChange describes the newest change, and the flows it bears on.
func lastChange(w *world) string {
	w.t.Helper()
	w.settle()
	list, _, err := w.changes.List(w.t.Context(), projections.ChangeFilter{}, projections.Page{Limit: 1})
	if err != nil || len(list) != 1 {
		w.t.Fatal(list, err)
	}
	c, flows := list[0], []string{}
	for _, letter := range []string{"in", "out", "new"} {
		if slices.Contains(c.Flows, id(letter)) {
			flows = append(flows, letter)
		}
	}
	if len(flows) != len(c.Flows) {
		w.t.Errorf("other flows: %v", c.Flows)
	}
	return fmt.Sprintf("%s %s %v of %s: %s", c.Kind[strings.LastIndex(c.Kind, ".")+1:], c.Verb, c.Fields, c.Name, strings.Join(flows, " "))
}

func TestChangesBearOnFlows(t *testing.T) {
	for name, tt := range map[string]struct {
		given, when func(w *world)
		want        string
	}{
		"a flow bears on itself": {
			when: func(w *world) {
				w.append(stream("object", "in"), changed(object.FlowModel, map[string]any{"title": "x"}, nil))
			},
			want: "flow changed [title] of new: in",
		},
		"a prompt bears on the flow of its stage": {
			when: func(w *world) {
				w.append(stream("object", "prompt"), changed(prompt, map[string]any{"label": "x"}, nil))
			},
			want: "prompt changed [label] of new: in",
		},
		"a policy bears on what it is bound to": {
			when: func(w *world) {
				w.append(stream("object", "policy"), changed(expression, map[string]any{"expression": "x"}, nil))
			},
			want: "expressionpolicy changed [expression] of new: in",
		},
		"a policy that is bound to nothing bears on nothing": {
			when: func(w *world) {
				w.append(stream("object", "lonely"), changed(expression, map[string]any{"expression": "x"}, nil))
			},
			want: "expressionpolicy changed [expression] of new: ",
		},
		"a binding that moves bears on both ends": {
			when: func(w *world) {
				w.append(stream("object", "binding"), changed(object.StageBindingModel, map[string]any{"target": id("out")}, map[string]any{"target": id("in")}))
			},
			want: "flowstagebinding changed [target] of new: in out",
		},
		"what moved bears on where it is": {
			given: func(w *world) {
				w.append(stream("object", "binding"), changed(object.StageBindingModel, map[string]any{"target": id("out")}, map[string]any{"target": id("in")}))
			},
			when: func(w *world) {
				w.append(stream("object", "prompt"), changed(prompt, map[string]any{"label": "x"}, nil))
			},
			want: "prompt changed [label] of new: out",
		},
		"a new binding bears on its flow": {
			when: func(w *world) {
				w.append(stream("object", "second"), created(object.StageBindingModel, "second", map[string]any{"target": id("out"), "stage": id("stage")}))
			},
			want: "flowstagebinding created [stage target] of second: out",
		},
		"a stage in two flows bears on both": {
			given: func(w *world) {
				w.append(stream("object", "second"), created(object.StageBindingModel, "second", map[string]any{"target": id("out"), "stage": id("stage")}))
			},
			when: func(w *world) { w.append(stream("object", "stage"), changed(promptStage, map[string]any{"x": 1}, nil)) },
			want: "promptstage changed [x] of new: in out",
		},
		"a binding that is removed bears on the flow that it was in": {
			when: func(w *world) {
				w.append(stream("object", "guard"), object.ObjectRemoved{Kind: object.PolicyBindingModel, Name: "guard"})
			},
			want: "policybinding removed [] of guard: in",
		},
		"a stage whose binding goes first bears on the flow that it was in": {
			when: func(w *world) {
				w.appendAs(doneBy("ada", "r9"), stream("object", "binding"), object.ObjectRemoved{Kind: object.StageBindingModel, Name: "binding"})
				w.appendAs(doneBy("ada", "r9"), stream("object", "stage"), object.ObjectRemoved{Kind: promptStage, Name: "stage"})
			},
			want: "promptstage removed [] of stage: in",
		},
		"a stage that was taken out before bears on nothing": {
			given: func(w *world) {
				w.appendAs(doneBy("ada", "r8"), stream("object", "binding"), object.ObjectRemoved{Kind: object.StageBindingModel, Name: "binding"})
			},
			when: func(w *world) {
				w.appendAs(doneBy("ada", "r9"), stream("object", "stage"), object.ObjectRemoved{Kind: promptStage, Name: "stage"})
			},
			want: "promptstage removed [] of stage: ",
		},
		"a brand bears on the flows that it names from then on": {
			when: func(w *world) {
				w.append(stream("object", "brand"), created(brandChanged, "brand", map[string]any{"flow_authentication": id("in")}))
			},
			want: "brand created [flow_authentication] of brand: in",
		},
		"a brand bears on the flow that it names no more": {
			given: func(w *world) {
				w.append(stream("object", "brand"), created(brandChanged, "brand", map[string]any{"flow_authentication": id("in"), "flow_recovery": id("out")}))
			},
			when: func(w *world) {
				w.append(stream("object", "brand"), changed(brandChanged, map[string]any{"flow_authentication": nil}, nil))
			},
			want: "brand changed [flow_authentication] of new: in",
		},
		"a group bears on what it is bound to": {
			given: func(w *world) {
				w.append(stream("group", "g"), groupNamed("staff"))
				w.append(stream("object", "members"), created(object.PolicyBindingModel, "members", map[string]any{"target": id("out"), "group": id("g")}))
			},
			when: func(w *world) { w.append(stream("group", "g"), group.GroupMemberAdded{User: id("bob"), Via: "api"}) },
			want: "group changed [users] of staff: out",
		},
		"an import bears on what its changes bear on": {
			given: func(w *world) {
				w.append(stream("blueprint", "b"), blueprint.BlueprintAdded{Terms: blueprint.Terms{Name: "shipped"}})
				for _, letter := range []string{"in", "out"} {
					w.appendAs(doneBy("", "import"), stream("object", letter), changed(object.FlowModel, map[string]any{"title": "x"}, nil))
				}
			},
			when: func(w *world) {
				w.appendAs(doneBy("", "import"), stream("blueprint", "b"), blueprint.BlueprintImportFinished{Status: "successful"})
			},
			want: "blueprintinstance imported [] of shipped: in out",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			configured(w)
			if tt.given != nil {
				tt.given(w)
			}
			w.clock = w.clock.Add(time.Hour)
			tt.when(w)
			w.run()
			if got := lastChange(w); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What was removed since is shown as it was met then.
func TestPastChangesBearOnFlows(t *testing.T) {
	w := newWorld(t)
	configured(w)
	w.append(stream("object", "prompt"), changed(prompt, map[string]any{"label": "x"}, nil))
	for _, letter := range []string{"guard", "binding", "stage", "in"} {
		w.appendAs(doneBy("ada", letter), stream("object", letter), object.ObjectRemoved{Name: letter})
	}
	w.run()
	w.settle()
	list, total, err := w.changes.List(t.Context(), projections.ChangeFilter{Object: id("prompt"), Flow: id("in"), Verb: projections.VerbChanged}, projections.Page{})
	if err != nil || total != 1 || len(list) != 1 || !slices.Equal(list[0].Flows, []string{id("in")}) {
		t.Errorf("%+v of %d, %v", list, total, err)
	}
}

func TestWhatIsAChange(t *testing.T) {
	own := codec.Meta{}
	own.Actor = codec.Actor{Kind: "user", ID: id("bob")}
	enrolled := codec.Meta{}
	enrolled.Actor, enrolled.Execution = codec.Actor{Kind: "anonymous"}, id("x")
	for name, tt := range map[string]struct {
		meta   codec.Meta
		stream eventstore.StreamID
		event  codec.Event
		want   string // verb, empty for none
	}{
		"a user whom somebody else changes":       {doneBy("ada", ""), stream("user", "bob"), user.UserDeactivated{}, "changed"},
		"users who change themselves":             {own, stream("user", "bob"), user.UserMoved{To: "x"}, ""},
		"users who come by an execution":          {enrolled, stream("user", "bob"), user.UserCreated{Via: "user_write"}, ""},
		"a user whom the program makes":           {codec.Meta{}, stream("user", "bob"), user.UserCreated{Via: "bootstrap"}, "created"},
		"another form of the same password":       {codec.Meta{}, stream("user", "bob"), user.UserPasswordRehashed{CredentialID: id("c"), Hash: domain.NewSecret("h")}, ""},
		"a claim of a name":                       {doneBy("ada", ""), stream("username", "n"), user.UsernameClaimed{User: id("bob")}, ""},
		"a token of the API":                      {doneBy("ada", ""), stream("token", "t"), apiToken(), "created"},
		"a token that an execution makes":         {enrolled, stream("token", "t"), apiToken(), ""},
		"a token that is used":                    {codec.Meta{}, stream("token", "t"), token.TokenUsed{First: true}, ""},
		"a role":                                  {doneBy("ada", ""), stream("role", "r"), role.RoleDeleted{}, "removed"},
		"somebody's keys":                         {doneBy("ada", ""), stream("key", "bob"), key.SubjectKeyDestroyed{Kind: key.User, IndexedTo: "0"}, "erased"},
		"the keys of an execution that went with": {doneBy("ada", ""), stream("key", "x"), key.SubjectKeyDestroyed{Kind: key.Execution}, ""},
		"the rule for the ledger":                 {doneBy("ada", ""), stream("ledger", "l"), retention.LedgerRetentionChanged{}, "changed"},
	} {
		w := newWorld(t)
		w.appendAs(tt.meta, tt.stream, tt.event)
		w.run()
		w.settle()
		list, _, err := w.changes.List(t.Context(), projections.ChangeFilter{}, projections.Page{})
		got := ""
		if len(list) > 0 {
			got = list[0].Verb
		}
		if got != tt.want || err != nil {
			t.Errorf("%s is %q, want %q, %v", name, got, tt.want, err)
		}
	}
}

func TestChangesByFilter(t *testing.T) {
	w := newWorld(t)
	configured(w)
	w.appendAs(doneBy("bob", "r1"), stream("object", "policy"), changed(expression, map[string]any{"expression": "x"}, nil))
	w.clock = w.clock.Add(time.Hour)
	w.appendAs(doneBy("bob", "r2"), stream("group", "g"), groupNamed("staff"))
	w.run()
	w.settle()
	all, _, err := w.changes.List(t.Context(), projections.ChangeFilter{}, projections.Page{})
	if err != nil || len(all) != 10 {
		t.Fatal(len(all), err)
	}
	for name, tt := range map[string]struct {
		filter projections.ChangeFilter
		want   int
	}{
		"event": {projections.ChangeFilter{Event: all[3].Event}, 1}, "kind": {projections.ChangeFilter{Kind: expression}, 3},
		"object": {projections.ChangeFilter{Object: id("policy")}, 2}, "actor": {projections.ChangeFilter{Actor: id("bob")}, 2},
		"flow": {projections.ChangeFilter{Flow: id("in")}, 4}, "verb": {projections.ChangeFilter{Verb: "changed"}, 1},
		"origin": {projections.ChangeFilter{Origin: "setup"}, 8}, "since": {projections.ChangeFilter{From: w.clock}, 1},
		"until": {projections.ChangeFilter{Until: start.Add(time.Hour)}, 8}, "two of them": {projections.ChangeFilter{Verb: "created", Actor: id("bob")}, 1},
	} {
		list, total, err := w.changes.List(t.Context(), tt.filter, projections.Page{Limit: 2})
		if total != tt.want || len(list) != min(2, tt.want) || err != nil {
			t.Errorf("by %s: %d of %d, %v, want %d", name, len(list), total, err, tt.want)
		}
	}
	c := all[1]
	if c.Actor != id("bob") || c.ActorKind != "admin" || c.Origin != "r1" || c.Via != "api" || c.Revision != 1 || c.Stream != stream("object", "policy") {
		t.Errorf("%+v", c)
	}
}

func TestDetailOfAChange(t *testing.T) {
	hidden := map[string]domain.Secret{"password": domain.NewSecret("hunter2")}
	name := "Ada"
	for title, tt := range map[string]struct {
		to    eventstore.StreamID
		given []codec.Event
		event codec.Event
		want  []projections.FieldChange
	}{
		"values before and after, secrets by name": {
			to:    stream("object", "o"),
			event: object.ObjectChanged{Kind: expression, Set: map[string]any{"expression": "a\nc"}, Previous: map[string]any{"expression": "a\nb"}, Secrets: hidden},
			want:  []projections.FieldChange{{Path: "expression", Old: "a\nb", New: "a\nc"}, {Path: "password", Secret: true}},
		},
		"what a thing was before it was removed": {
			to: stream("object", "o"),
			given: []codec.Event{
				object.ObjectCreated{Kind: expression, Set: map[string]any{"expression": "a", "x": "1"}, Secrets: hidden},
				object.ObjectChanged{Kind: expression, Set: map[string]any{"x": "2"}},
			},
			event: object.ObjectRemoved{Kind: expression},
			want:  []projections.FieldChange{{Path: "expression", Old: "a"}, {Path: "password", Secret: true}, {Path: "x", Old: "2"}},
		},
		"of people no more than which fields": {
			to:    stream("user", "u"),
			event: user.UserProfileChanged{Fields: []string{"name"}, Set: user.Profile{Name: &name}},
			want:  []projections.FieldChange{{Path: "name", Personal: true}},
		},
		"who came into a group": {
			to: stream("group", "g"), event: group.GroupMemberAdded{User: id("bob")},
			want: []projections.FieldChange{{Path: "users", New: []string{id("bob")}}},
		},
		"a password": {
			to: stream("user", "u"), event: user.UserPasswordRemoved{}, want: []projections.FieldChange{{Path: "password", Secret: true}},
		},
		"a rule": {
			to: stream("ledger", "l"), event: retention.LedgerRetentionChanged{Profile: "pci", Rows: 2, Before: retention.Rule{Rows: 3}},
			want: []projections.FieldChange{
				{Path: "network_months", Old: 0, New: 0}, {Path: "profile", Old: "", New: "pci"}, {Path: "rows_months", Old: 3, New: 2},
				{Path: "trace_months", Old: 0, New: 0},
			},
		},
	} {
		w := newWorld(t)
		for _, e := range tt.given {
			w.append(tt.to, e)
		}
		w.clock = w.clock.Add(time.Hour)
		w.append(tt.to, tt.event)
		w.run()
		w.settle()
		list, _, err := w.changes.List(t.Context(), projections.ChangeFilter{}, projections.Page{Limit: 1})
		if err != nil || len(list) != 1 {
			t.Fatal(title, list, err)
		}
		got, err := w.changes.Detail(t.Context(), list[0])
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", title, err, diff)
		}
	}
}
