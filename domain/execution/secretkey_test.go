package execution_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain/execution"
)

func TestSecretKey(t *testing.T) {
	for key, want := range map[string]bool{
		"password": true, "PassWord": true, "new_password_repeat": true, "api": true, "apiKey": true, "AUTHORIZATION": true,
		"csrftoken": true, "Signature": true, "HTTP_COOKIE": true, "paſſword": true, "\u212aey": true, "auth_method_password": true,
		"xauth_method": true, "auth_methods": true,
		"": false, "username": false, "cookie": false, "auth_method": false, "Auth_Method_Args": false, "passing": false,
		"password_change_date": false, "wauth": false,
	} {
		if got := execution.SecretKey(key); got != want {
			t.Errorf("%q: got %t, want %t", key, got, want)
		}
	}
}
