package main

import (
	"github.com/prometheus/client_golang/prometheus"
)

// clusterMetrics are what operators watch where several nodes share a ledger.
type clusterMetrics struct{ app *app }

var (
	leaseHeld = prometheus.NewDesc("flowledger_lease_held", "1 if this node does the work of that name, else 0.", []string{"name"}, nil)
	storeUp   = prometheus.NewDesc("flowledger_store_up", "1 if the ledger's engine answered lately, else 0.", nil, nil)
	applied   = prometheus.NewDesc("flowledger_views_position", "The position up to which this node's read models have come.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (clusterMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- leaseHeld
	out <- storeUp
	out <- applied
}

// Collect implements [prometheus.Collector]. It asks nobody, so it also answers
// while the engine is away.
func (m clusterMetrics) Collect(out chan<- prometheus.Metric) {
	number := map[bool]float64{true: 1}
	for name, held := range m.app.cluster.leases.Held() {
		out <- prometheus.MustNewConstMetric(leaseHeld, prometheus.GaugeValue, number[held], name)
	}
	out <- prometheus.MustNewConstMetric(storeUp, prometheus.GaugeValue, number[m.app.runner.Reached()])
	out <- prometheus.MustNewConstMetric(applied, prometheus.GaugeValue, float64(m.app.runner.Applied().Value()))
}
