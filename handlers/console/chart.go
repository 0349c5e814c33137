package console

import (
	"fmt"
	"time"

	"github.com/flowledger/flowledger/projections"
)

// A chart is a row of stacked bars, drawn by the server. Bars differ by pattern
// as well as by colour, and whoever sees neither reads the table.
type chart struct {
	Title  string
	Width  int
	Height int
	Bars   []chartBar
	Lines  []chartLine // of the scale, the lowest first
	Labels []chartLabel
	Legend []chartPart // in the order in which they are stacked
}

// A chartBar is what stands above one slot of time.
type chartBar struct {
	At    time.Time
	Parts []chartPart
	Title string
}

// A chartPart is a part of a bar.
type chartPart struct {
	Class, Word string
	Count       int
	X, Y, W, H  float64
}

// A chartLine is a line of the scale.
type chartLine struct {
	Y    float64
	Text string
}

// A chartLabel is a time at the axis.
type chartLabel struct {
	X    float64
	Text string
}

// What a chart measures.
const (
	chartWidth  = 960
	chartHeight = 220
	chartLeft   = 44
	chartFoot   = 22
	chartTop    = 8
)

// stacked are the outcomes from the bottom up.
var stacked = []string{"completed", "running", "cancelled", "expired", "failed", "denied"}

// outcomeChart draws how executions ended over time.
func outcomeChart(o projections.Overview, s span) chart {
	var slots []slot
	for _, one := range o.Slots {
		slots = append(slots, slot{one.At, one.Outcomes})
	}
	return stackedChart("Executions by when they began and how they ended", slots, stacked, s.label)
}

// A slot is what is counted in a part of the time.
type slot struct {
	at     time.Time
	counts map[string]int
}

// stackedChart draws counts by time: classes are those of the outcomes' words
// and styles, from the bottom up.
func stackedChart(title string, slots []slot, classes []string, label string) chart {
	c := chart{Title: title, Width: chartWidth, Height: chartHeight}
	top, present := 0, map[string]bool{}
	for _, s := range slots {
		sum := 0
		for _, class := range classes {
			sum += s.counts[class]
			present[class] = present[class] || s.counts[class] > 0
		}
		top = max(top, sum)
	}
	for _, class := range classes {
		if present[class] {
			c.Legend = append(c.Legend, chartPart{Class: class, Word: outcomeOf(class).Word})
		}
	}
	scale := scaleFor(top)
	height := float64(chartHeight - chartFoot - chartTop)
	for i := range 3 {
		c.Lines = append(c.Lines, chartLine{chartTop + height - height*float64(i)/2, count(scale * i / 2)})
	}
	width := float64(chartWidth-chartLeft) / float64(max(1, len(slots)))
	for i, s := range slots {
		x, y := chartLeft+width*float64(i), chartTop+height
		bar := chartBar{At: s.at, Title: s.at.UTC().Format("2006-01-02 15:04")}
		for _, class := range classes {
			n := s.counts[class]
			if n == 0 {
				continue
			}
			h := height * float64(n) / float64(scale)
			y -= h
			word := outcomeOf(class).Word
			bar.Parts = append(bar.Parts, chartPart{class, word, n, x + width*.12, y, width * .76, h})
			bar.Title += fmt.Sprintf(", %s %s", count(n), word)
		}
		c.Bars = append(c.Bars, bar)
		if every := max(1, len(slots)/6); i%every == 0 && i+every/2 < len(slots) {
			c.Labels = append(c.Labels, chartLabel{x + width*.12, s.at.UTC().Format(label)})
		}
	}
	return c
}

// scaleFor is the end of a scale that reaches to a number: a round one, whose
// half is whole.
func scaleFor(top int) int {
	for scale := 2; ; scale *= 10 {
		for _, times := range []int{1, 2, 5} {
			if scale*times >= top {
				return scale * times
			}
		}
	}
}

// Empty tells whether there is nothing to draw.
func (c chart) Empty() bool { return len(c.Legend) == 0 }

// Base is where the bars stand.
func (c chart) Base() int { return chartHeight - chartFoot }

// Axis is where the times are written.
func (c chart) Axis() int { return chartHeight - 6 }

// Left is where the bars begin.
func (c chart) Left() int { return chartLeft }

// Count is what a bar has of a class.
func (b chartBar) Count(class string) int {
	for _, p := range b.Parts {
		if p.Class == class {
			return p.Count
		}
	}
	return 0
}
