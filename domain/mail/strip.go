package mail

import (
	"html"
	"regexp"
	"strings"
)

// breaks are what stands for a tag in plain text, where it begins and where
// it ends.
var breaks = map[string]string{
	"br": "\n", "tr": "\n", "li": "\n", "div": "\n", "hr": "\n", "p": "\n\n", "table": "\n\n", "ul": "\n\n", "ol": "\n\n",
	"blockquote": "\n\n", "h1": "\n\n", "h2": "\n\n", "h3": "\n\n", "h4": "\n\n", "h5": "\n\n", "h6": "\n\n", "td": " ", "th": " ",
}

// unread are the elements whose content is for programs.
var unread = map[string]bool{"script": true, "style": true, "head": true, "title": true, "template": true}

var (
	blanks  = regexp.MustCompile(`[ \t\r\f\v\x{a0}]+`)
	edges   = regexp.MustCompile(` *\n *`)
	gaps    = regexp.MustCompile(`\n{3,}`)
	address = regexp.MustCompile(`(?is)\bhref\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+)`)
)

// Strip makes plain text of HTML, for readers that show no other: without
// tags, with the addresses of links behind their words.
func Strip(source string) string {
	s := stripper{rest: source}
	for s.rest != "" {
		s.step()
	}
	text := blanks.ReplaceAllString(s.out.String(), " ")
	text = edges.ReplaceAllString(text, "\n")
	text = strings.TrimSpace(gaps.ReplaceAllString(text, "\n\n"))
	if text == "" {
		return ""
	}
	return text + "\n"
}

// A stripper walks through a document once.
type stripper struct {
	rest string
	out  strings.Builder
	link string // address of the link that is open
	from int    // where in out its words begin
}

// step takes a piece of text, a comment or a tag from the front.
func (s *stripper) step() {
	words, rest, tagged := strings.Cut(s.rest, "<")
	s.write(words)
	if s.rest = rest; !tagged {
		return
	}
	switch {
	case strings.HasPrefix(rest, "!--"):
		_, s.rest, _ = strings.Cut(rest[len("!--"):], "-->")
	case rest == "" || !opens(rest[0]):
		s.write("<") // a sign, no tag
	default:
		tag, after, _ := strings.Cut(rest, ">")
		s.rest = after
		s.tag(tag)
	}
}

func opens(c byte) bool {
	return c == '/' || c == '!' || c == '?' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// write adds words. The line breaks of the source are blanks.
func (s *stripper) write(words string) {
	s.out.WriteString(strings.ReplaceAll(html.UnescapeString(words), "\n", " "))
}

// tag acts on one tag, without its brackets.
func (s *stripper) tag(tag string) {
	inner, ends := strings.CutPrefix(tag, "/")
	name := inner
	if i := strings.IndexAny(inner, " \t\r\n/"); i >= 0 {
		name = inner[:i]
	}
	name = strings.ToLower(name)
	switch {
	case unread[name] && !ends:
		s.skip(name)
	case name == "a":
		s.anchor(inner, ends)
	case ends && (name == "tr" || name == "li"):
		// The next one begins on a line of its own.
	default:
		s.out.WriteString(breaks[name])
	}
}

// skip leaves out an element with all that is in it. Of one that never ends,
// that is the rest.
func (s *stripper) skip(name string) {
	for {
		_, rest, found := strings.Cut(s.rest, "</")
		s.rest = rest
		if !found || len(rest) >= len(name) && strings.EqualFold(rest[:len(name)], name) {
			_, s.rest, _ = strings.Cut(s.rest, ">")
			return
		}
	}
}

// anchor puts the address of a link behind its words, unless they are it.
func (s *stripper) anchor(tag string, ends bool) {
	if s.link != "" && !strings.Contains(s.out.String()[s.from:], s.link) {
		s.out.WriteString(" (" + s.link + ")")
	}
	s.link, s.from = "", s.out.Len()
	if m := address.FindStringSubmatch(tag); m != nil && !ends {
		target := html.UnescapeString(strings.Trim(m[1], `"'`))
		if strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://") || strings.HasPrefix(target, "mailto:") {
			s.link = blanks.ReplaceAllString(strings.ReplaceAll(target, "\n", ""), "")
		}
	}
}
