package user

// Events returns one value of each type of event in this package, for those
// who register them.
func Events() []any {
	return []any{
		UserCreated{}, UserProfileChanged{}, UserRenamed{}, UserPasswordSet{}, UserPasswordRehashed{}, UserPasswordRemoved{},
		UserActivated{}, UserDeactivated{}, UserTypeChanged{}, UserMoved{}, UserDeleted{},
		UsernameClaimed{}, UsernameReleased{}, CounterAdvanced{},
	}
}
