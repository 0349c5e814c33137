// Package token is the aggregate of one token: a bearer secret with an intent
// and an expiry. The secret itself is not part of it, only a keyed digest, and
// that sealed.
package token
