package blueprint

// A Lying file is one that lies where blueprints are looked for, as far as it
// matters to what becomes of it.
type Lying struct {
	Path        string
	Hash        string // SHA-512, hexadecimal; empty where the file cannot be read
	Instantiate bool   // it can be read, and its label does not say otherwise
	Hot         bool   // it is being written: it is looked at later
}

// A Holding is an instance that names a file.
type Holding struct {
	ID      string
	Path    string
	Tried   string // hash of the text that was tried last
	Status  string
	Enabled bool
	Found   bool // made for the file, and never touched by anybody
}

// A Step is what to do so that files and instances agree.
type Step struct {
	Do   StepKind
	ID   string // of the instance, but to add one
	Path string
}

// A StepKind is what a step does.
type StepKind string

// The steps.
const (
	AddInstance    StepKind = "add" // and apply it
	ApplyInstance  StepKind = "apply"
	DropInstance   StepKind = "drop"
	OrphanInstance StepKind = "orphan"
)

// Reconcile says what to do so that each file has its instance, applied as it
// is. If not all files could be seen, none is missed. Again asks for what failed
// to be tried again: what was missing may be there.
//
// An instance whose file is gone goes, too. If somebody made or changed it, it
// stays as an orphan: what they wrote into it would be lost, and the file may
// come back.
func Reconcile(files []Lying, complete bool, kept []Holding, again bool) []Step {
	lying := map[string]Lying{}
	for _, f := range files {
		lying[f.Path] = f
	}
	held := map[string]bool{}
	var steps []Step
	for _, h := range kept {
		held[h.Path] = true
		if do := reconcile(h, lying, complete, again); do != "" {
			steps = append(steps, Step{Do: do, ID: h.ID, Path: h.Path})
		}
	}
	for _, f := range files {
		if f.Instantiate && !f.Hot && !held[f.Path] {
			steps = append(steps, Step{Do: AddInstance, Path: f.Path})
		}
	}
	return steps
}

// reconcile says what to do with one instance; empty for nothing.
func reconcile(h Holding, lying map[string]Lying, complete, again bool) StepKind {
	f, there := lying[h.Path]
	switch {
	case !there && !complete:
	case !there && h.Found:
		return DropInstance
	case !there && h.Status != Orphaned:
		return OrphanInstance
	case !there || f.Hot || !h.Enabled:
	case f.Hash != h.Tried || h.Status == Unknown || h.Status == Orphaned || h.Status == Failed && again:
		return ApplyInstance
	}
	return ""
}
