package web

import (
	"html"
	"html/template"
	"regexp"
)

var (
	// plainTags are the tags that an administrator's text may have. They have
	// no attributes, so they can do nothing but look.
	plainTags = regexp.MustCompile(`&lt;(/?(?:p|br|b|strong|i|em|u|code|ul|ol|li))\s*/?&gt;`)

	// linkTags is a link as far as it is kept: to the web, or to this site. It
	// sees escaped text only, so no part of it can end the attribute.
	linkTags = regexp.MustCompile(`&lt;a href=&#34;(https?://\S+?|/\S*?)&#34;.*?&gt;(.*?)&lt;/a&gt;`)

	// entities are characters that the text spells out.
	entities = regexp.MustCompile(`&amp;(#?[0-9A-Za-z]{1,10};)`)
)

// rich shows the small HTML that texts of flows are written in. Such texts may
// be computed from what visitors typed, so all of it is escaped first, and
// only a few harmless tags are let through again.
func rich(text string) template.HTML {
	safe := html.EscapeString(text)
	safe = plainTags.ReplaceAllString(safe, "<$1>")
	safe = linkTags.ReplaceAllString(safe, `<a href="$1" rel="noopener noreferrer">$2</a>`)
	return template.HTML(entities.ReplaceAllString(safe, "&$1"))
}
