package stage

import "github.com/flowledger/flowledger/domain/execution"

// Challenges returns an empty challenge of each sort that stages make, for
// those who describe them.
func Challenges() []execution.Challenge {
	return []execution.Challenge{
		identificationChallenge{}, passwordChallenge{}, validateChallenge{}, promptChallenge{}, captchaChallenge{}, consentChallenge{},
		emailChallenge{}, dummyChallenge{}, userLoginChallenge{}, sessionEndChallenge{}, RedirectChallenge{}, AccessDenied{},
	}
}
