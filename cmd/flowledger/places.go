package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/outside"
	"github.com/flowledger/flowledger/projections"
)

// placesFlags say where the databases of addresses lie.
type placesFlags struct {
	city, asn string
}

func (f *placesFlags) flags(fs *flag.FlagSet) {
	fs.StringVar(&f.city, "geoip-city", "", "`file` with a database of cities in MaxMind's format; without one nobody is anywhere")
	fs.StringVar(&f.asn, "geoip-asn", "", "`file` with a database of autonomous systems in MaxMind's format; without one no network is known")
}

// open opens the databases. What is wrong with a path must be found at the
// start: a policy of countries must not fail for lack of a file.
func (f placesFlags) open(log *slog.Logger) (*outside.Places, error) {
	places, err := outside.OpenPlaces(f.city, f.asn, time.Now, log)
	if err != nil {
		return nil, fmt.Errorf("open the databases of addresses: %w; see --geoip-city and --geoip-asn", err)
	}
	return places, nil
}

// origin is what the databases tell of an address now.
func (a *app) origin(ip string) (o session.Origin) {
	if address, err := netip.ParseAddr(ip); err == nil {
		o.Place, o.System = a.places.Locate(address)
	}
	return o
}

// placeName is a place in words: a city and its country, as far as they are
// known.
func placeName(p *session.Place) string {
	if p == nil {
		return ""
	}
	country := policy.CountryName(p.Country)
	if country == "" {
		country = p.Country
	}
	return strings.TrimSuffix(strings.TrimPrefix(p.City+", "+country, ", "), ", ")
}

// Logins implements policy.History. A login of a moment ago counts, so the
// read models have to have seen it.
func (r *records) Logins(ctx context.Context, userID string, limit int) ([]policy.Login, error) {
	if err := r.app.wait(ctx); err != nil {
		return nil, err
	}
	found, err := r.app.audit.Logins(ctx, userID, limit)
	return logins(found), err
}

func logins(found []projections.SignIn) []policy.Login {
	out := make([]policy.Login, len(found))
	for i, s := range found {
		out[i] = policy.Login{Event: s.ID, At: s.At, Place: s.Place}
	}
	return out
}
