package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/looked"
)

// Deliveries are the sinks of the outgoing trail, and what can be done to them.
type Deliveries interface {
	// Deliveries tells how each sink is doing, by name.
	Deliveries(ctx context.Context) ([]Delivery, error)
	// Parked returns the events that a sink gave up on, the oldest first.
	Parked(ctx context.Context, sink string) ([]ParkedEvent, error)
	// Resend sends again what comes after a position or a time. It fails with
	// Invalid for what is neither.
	Resend(ctx context.Context, c session.Caller, sink, from string) error
	// Settle tries a parked event again, or gives it up for good.
	Settle(ctx context.Context, c session.Caller, sink, event string, again bool) error
	// Enable switches a sink on or off. It keeps its place.
	Enable(ctx context.Context, c session.Caller, sink string, on bool) error
}

// changeSinks is the permission to change sinks, and so to have them send again.
const changeSinks = "flowledger_trail.change_sink"

// A Delivery is how a sink is doing.
type Delivery struct {
	ID, Name, Kind, Format string

	Enabled bool
	State   string // delivering, behind, failing, parked or off

	Lag       time.Duration // how long the oldest event has been waiting
	At, Head  eventstore.Position
	Delivered int64
	Parked    int64
	LastError string
	Since     time.Time // when the outage began
	NextTry   time.Time
}

// A ParkedEvent is one that a sink gave up on.
type ParkedEvent struct {
	Event    string // id
	Position string
	Class    string // of what went wrong
	At       time.Time
}

// stateTones are how states look. The worse come first in the list.
var stateTones = map[string]string{"failing": "bad", "parked": "bad", "behind": "", "delivering": "good", "off": ""}

var stateOrder = []string{"failing", "parked", "behind", "delivering", "off"}

// Tone is how the state looks.
func (d Delivery) Tone() string { return stateTones[d.State] }

// LagText is how long the oldest event has been waiting.
func (d Delivery) LagText() string {
	switch lag := d.Lag; {
	case !d.Enabled:
		return "–"
	case lag < time.Second:
		return "under a second"
	case lag < time.Minute:
		return fmt.Sprintf("%d s", lag/time.Second)
	case lag < time.Hour:
		return fmt.Sprintf("%d min", lag/time.Minute)
	default:
		return fmt.Sprintf("%d h %d min", lag/time.Hour, lag%time.Hour/time.Minute)
	}
}

// A deliveriesView is the list of sinks for the template.
type deliveriesView struct {
	frame
	Deliveries []Delivery
}

func (s *Server) deliveries(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	all, err := s.Deliveries.Deliveries(r.Context())
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b Delivery) int {
		return cmp.Compare(slices.Index(stateOrder, a.State), slices.Index(stateOrder, b.State))
	})
	if err := s.Looks.Queried(r.Context(), *c, looked.Look{View: "deliveries", Filters: asked(r), Count: len(all)}); err != nil {
		return err
	}
	v := deliveriesView{s.frame(r, c, "Deliveries"), all}
	v.Refresh = 5
	return render(w, http.StatusOK, "deliveries", v)
}

// A deliveryView is one sink for the template.
type deliveryView struct {
	frame
	Delivery  Delivery
	Parked    []ParkedEvent
	MayChange bool
	CSRF      string
	Done      string // what was just done
	Problem   string // why it was not
	From      string // as it was typed
}

// deeds are what was just done, in words, by what the address says.
var deeds = map[string]string{
	"resend": "Everything from there on is being sent again.", "release": "The event is being tried again.",
	"abandon": "The event was given up for this sink.", "on": "The sink is on.", "off": "The sink is off. It keeps its place.",
}

func (s *Server) delivery(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	return s.showDelivery(w, r, c, deliveryView{Done: deeds[r.URL.Query().Get("done")]}, http.StatusOK)
}

func (s *Server) showDelivery(w http.ResponseWriter, r *http.Request, c *session.Caller, v deliveryView, status int) error {
	id := mux.Vars(r)["sink"]
	all, err := s.Deliveries.Deliveries(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(d Delivery) bool { return d.ID == id })
	if i < 0 {
		return domain.Errorf(domain.NotFound, "There is no sink %q.", id)
	}
	v.Delivery, v.MayChange = all[i], c.May(changeSinks)
	if v.Parked, err = s.Deliveries.Parked(r.Context(), id); err != nil {
		return err
	}
	if err := s.Looks.Queried(r.Context(), *c, looked.Look{View: "deliveries", Filters: map[string]string{"sink": id}, Count: 1}); err != nil {
		return err
	}
	v.CSRF = s.Forgery.Token(w, r)
	v.frame = s.frame(r, c, v.Delivery.Name)
	return render(w, status, "delivery", v)
}

// deliveryDeed does something to a sink. A mistake shows on its page.
func (s *Server) deliveryDeed(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	var err error
	form := r.PostForm
	sink, deed := mux.Vars(r)["sink"], mux.Vars(r)["deed"]
	switch ctx := r.Context(); deed {
	case "resend":
		if form.Get("sure") != "yes" {
			err = invalid("sure", "Please say that the target may get events that it has seen.")
			break
		}
		err = s.Deliveries.Resend(ctx, *c, sink, strings.TrimSpace(form.Get("from")))
	case "release", "abandon":
		err = s.Deliveries.Settle(ctx, *c, sink, form.Get("event"), deed == "release")
	case "on", "off":
		err = s.Deliveries.Enable(ctx, *c, sink, deed == "on")
	default:
		return domain.Errorf(domain.NotFound, "There is nothing at this address.")
	}
	if e, ok := errors.AsType[*domain.Error](err); ok && (e.Code == domain.Invalid || e.Code == domain.Conflict) {
		return s.showDelivery(w, r, c, deliveryView{Problem: e.Message, From: form.Get("from")}, http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, "/if/admin/deliveries/"+url.PathEscape(sink)+"/?done="+deed)
}
