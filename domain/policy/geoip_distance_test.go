package policy

import (
	"math"
	"strings"
	"testing"
)

// The expected values are published solutions of the inverse problem on WGS84.
func TestDistance(t *testing.T) {
	for name, test := range map[string]struct {
		a, b point
		want float64
	}{
		"nowhere":                              {point{52.5, 13.4}, point{52.5, 13.4}, 0},
		"the same pole":                        {point{90, 0}, point{90, 120}, 0},
		"the same meridian, named twice":       {point{10, 180}, point{10, -180}, 0},
		"across a city":                        {point{-37.95103341666667, 144.42486788888888}, point{-37.65282113888889, 143.92649552777777}, 54.972},
		"Newport to Cleveland":                 {point{41.49008, -71.312796}, point{41.499498, -81.695391}, 866.455},
		"Kennedy to Heathrow":                  {point{40.6, -73.8}, point{51.6, -0.5}, 5551.759},
		"a quarter of the equator":             {point{0, 0}, point{0, 90}, 10018.754},
		"the equator to the pole":              {point{0, 0}, point{90, 0}, 10001.966},
		"across the date line":                 {point{0, 179.5}, point{0, -179.5}, 111.319},
		"Wellington to Salamanca, opposite":    {point{-41.32, 174.81}, point{40.96, -5.5}, 19959.679},
		"almost opposite":                      {point{0, 0}, point{0.5, 179.5}, 19936.289},
		"too opposite for the formula":         {point{0, 0}, point{0.5, 179.7}, 19944.127},
		"opposite":                             {point{0, 0}, point{0, 180}, 20003.931},
		"the poles":                            {point{90, 0}, point{-90, 0}, 20003.931},
		"opposite and named by other meridian": {point{90, 77}, point{-90, -13}, 20003.931},
	} {
		t.Run(name, func(t *testing.T) {
			tolerance := 0.001
			if strings.Contains(name, "opposite") || name == "the poles" {
				tolerance = 0.005 * test.want
			}
			for _, got := range []float64{distance(test.a, test.b), distance(test.b, test.a)} {
				if math.IsNaN(got) || math.Abs(got-test.want) > tolerance {
					t.Errorf("%.3f km, want %.3f", got, test.want)
				}
			}
		})
	}
}

func TestCountries(t *testing.T) {
	if n := len(Countries()); n != 249 {
		t.Errorf("%d countries", n)
	}
	seen := map[string]bool{}
	for _, c := range Countries() {
		if len(c.Code) != 2 || c.Name == "" || seen[c.Code] || seen[c.Name] {
			t.Errorf("country %+v", c)
		}
		seen[c.Code], seen[c.Name] = true, true
	}
	if CountryName("DE") != "Germany" || CountryName("XX") != "" || CountryName("de") != "" {
		t.Error("countries are not known by their codes")
	}
}
