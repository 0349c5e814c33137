package expr

import (
	"strings"

	"github.com/flowledger/flowledger/domain/expr/syntax"
)

// imported compiles an import of a module or of a name.
func (c *compiler) imported(s *syntax.Import) (action, error) {
	target, err := c.target(&syntax.Name{Pos: s.Pos, ID: s.As})
	if err != nil {
		return nil, err
	}
	own, isOwn := modules[s.Module]
	switch {
	case !isOwn && never(s.Module):
		return nil, &syntax.Error{Pos: s.Pos, Message: "module '" + s.Module + "' is not available in expressions: " + advice(s.Module)}
	case !isOwn:
		c.program.imports = append(c.program.imports, Import{s.Module, s.Name, s.Line, s.Col})
	case s.Name != "" && own[s.Name] == nil && modules[s.Module+"."+s.Name] == nil:
		return nil, &syntax.Error{Pos: s.Pos, Message: "cannot import name '" + s.Name + "' from '" + s.Module + "'"}
	}
	return func(f *frame) (signal, error) {
		v, err := f.r.load(s)
		if err != nil {
			return goOn, at(err, s.Pos)
		}
		return goOn, target(f, v)
	}, nil
}

// load returns what an import statement binds. What the host has under a name
// comes before what is built in.
func (r *run) load(s *syntax.Import) (Value, error) {
	if s.Name != "" {
		if v, ok := r.env.Modules[s.Module][s.Name]; ok {
			return v, nil
		}
		if v, ok := modules[s.Module][s.Name]; ok {
			return v, nil
		}
		if r.known(s.Module + "." + s.Name) {
			return r.module(s.Module + "." + s.Name)
		}
		if !r.known(s.Module) {
			return nil, moduleNotFoundError.errorf("No module named '%s'", s.Module)
		}
		return nil, importError.errorf("cannot import name '%s' from '%s'", s.Name, s.Module)
	}
	if !r.known(s.Module) {
		return nil, moduleNotFoundError.errorf("No module named '%s'", s.Module)
	}
	if s.Root {
		return r.module(s.As)
	}
	return r.module(s.Module)
}

func (r *run) known(name string) bool {
	_, host := r.env.Modules[name]
	_, own := modules[name]
	return host || own
}

// module makes a module as a value, with the modules below it.
func (r *run) module(name string) (Value, error) {
	attrs := map[string]Value{}
	if err := r.work(4096); err != nil {
		return nil, err
	}
	for _, source := range []map[string]map[string]Value{modules, r.env.Modules} {
		for path := range source {
			if below, ok := strings.CutPrefix(path, name+"."); ok {
				below, _, _ = strings.Cut(below, ".")
				if attrs[below] == nil {
					inner, err := r.module(name + "." + below)
					if err != nil {
						return nil, err
					}
					attrs[below] = inner
				}
			}
		}
		for key, v := range source[name] {
			attrs[key] = v
		}
	}
	return &module{name, attrs}, r.grow(96 * len(attrs))
}

// neverModules are what no host will supply, with what to use instead.
var neverModules = map[string]string{
	"os":             "expressions do not see the machine; pass values in through the context",
	"sys":            "expressions do not see the machine; pass values in through the context",
	"subprocess":     "expressions cannot start programs",
	"socket":         "use resolve_dns() and reverse_dns()",
	"urllib.request": "use requests, which is there without an import",
	"http":           "use requests, which is there without an import",
	"secrets":        "use random, or uuid.uuid4()",
	"threading":      "everything runs in order",
	"asyncio":        "everything runs in order",
	"pickle":         "use json",
	"importlib":      "use the import statement",
	"builtins":       "the builtins are there without an import",
	"inspect":        "expressions cannot look into themselves",
	"pathlib":        "expressions do not see files",
	"io":             "expressions do not see files",
	"shutil":         "expressions do not see files",
}

// otherModules are what a host may supply, with what to use if it does not.
var otherModules = map[string]string{
	"requests":    "it is there without an import",
	"logging":     "use ak_logger",
	"structlog":   "use ak_logger",
	"typing":      "annotations have no effect; leave the import out",
	"dataclasses": "use a dict or a tuple",
	"collections": "use dict, and get or setdefault",
	"itertools":   "use comprehensions",
	"functools":   "use def",

	"authentik.events.models":  "use ak_create_event(action, …)",
	"authentik.policies.types": "return True or False, and use ak_message",
	"django.db.models":         "give filter() and exclude() conditions by name, such as name__in=[…]",
	"django.http":              "the query is http_request.GET",
	"django.conf":              "expressions do not see the configuration; pass values in through the context",
}

// never reports whether a module is refused whatever the host has.
func never(name string) bool {
	root, _, _ := strings.Cut(name, ".")
	return neverModules[name] != "" || neverModules[root] != ""
}

// advice says what to do without a module.
func advice(name string) string {
	root, _, _ := strings.Cut(name, ".")
	for _, text := range []string{neverModules[name], neverModules[root], otherModules[name], otherModules[root]} {
		if text != "" {
			return text
		}
	}
	return "available are re, json, datetime, time, math, ipaddress, hashlib, base64, urllib.parse, uuid and random, and some names of django and authentik"
}
