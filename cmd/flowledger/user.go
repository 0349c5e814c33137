package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/google/uuid"
	"golang.org/x/term"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/projections"
)

func userCommand() *subcommand {
	return &subcommand{
		name: "user", usage: "create NAME | set-password NAME | list", about: "makes users, sets passwords, lists users",
		example: "flowledger user create --email ada@example.org --name 'Ada Lovelace' ada",
		run: func(ctx context.Context, c *call) error {
			var t target
			fs := t.flags(c)
			name := fs.String("name", "", "full `name`, for create")
			email := fs.String("email", "", "e-mail `address`, for create")
			superuser := fs.Bool("superuser", false, "put the new user among the administrators, for create")
			args, err := c.parse(fs)
			if err != nil {
				return err
			}
			u := &userCall{call: c, target: t, fullName: *name, email: *email, superuser: *superuser}
			switch {
			case len(args) == 2 && args[0] == "create":
				return u.create(ctx, args[1])
			case len(args) == 2 && args[0] == "set-password":
				return u.setPassword(ctx, args[1])
			case len(args) == 1 && args[0] == "list":
				return u.list(ctx)
			}
			return usagef("say user create NAME, user set-password NAME or user list")
		},
	}
}

// A userCall is one use of the command.
type userCall struct {
	*call
	target
	fullName  string
	email     string
	superuser bool
}

func noUser(name string) error { return fmt.Errorf("there is no user %q", name) }

// maxPassword bounds a password that is read.
const maxPassword = 4096

// password reads a password from the terminal, or a line from stdin: never from
// an argument, which every user of the machine can read.
func (u *userCall) password() (domain.Secret, error) {
	if f, ok := u.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(u.stderr, "Password: ")
		typed, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(u.stderr)
		if err != nil {
			return domain.Secret{}, err
		}
		return checked(string(typed))
	}
	line, err := bufio.NewReader(io.LimitReader(u.stdin, maxPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return domain.Secret{}, err
	}
	return checked(strings.TrimRight(line, "\r\n"))
}

func checked(typed string) (domain.Secret, error) {
	switch {
	case typed == "":
		return domain.Secret{}, errors.New("the password is empty: type it, or send it to stdin")
	case len(typed) > maxPassword:
		return domain.Secret{}, fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	return domain.NewSecret(typed), nil
}

func (u *userCall) create(ctx context.Context, name string) error {
	password, err := u.password()
	if err != nil {
		return err
	}
	if u.server != "" {
		return u.createRemotely(ctx, name, password)
	}
	return with(ctx, u.storage, discard(), func(ctx context.Context, a *app) error {
		if _, err := a.shipped(ctx); err != nil { // a folder that no server has seen has no groups yet
			return err
		}
		hash, err := a.pool.Hash(ctx, password)
		if err != nil {
			return err
		}
		id := uuid.Must(uuid.NewV7()).String()
		w := account.Writer{Via: "admin", Meta: system("user:" + id)}
		fields := user.Fields{Username: &name, Name: &u.fullName, Email: &u.email}
		s, err := a.accounts.Create(ctx, account.New{ID: id, Fields: fields, Hash: hash}, w)
		if err != nil {
			return faultOf(err)
		}
		if u.superuser {
			groups, _, err := a.groups.List(ctx, projections.GroupFilter{Name: "authentik Admins"}, false, projections.Page{Limit: 1})
			if err != nil || len(groups) == 0 {
				return errors.Join(err, errors.New("there is no group authentik Admins"))
			}
			if err := a.accounts.Join(ctx, id, []string{groups[0].ID}, w); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(u.stdout, "created %s, key %d\n", name, s.Key)
		return err
	})
}

// faultOf says what is wrong with which field.
func faultOf(err error) error {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	var faults []string
	for field, texts := range e.Fields {
		faults = append(faults, field+": "+strings.Join(texts, " "))
	}
	return fmt.Errorf("%s (%s)", e.Message, strings.Join(faults, "; "))
}

func (u *userCall) createRemotely(ctx context.Context, name string, password domain.Secret) error {
	if u.superuser {
		return usagef("--superuser works on a data folder only, not with --server")
	}
	r := u.remote()
	var made remoteUser
	if err := r.post(ctx, "/api/v3/core/users/", map[string]any{"username": name, "name": u.fullName, "email": u.email}, &made); err != nil {
		return err
	}
	if err := r.setPassword(ctx, made.Key, password); err != nil {
		return err
	}
	_, err := fmt.Fprintf(u.stdout, "created %s, key %d\n", name, made.Key)
	return err
}

func (r *remote) setPassword(ctx context.Context, key int, password domain.Secret) error {
	return r.post(ctx, fmt.Sprintf("/api/v3/core/users/%d/set_password/", key), map[string]any{"password": password.Reveal()}, nil)
}

func (u *userCall) setPassword(ctx context.Context, name string) error {
	password, err := u.password()
	if err != nil {
		return err
	}
	if u.server != "" {
		r := u.remote()
		found, err := r.user(ctx, name)
		if err != nil {
			return err
		}
		return r.setPassword(ctx, found.Key, password)
	}
	return with(ctx, u.storage, discard(), func(ctx context.Context, a *app) error {
		who, err := a.users.FindPerson(ctx, []string{"username"}, name, false)
		if err != nil {
			return err
		}
		if !who.Exists() {
			return noUser(name)
		}
		return a.accounts.SetPassword(ctx, who.ID, password, account.Writer{Via: "admin", Meta: system("user:" + who.ID)})
	})
}

func (u *userCall) list(ctx context.Context) error {
	out := tabwriter.NewWriter(u.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "KEY\tUSERNAME\tNAME\tE-MAIL\tACTIVE")
	if u.server != "" {
		found, err := u.remote().users(ctx, "")
		if err != nil {
			return err
		}
		for _, one := range found {
			fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%t\n", one.Key, one.Username, one.Name, one.Email, one.Active)
		}
		return out.Flush()
	}
	return with(ctx, u.storage, discard(), func(ctx context.Context, a *app) error {
		const page = 500
		for from := 0; ; from += page {
			found, _, err := a.users.List(ctx, projections.UserFilter{}, "username", projections.Page{Offset: from, Limit: page})
			if err != nil {
				return err
			}
			for _, one := range found {
				fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%t\n", one.Key, one.Username, one.Name, one.Email, one.Active)
			}
			if len(found) < page {
				return out.Flush()
			}
		}
	})
}
