package session

// A Place is where an address is in use, as far as a database knows
// (spec/flows.md 8.2).
type Place struct {
	Continent string   `json:"continent"` // two letters; empty where unknown, like the rest
	Country   string   `json:"country"`   // ISO 3166-1, two letters
	Lat       *float64 `json:"lat"`       // degrees north; nil where unknown
	Long      *float64 `json:"long"`      // degrees east
	City      string   `json:"city"`
}

// A System is the autonomous system that an address belongs to.
type System struct {
	Number  int    `json:"asn"`
	Name    string `json:"as_org"`
	Network string `json:"network"` // in CIDR notation; empty where unknown
}

// An Origin is what databases tell of an address.
type Origin struct {
	Place  *Place  `json:"geo,omitempty"`
	System *System `json:"asn,omitempty"`
}

// Origin is what databases told of the network's address.
func (n Network) Origin() Origin { return Origin{Place: n.Place, System: n.System} }

// Shown is a place in the contract's shape: null where nothing is known.
func (p *Place) Shown() any {
	if p == nil {
		return nil
	}
	return map[string]any{
		"continent": text(p.Continent), "country": text(p.Country), "lat": degrees(p.Lat), "long": degrees(p.Long), "city": p.City,
	}
}

// Shown is a system in the contract's shape: null where nothing is known.
func (s *System) Shown() any {
	if s == nil {
		return nil
	}
	return map[string]any{"asn": s.Number, "as_org": text(s.Name), "network": text(s.Network)}
}

// text is null for what is unknown.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// degrees is null for what is unknown.
func degrees(n *float64) any {
	if n == nil {
		return nil
	}
	return *n
}
