package web

// describeMethod says how somebody signed in.
func describeMethod(method string) string {
	switch method {
	case "password":
		return "Password"
	case "auth_mfa":
		return "Password and second factor"
	case "auth_webauthn_pwl":
		return "Passkey"
	case "token":
		return "App password"
	case "ldap", "kerberos":
		return "Directory password"
	}
	return method
}
