package execution

import (
	"encoding/json"
	"net/url"

	"github.com/flowledger/flowledger/domain/session"
)

// A Visit is one request of a client to a flow: it fetches the current
// challenge, or answers it.
type Visit struct {
	Slug      string          // of the flow
	Execution string          // the execution meant; empty for the session's current one of this flow
	Fresh     bool            // start a new execution although one of this flow is under way
	Entry     string          // how the client came: interface, api, default, configure, execute, token
	Query     url.Values      // of the page, as the client's query parameter carried it
	Outer     url.Values      // of the request itself
	Response  json.RawMessage // the answer; nil to fetch the challenge
	Sequence  int             // which challenge is answered; 0 when the client does not say
	Caller    session.Caller
}

// An Answer is what the client of a [Visit] is told. Either the stage is
// passed and the next challenge is to be fetched (Advanced), or Challenge is
// what to show.
type Answer struct {
	Execution string
	Advanced  bool
	Challenge map[string]any // as on the wire, with component and flow_info
	Sequence  int            // of the challenge, to send back with its answer
	Final     bool           // the execution is over, and Challenge says how
	Renew     bool           // the session's user changed: give the browser a new identifier
	Ended     bool           // the session is over: the browser loses its identifier
}
