package user_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
)

// forms are hashes of "correct horse", made by Python's hashlib, by the
// argon2 and bcrypt reference libraries.
var forms = map[string]struct {
	encoded string
	rehash  bool
}{
	"pbkdf2_sha256":    {"pbkdf2_sha256$1000$NaCl4TheTest$hBhBHY8h+aaukZ0yf+0Qdqp/FxaM7Rsc7mXJ/1yH+Nw=", true},
	"pbkdf2_sha1":      {"pbkdf2_sha1$1000$NaCl4TheTest$HYSYn+x6PRTdn0ANb576Pj6iYK0=", true},
	"scrypt":           {"scrypt$1024$NaCl4TheTest$8$5$AwD4+a1VFbZ1JVE5Bxb7jjd1XM8h4+EuSOluBrrSNR70RFs189/5xxTm9QyQrLW7hIOpZmMLmDhPnxgXFhl0fw==", true},
	"argon2id cheaper": {"argon2$argon2id$v=19$m=1024,t=2,p=2$c2FsdHNhbHRzYWx0c2FsdA$/ZLeeEdvUYpPhmNVfaaZPDWlJhn56NfRJekEhmpE3pU", true},
	"argon2i":          {"argon2$argon2i$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$jPEEk9XrW0S/N+dYBTgLiw", true},
	"argon2id":         {"argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AdweBLwcflnNX2HVW8i1Mtu7frrn4Ki7h/rYSGuU7Is", false},
	"bcrypt_sha256":    {"bcrypt_sha256$$2b$05$33VlKaLV5u3BNzi2J9QpNe5szutX1uvENuNbd0KuZOAJMHl/JQula", true},
}

func TestVerifyKnownForms(t *testing.T) {
	for name, f := range forms {
		t.Run(name, func(t *testing.T) {
			encoded := domain.NewSecret(f.encoded)
			if !user.Known(encoded) || !user.Usable(encoded) {
				t.Fatal("is not known or not usable")
			}
			ok, rehash := user.Verify(encoded, domain.NewSecret("correct horse"))
			if !ok || rehash != f.rehash {
				t.Errorf("the right password: got %v, %v, want true, %v", ok, rehash, f.rehash)
			}
			for _, wrong := range []string{"", "correct hors", "correct horse ", "Correct horse"} {
				if ok, rehash := user.Verify(encoded, domain.NewSecret(wrong)); ok || rehash {
					t.Errorf("%q: got %v, %v, want false, false", wrong, ok, rehash)
				}
			}
		})
	}
}

func TestHashIsTheReferenceForm(t *testing.T) {
	got := user.Hash(domain.NewSecret("correct horse"), []byte("saltsaltsaltsalt"))
	if got.Reveal() != forms["argon2id"].encoded {
		t.Errorf("got %s, want %s", got.Reveal(), forms["argon2id"].encoded)
	}
	if a := user.Algorithm(got); a != "argon2" {
		t.Errorf("algorithm is %q, want argon2", a)
	}
}

