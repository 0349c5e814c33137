package adminapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
)

// A node is one shape of a diagram. How it is reached is part of it: from each
// of its sources, with an action beside the arrow. An arrow without a source
// goes on from the line before.
type node struct {
	id      string
	label   string
	open    string // the brackets around the label are the shape
	close   string
	arrow   bool
	action  string
	sources []node
}

// String is the node in the language of mermaid.
func (n node) String() string {
	shape := n.id + n.open + `"` + strings.ReplaceAll(n.label, `"`, "#quot;") + `"` + n.close
	switch {
	case n.arrow && n.action != "":
		shape = "--" + n.action + "--> " + shape
	case n.arrow:
		shape = "--> " + shape
	}
	if len(n.sources) == 0 {
		return shape
	}
	var lines []string
	for _, source := range n.sources {
		lines = append(lines, source.id+" "+shape)
	}
	return strings.Join(lines, "\n")
}

// from gives the node arrows from others.
func (n node) from(action string, sources ...node) node {
	n.arrow, n.action, n.sources = true, action, sources
	return n
}

// terminal is where a flow begins or ends.
func terminal(id, label string) node { return node{id: id, label: label, open: "[[", close: "]]"} }

// The words beside the arrows.
const (
	passed = "Policy passed"
	denied = "Policy denied"
)

// getDiagram draws a flow (spec/flows.md 10.5).
func (s *Server) getDiagram(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	t, err := s.find(r, flowAddressee)
	if err != nil {
		return err
	}
	lines := []string{"graph TD"}
	for _, n := range s.diagram(t) {
		lines = append(lines, n.String())
	}
	return writeJSON(w, http.StatusOK, map[string]string{"diagram": strings.Join(lines, "\n")})
}

// diagram lists the shapes in the order in which clients expect them: all
// stages first, for an arrow without a source goes on from the line before.
func (s *Server) diagram(flow object.Thing) []node {
	var nodes []node
	end := terminal("done", "End of the flow")
	start := terminal("flow_start", "Flow\n"+flow.Fields["name"].(string))
	before := terminal("flow_pre", "Pre-flow policies")
	var gates []node
	for i, b := range s.bound(flow.ID) {
		gate := s.gate(fmt.Sprintf("flow_policy_%d", i), b).from("Binding "+written(b.Fields["order"]), before)
		gates = append(gates, gate)
	}
	if len(gates) > 0 {
		nodes = append(append(append(nodes, before), gates...), end.from(denied, gates...))
		start = start.from(passed, gates...)
	}
	nodes = append(nodes, start)
	stages, rest := s.stageNodes(flow, start)
	nodes = append(append(nodes, stages...), rest...)
	last := start
	if len(stages) > 0 {
		last = stages[len(stages)-1]
	}
	return append(nodes, end.from("", last))
}

// stageNodes returns the stages, and the policies and refusals between them.
func (s *Server) stageNodes(flow object.Thing, start node) (stages, rest []node) {
	previous := start
	for i, b := range s.Bindings.StageBindings(flow.ID) {
		var gates []node
		for j, p := range s.bound(b.ID) {
			gates = append(gates, s.gate(fmt.Sprintf("stage_%d_policy_%d", i, j), p).from("", previous))
		}
		rest = append(rest, gates...)
		t, _ := s.Things.Thing(text(b, "stage"))
		n := node{id: fmt.Sprintf("stage_%d", i), label: described("Stage", t), open: "([", close: "])"}
		if i > 0 && len(stages[i-1].sources) > 0 {
			rest = append(rest, n.from(denied, stages[i-1].sources...))
		}
		action := ""
		if len(gates) > 0 {
			action = passed
		}
		n = n.from(action, gates...)
		stages = append(stages, n)
		previous = n
	}
	return stages, rest
}

// bound lists the bindings of policies to a target. Those of users and groups
// are not drawn.
func (s *Server) bound(target string) []object.Thing {
	var out []object.Thing
	for _, b := range s.Bindings.PolicyBindings(target) {
		if text(b, "policy") != "" {
			out = append(out, b)
		}
	}
	return out
}

// gate is a policy that is asked before going on.
func (s *Server) gate(id string, binding object.Thing) node {
	t, _ := s.Things.Thing(text(binding, "policy"))
	return node{id: id, label: described("Policy", t), open: "{{", close: "}}"}
}

// described is a label: what it is, of which kind, and its name.
func described(what string, t object.Thing) string {
	if t.Kind == "" {
		return what
	}
	return fmt.Sprintf("%s (%s)\n%s", what, kindOf(t).Name, t.Name)
}
