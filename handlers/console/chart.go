package console

import (
	"fmt"
	"time"
)

// A chartBar is a part of a bar in a drawing that the server makes: numbers in
// the units of the drawing, from the upper left corner.
type chartBar struct {
	X, Y, Width, Height float64
	Class               string // what it stands for
	Title               string // what it says to those who point at it
}

// A chartMark is a word on an axis of a drawing.
type chartMark struct {
	X, Y float64
	Text string
}

// A chart is a drawing of numbers over time. It is a picture: the numbers
// stand in a table beside it.
type chart struct {
	Width, Height float64
	Base          float64 // where the bars stand
	Bars          []chartBar
	Marks         []chartMark // along the time
	Peak          int         // what the highest bar stands for
	Empty         bool        // nothing to draw
}

// The size of a drawing. It is scaled to the width of the page.
const (
	chartWidth  = 720.0
	chartHeight = 130.0
	chartFoot   = 22.0 // for the words below the bars
	chartHead   = 14.0 // for the number above them
)

// A chartPart is one of the numbers that a bar is stacked from.
type chartPart struct {
	Class, Name string
	Count       int
}

// stacked draws a bar for each time, stacked from its parts, the first at the
// bottom.
func stacked(times []time.Time, layout string, parts func(i int) []chartPart) chart {
	c := chart{Width: chartWidth, Height: chartHeight, Base: chartHeight - chartFoot}
	for i := range times {
		c.Peak = max(c.Peak, sum(parts(i)))
	}
	if c.Peak == 0 {
		c.Empty = true
		return c
	}
	wide := chartWidth / float64(len(times))
	scale := (c.Base - chartHead) / float64(c.Peak)
	gap := min(wide/5, 3)
	for i, at := range times {
		x, y := float64(i)*wide, c.Base
		for _, p := range parts(i) {
			if p.Count == 0 {
				continue
			}
			height := max(float64(p.Count)*scale, 1) // few among many are seen, too
			y -= height
			title := fmt.Sprintf("%s: %d %s", at.UTC().Format("2 Jan 15:04"), p.Count, p.Name)
			c.Bars = append(c.Bars, chartBar{round(x + gap/2), round(y), round(wide - gap), round(height), p.Class, title})
		}
		if every := (len(times) + 5) / 6; i%every == 0 {
			c.Marks = append(c.Marks, chartMark{round(x + gap/2), chartHeight - 6, at.UTC().Format(layout)})
		}
	}
	return c
}

func sum(parts []chartPart) (n int) {
	for _, p := range parts {
		n += p.Count
	}
	return n
}

// round keeps a tenth of a unit: nobody sees more, and pages stay small.
func round(x float64) float64 { return float64(int(x*10+0.5)) / 10 }
