package tests

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// cheapPassword is the password of everybody in [cheapLogin]. Its hash has few
// rounds: these tests look at the ledger, not at the hash, and a machine that
// hashes all the time finds no races.
const cheapPassword = "Cheap-but-right-7"

// cheapHash is cheapPassword in Django's encoding.
func cheapHash() string {
	const rounds, salt = 1, "c2FsdHNhbHQ"
	key, err := pbkdf2.Key(sha256.New, cheapPassword, []byte(salt), rounds, sha256.Size)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("pbkdf2_sha256$%d$%s$%s", rounds, salt, base64.StdEncoding.EncodeToString(key))
}

// cheapLogin is a blueprint of a flow NAME-login of identification, password
// and login, and of the users NAME-0 to NAME-(users-1).
func cheapLogin(name string, users int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `version: 1
metadata: {name: %[1]s}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: %[1]s-login}
    attrs: {name: %[1]s, title: Sign in, designation: authentication, authentication: none}
  - model: authentik_stages_identification.identificationstage
    id: identification
    identifiers: {name: %[1]s-identification}
    attrs: {user_fields: [username, email]}
  - model: authentik_stages_password.passwordstage
    id: password
    identifiers: {name: %[1]s-password}
    attrs: {backends: [authentik.core.auth.InbuiltBackend], failed_attempts_before_cancel: 1000}
  - model: authentik_stages_user_login.userloginstage
    id: login
    identifiers: {name: %[1]s-login}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf identification, order: 10}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf password, order: 20}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf login, order: 30}
`, name)
	for i := range users {
		fmt.Fprintf(&b, `  - model: authentik_core.user
    identifiers: {username: %[1]s-%[2]d}
    attrs: {name: "%[1]s number %[2]d", email: %[1]s-%[2]d@example.test, password_hash: "%[3]s"}
`, name, i, cheapHash())
	}
	return b.String()
}

// twoDummies is a blueprint of a flow that anybody passes with two empty
// answers.
func twoDummies(slug string) string {
	return dummies(slug, 2)
}

// dummies is a blueprint of a flow of n dummy stages, named SLUG-0 and so on.
func dummies(slug string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `version: 1
metadata: {name: %[1]s}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: %[1]s}
    attrs: {name: %[1]s, title: %[1]s, designation: stage_configuration, authentication: none}
`, slug)
	for i := range n {
		fmt.Fprintf(&b, `  - model: authentik_stages_dummy.dummystage
    id: stage-%[2]d
    identifiers: {name: %[1]s-%[2]d}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf stage-%[2]d, order: %[2]d}
`, slug, i)
	}
	return b.String()
}
