package projections

import "time"

// spans are a time in parts that are counted by the day, parts that are counted
// by the hour, and what is left at its ends.
type spans struct {
	whole []slotSpan
	edges [][2]int64 // microseconds: from, until
}

// A slotSpan are whole slots of so many hours, from an hour until another.
type slotSpan struct{ hours, from, until int64 }

// hourMicros are the microseconds of an hour.
const hourMicros = int64(time.Hour / time.Microsecond)

// ceilTo rounds up to a multiple.
func ceilTo(n, of int64) int64 { return (n + of - 1) / of * of }

// spansBetween takes a time apart.
func spansBetween(from, until time.Time) (s spans) {
	low, high := from.UnixMicro(), until.UnixMicro()
	first, last := ceilTo(low, hourMicros)/hourMicros, high/hourMicros // whole hours
	if first > last {
		return spans{edges: [][2]int64{{low, high}}}
	}
	if low < first*hourMicros {
		s.edges = append(s.edges, [2]int64{low, first * hourMicros})
	}
	if last*hourMicros < high {
		s.edges = append(s.edges, [2]int64{last * hourMicros, high})
	}
	s.whole = wholeSlots(first, last)
	return s
}

// wholeSlots covers hours with days as far as it can.
func wholeSlots(first, last int64) (out []slotSpan) {
	day, end := ceilTo(first, dayHours), last-last%dayHours
	if day >= end {
		return slotsOf(slotSpan{1, first, last})
	}
	return slotsOf(slotSpan{1, first, day}, slotSpan{dayHours, day, end}, slotSpan{1, end, last})
}

// slotsOf leaves out what is empty.
func slotsOf(of ...slotSpan) (out []slotSpan) {
	for _, s := range of {
		if s.from < s.until {
			out = append(out, s)
		}
	}
	return out
}
