package object

// Reset ends what nobody made: a thing that the read models add up from other
// events, such as a score. It can be ended as often as it has grown anew.
type Reset struct {
	Kind string
	Name string
	By   string
	Via  string
}

// Decide implements [domain.Command].
func (c Reset) Decide(State) ([]Event, error) {
	return []Event{ObjectRemoved{Kind: c.Kind, Name: c.Name, By: c.By, Via: c.Via}}, nil
}
