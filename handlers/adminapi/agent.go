package adminapi

import "strings"

// A mark is a part of a user agent that tells a family. The more telling ones
// come first: every browser claims to be several others.
type mark struct{ text, family string }

// browserMarks tell browsers.
var browserMarks = []mark{
	{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Version/", "Safari"}, {"curl/", "curl"},
}

// systemMarks tell systems. Phones name the desktop system that theirs came
// from, so they stand before it.
var systemMarks = []mark{
	{"Android", "Android"}, {"iPhone", "iOS"}, {"iPad", "iOS"}, {"Windows", "Windows"}, {"Mac OS X", "Mac OS X"}, {"Linux", "Linux"},
}

// parsedAgent says roughly what a user agent is, in the contract's shape.
// Nothing depends on it.
func parsedAgent(agent string) map[string]any {
	browser, rest := family(browserMarks, agent)
	number, _, _ := strings.Cut(rest, " ")
	version := strings.SplitN(number+"...", ".", 4) // three parts, empty where there is none
	system, _ := family(systemMarks, agent)
	return map[string]any{
		"device": map[string]any{"brand": nil, "family": "Other", "model": nil},
		"os":     map[string]any{"family": system, "major": nil, "minor": nil, "patch": nil, "patch_minor": nil},
		"string": agent,
		"user_agent": map[string]any{
			"family": browser, "major": version[0], "minor": version[1], "patch": version[2],
		},
	}
}

// family finds the first mark, and returns what follows it.
func family(marks []mark, agent string) (name, rest string) {
	for _, m := range marks {
		if _, rest, found := strings.Cut(agent, m.text); found {
			return m.family, rest
		}
	}
	return "Other", ""
}
