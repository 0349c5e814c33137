package session

import "strings"

// word is a mark in a user agent, and what it stands for.
type word struct{ mark, name string }

// Most browsers claim to be others too, so the rarer names come first.
var (
	browsers = []word{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Vivaldi/", "Vivaldi"}, {"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"},
		{"Safari/", "Safari"}, {"curl/", "curl"}, {"Go-http-client/", "Go program"}, {"node", "Node.js program"},
		{"python", "Python program"},
	}
	systems = []word{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"},
		{"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

// maxAgent limits how much is shown of a user agent that nobody knows.
const maxAgent = 60

// Device says in plain words what a user agent is. It is a hint for people,
// and nothing depends on it.
func Device(agent string) string {
	browser, system := find(browsers, agent), find(systems, agent)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "" || system != "":
		return browser + system
	case agent == "":
		return "Unknown device"
	}
	if runes := []rune(agent); len(runes) > maxAgent {
		return string(runes[:maxAgent]) + "…"
	}
	return agent
}

func find(words []word, in string) string {
	for _, w := range words {
		if strings.Contains(in, w.mark) {
			return w.name
		}
	}
	return ""
}
