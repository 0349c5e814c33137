package console

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
