package stage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/user"
)

// Background is what flows are shown on that have no picture of their own.
const Background = "/static/dist/assets/images/flow_background.svg"

// CancelURL is where clients go to give a flow up.
const CancelURL = "/flows/-/cancel/"

// Frame is what all challenges of an execution share.
type Frame struct {
	Flow       Flow
	Background string // of the brand; empty for the built-in one
	App        string // name of the application that is logged in to
	User       string // the name to show
	Next       string
}

// Envelope makes a challenge ready for the wire (spec/stages.md 1.4). Problems
// are those of the answer that it replies to; none leave the key out.
func Envelope(c execution.Challenge, f Frame, problems []execution.Problem, rejected bool) (map[string]any, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("challenge %s: %w", c.Component(), err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("challenge %s: %w", c.Component(), err)
	}
	out["component"], out["flow_info"] = c.Component(), f.info()
	if rejected {
		out["response_errors"] = ResponseErrors(problems)
	}
	return out, nil
}

// ResponseErrors puts problems into the contract's shape.
func ResponseErrors(problems []execution.Problem) map[string]any {
	out := map[string]any{}
	for _, p := range problems {
		list, _ := out[p.Field].([]any)
		out[p.Field] = append(list, map[string]any{"string": p.Text, "code": p.Code})
	}
	return out
}

// info is the flow_info of a challenge.
func (f Frame) info() map[string]any {
	background := f.Flow.Background
	if background == "" {
		background = f.Background
	}
	if background == "" {
		background = Background
	}
	var themed any
	if strings.Contains(background, "%(theme)s") {
		themed = map[string]any{
			"light": strings.ReplaceAll(background, "%(theme)s", "light"),
			"dark":  strings.ReplaceAll(background, "%(theme)s", "dark"),
		}
	}
	cancel := CancelURL
	if f.Next != "" {
		cancel += "?next=" + url.QueryEscape(f.Next)
	}
	return map[string]any{
		"title": f.title(), "background": background, "background_themed_urls": themed,
		"cancel_url": cancel, "layout": f.Flow.Layout,
	}
}

// title fills the placeholders of the flow's title. One that cannot be filled
// leaves the title as it is (spec/flows.md 2.4).
func (f Frame) title() string {
	filled := strings.NewReplacer("%(app)s", f.App, "%(user)s", f.User, "%%", "%").Replace(f.Flow.Title)
	rest := strings.NewReplacer("%(app)s", "", "%(user)s", "", "%%", "").Replace(f.Flow.Title)
	if strings.Contains(rest, "%") {
		return f.Flow.Title
	}
	return filled
}

// AccessDenied tells the client that it ends here.
type AccessDenied struct {
	pendingUser
	Message string `json:"error_message,omitempty"`
}

// Component implements [execution.Challenge].
func (AccessDenied) Component() string { return "ak-stage-access-denied" }

// DeniedTo makes an [AccessDenied] that shows a name.
func DeniedTo(name, message string) AccessDenied {
	return AccessDenied{pendingUser: pendingUser{PendingUser: name, Avatar: Avatar}, Message: message}
}

// Redirected is the redirect that ends a flow, or leaves it. It has no
// flow_info.
func Redirected(to string, final bool) map[string]any {
	return map[string]any{"component": "xak-flow-redirect", "to": to, "final_redirect": final}
}

// Failed is the challenge for a fault of ours. It has no flow_info. Only those
// who look after the flows are told what went wrong (spec/flows.md 6.6).
func Failed(c execution.Conclusion, to user.Person) map[string]any {
	challenge := map[string]any{"component": "ak-stage-flow-error", "request_id": c.ErrorID}
	if debug, _ := to.GroupAttributes["goauthentik.io/user/debug"].(bool); to.Superuser || debug {
		challenge["error"], challenge["traceback"] = c.Detail, cmp.Or(c.Stack, c.Detail)
	}
	return challenge
}

// Local tells whether a target stays on this site: exactly one leading slash,
// no backslash, no control character, no scheme and no host (spec/product.md
// 3, row 8).
func Local(target string) bool {
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") || len(target) > 4096 {
		return false
	}
	if strings.ContainsFunc(target, func(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }) {
		return false
	}
	u, err := url.Parse(target)
	return err == nil && u.Scheme == "" && u.Host == ""
}
