package console

// verdictTone is how what a policy said looks. A no is as good as a yes.
func verdictTone(said string) string {
	switch said {
	case "passed":
		return "good"
	case "erred":
		return "bad"
	}
	return ""
}

// becauses are why keys were destroyed.
var becauses = map[string]string{
	"erasure_request": "somebody asked to be erased", "retention": "older than the rule of retention allows",
	"credential_removed": "the credential was removed", "execution_abandoned": "the execution was abandoned",
}

func becauseText(cause string) string {
	if text := becauses[cause]; text != "" {
		return text
	}
	return cause
}
