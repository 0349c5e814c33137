package adminapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// inspectFlow is the permission to look into the own executions.
const inspectFlow = "authentik_flows.inspect_flow"

// mountInspector adds what shows the plan of the caller's own execution.
func (s *Server) mountInspector(r *mux.Router) {
	s.route(r, "flows/inspector/{key}/", hidden(inspectFlow), verbs{http.MethodGet: s.inspect})
}

// inspect shows the execution of a flow that is under way in the caller's
// browser session (spec/events.md 5.4), or was last. It is made of the
// execution's state when somebody asks, and costs nothing otherwise.
func (s *Server) inspect(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	flow, err := s.find(r, flowAddressee)
	if err != nil {
		return err
	}
	x, err := s.under(r.Context(), c, flow.ID)
	if err != nil {
		return err
	}
	present := execution.Snapshot{Plan: x.Plan, Context: x.Context, Subject: x.Subject}
	if len(x.Plan) == 0 {
		if len(x.History) == 0 {
			w.WriteHeader(http.StatusBadRequest)
			return nil
		}
		present = x.History[len(x.History)-1]
	}
	v := s.view(r)
	plans := make([]any, len(x.History))
	for i, past := range x.History {
		if plans[i], err = v.plan(r.Context(), c, x.Flow.ID, past); err != nil {
			return err
		}
	}
	current, err := v.plan(r.Context(), c, x.Flow.ID, present)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"plans": plans, "current_plan": current, "is_completed": x.Status != execution.Running,
	})
}

// under is the execution of a flow that the caller's browser session is in;
// the zero one when there is none.
func (s *Server) under(ctx context.Context, c session.Caller, flow string) (execution.State, error) {
	if c.Session == "" {
		return execution.State{}, nil
	}
	of, _, err := s.Sessions.Load(ctx, eventstore.Stream("session", c.Session))
	if err != nil || of.Flows[flow] == "" {
		return execution.State{}, err
	}
	x, _, err := s.Executions.Load(ctx, eventstore.Stream("execution", of.Flows[flow]))
	if err != nil || x.Session != c.Session {
		return execution.State{}, err
	}
	return x, nil
}

// plan shows a plan: what is at its head, what comes then, and what is known.
func (v *view) plan(ctx context.Context, c session.Caller, flow string, s execution.Snapshot) (map[string]any, error) {
	current, next := nothing(flow), nothing(flow)
	for i, to := range []*map[string]any{&current, &next} {
		if i < len(s.Plan) {
			var err error
			if *to, err = v.entry(ctx, flow, s.Plan[i]); err != nil {
				return nil, err
			}
		}
	}
	known := s.Context.Cleansed()
	if s.Subject.User != "" {
		u, _, err := v.s.People.UserByID(ctx, s.Subject.User)
		if err != nil {
			return nil, err
		}
		known[execution.KeyPendingUser] = map[string]any{"username": u.Username, "pk": u.Key, "email": u.Email}
	}
	id := sha256.Sum256([]byte(c.Session))
	return map[string]any{
		"current_stage": current, "next_planned_stage": next, "plan_context": known, "session_id": hex.EncodeToString(id[:]),
	}, nil
}

// nothing is the binding that the contract wants where there is none.
func nothing(flow string) map[string]any {
	return inMemory(flow, execution.Entry{Binding: domain.Ref{ID: uuid.Nil.String()}, Stage: domain.Ref{ID: uuid.Nil.String()}})
}

// inMemory shows an entry behind which nothing is configured.
func inMemory(flow string, e execution.Entry) map[string]any {
	stage := e.Stage.ID
	if stage == "" {
		stage = uuid.Nil.String()
	}
	return map[string]any{
		"pk": e.Binding.ID, "policybindingmodel_ptr_id": e.Binding.ID, "target": flow, "stage": stage, "order": e.Order,
		"evaluate_on_plan": false, "re_evaluate_policies": false, "policy_engine_mode": "any", "invalid_response_action": "retry",
		"stage_obj": map[string]any{
			"pk": stage, "name": e.Stage.Name, "component": "", "verbose_name": "", "verbose_name_plural": "",
			"meta_model_name": e.Stage.Kind, "flow_set": []any{},
		},
	}
}

// entry shows an entry of a plan as the endpoint of bindings would have shown
// it when the plan was made.
func (v *view) entry(ctx context.Context, flow string, e execution.Entry) (map[string]any, error) {
	out := inMemory(flow, e)
	if !e.InMemory {
		e.Binding.Kind = object.StageBindingModel
		binding, err := v.s.asOf(ctx, e.Binding)
		if err != nil {
			return nil, err
		}
		if out, err = v.show(ctx, binding); err != nil {
			return nil, err
		}
	}
	if _, configured := catalog.Lookup(e.Stage.Kind); configured {
		out["stage_obj"] = v.baseStage(object.Thing{ID: e.Stage.ID, Kind: e.Stage.Kind, Name: e.Stage.Name})
	}
	return out, nil
}

// asOf returns a configured thing as it was at a revision.
func (s *Server) asOf(ctx context.Context, ref domain.Ref) (object.Thing, error) {
	if t, ok := s.Things.Thing(ref.ID); ok && t.Revision == ref.Revision {
		return t, nil
	}
	then, _, err := s.Objects.LoadAt(ctx, eventstore.Stream("object", ref.ID), eventstore.Revision(ref.Revision))
	return object.Thing{ID: ref.ID, Kind: ref.Kind, Name: ref.Name, Revision: ref.Revision, Fields: then.Fields}, err
}
