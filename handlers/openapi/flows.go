package openapi

// cache is how much is cached.
type cache struct {
	Count int `json:"count"`
}

// flowDiagram is a flow as a text that draws it.
type flowDiagram struct {
	Diagram string `json:"diagram"`
}

// link is where to go.
type link struct {
	Link string `json:"link"`
}

// flowInspectorPlan is a plan at some time of an execution.
type flowInspectorPlan struct {
	Current any            `json:"current_stage" api:"ref=FlowStageBinding"`
	Next    any            `json:"next_planned_stage" api:"ref=FlowStageBinding"`
	Context map[string]any `json:"plan_context"`
	Session string         `json:"session_id"`
}

// flowInspection is an execution, plan by plan.
type flowInspection struct {
	Plans     []flowInspectorPlan `json:"plans"`
	Current   flowInspectorPlan   `json:"current_plan"`
	Completed bool                `json:"is_completed"`
}

// flows describes what flows have beside the operations of every kind.
func flows(s *shapes) []resource {
	return []resource{
		{path: "flows/instances/", key: key("slug", ""), more: map[string]deed{
			"GET cache_info/": {summary: "Tell how many plans are cached: none, ever", answer: cache{}},
			"POST cache_clear/": {
				summary: "Clear the cache of plans", description: "Nothing is cached that could be wrong, so there is nothing to clear.",
			},
			"GET {}/diagram/": {summary: "Draw a flow as a Mermaid flowchart", answer: flowDiagram{}},
			"GET {}/export/": {
				summary: "Write a flow as a blueprint, with all that it needs", description: "Secrets are left out.",
				answer: "", media: []string{"application/yaml"},
			},
			"GET {}/execute/": {
				summary: "Start a flow in the caller's own browser session, to see it", answer: link{},
			},
		}},
		{path: "flows/inspector/", key: key("flow_slug", ""), more: map[string]deed{
			"GET {}/": {
				id: "flows_inspector_get", summary: "Show the plan of the caller's own execution of a flow",
				description: "The one that is under way in this browser session, or was last. Who may not is told that there is nothing.",
				answer:      flowInspection{},
			},
		}},
		{path: "flows/executor/", key: key("flow_slug", ""), more: map[string]deed{
			"GET {}/": {
				id: "flows_executor_get", summary: "Fetch the current challenge of a flow", query: executorQuery, answer: s.challenges(),
				description: "Begins an execution in the caller's session if none is under way.",
			},
			"POST {}/": {
				id: "flows_executor_solve", summary: "Answer the current challenge", query: executorQuery,
				description: "A right answer is followed by 302, which leads to the next challenge at the same address.",
				body:        flowChallengeResponse{}, bare: true, answer: s.challenges(),
			},
		}},
	}
}

// executorQuery is what the executor reads of its address.
var executorQuery = []Parameter{
	by("query", "", "The query of the page that shows the flow, escaped; next=… in it is where to go in the end."),
	by("execution", "", "The execution to go on with, where several are under way in one session."),
}
