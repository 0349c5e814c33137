package execution

// Events returns one value of each type of event in this package, for those
// who register them.
func Events() []any {
	return []any{
		ExecutionStarted{}, PolicyEvaluated{}, PolicyDenied{}, PlanCreated{}, SubjectIdentified{}, IdentificationFailed{},
		StageReevaluated{}, StageSkipped{}, StageEntered{}, ChallengeIssued{}, ResponseRejected{}, LoginFailed{}, FactorVerified{},
		ContextChanged{}, SecretsDiscarded{}, StageInserted{}, UserLoggedIn{}, UserLoggedOut{}, StageCompleted{}, PlanRestarted{},
		ExecutionCompleted{}, ExecutionDenied{}, ExecutionCancelled{}, ExecutionExpired{}, ExecutionFailed{},
	}
}
