package policy

import "math"

// The ellipsoid of WGS84, in kilometres.
const (
	equatorial = 6378.137
	flattening = 1 / 298.257223563
	polar      = equatorial * (1 - flattening)
)

// A point is a place on earth, in degrees.
type point struct{ lat, long float64 }

// valid tells whether there is such a place.
func (p point) valid() bool { return math.Abs(p.lat) <= 90 && math.Abs(p.long) <= 180 }

// distance is the length of the shortest way between two points, in
// kilometres: Vincenty's inverse formula, good to a millimetre. It does not
// settle for points that are almost opposite; those are as far apart as on a
// sphere, within half a percent.
func distance(a, b point) float64 {
	if a == b {
		return 0
	}
	reduced := func(lat float64) (sin, cos float64) {
		return math.Sincos(math.Atan((1 - flattening) * math.Tan(radians(lat))))
	}
	sinU1, cosU1 := reduced(a.lat)
	sinU2, cosU2 := reduced(b.lat)
	apart := radians(b.long - a.long)
	lambda := apart
	for range 100 {
		sinL, cosL := math.Sincos(lambda)
		sinS := math.Hypot(cosU2*sinL, cosU1*sinU2-sinU1*cosU2*cosL)
		if sinS == 0 {
			return 0
		}
		cosS := sinU1*sinU2 + cosU1*cosU2*cosL
		sigma := math.Atan2(sinS, cosS)
		sinA := cosU1 * cosU2 * sinL / sinS
		cosA2 := 1 - sinA*sinA
		cosM := 0.0 // on the equator
		if cosA2 > 1e-12 {
			cosM = cosS - 2*sinU1*sinU2/cosA2
		}
		c := flattening / 16 * cosA2 * (4 + flattening*(4-3*cosA2))
		last := lambda
		lambda = apart + (1-c)*flattening*sinA*(sigma+c*sinS*(cosM+c*cosS*(2*cosM*cosM-1)))
		if math.Abs(lambda-last) < 1e-12 {
			return arc(sigma, sinS, cosS, cosA2, cosM)
		}
	}
	return sphere(a, b)
}

// arc turns what the iteration found into a length.
func arc(sigma, sinS, cosS, cosA2, cosM float64) float64 {
	u2 := cosA2 * (equatorial*equatorial - polar*polar) / (polar * polar)
	a := 1 + u2/16384*(4096+u2*(-768+u2*(320-175*u2)))
	b := u2 / 1024 * (256 + u2*(-128+u2*(74-47*u2)))
	delta := b * sinS * (cosM + b/4*(cosS*(2*cosM*cosM-1)-b/6*cosM*(4*sinS*sinS-3)*(4*cosM*cosM-3)))
	return polar * a * (sigma - delta)
}

// sphere is the distance on a sphere of the earth's mean radius.
func sphere(a, b point) float64 {
	const radius = (2*equatorial + polar) / 3
	lat, long := math.Sin(radians(b.lat-a.lat)/2), math.Sin(radians(b.long-a.long)/2)
	h := lat*lat + math.Cos(radians(a.lat))*math.Cos(radians(b.lat))*long*long
	return 2 * radius * math.Asin(math.Sqrt(min(h, 1)))
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
