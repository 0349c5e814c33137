package blueprint

// The limits of a blueprint.
const (
	MaxText    = 1 << 20 // bytes of the document
	MaxEntries = 10_000

	maxDepth    = 100       // levels of mappings, lists and tags in each other
	maxNodes    = 200_000   // values of the document with all aliases expanded
	maxWork     = 2_000_000 // values that all tags and merges produce together
	maxProduced = 16 << 20  // bytes of text that tags produce
)

// A budget bounds what one import may produce.
type budget struct {
	nodes int // values made
	bytes int // text made
	depth int // tags inside each other, at the moment
}

// spend accounts for n values.
func (b *budget) spend(n int) error {
	if b.nodes += n; b.nodes > maxWork {
		return overLimit("the blueprint's tags produce more than %d values", maxWork)
	}
	return nil
}

// spendText accounts for n bytes of text.
func (b *budget) spendText(n int) error {
	if b.bytes += n; b.bytes > maxProduced {
		return overLimit("the blueprint's tags produce more than %d bytes of text", maxProduced)
	}
	return nil
}

// descend goes a level deeper; leave undoes it.
func (b *budget) descend() error {
	if b.depth++; b.depth > maxDepth {
		return overLimit("the blueprint's tags are nested deeper than %d levels, or refer to themselves", maxDepth)
	}
	return b.spend(1)
}

func (b *budget) leave() { b.depth-- }
