package main

import "testing"

func TestErrorsOfAServerAreSentences(t *testing.T) {
	for body, want := range map[string]string{
		`{"detail": "Authentication credentials were not provided."}`:     "Authentication credentials were not provided.",
		`{"username": ["This field must be unique.", "Too long."]}`:       "username: This field must be unique. Too long.",
		`{"non_field_errors": ["Only one can be set."], "a": ["Wrong."]}`: "a: Wrong.; Only one can be set.",
		"<html>bad gateway</html>\n":                                      "<html>bad gateway</html>",
		"":                                                                "",
	} {
		if got := sentence([]byte(body)); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}
