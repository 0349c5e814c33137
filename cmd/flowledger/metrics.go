package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what operators watch.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(a *app) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "flowledger_request_seconds", Help: "How long requests took, by route, method and status.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}, []string{"route", "method", "status"}),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.requests,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "flowledger_ledger_position", Help: "The position of the last event in the ledger.",
		}, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			head, err := a.store.Head(ctx)
			if err != nil {
				return -1
			}
			return float64(head.Value())
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "flowledger_ready", Help: "1 if the server is ready, else 0.",
		}, func() float64 {
			if a.runner.Ready() == nil && a.ready.Load() {
				return 1
			}
			return 0
		}),
	)
	m.registry.MustRegister(sinkMetrics{a.outgoing})
	if a.cluster != nil {
		m.registry.MustRegister(clusterMetrics{a})
	}
	return m
}

// observe times requests. The route is the pattern, so there are few.
func (m *metrics) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(status, r)
		route := "other"
		if current := mux.CurrentRoute(r); current != nil {
			if pattern, err := current.GetPathTemplate(); err == nil {
				route = pattern
			}
		}
		m.requests.WithLabelValues(route, method(r.Method), strconv.Itoa(status.status)).Observe(time.Since(start).Seconds())
	})
}

// method bounds the label: a client can send any word.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return name
	}
	return "other"
}

// A statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets [http.ResponseController] reach the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A sideServer serves the metrics apart from the public port.
type sideServer struct {
	server   *http.Server
	listener net.Listener
}

func (m *metrics) serve(address string) (*sideServer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; choose another address with --metrics-listen", address, err)
	}
	routes := http.NewServeMux()
	routes.Handle("/metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	routes.HandleFunc("/debug/pprof/", pprof.Index)
	routes.HandleFunc("/debug/pprof/profile", pprof.Profile)
	return &sideServer{&http.Server{Handler: routes, ReadHeaderTimeout: 10 * time.Second}, listener}, nil
}

func (s *sideServer) run() error { return closed(s.server.Serve(s.listener)) }

func (s *sideServer) close() { _ = s.server.Close() } // it serves nothing that could be lost
