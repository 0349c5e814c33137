package openapi

// ledger describes the addresses that this server has beside the contract's.
func ledger() []resource {
	return []resource{
		{path: "ledger/events/", more: map[string]deed{
			"GET ": {
				summary: "Read the ledger, event by event", description: "One JSON object per line. What is sealed stays sealed.",
				answer: "", media: []string{"application/x-ndjson"},
			},
		}},
		{path: "flows/executions/", key: key("id", ""), more: map[string]deed{
			"GET {}/story/": {summary: "Tell what happened in an execution, as text", answer: "", media: []string{"text/plain"}},
			"GET {}/state/": {
				summary: "Show plan and context of an execution as of a revision", query: []Parameter{by("revision", 0, "The newest unless given.")},
				answer: map[string]any{},
			},
		}},
	}
}
