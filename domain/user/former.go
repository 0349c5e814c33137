package user

import (
	"slices"

	"github.com/flowledger/flowledger/domain"
)

// A Former is a password that was.
type Former struct {
	Credential string
	Hash       domain.Secret
}

// maxFormer is how many former passwords are kept apart: comparing with each
// costs a hash.
const maxFormer = 50

// retire puts the present password among the former ones. One whose key is
// destroyed is none.
func (s State) retire() State {
	if s.Credential == "" || s.Password.Empty() {
		return s
	}
	s.Former = slices.Concat([]Former{{Credential: s.Credential, Hash: s.Password}}, s.Former)
	if len(s.Former) > maxFormer {
		s.Outworn = append(slices.Clone(s.Outworn), s.Former[maxFormer].Credential)
		s.Former = s.Former[:maxFormer]
	}
	return s
}

// withoutPassword is the state of who has none.
func (s State) withoutPassword() State {
	s.Password, s.Credential = domain.Secret{}, ""
	return s
}

// outwear notes that the password goes on in another form.
func (s State) outwear() State {
	if s.Credential != "" && !s.Password.Empty() {
		s.Outworn = append(slices.Clone(s.Outworn), s.Credential)
	}
	return s
}

// Last returns the hashes of the last n passwords, the newest first, the
// present one included.
func (s State) Last(n int) []domain.Secret {
	var hashes []domain.Secret
	if Usable(s.Password) {
		hashes = append(hashes, s.Password)
	}
	for _, f := range s.Former {
		hashes = append(hashes, f.Hash)
	}
	return hashes[:min(max(n, 0), len(hashes))]
}

// Expendable are the credentials whose keys are not needed to tell the last n
// passwords, the present one included. Those of which the keys are destroyed
// are not among them, so that what a crash left over is found again.
func (s State) Expendable(n int) []string {
	if s.Credential != "" {
		n--
	}
	ids := slices.Clone(s.Outworn)
	for _, f := range s.Former[min(max(n, 0), len(s.Former)):] {
		ids = append(ids, f.Credential)
	}
	return ids
}
