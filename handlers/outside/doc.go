// Package outside answers what policies and stages ask the world outside the
// program, within limits of time, size and reach. What the answers mean is their
// business.
package outside
