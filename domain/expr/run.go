package expr

import (
	"context"
)

// Limits bound one evaluation. A zero means the default.
type Limits struct {
	Steps  int // statements, operations, calls and rounds of loops
	Memory int // bytes asked for, approximately, freed or not
	Depth  int // calls inside each other, and data inside data
}

// The defaults of [Limits].
const (
	DefaultSteps  = 200_000
	DefaultMemory = 8 << 20
	DefaultDepth  = 120
)

// checkEvery is how many steps pass between two looks at the context.
const checkEvery = 2000

// A run is one evaluation under way: what it may reach and what it has used.
type run struct {
	ctx     context.Context
	env     *Env
	prog    *Program
	steps   int
	pause   int // when to look at the limits again
	memory  int
	depth   int
	limits  Limits
	random  random
	writing []Value // the containers whose repr is being written
}

func newRun(ctx context.Context, p *Program, env *Env) *run {
	l := env.Limits
	if l.Steps <= 0 {
		l.Steps = DefaultSteps
	}
	if l.Memory <= 0 {
		l.Memory = DefaultMemory
	}
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	return &run{ctx: ctx, env: env, prog: p, limits: l, random: newRandom(env.Seed)}
}

// step counts one step.
func (r *run) step() error {
	r.steps++
	if r.steps > r.pause {
		return r.check()
	}
	return nil
}

// work counts the steps that handling n bytes or items is worth.
func (r *run) work(n int) error {
	r.steps += n >> 5
	return r.step()
}

// check looks at the limits.
func (r *run) check() error {
	if r.steps > r.limits.Steps {
		return limitError(StepLimit, "the expression did more than %d steps", r.limits.Steps)
	}
	if err := r.ctx.Err(); err != nil {
		return failure(err)
	}
	r.pause = min(r.steps+checkEvery, r.limits.Steps)
	return nil
}

// grow accounts for n bytes before they are allocated.
func (r *run) grow(n int) error {
	if n < 0 || n > r.limits.Memory-r.memory {
		return limitError(MemoryLimit, "the expression asked for more than %d bytes", r.limits.Memory)
	}
	r.memory += n
	return nil
}

// enter goes one level deeper into calls or data; leave must follow if it
// succeeds.
func (r *run) enter() error {
	if r.depth >= r.limits.Depth {
		return limitError(DepthLimit, "calls or data are nested more than %d deep", r.limits.Depth)
	}
	r.depth++
	return r.step()
}

func (r *run) leave() { r.depth-- }

// text makes a text that the program keeps.
func (r *run) text(s string) (Value, error) {
	return Str(s), r.grow(len(s) + 16)
}

// list makes a list that the program keeps.
func (r *run) list(items []Value) (Value, error) {
	return &List{items}, r.grow(16*len(items) + 40)
}
