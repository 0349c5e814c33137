package blueprint

import "embed"

//go:embed default/*.yaml
var files embed.FS

// A File is a blueprint's text under its name.
type File struct {
	Name string
	Text []byte
}

// Defaults returns the blueprints that the program ships, in the order in
// which they are to be applied.
func Defaults() []File {
	var out []File
	for _, name := range []string{"users", "authentication", "invalidation", "brand", "setup"} {
		text, err := files.ReadFile("default/" + name + ".yaml")
		if err != nil {
			panic("blueprint: shipped file: " + err.Error())
		}
		out = append(out, File{Name: "default/" + name + ".yaml", Text: text})
	}
	return out
}