// hostile are stored hashes that never verify, and must cost no more than one
// that we write.
var hostile = map[string]string{
	"empty":                  "",
	"unusable":               "!aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"unknown algorithm":      "md5$salt$d41d8cd98f00b204e9800998ecf8427e",
	"plain text":             "correct horse",
	"only a name":            "argon2",
	"pbkdf2 for ever":        "pbkdf2_sha256$2000000000$NaCl$hBhBHY8h+aaukZ0yf+0Qdqp/FxaM7Rsc7mXJ/1yH+Nw=",
	"pbkdf2 no iterations":   "pbkdf2_sha256$0$NaCl$hBhBHY8h+aaukZ0yf+0Qdqp/FxaM7Rsc7mXJ/1yH+Nw=",
	"pbkdf2 negative":        "pbkdf2_sha256$-1$NaCl$hBhBHY8h+aaukZ0yf+0Qdqp/FxaM7Rsc7mXJ/1yH+Nw=",
	"pbkdf2 short sum":       "pbkdf2_sha256$1000$NaCl$aGFsZg==",
	"pbkdf2 no sum":          "pbkdf2_sha256$1000$NaCl$",
	"pbkdf2 too few":         "pbkdf2_sha256$1000$NaCl",
	"pbkdf2 long":            "pbkdf2_sha256$1000$" + strings.Repeat("s", 600) + "$hBhBHY8h+aaukZ0yf+0Qdqp/FxaM7Rsc7mXJ/1yH+Nw=",
	"argon2 huge memory":     "argon2$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AdweBLwcflnNX2HVW8i1Mtu7frrn4Ki7h/rYSGuU7Is",
	"argon2 many passes":     "argon2$argon2id$v=19$m=1024,t=100000,p=1$c2FsdHNhbHRzYWx0c2FsdA$AdweBLwcflnNX2HVW8i1Mtu7frrn4Ki7h/rYSGuU7Is",
	"argon2 no lanes":        "argon2$argon2id$v=19$m=1024,t=2,p=0$c2FsdHNhbHRzYWx0c2FsdA$AdweBLwcflnNX2HVW8i1Mtu7frrn4Ki7h/rYSGuU7Is",
	"argon2 cost misspelled": "argon2$argon2id$v=19$m=1024,p=1,t=2$c2FsdHNhbHRzYWx0c2FsdA$AdweBLwcflnNX2HVW8i1Mtu7frrn4Ki7h/rYSGuU7Is",
	"argon2 old version":     "argon2$argon2id$v=16$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AdweBLwcflnNX2HVW8i1Mtu7frrn4Ki7h/rYSGuU7Is",
	"argon2d":                "argon2$argon2d$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AdweBLwcflnNX2HVW8i1Mtu7frrn4Ki7h/rYSGuU7Is",
	"argon2 no sum":          "argon2$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$",
	"scrypt huge":            "scrypt$1048576$NaCl$32$1$AwD4+a1VFbZ1JVE5Bxb7jjd1XM8h4+EuSOluBrrSNR70RFs189/5xxTm9QyQrLW7hIOpZmMLmDhPnxgXFhl0fw==",
	"scrypt odd N":           "scrypt$1000$NaCl$8$1$AwD4+a1VFbZ1JVE5Bxb7jjd1XM8h4+EuSOluBrrSNR70RFs189/5xxTm9QyQrLW7hIOpZmMLmDhPnxgXFhl0fw==",
	"bcrypt cost":            "bcrypt_sha256$$2b$31$33VlKaLV5u3BNzi2J9QpNe5szutX1uvENuNbd0KuZOAJMHl/JQula",
	"bcrypt cut":             "bcrypt_sha256$$2b$05$33VlKaLV5u3B",
}

func TestHostileFormsNeverVerify(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			encoded := domain.NewSecret(text)
			if user.Known(encoded) {
				t.Error("is known")
			}
			begun := time.Now()
			if ok, rehash := user.Verify(encoded, domain.NewSecret("correct horse")); ok || rehash {
				t.Errorf("got %v, %v, want false, false", ok, rehash)
			}
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestNobodyCostsAsMuchAsSomebody(t *testing.T) {
	password := domain.NewSecret("wrong")
	cost := func(encoded string) time.Duration {
		best := time.Hour
		for range 3 {
			begun := time.Now()
			user.Verify(domain.NewSecret(encoded), password)
			best = min(best, time.Since(begun))
		}
		return best
	}
	nobody, somebody := cost("!unusable"), cost(forms["argon2id"].encoded)
	if nobody < somebody/3 {
		t.Errorf("an unusable hash takes %s, a usable one %s", nobody, somebody)
	}
}

func TestOverlongPasswordIsRefusedUnhashed(t *testing.T) {
	long := domain.NewSecret(strings.Repeat("x", user.MaxPassword+1))
	if ok, _ := user.Verify(user.Hash(long, make([]byte, user.SaltSize)), long); ok {
		t.Error("verifies")
	}
}

func TestUsable(t *testing.T) {
	for text, want := range map[string]bool{"": false, "!": false, "!abc": false, "md5$x$y": true} {
		if got := user.Usable(domain.NewSecret(text)); got != want {
			t.Errorf("Usable(%q) is %v, want %v", text, got, want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	for _, form := range forms {
		f.Add(form.encoded)
	}
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		encoded := domain.NewSecret(text)
		algorithm := user.Algorithm(encoded)
		if known := user.Known(encoded); known != (algorithm != "") || known && !strings.HasPrefix(text, algorithm+"$") {
			t.Errorf("%q: known is %v, the algorithm %q", text, known, algorithm)
		}
	})
}
