package adminapi

import "testing"

func TestParsedAgent(t *testing.T) {
	tests := map[string][4]string{ // browser, major, minor, system
		"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0":                                              {"Firefox", "130", "0", "Linux"},
		"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.71 Safari/537.36 Edg/120.0.1": {"Edge", "120", "0", "Windows"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1 Version/17 Mobile Safari/604.1":             {"Safari", "17", "", "iOS"},
		"curl/8":       {"curl", "8", "", "Other"},
		"":             {"Other", "", "", "Other"},
		"Chrome/":      {"Chrome", "", "", "Other"},
		"Nonsense 1.2": {"Other", "", "", "Other"},
	}
	for agent, want := range tests {
		parsed := parsedAgent(agent)
		browser := parsed["user_agent"].(map[string]any)
		system := parsed["os"].(map[string]any)
		got := [4]string{browser["family"].(string), browser["major"].(string), browser["minor"].(string), system["family"].(string)}
		if got != want {
			t.Errorf("%q: got %q, want %q", agent, got, want)
		}
	}
}
