package blueprint

import (
	"embed"
	"path"
	"slices"
	"strings"
)

//go:embed default/*.yaml optional/*.yaml
var files embed.FS

// A File is a blueprint's text under its name.
type File struct {
	Name string
	Text []byte
}

// Defaults returns the blueprints that a first start applies, in the order in
// which they are to be applied: what others refer to comes first.
func Defaults() []File {
	return shipped("default", "users", "password-change", "user-settings", "authentication", "invalidation", "brand", "setup")
}

// Optional returns the blueprints that the program ships and does not apply by
// itself: whether strangers may come in, and people may leave, is for the
// operator to say.
func Optional() []File {
	return shipped("optional", "auditor", "enrollment", "enrollment-mail", "invitation", "recovery", "unenrollment")
}

func shipped(folder string, names ...string) []File {
	var out []File
	for _, name := range names {
		file := folder + "/" + name + ".yaml"
		text, err := files.ReadFile(file)
		if err != nil {
			panic("blueprint: shipped file: " + err.Error())
		}
		out = append(out, File{Name: file, Text: text})
	}
	return out
}

// Shipped finds a blueprint that is part of the program, by its file or by the
// bare name of that.
func Shipped(name string) (File, bool) {
	all := append(Defaults(), Optional()...)
	i := slices.IndexFunc(all, func(f File) bool { return name == f.Name || name == f.Short() })
	if i < 0 {
		return File{}, false
	}
	return all[i], true
}

// Short is the name of the file without folder and ending.
func (f File) Short() string { return strings.TrimSuffix(path.Base(f.Name), ".yaml") }
