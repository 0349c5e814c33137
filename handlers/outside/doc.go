// Package outside answers what policies ask the world outside the program,
// within limits of time, size and reach. What the answers mean is the policies'
// business.
package outside
